"""FIX frames and their fields in the loop: lengths and checksum verified, nothing read beyond the given end.

`parse_fields` fills a FIX_FIELDS row with the place of every field that the loop knows, in whatever order they come; of
a repeated tag the first counts. Fields that carry bytes (RawData and its like) are stepped over by their length.
"""

from __future__ import annotations

import numpy as np

from engine.native import hot, hot_inlined, load_i64, load_u8, view, zero_bytes
from engine.protocols.fix_bounds import BYTES_AFTER, LONGEST_FRAME

PARTIAL = 0
GARBLED = -1
SHORTEST_FRAME = len("8=FIX.4.2|9=5|35=0|10=000|")
LONGEST_BEGIN = 16
TRAILER = len("10=000|")
PAIRS = 0x00FF00FF00FF00FF
CHUNK = 512  # bytes that 16-bit lanes can add up
LONGEST_TAG = 9

# Tags that the loop reads, by the place where it keeps them.
TAGS = (
    35, 34, 43, 112, 11, 41, 17, 19, 20, 150, 39, 54, 38, 44, 31, 32, 151, 14, 37, 60, 527, 851, 103, 102, 434, 55,
)  # fmt: skip
(
    MSG_TYPE, MSG_SEQ_NUM, POSS_DUP_FLAG, TEST_REQ_ID, CL_ORD_ID, ORIG_CL_ORD_ID, EXEC_ID, EXEC_REF_ID,
    EXEC_TRANS_TYPE, EXEC_TYPE, ORD_STATUS, SIDE, ORDER_QTY, PRICE, LAST_PX, LAST_QTY, LEAVES_QTY, CUM_QTY, ORDER_ID,
    TRANSACT_TIME, SECONDARY_EXEC_ID, LAST_LIQUIDITY_IND, ORD_REJ_REASON, CXL_REJ_REASON, CXL_REJ_RESPONSE_TO, SYMBOL,
) = range(len(TAGS))  # fmt: skip
KNOWN_TAGS = 1024
PLACE_OF_TAG = np.full(KNOWN_TAGS, -1, np.int64)
PLACE_OF_TAG[list(TAGS)] = np.arange(len(TAGS))

DATA_AFTER_TAG = np.zeros(KNOWN_TAGS, np.int64)
DATA_AFTER_TAG[list(BYTES_AFTER)] = list(BYTES_AFTER.values())

# Address of a field's value and its length; length 0 for a field that is not there.
FIX_FIELDS = np.dtype([("at", "<i8", (len(TAGS),)), ("length", "<i8", (len(TAGS),))])
FIELDS_BYTES = FIX_FIELDS.itemsize

SOH, ZERO, NINE, EQUALS, DOT, DASH, COLON = 1, 48, 57, 61, 46, 45, 58


@hot
def next_fix_frame(address, available):
    """Bytes of the message at `address`, its trailer included.

    PARTIAL (0) while its end is not there; GARBLED (-1) when it does not begin with 8= and 9=, its BodyLength(9) does
    not end before a CheckSum(10), or the sum is wrong: the stream is out of step.
    """
    if available < SHORTEST_FRAME:
        return PARTIAL
    if load_u8(address) != ZERO + 8 or load_u8(address + 1) != EQUALS:
        return GARBLED
    at = 2
    while at < LONGEST_BEGIN and load_u8(address + at) != SOH:
        at += 1
    if load_u8(address + at) != SOH or load_u8(address + at + 1) != NINE or load_u8(address + at + 2) != EQUALS:
        return GARBLED
    at += 3
    body_length = 0
    while True:
        if at >= SHORTEST_FRAME:
            return GARBLED
        digit = load_u8(address + at)
        at += 1
        if digit == SOH:
            break
        if digit < ZERO or digit > NINE:
            return GARBLED
        body_length = body_length * 10 + digit - ZERO
        if body_length > LONGEST_FRAME:
            return GARBLED
    length = at + body_length + TRAILER
    if length > available:
        return PARTIAL
    return length if trailer_is_right(address, length - TRAILER) else GARBLED


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


@hot
def trailer_is_right(address, end):
    """Whether CheckSum(10) stands at `end` and is the sum of all bytes before it."""
    trailer = address + end
    if load_u8(trailer - 1) != SOH or load_u8(trailer) != ZERO + 1 or load_u8(trailer + 1) != ZERO:
        return False
    if load_u8(trailer + 2) != EQUALS or load_u8(trailer + 6) != SOH:
        return False
    stated = 0
    for at in range(3, 6):
        digit = load_u8(trailer + at)
        if digit < ZERO or digit > NINE:
            return False
        stated = stated * 10 + digit - ZERO
    return stated == byte_sum(address, end)


@hot_inlined
def read_tag(address):
    """The tag at `address`, up to nine digits and an equals sign: shifted left by four, with the count of its digits;
    -1 when it is none. Some other byte must follow the digits."""
    tag = 0
    at = address
    letter = load_u8(at)
    while letter >= ZERO and letter <= NINE and at < address + LONGEST_TAG:
        tag = tag * 10 + letter - ZERO
        at += 1
        letter = load_u8(at)
    return tag << 4 | (at - address) if letter == EQUALS and at > address else -1


