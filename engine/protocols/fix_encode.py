"""FIX order messages written at an address, whole: BodyLength(9), MsgSeqNum(34), SendingTime(52), CheckSum(10).

`wire` is the address of a FIX_WIRE row; every message takes the session's next number. `side` is `codes.Side`,
`time_in_force` is `TimeInForce`, prices are in 1/10,000 and written with four places, `symbol` is the address of eight
bytes padded with spaces. The caller guarantees LONGEST_MESSAGE bytes of room. Each function returns the message's
length.
"""

from __future__ import annotations

from engine.messages.codes import Side, TimeInForce
from engine.native import (
    copy_bytes,
    hot,
    hot_inlined,
    load_i64,
    load_u8,
    store_i64,
    store_le16,
    store_le32,
    store_u8,
    view,
)
from engine.protocols.fix_wire import FIX_WIRE, wire_offset

LONGEST_MESSAGE = 384

HEAD_AT, TIME_AT = wire_offset("head"), wire_offset("time_text")
ACCOUNT_AT, HANDLING_AT = wire_offset("account"), wire_offset("handling")

SOH, ZERO, DOT, DASH, COLON, SPACE = 1, 48, 46, 45, 58, 32
LETTER_C = ord("C")
BUY = int(Side.BUY)
IOC, FOK = int(TimeInForce.IOC), int(TimeInForce.FOK)
POST_ONLY = int(TimeInForce.POST_ONLY)
AT_OPEN, AT_CLOSE = int(TimeInForce.AT_OPEN), int(TimeInForce.AT_CLOSE)
GTC, GTD = int(TimeInForce.GTC), int(TimeInForce.GTD)
NEW_ORDER_SINGLE, ORDER_CANCEL_REQUEST, ORDER_CANCEL_REPLACE_REQUEST = ord("D"), ord("F"), ord("G")
HEARTBEAT, TEST_REQUEST = ord("0"), ord("1")
SECOND_BYTES, TIMESTAMP_BYTES = 17, 21
LENGTH_DIGITS = 3
TYPE_AFTER_LENGTH = len("000|35=")
PAIRS = 0x00FF00FF00FF00FF
CHUNK = 512  # bytes that 16-bit lanes can add up


def _tag(text: str) -> int:
    """Up to four bytes as the number that `store_le32` writes."""
    return int.from_bytes(text.encode().ljust(4, b"0"), "little")


MSG_TYPE = _tag("35=")
SENDING_TIME, TRANSACT_TIME = _tag("\x0152="), _tag("60=")
CL_ORD_ID, ORIG_CL_ORD_ID, ORDER_QTY = _tag("11="), _tag("41="), _tag("38=")
SIDE, SYMBOL, PRICE, TIME_IN_FORCE, LIMIT_ORDER = _tag("54="), _tag("55="), _tag("44="), _tag("59="), _tag("40=2")
EXEC_INST = _tag("18=6")  # participate do not initiate
LIMIT_ON_CLOSE = _tag("40=B")  # of FIX 4.2, whose TimeInForce(59) knows no close
EXPIRE_TIME = _tag("126=")
TEST_REQ_ID, CHECK_SUM = _tag("112="), _tag("10=")


@hot_inlined
def write_two(address, number):
    """A number below 100 as two digits."""
    tens = number * 103 >> 10
    store_le16(address, ZERO * 257 + tens + (number - tens * 10 << 8))


@hot_inlined
def write_four(address, number):
    """A number below 10,000 as four digits."""
    hundreds = number // 100
    write_two(address, hundreds)
    write_two(address + 2, number - hundreds * 100)


@hot_inlined
def write_three(address, number):
    """A number below 1,000 as three digits."""
    tens = number // 10
    write_two(address, tens)
    store_u8(address + 2, ZERO + number - tens * 10)


