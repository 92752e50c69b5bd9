"""FIX order messages written at an address, whole: BodyLength(9), MsgSeqNum(34), SendingTime(52), CheckSum(10).

`wire` is the address of a FIX_WIRE row; every message takes the session's next number. `side` is `codes.Side`,
`time_in_force` is `TimeInForce`, prices are in 1/10,000 and written with four places, `symbol` is the address of eight
bytes padded with spaces. The caller guarantees LONGEST_MESSAGE bytes of room. Each function that writes a message
returns its length; the others, as those of `fix_text`, where the next field goes and the sum of all bytes so far.
"""

from __future__ import annotations

from engine.messages.codes import Side, TimeInForce
from engine.native import copy_bytes, hot, hot_inlined, load_i64, load_u8, store_i64, store_u8, view
from engine.protocols.fix_text import (
    SECOND_BYTES,
    SOH,
    ZERO,
    sum_of,
    text_of,
    write_bytes,
    write_letter,
    write_number,
    write_price,
    write_second,
    write_symbol,
    write_text,
    write_three,
    write_timestamp,
)
from engine.protocols.fix_wire import FIX_WIRE, LENGTH_DIGITS, TYPE_AFTER_LENGTH, wire_offset

LONGEST_MESSAGE = 384

HEAD_AT, ACCOUNT_AT, HANDLING_AT = wire_offset("head"), wire_offset("account"), wire_offset("handling")

LETTER_C = ord("C")
BUY = int(Side.BUY)
IOC, FOK = int(TimeInForce.IOC), int(TimeInForce.FOK)
POST_ONLY = int(TimeInForce.POST_ONLY)
AT_OPEN, AT_CLOSE = int(TimeInForce.AT_OPEN), int(TimeInForce.AT_CLOSE)
GTC, GTD = int(TimeInForce.GTC), int(TimeInForce.GTD)
NEW_ORDER_SINGLE, ORDER_CANCEL_REQUEST, ORDER_CANCEL_REPLACE_REQUEST = ord("D"), ord("F"), ord("G")
HEARTBEAT, TEST_REQUEST = ord("0"), ord("1")

SENDING_TIME, TRANSACT_TIME = text_of("\x0152="), text_of("60=")
CL_ORD_ID, ORIG_CL_ORD_ID, ORDER_QTY = text_of("11="), text_of("41="), text_of("38=")
SIDE, SYMBOL, PRICE, TIME_IN_FORCE = text_of("54="), text_of("55="), text_of("44="), text_of("59=")
LIMIT_ORDER = text_of("40=2")
LIMIT_ON_CLOSE = text_of("40=B")  # of FIX 4.2, whose TimeInForce(59) knows no close
EXEC_INST = text_of("18=6")  # participate do not initiate
EXPIRE_TIME = text_of("126=")
TEST_REQ_ID, CHECK_SUM = text_of("112="), text_of("10=")


@hot_inlined
def begin_message(wire, address, letter, time_ns):
    """Standard header; BodyLength(9) is filled in by `end_message`."""
    session = view(wire, 1, FIX_WIRE)[0]
    copy_bytes(address, wire + HEAD_AT, session.head_length)
    store_u8(address + session.length_at + TYPE_AFTER_LENGTH, letter)
    number = load_i64(session.number)
    store_i64(session.number, number + 1)
    at, total = write_number(address + session.head_length, session.head_sum + letter, number)
    at, total = write_text(at, total, SENDING_TIME)
    return write_timestamp(at, total, wire, time_ns)


@hot
def end_message(wire, address, end, total):
    """BodyLength(9) and CheckSum(10) of the message whose body ends at `end`. Returns the message's length."""
    length_at = address + view(wire, 1, FIX_WIRE)[0].length_at
    body = length_at + LENGTH_DIGITS + 1
    length = end - body
    if length >= 100:
        total += write_three(length_at, length)
    else:
        target, total = write_number(length_at, total, length)
        store_u8(target, SOH)
        for at in range(length):
            store_u8(target + 1 + at, load_u8(body + at))
        end = target + 1 + length
    at, _ = write_text(end, 0, CHECK_SUM)
    write_three(at, total & 255)
    store_u8(at + 3, SOH)
    return at + 4 - address


@hot_inlined
def write_number_field(at, total, tag, number):
    """A field of a tag and a number."""
    at, total = write_text(at, total, tag)
    at, total = write_number(at, total, number)
    return write_letter(at, total, SOH)


@hot_inlined
def write_letter_field(at, total, tag, letter):
    """A field of a tag and one letter."""
    at, total = write_text(at, total, tag)
    at, total = write_letter(at, total, letter)
    return write_letter(at, total, SOH)


@hot_inlined
def write_instrument(at, total, side, symbol):
    """Side(54) and Symbol(55)."""
    at, total = write_letter_field(at, total, SIDE, ZERO + 1 if side == BUY else ZERO + 2)
    at, total = write_text(at, total, SYMBOL)
    at, total = write_symbol(at, total, symbol)
    return write_letter(at, total, SOH)


@hot
def write_expire_time(at, total, second):
    """ExpireTime(126) of a second since the epoch."""
    at, total = write_text(at, total, EXPIRE_TIME)
    write_second(at, second)
    return write_letter(at + SECOND_BYTES, total + sum_of(at, SECOND_BYTES), SOH)


