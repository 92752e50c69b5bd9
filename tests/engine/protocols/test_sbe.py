"""SBE: the specification's own bytes, bytes of another encoder, evolution of schemas, and what is malformed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocols.layouts import MalformedMessage
from engine.protocols.sbe import FRAME_LENGTH, Decoder, decimal_of, offsets, split_frames
from engine.protocols.sbe_market import market_decoder
from engine.protocols.sbe_schema import read_schema
from tests.engine.protocols.sbe_examples import BUSINESS_REJECT, EXECUTION_REPORT, NEW_ORDER_SINGLE, SCHEMA

EXAMPLES = [
    (
        NEW_ORDER_SINGLE,
        "NewOrderSingle",
        {
            "ClOrdID": "ORD00001", "Account": "ACCT01", "Symbol": "GEM4", "Side": "Buy",
            "TransactTime": 0x1529_6513_3BB3_1680, "OrderQty": "7", "OrdType": "Limit", "Price": "99.610",
            "StopPx": None,
        },
    ),
    (
        EXECUTION_REPORT,
        "ExecutionReport",
        {
            "OrderID": "O0000001", "ExecID": "EXEC0000", "ExecType": "Trade", "OrdStatus": "PartialFilled",
            "Symbol": "GEM4", "MaturityMonthYear": {"year": 2014, "month": 6, "day": 255, "week": 255}, "Side": "Buy",
            "LeavesQty": "1", "CumQty": "6", "TradeDate": 15989,
            "FillsGrp": [{"FillPx": "99.610", "FillQty": "2"}, {"FillPx": "99.620", "FillQty": "4"}],
        },
    ),
    (
        BUSINESS_REJECT,
        "BusinessMessageReject",
        {
            "BusinessRejectRefID": "ORD00001", "BusinessRejectReason": "NotAuthorized",
            "Text": "Not authorized to trade that instrument",
        },
    ),
]  # fmt: skip


def examples() -> Decoder:
    return Decoder(read_schema(SCHEMA))


@pytest.mark.parametrize(("framed", "name", "fields"), EXAMPLES)
def test_the_examples_of_the_specification_are_read_as_it_interprets_them(
    framed: bytes, name: str, fields: dict[str, Any]
) -> None:
    decoded = examples().decode_one(framed[FRAME_LENGTH:])
    assert (decoded.name, decoded.version, decoded.fields) == (name, 0, fields)


def test_messages_behind_each_other_are_split_by_their_frames() -> None:
    raw = b"".join(framed for framed, _, _ in EXAMPLES)
    assert list(split_frames(raw)) == [framed[FRAME_LENGTH:] for framed, _, _ in EXAMPLES]
    *whole, cut = split_frames(raw[:-1])
    assert len(whole) == 2
    assert isinstance(cut, MalformedMessage)


@pytest.mark.parametrize("framed", [framed for framed, _, _ in EXAMPLES])
def test_every_cut_of_a_message_is_malformed(framed: bytes) -> None:
    decoder, raw = examples(), framed[FRAME_LENGTH:]
    for length in range(len(raw)):
        with pytest.raises(MalformedMessage):
            decoder.decode_one(raw[:length])
    with pytest.raises(MalformedMessage, match="1 bytes after"):
        decoder.decode_one(raw + b"\0")


def test_an_unknown_schema_and_template_are_malformed() -> None:
    raw = NEW_ORDER_SINGLE[FRAME_LENGTH:]
    with pytest.raises(MalformedMessage, match="schema 92; this one is 91"):
        examples().decode_one(raw[:4] + b"\x5c\0" + raw[6:])
    with pytest.raises(MalformedMessage, match="schema 91 has no message 12"):
        examples().decode_one(raw[:2] + b"\x0c\0" + raw[4:])


EVOLVING = """<messageSchema package="p" id="7" version="{version}" byteOrder="{order}"><types>
<composite name="messageHeader"><type name="blockLength" primitiveType="uint16"/>
<type name="templateId" primitiveType="uint16"/><type name="schemaId" primitiveType="uint16"/>
<type name="version" primitiveType="uint16"/></composite>
<composite name="groupSizeEncoding"><type name="blockLength" primitiveType="uint8"/>
<type name="numInGroup" primitiveType="uint8"/></composite>
<composite name="bytes"><type name="length" primitiveType="uint8"/>
<type name="varData" primitiveType="uint8" length="0"/></composite>
<type name="optional16" primitiveType="uint16" presence="optional" nullValue="9"/>
<type name="three" primitiveType="int16" length="3"/>
<type name="fixed" primitiveType="char" presence="constant" length="3">ABC</type>
<enum name="colour" encodingType="uint8"><validValue name="RED">1</validValue></enum>
<set name="flags" encodingType="uint16"><choice name="low">0</choice><choice name="high">15</choice></set>
<composite name="inner"><type name="a" primitiveType="uint8"/><ref name="b" type="colour" offset="3"/></composite>
</types><message name="Thing" id="1">
<field name="first" id="1" type="optional16"/><field name="letters" id="2" type="fixed"/>
<field name="kind" id="3" type="colour" presence="constant" valueRef="colour.RED"/>
{fields}
<group name="rows" id="9" dimensionType="groupSizeEncoding"><field name="x" id="1" type="int8"/>
<data name="note" id="2" type="bytes"/></group>
{groups}</message></messageSchema>"""
NEW_FIELDS = """<field name="colour" id="4" type="colour" sinceVersion="1"/><field name="flags" id="5" type="flags"/>
<field name="three" id="6" type="three"/><field name="inner" id="7" type="inner"/>
<field name="ratio" id="8" type="double" presence="optional"/>"""
NEW_GROUP = """<group name="more" id="11" dimensionType="groupSizeEncoding" sinceVersion="1">
<field name="y" id="1" type="uint8"/></group><data name="text" id="12" type="bytes" sinceVersion="1"/>"""


def thing(version: int, order: str = "littleEndian") -> Decoder:
    newer = version > 0
    text = EVOLVING.format(
        version=version, order=order, fields=NEW_FIELDS if newer else "", groups=NEW_GROUP if newer else ""
    )
    return Decoder(read_schema(text.encode()))


OLD = bytes.fromhex("0200 0100 0700 0000  0500  01 01 ff 02 aabb")
NEW = bytes.fromhex(
    "1700 0100 0700 0100  0500 01 0180 0100feff0300 05ffff01 0000000000000440  01 01 ff 00  01 02 07 08  00"
)


def test_an_older_message_lacks_what_came_later() -> None:
    fields = thing(1).decode_one(OLD).fields
    common = {"first": 5, "letters": "ABC", "kind": "RED", "rows": [{"x": -1, "note": "aabb"}]}
    absent = dict.fromkeys(("colour", "flags", "three", "inner", "ratio", "more", "text"))
    assert fields == common | absent
    assert thing(0).decode_one(OLD).fields == common


def test_what_a_newer_message_has_beyond_its_root_block_is_passed_over() -> None:
    decoded = thing(0).decode(NEW)
    assert decoded.fields == {"first": 5, "letters": "ABC", "kind": "RED", "rows": [{"x": -1, "note": ""}]}
    assert decoded.version == 1


def test_every_kind_of_field_is_read() -> None:
    assert thing(1).decode_one(NEW).fields == {
        "first": 5, "letters": "ABC", "kind": "RED", "colour": "RED", "flags": ["low", "high"], "three": [1, -2, 3],
        "inner": {"a": 5, "b": "RED"}, "ratio": 2.5, "rows": [{"x": -1, "note": ""}],
        "more": [{"y": 7}, {"y": 8}], "text": "",
    }  # fmt: skip


def test_big_endian_messages_and_null_values_are_read() -> None:
    raw = bytes.fromhex("0002 0001 0007 0000  0009  00 00")
    assert thing(0, "bigEndian").decode_one(raw).fields == {
        "first": None, "letters": "ABC", "kind": "RED", "rows": [],
    }  # fmt: skip


def test_a_group_that_claims_more_entries_than_there_are_bytes_is_malformed_at_once() -> None:
    with pytest.raises(MalformedMessage, match="255 entries of rows do not fit into 2 bytes"):
        thing(0).decode_one(bytes.fromhex("0200 0100 0700 0000  0500  00 ff 00 00"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"<", "not XML"),
        (b"<a/>", "the document is a 'a'"),
        (b"<!DOCTYPE a><messageSchema/>", "has no document type"),
        (b"<messageSchema/>", "there is no type 'messageHeader'"),
        (SCHEMA.replace(b'primitiveType="int32"', b'primitiveType="int24"'), "there is no primitive type 'int24'"),
        (SCHEMA.replace(b'type="sideEnum"', b'type="side"'), "there is no type 'side'"),
        (SCHEMA.replace(b'offset="8"', b'offset="7"'), "lies over the one before it"),
        (SCHEMA.replace(b'blockLength="54"', b'blockLength="53"'), "does not hold its fields, which end at 54"),
        (SCHEMA.replace(b'id="98"', b'id="99"'), "two messages have the id 99"),
        (SCHEMA.replace(b"littleEndian", b"middle"), "byteOrder 'middle'"),
        (SCHEMA.replace(b'type="DATA"', b'type="MONTH_YEAR"'), "has no 'length'"),
        (SCHEMA.replace(b'encodingType="enumEncoding"', b'encodingType="sideEnum"'), "is made of itself"),
        (SCHEMA.replace(b'encodingType="intEnumEncoding"', b'encodingType="idString"'), "is not one number"),
    ],
)
def test_a_wrong_schema_is_refused_with_a_sentence(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_schema(text)


def test_offsets_for_hot_code_are_those_of_the_wire() -> None:
    named = offsets(market_decoder().schema)
    assert {name: named[name] for name in ("HEADER_LENGTH", "DEPTH_UPDATE", "DEPTH_UPDATE_LENGTH")} == {
        "HEADER_LENGTH": 8, "DEPTH_UPDATE": 2, "DEPTH_UPDATE_LENGTH": 44,
    }  # fmt: skip
    assert [named[f"DEPTH_UPDATE_{field}"] for field in ("TIME", "FIRST", "LAST", "BIDS_LENGTH", "BIDS_QUANTITY")] == [
        20, 28, 36, 16, 8,
    ]  # fmt: skip


@given(st.sampled_from(["", "2400010085030100", "1c00030085030100", "1d00050085030100"]), st.binary(max_size=200))
def test_any_bytes_are_a_message_or_malformed(head: str, rest: bytes) -> None:
    raw = bytes.fromhex(head) + rest
    try:
        decoded = market_decoder().decode(raw)
    except MalformedMessage:
        return
    assert decoded.length <= len(raw)


@pytest.mark.parametrize(
    ("mantissa", "exponent", "text"),
    [(5, 0, "5"), (5, 2, "500"), (0, 2, "0"), (5, -3, "0.005"), (-1234, -2, "-12.34"), (None, -2, None)],
)
def test_decimals_are_exact(mantissa: int | None, exponent: int, text: str | None) -> None:
    assert decimal_of(mantissa, exponent) == text
