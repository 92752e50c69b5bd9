"""The examples of the Simple Binary Encoding 1.0 specification: schemas (section "Examples") and bytes, as published.

The document prints two schema ids, 100 in the XML and 91 on the wire, which is used; its bytes are kept as they are.
"""

from __future__ import annotations

SCHEMA = b"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<sbe:messageSchema xmlns:sbe="http://fixprotocol.io/2016/sbe" package="Examples" id="91" byteOrder="littleEndian">
<types>
  <type name="enumEncoding" primitiveType="char"/>
  <type name="idString" length="8" primitiveType="char" semanticType="String"/>
  <type name="timestampEncoding" primitiveType="uint64" semanticType="UTCTimestamp"/>
  <composite name="messageHeader">
    <type name="blockLength" primitiveType="uint16"/><type name="templateId" primitiveType="uint16"/>
    <type name="schemaId" primitiveType="uint16"/><type name="version" primitiveType="uint16"/>
  </composite>
  <composite name="optionalDecimalEncoding">
    <type name="mantissa" presence="optional" primitiveType="int64"/>
    <type name="exponent" presence="constant" primitiveType="int8">-3</type>
  </composite>
  <composite name="qtyEncoding">
    <type name="mantissa" primitiveType="int32"/><type name="exponent" presence="constant" primitiveType="int8">0</type>
  </composite>
  <enum name="ordTypeEnum" encodingType="enumEncoding">
    <validValue name="Market">1</validValue><validValue name="Limit">2</validValue>
  </enum>
  <enum name="sideEnum" encodingType="enumEncoding">
    <validValue name="Buy">1</validValue><validValue name="Sell">2</validValue>
  </enum>
</types>
<types>
  <type name="date" primitiveType="uint16" semanticType="LocalMktDate"/>
  <composite name="MONTH_YEAR" semanticType="MonthYear">
    <type name="year" primitiveType="uint16"/><type name="month" primitiveType="uint8"/>
    <type name="day" primitiveType="uint8"/><type name="week" primitiveType="uint8"/>
  </composite>
  <composite name="groupSizeEncoding">
    <type name="blockLength" primitiveType="uint16"/><type name="numInGroup" primitiveType="uint16"/>
  </composite>
  <enum name="execTypeEnum" encodingType="enumEncoding">
    <validValue name="New">0</validValue><validValue name="Trade">F</validValue>
  </enum>
  <enum name="ordStatusEnum" encodingType="enumEncoding">
    <validValue name="New">0</validValue><validValue name="PartialFilled">1</validValue>
  </enum>
  <type name="intEnumEncoding" primitiveType="uint8"/>
  <composite name="DATA">
    <type name="length" primitiveType="uint16"/><type name="varData" length="0" primitiveType="uint8"/>
  </composite>
  <enum name="businessRejectReasonEnum" encodingType="intEnumEncoding">
    <validValue name="Other">0</validValue><validValue name="NotAuthorized">6</validValue>
  </enum>
</types>
<sbe:message name="NewOrderSingle" id="99" blockLength="54" semanticType="D">
  <field name="ClOrdID" id="11" type="idString" offset="0"/><field name="Account" id="1" type="idString" offset="8"/>
  <field name="Symbol" id="55" type="idString" offset="16"/><field name="Side" id="54" type="sideEnum" offset="24"/>
  <field name="TransactTime" id="60" type="timestampEncoding" offset="25"/>
  <field name="OrderQty" id="38" type="qtyEncoding" offset="33"/>
  <field name="OrdType" id="40" type="ordTypeEnum" offset="37"/>
  <field name="Price" id="44" type="optionalDecimalEncoding" offset="38"/>
  <field name="StopPx" id="99" type="optionalDecimalEncoding" offset="46"/>
</sbe:message>
<sbe:message name="ExecutionReport" id="98" blockLength="42" semanticType="8">
  <field name="OrderID" id="37" type="idString" offset="0"/><field name="ExecID" id="17" type="idString" offset="8"/>
  <field name="ExecType" id="150" type="execTypeEnum" offset="16"/>
  <field name="OrdStatus" id="39" type="ordStatusEnum" offset="17"/>
  <field name="Symbol" id="55" type="idString" offset="18"/>
  <field name="MaturityMonthYear" id="200" type="MONTH_YEAR" offset="26"/>
  <field name="Side" id="54" type="sideEnum" offset="31"/>
  <field name="LeavesQty" id="151" type="qtyEncoding" offset="32"/>
  <field name="CumQty" id="14" type="qtyEncoding" offset="36"/><field name="TradeDate" id="75" type="date" offset="40"/>
  <group name="FillsGrp" id="2112" blockLength="12" dimensionType="groupSizeEncoding">
    <field name="FillPx" id="1364" type="optionalDecimalEncoding" offset="0"/>
    <field name="FillQty" id="1365" type="qtyEncoding" offset="8"/>
  </group>
</sbe:message>
<sbe:message name="BusinessMessageReject" id="97" blockLength="9" semanticType="j">
  <field name="BusinessRejectRefID" id="379" type="idString" offset="0"/>
  <field name="BusinessRejectReason" id="380" type="businessRejectReasonEnum" offset="8"/>
  <data name="Text" id="58" type="DATA" semanticType="String"/>
</sbe:message>
</sbe:messageSchema>
"""

NEW_ORDER_SINGLE = bytes.fromhex(
    "00 00 00 44 eb 50 36 00 63 00 5b 00 00 00 4f 52 44 30 30 30 30 31 41 43 43 54 30 31 00 00 47 45 "
    "4d 34 00 00 00 00 31 80 16 b3 3b 13 65 29 15 07 00 00 00 32 1a 85 01 00 00 00 00 00 00 00 00 00 00 00 00 80"
)
EXECUTION_REPORT = bytes.fromhex(
    "00 00 00 54 eb 50 2a 00 62 00 5b 00 00 00 4f 30 30 30 30 30 30 31 45 58 45 43 30 30 30 30 46 31 "
    "47 45 4d 34 00 00 00 00 de 07 06 ff ff 31 01 00 00 00 06 00 00 00 75 3e 0c 00 02 00 1a 85 01 00 "
    "00 00 00 00 02 00 00 00 24 85 01 00 00 00 00 00 04 00 00 00"
)
BUSINESS_REJECT = bytes.fromhex(
    "00 00 00 40 eb 50 09 00 61 00 5b 00 00 00 4f 52 44 30 30 30 30 31 06 27 00 4e 6f 74 20 61 75 74 "
    "68 6f 72 69 7a 65 64 20 74 6f 20 74 72 61 64 65 20 74 68 61 74 20 69 6e 73 74 72 75 6d 65 6e 74"
)
