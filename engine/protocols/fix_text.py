"""Pieces of FIX messages in the loop: text, numbers, prices, times.

Those that take `at` and `total` write at address `at` and return where the next piece goes and the sum of all bytes
so far. CheckSum(10) is that sum: reading the message back, in words that were written in pieces, would wait until each
of them has reached the cache, which takes longer than to write it. A piece may overwrite up to eight bytes after it.
"""

from __future__ import annotations

from engine.native import hot, hot_inlined, load_i64, load_u8, store_i64, store_le16, store_le32, store_u8, view
from engine.protocols.fix_wire import FIX_WIRE, wire_offset

TIME_AT = wire_offset("time_text")
SOH, ZERO, DOT, DASH, COLON, SPACE = 1, 48, 46, 45, 58, 32
SECOND_BYTES, TIMESTAMP_BYTES = 17, 21
SECOND_NS = 1_000_000_000
MILLISECOND_NS = 1_000_000


def text_of(text: str) -> tuple[int, int, int]:
    """Up to four letters for `write_text`: the number that they are, how many, and their sum."""
    raw = text.encode("ascii")
    return int.from_bytes(raw, "little"), len(raw), sum(raw)


@hot_inlined
def write_text(at, total, text):
    """What `text_of` made."""
    store_le32(at, text[0])
    return at + text[1], total + text[2]


@hot_inlined
def write_letter(at, total, letter):
    """One byte."""
    store_u8(at, letter)
    return at + 1, total + letter


@hot_inlined
def write_bytes(at, total, source, length):
    """So many bytes from another address."""
    for n in range(length):
        letter = load_u8(source + n)
        store_u8(at + n, letter)
        total += letter
    return at + length, total


@hot_inlined
def write_two(address, number):
    """A number below 100 as two digits. Their sum."""
    tens = number * 103 >> 10
    ones = number - tens * 10
    store_le16(address, ZERO * 257 + tens + (ones << 8))
    return 2 * ZERO + tens + ones


@hot_inlined
def write_three(address, number):
    """A number below 1,000 as three digits. Their sum."""
    tens = number // 10
    ones = ZERO + number - tens * 10
    store_u8(address + 2, ones)
    return write_two(address, tens) + ones


@hot_inlined
def write_four(address, number):
    """A number below 10,000 as four digits. Their sum."""
    hundreds = number // 100
    return write_two(address, hundreds) + write_two(address + 2, number - hundreds * 100)


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
def write_number(at, total, number):
    """A number that is not negative, in decimal."""
    digits = count_digits(number)
    end = at + digits
    place = end
    while number >= 100:
        place -= 2
        rest = number // 100
        total += write_two(place, number - rest * 100)
        number = rest
    if number >= 10:
        total += write_two(place - 2, number)
    else:
        store_u8(place - 1, ZERO + number)
        total += ZERO + number
    return end, total


@hot_inlined
def write_price(at, total, price):
    """A price in 1/10,000 with four places."""
    whole = price // 10_000
    at, total = write_number(at, total, whole)
    at, total = write_letter(at, total, DOT)
    return at + 4, total + write_four(at, price - whole * 10_000)


@hot_inlined
def write_symbol(at, total, symbol):
    """The eight bytes at `symbol` without the spaces after them."""
    length = 0
    while length < 8:
        letter = load_u8(symbol + length)
        if letter == SPACE or letter == 0:
            break
        store_u8(at + length, letter)
        total += letter
        length += 1
    return at + length, total


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
def write_second(address, second):
    """YYYYMMDD-HH:MM:SS of a second since the epoch: SECOND_BYTES."""
    of_day = second % 86400
    write_day(address, second // 86400)
    store_u8(address + 8, DASH)
    write_two(address + 9, of_day // 3600)
    store_u8(address + 11, COLON)
    write_two(address + 12, of_day // 60 % 60)
    store_u8(address + 14, COLON)
    write_two(address + 15, of_day % 60)


@hot
def sum_of(address, length):
    """The sum of so many bytes."""
    total = 0
    for n in range(length):
        total += load_u8(address + n)
    return total


@hot
def keep_time(wire, time_ns):
    """Keep the text of a millisecond: messages that follow within it cost a copy."""
    session = view(wire, 1, FIX_WIRE)[0]
    text = wire + TIME_AT
    second = time_ns // SECOND_NS
    if session.second != second:
        write_second(text, second)
        store_u8(text + SECOND_BYTES, DOT)
        store_u8(text + TIMESTAMP_BYTES, SOH)
        session.second = second
    write_three(text + SECOND_BYTES + 1, (time_ns - second * SECOND_NS) // MILLISECOND_NS)
    session.millisecond = time_ns // MILLISECOND_NS
    session.time_sum = sum_of(text, TIMESTAMP_BYTES + 1)


@hot_inlined
def write_timestamp(at, total, wire, time_ns):
    """UTCTimestamp with milliseconds and the delimiter after it."""
    if view(wire, 1, FIX_WIRE)[0].millisecond != time_ns // MILLISECOND_NS:
        keep_time(wire, time_ns)
    text = wire + TIME_AT
    store_i64(at, load_i64(text))
    store_i64(at + 8, load_i64(text + 8))
    store_i64(at + 16, load_i64(text + 16))
    return at + TIMESTAMP_BYTES + 1, total + view(wire, 1, FIX_WIRE)[0].time_sum