@hot_inlined
def end_of_value(address):
    """Where the delimiter after a value stands; there must be one."""
    at = address
    while load_u8(at) != SOH:
        at += 1
    return at


@hot
def parse_fields(address, length, fields):
    """Places of the known fields of a whole frame (as `next_fix_frame` found it: its last byte is a delimiter).

    Returns MsgType(35) as a number, its letters from high to low; GARBLED when something is not tag=value or the type
    is not the third field.
    """
    zero_bytes(fields, FIELDS_BYTES)
    row = view(fields, 1, FIX_FIELDS)[0]
    at = address
    end = address + length
    count = 0
    data_tag = 0
    data_length = 0
    while at < end:
        found = read_tag(at)
        tag = found >> 4
        count += 1
        if found < 0 or (count == 3 and tag != 35):
            return GARBLED
        value = at + (found & 15) + 1
        at = value
        if data_tag != 0 and tag == data_tag:
            at += data_length
            if at >= end or load_u8(at) != SOH:
                return GARBLED
        at = end_of_value(at)
        data_tag = 0
        if tag < KNOWN_TAGS:
            place = PLACE_OF_TAG[tag]
            if place >= 0 and row.length[place] == 0:
                row.at[place] = value
                row.length[place] = at - value
            data_tag = DATA_AFTER_TAG[tag]
            if data_tag != 0:
                data_length = read_digits(value, at - value)
                if data_length < 0 or data_length > LONGEST_FRAME:
                    return GARBLED
        at += 1
    return message_type(fields)


@hot
def message_type(fields):
    """MsgType(35) as a number: one or two letters; GARBLED without one."""
    row = view(fields, 1, FIX_FIELDS)[0]
    length = row.length[MSG_TYPE]
    if length < 1 or length > 2:
        return GARBLED
    kind = load_u8(row.at[MSG_TYPE])
    if length == 2:
        kind = kind << 8 | load_u8(row.at[MSG_TYPE] + 1)
    return kind


@hot_inlined
def read_digits(address, length):
    """A number of decimal digits; -1 when it is none or 10^18 and more."""
    if length < 1 or length > 18:
        return -1
    number = 0
    for at in range(length):
        digit = load_u8(address + at)
        if digit < ZERO or digit > NINE:
            return -1
        number = number * 10 + digit - ZERO
    return number


@hot
def read_scaled(address, length, places):
    """A decimal number that is not negative as an integer of 1/10^places; -1 when it is none or does not fit exactly.

    The whole part has at most 13 digits, zeros after `places` are allowed.
    """
    whole = 0
    while whole < length and load_u8(address + whole) != DOT:
        whole += 1
    if whole > 13 or whole == length - 1:
        return -1
    number = read_digits(address, whole)
    if number < 0:
        return -1
    for place in range(places):
        digit = ZERO
        at = whole + 1 + place
        if at < length:
            digit = load_u8(address + at)
        if digit < ZERO or digit > NINE:
            return -1
        number = number * 10 + digit - ZERO
    for at in range(whole + 1 + places, length):
        if load_u8(address + at) != ZERO:
            return -1
    return number


@hot
def read_two(address):
    """Two decimal digits; a number far below zero for anything else."""
    tens = load_u8(address) - ZERO
    ones = load_u8(address + 1) - ZERO
    if tens < 0 or tens > 9 or ones < 0 or ones > 9:
        return -1_000_000
    return tens * 10 + ones


@hot
def read_timestamp(address, length):
    """UTCTimestamp YYYYMMDD-HH:MM:SS with up to nine places, in nanoseconds since the epoch; -1 when it is none."""
    if length < 17 or length > 27 or length == 18:
        return -1
    if load_u8(address + 8) != DASH or load_u8(address + 11) != COLON or load_u8(address + 14) != COLON:
        return -1
    day = read_day(address)
    hour = read_two(address + 9)
    minute = read_two(address + 12)
    second = read_two(address + 15)
    if day < 0 or hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 60:
        return -1
    fraction = 0
    if length > 17:
        fraction = read_digits(address + 18, length - 18)
        if load_u8(address + 17) != DOT or fraction < 0:
            return -1
        for _ in range(length - 18, 9):
            fraction *= 10
    return ((day * 24 + hour) * 60 + minute) * 60_000_000_000 + second * 1_000_000_000 + fraction


@hot
def read_day(address):
    """Days since the epoch of YYYYMMDD, 1970 to 2200; -1 when it is none. Years are counted from March."""
    year = read_two(address) * 100 + read_two(address + 2)
    month = read_two(address + 4)
    day = read_two(address + 6)
    if year < 1970 or year > 2200 or month < 1 or month > 12 or day < 1 or day > 31:
        return -1
    from_march = year - 1 if month <= 2 else year
    era = from_march // 400
    of_era = from_march - era * 400
    of_year = (153 * (month - 3 if month > 2 else month + 9) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