@hot_inlined
def time_in_force_code(time_in_force, on_close_42):
    """The letter of TimeInForce(59); what says it elsewhere is a day's order here."""
    code = ZERO
    if time_in_force == IOC:
        code = ZERO + 3
    elif time_in_force == FOK:
        code = ZERO + 4
    elif time_in_force == AT_OPEN:
        code = ZERO + 2
    elif time_in_force == AT_CLOSE and not on_close_42:
        code = ZERO + 7
    elif time_in_force == GTC:
        code = ZERO + 1
    elif time_in_force == GTD:
        code = ZERO + 6
    return code


@hot_inlined
def write_terms(at, total, wire, side, quantity, symbol, price, time_in_force, good_till_s, time_ns):
    """OrderQty(38) to TransactTime(60) of an order."""
    at, total = write_number_field(at, total, ORDER_QTY, quantity)
    on_close_42 = time_in_force == AT_CLOSE and view(wire, 1, FIX_WIRE)[0].handling_length > 0
    at, total = write_text(at, total, LIMIT_ON_CLOSE if on_close_42 else LIMIT_ORDER)
    at, total = write_letter(at, total, SOH)
    at, total = write_text(at, total, PRICE)
    at, total = write_price(at, total, price)
    at, total = write_letter(at, total, SOH)
    at, total = write_instrument(at, total, side, symbol)
    at, total = write_letter_field(at, total, TIME_IN_FORCE, time_in_force_code(time_in_force, on_close_42))
    if time_in_force == GTD:
        at, total = write_expire_time(at, total, good_till_s)
    if time_in_force == POST_ONLY:
        at, total = write_text(at, total, EXEC_INST)
        at, total = write_letter(at, total, SOH)
    return write_transact_time(at, total, wire, time_ns)


@hot_inlined
def write_transact_time(at, total, wire, time_ns):
    """TransactTime(60)."""
    at, total = write_text(at, total, TRANSACT_TIME)
    return write_timestamp(at, total, wire, time_ns)


@hot_inlined
def write_own_terms(at, total, wire):
    """Account(1), if the session has one."""
    session = view(wire, 1, FIX_WIRE)[0]
    if session.account_length > 0:
        copy_bytes(at, wire + ACCOUNT_AT, session.account_length)
    return at + session.account_length, total + session.account_sum


@hot_inlined
def write_handling(at, total, wire):
    """HandlInst(21) where the version requires it."""
    session = view(wire, 1, FIX_WIRE)[0]
    if session.handling_length > 0:
        store_i64(at, load_i64(wire + HANDLING_AT))
    return at + session.handling_length, total + session.handling_sum


@hot
def write_new_order(wire, address, order_id, side, quantity, symbol, price, time_in_force, good_till_s, time_ns):
    """NewOrderSingle(D): a limit order whose ClOrdID(11) is the order id. `good_till_s` is the ExpireTime(126) of one
    with GTD."""
    at, total = begin_message(wire, address, NEW_ORDER_SINGLE, time_ns)
    at, total = write_own_terms(at, total, wire)
    at, total = write_number_field(at, total, CL_ORD_ID, order_id)
    at, total = write_handling(at, total, wire)
    at, total = write_terms(at, total, wire, side, quantity, symbol, price, time_in_force, good_till_s, time_ns)
    return end_message(wire, address, at, total)


@hot
def write_replace(wire, address, order_id, target, side, quantity, symbol, price, time_in_force, good_till_s, time_ns):
    """OrderCancelReplaceRequest(G). `quantity` is the whole chain's, shares already executed included."""
    at, total = begin_message(wire, address, ORDER_CANCEL_REPLACE_REQUEST, time_ns)
    at, total = write_own_terms(at, total, wire)
    at, total = write_number_field(at, total, CL_ORD_ID, order_id)
    at, total = write_handling(at, total, wire)
    at, total = write_number_field(at, total, ORIG_CL_ORD_ID, target)
    at, total = write_terms(at, total, wire, side, quantity, symbol, price, time_in_force, good_till_s, time_ns)
    return end_message(wire, address, at, total)


@hot
def write_cancel(wire, address, order_id, side, quantity, symbol, time_ns):
    """OrderCancelRequest(F) for the whole order. ClOrdID(11) is its id, C, and the MsgSeqNum(34): never used twice."""
    number = load_i64(view(wire, 1, FIX_WIRE)[0].number)
    at, total = begin_message(wire, address, ORDER_CANCEL_REQUEST, time_ns)
    at, total = write_own_terms(at, total, wire)
    at, total = write_text(at, total, CL_ORD_ID)
    at, total = write_number(at, total, order_id)
    at, total = write_letter(at, total, LETTER_C)
    at, total = write_number(at, total, number)
    at, total = write_letter(at, total, SOH)
    at, total = write_number_field(at, total, ORIG_CL_ORD_ID, order_id)
    at, total = write_number_field(at, total, ORDER_QTY, quantity)
    at, total = write_instrument(at, total, side, symbol)
    at, total = write_transact_time(at, total, wire, time_ns)
    return end_message(wire, address, at, total)


@hot
def write_heartbeat(wire, address, time_ns, request, length):
    """Heartbeat(0); with `length` bytes of TestReqID(112) at `request` when it answers a TestRequest, else 0."""
    at, total = begin_message(wire, address, HEARTBEAT, time_ns)
    if length > 0:
        at, total = write_text(at, total, TEST_REQ_ID)
        at, total = write_bytes(at, total, request, length)
        at, total = write_letter(at, total, SOH)
    return end_message(wire, address, at, total)


@hot
def write_test_request(wire, address, time_ns):
    """TestRequest(1) whose TestReqID(112) is the time."""
    at, total = begin_message(wire, address, TEST_REQUEST, time_ns)
    at, total = write_number_field(at, total, TEST_REQ_ID, time_ns // 1_000_000)
    return end_message(wire, address, at, total)