@hot_inlined
def count_digits(number):
    """How many decimal digits a number that is not negative has."""
    digits = 1
    bound = 10
    while number >= bound and digits < 18:
        digits += 1
        bound *= 10
    return digits


@hot_inlined
def write_digits(address, number):
    """A number that is not negative, in decimal. Returns how many digits."""
    digits = count_digits(number)
    at = address + digits
    while number >= 100:
        at -= 2
        rest = number // 100
        write_two(at, number - rest * 100)
        number = rest
    if number >= 10:
        write_two(at - 2, number)
    else:
        store_u8(at - 1, ZERO + number)
    return digits


@hot
def write_day(address, day):
    """YYYYMMDD of a day since the epoch (the proleptic Gregorian calendar, years counted from March)."""
    shifted = day + 719468
    era = shifted // 146097
    of_era = shifted - era * 146097
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    write_two(address + 6, of_year - (153 * month + 2) // 5 + 1)
    write_two(address + 4, month + 3 if month < 10 else month - 9)
    write_four(address, year + era * 400 + (0 if month < 10 else 1))


@hot
def write_time(wire, time_ns):
    """Keep the text of a millisecond: messages that follow within it cost a copy."""
    session = view(wire, 1, FIX_WIRE)[0]
    text = wire + TIME_AT
    second = time_ns // 1_000_000_000
    if session.second != second:
        of_day = second % 86400
        write_day(text, second // 86400)
        store_u8(text + 8, DASH)
        write_two(text + 9, of_day // 3600)
        store_u8(text + 11, COLON)
        write_two(text + 12, of_day // 60 % 60)
        store_u8(text + 14, COLON)
        write_two(text + 15, of_day % 60)
        store_u8(text + SECOND_BYTES, DOT)
        store_u8(text + TIMESTAMP_BYTES, SOH)
        session.second = second
    write_three(text + SECOND_BYTES + 1, (time_ns - second * 1_000_000_000) // 1_000_000)
    session.millisecond = time_ns // 1_000_000


@hot_inlined
def write_timestamp(wire, address, time_ns):
    """UTCTimestamp with milliseconds and the delimiter after it: 22 bytes, and two more of room are overwritten."""
    if view(wire, 1, FIX_WIRE)[0].millisecond != time_ns // 1_000_000:
        write_time(wire, time_ns)
    text = wire + TIME_AT
    store_i64(address, load_i64(text))
    store_i64(address + 8, load_i64(text + 8))
    store_i64(address + 16, load_i64(text + 16))


@hot_inlined
def write_price(address, price):
    """A price in 1/10,000 with four places. Returns how many bytes."""
    whole = price // 10_000
    digits = write_digits(address, whole)
    store_u8(address + digits, DOT)
    write_four(address + digits + 1, price - whole * 10_000)
    return digits + 5


@hot_inlined
def write_symbol(address, symbol):
    """The eight bytes at `symbol` without the spaces after them. Returns how many."""
    length = 0
    while length < 8:
        letter = load_u8(symbol + length)
        if letter == SPACE or letter == 0:
            break
        store_u8(address + length, letter)
        length += 1
    return length


@hot
def byte_sum(address, length):
    """CheckSum(10) of so many bytes: their sum modulo 256, eight at a time."""
    total = 0
    at = 0
    while at + 8 <= length:
        lanes = 0
        end = at + CHUNK
        if end > length:
            end = length
        while at + 8 <= end:
            word = load_i64(address + at)
            lanes += (word & PAIRS) + ((word >> 8) & PAIRS)
            at += 8
        total += (lanes & 0xFFFF) + (lanes >> 16 & 0xFFFF) + (lanes >> 32 & 0xFFFF) + (lanes >> 48 & 0xFFFF)
    while at < length:
        total += load_u8(address + at)
        at += 1
    return total & 255


@hot_inlined
def begin_message(wire, address, letter, time_ns):
    """Standard header; BodyLength(9) is filled in by `end_message`. Returns where the next field goes."""
    session = view(wire, 1, FIX_WIRE)[0]
    copy_bytes(address, wire + HEAD_AT, session.head_length)
    store_u8(address + session.length_at + TYPE_AFTER_LENGTH, letter)
    number = load_i64(session.number)
    store_i64(session.number, number + 1)
    at = address + session.head_length
    at += write_digits(at, number)
    store_le32(at, SENDING_TIME)
    write_timestamp(wire, at + 4, time_ns)
    return at + 4 + TIMESTAMP_BYTES + 1


@hot
def end_message(wire, address, end):
    """BodyLength(9) and CheckSum(10) of the message whose body ends at `end`. Returns the message's length."""
    begin = view(wire, 1, FIX_WIRE)[0].length_at
    body = address + begin + LENGTH_DIGITS + 1
    length = end - body
    if length >= 100:
        write_three(address + begin, length)
    else:
        digits = write_digits(address + begin, length)
        store_u8(address + begin + digits, SOH)
        target = address + begin + digits + 1
        for at in range(length):
            store_u8(target + at, load_u8(body + at))
        end = target + length
    total = byte_sum(address, end - address)
    store_le32(end, CHECK_SUM)
    write_three(end + 3, total)
    store_u8(end + 6, SOH)
    return end + 7 - address


@hot_inlined
def write_number_field(address, tag, number):
    """A field of a three-character tag and a number. Returns where the next one goes."""
    store_le32(address, tag)
    at = address + 3 + write_digits(address + 3, number)
    store_u8(at, SOH)
    return at + 1


@hot_inlined
def write_instrument(address, side, symbol):
    """Side(54) and Symbol(55). Returns where the next field goes."""
    store_le32(address, SIDE)
    store_u8(address + 3, ZERO + 1 if side == BUY else ZERO + 2)
    store_u8(address + 4, SOH)
    store_le32(address + 5, SYMBOL)
    at = address + 8 + write_symbol(address + 8, symbol)
    store_u8(at, SOH)
    return at + 1


@hot
def write_expire_time(address, second):
    """ExpireTime(126) of a second since the epoch. Returns where the next field goes."""
    store_le32(address, EXPIRE_TIME)
    text = address + 4
    of_day = second % 86400
    write_day(text, second // 86400)
    store_u8(text + 8, DASH)
    write_two(text + 9, of_day // 3600)
    store_u8(text + 11, COLON)
    write_two(text + 12, of_day // 60 % 60)
    store_u8(text + 14, COLON)
    write_two(text + 15, of_day % 60)
    store_u8(text + SECOND_BYTES, SOH)
    return text + SECOND_BYTES + 1


@hot_inlined
def write_terms(wire, address, side, quantity, symbol, price, time_in_force, good_till_s, time_ns):
    """OrderQty(38) to TransactTime(60) of an order. Returns where the trailer goes."""
    at = write_number_field(address, ORDER_QTY, quantity)
    on_close_42 = time_in_force == AT_CLOSE and view(wire, 1, FIX_WIRE)[0].handling_length > 0
    store_le32(at, LIMIT_ON_CLOSE if on_close_42 else LIMIT_ORDER)
    store_u8(at + 4, SOH)
    store_le32(at + 5, PRICE)
    at += 8
    at += write_price(at, price)
    store_u8(at, SOH)
    at = write_instrument(at + 1, side, symbol)
    store_le32(at, TIME_IN_FORCE)
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
    store_u8(at + 3, code)
    store_u8(at + 4, SOH)
    at += 5
    if time_in_force == GTD:
        at = write_expire_time(at, good_till_s)
    if time_in_force == POST_ONLY:
        store_le32(at, EXEC_INST)
        store_u8(at + 4, SOH)
        at += 5
    return write_transact_time(wire, at, time_ns)


@hot_inlined
def write_transact_time(wire, address, time_ns):
    """TransactTime(60). Returns where the trailer goes."""
    store_le32(address, TRANSACT_TIME)
    write_timestamp(wire, address + 3, time_ns)
    return address + 4 + TIMESTAMP_BYTES


@hot_inlined
def write_own_terms(wire, address):
    """Account(1), if the session has one."""
    session = view(wire, 1, FIX_WIRE)[0]
    if session.account_length > 0:
        copy_bytes(address, wire + ACCOUNT_AT, session.account_length)
    return address + session.account_length


@hot_inlined
def write_handling(wire, address):
    """HandlInst(21) where the version requires it."""
    session = view(wire, 1, FIX_WIRE)[0]
    if session.handling_length > 0:
        store_i64(address, load_i64(wire + HANDLING_AT))
    return address + session.handling_length


@hot
def write_new_order(wire, address, order_id, side, quantity, symbol, price, time_in_force, good_till_s, time_ns):
    """NewOrderSingle(D): a limit order whose ClOrdID(11) is the order id. `good_till_s` is the ExpireTime(126) of one
    with GTD."""
    at = begin_message(wire, address, NEW_ORDER_SINGLE, time_ns)
    at = write_own_terms(wire, at)
    at = write_number_field(at, CL_ORD_ID, order_id)
    at = write_handling(wire, at)
    return end_message(
        wire, address, write_terms(wire, at, side, quantity, symbol, price, time_in_force, good_till_s, time_ns)
    )


@hot
def write_replace(wire, address, order_id, target, side, quantity, symbol, price, time_in_force, good_till_s, time_ns):
    """OrderCancelReplaceRequest(G). `quantity` is the whole chain's, shares already executed included."""
    at = begin_message(wire, address, ORDER_CANCEL_REPLACE_REQUEST, time_ns)
    at = write_own_terms(wire, at)
    at = write_number_field(at, CL_ORD_ID, order_id)
    at = write_handling(wire, at)
    at = write_number_field(at, ORIG_CL_ORD_ID, target)
    return end_message(
        wire, address, write_terms(wire, at, side, quantity, symbol, price, time_in_force, good_till_s, time_ns)
    )


@hot
def write_cancel(wire, address, order_id, side, quantity, symbol, time_ns):
    """OrderCancelRequest(F) for the whole order. ClOrdID(11) is its id, C, and the MsgSeqNum(34): never used twice."""
    number = load_i64(view(wire, 1, FIX_WIRE)[0].number)
    at = begin_message(wire, address, ORDER_CANCEL_REQUEST, time_ns)
    at = write_own_terms(wire, at)
    store_le32(at, CL_ORD_ID)
    at += 3
    at += write_digits(at, order_id)
    store_u8(at, LETTER_C)
    at += 1 + write_digits(at + 1, number)
    store_u8(at, SOH)
    at = write_number_field(at + 1, ORIG_CL_ORD_ID, order_id)
    at = write_number_field(at, ORDER_QTY, quantity)
    at = write_instrument(at, side, symbol)
    return end_message(wire, address, write_transact_time(wire, at, time_ns))


@hot
def write_heartbeat(wire, address, time_ns, request, length):
    """Heartbeat(0); with `length` bytes of TestReqID(112) at `request` when it answers a TestRequest, else 0."""
    at = begin_message(wire, address, HEARTBEAT, time_ns)
    if length > 0:
        store_le32(at, TEST_REQ_ID)
        copy_bytes(at + 4, request, length)
        store_u8(at + 4 + length, SOH)
        at += 5 + length
    return end_message(wire, address, at)


@hot
def write_test_request(wire, address, time_ns):
    """TestRequest(1) whose TestReqID(112) is the time."""
    at = begin_message(wire, address, TEST_REQUEST, time_ns)
    store_le32(at, TEST_REQ_ID)
    at += 4
    at += write_digits(at, time_ns // 1_000_000)
    store_u8(at, SOH)
    return end_message(wire, address, at + 1)
