"""One OUCH 5.0 answer into an ORDER_REPORT body, in the loop. Nothing is read beyond the given length.

What the fields of `engine.messages.journal.ORDER_REPORT` get:

| field | value |
|---|---|
| kind | ReportKind; an order that is accepted or replaced dead is CANCELED |
| venue_reference | our UserRefNum; for REPLACED that of the replacement |
| venue_time_ns | midnight_ns plus the message's nanoseconds since midnight |
| match_number | of EXECUTED and BROKEN the trade; else the order's number in the venue's feed, 0 where none is told |
| price | accepted, executed, displayed, or at which a self match was prevented; 0 where the message has none |
| quantity | accepted, outstanding or displayed; of EXECUTED, CANCELED and EXPIRED the shares of this message |
| side | Side, 0 where the message has none |
| liquidity | Liquidity of EXECUTED |
| reason | letter of a cancel or break, number of a rejection, D of an order accepted dead (a CANCELED report) |

The other fields are the caller's.
"""

from __future__ import annotations

import numpy as np

from engine.messages.codes import CORRECTED, Liquidity, ReportKind, Side
from engine.messages.journal import ORDER_REPORT
from engine.native import hot, load_be16, load_be32, load_be64, load_u8, view
from engine.protocols import ouch50_offsets as ouch

MALFORMED = 0
REPORT = 1
NO_REPORT = 2  # well formed, and says nothing about one order: system event, answers to queries and switches
CORRECTION = 3  # a fill to book in the place of an earlier one with this match number

ACCEPTED = int(ReportKind.ACCEPTED)
REPLACED = int(ReportKind.REPLACED)
CANCELED = int(ReportKind.CANCELED)
EXECUTED = int(ReportKind.EXECUTED)
REJECTED = int(ReportKind.REJECTED)
CANCEL_REJECTED = int(ReportKind.CANCEL_REJECTED)
CANCEL_PENDING = int(ReportKind.CANCEL_PENDING)
EXPIRED = int(ReportKind.EXPIRED)
BROKEN = int(ReportKind.BROKEN)
MODIFIED = int(ReportKind.MODIFIED)
RESTATED = int(ReportKind.RESTATED)
PRIORITY_UPDATED = int(ReportKind.PRIORITY_UPDATED)

LIQUIDITY = np.full(256, int(Liquidity.NONE), np.int64)
for _letter in "A78JjkeN":
    LIQUIDITY[ord(_letter)] = int(Liquidity.ADDED)
for _letter in "Rmpqrt":
    LIQUIDITY[ord(_letter)] = int(Liquidity.REMOVED)

SIDES = np.zeros(256, np.int64)
SIDES[ord("B")] = int(Side.BUY)
for _letter in "STE":
    SIDES[ord(_letter)] = int(Side.SELL)

LATEST_NS = 90_000_000_000_000  # a day and the hour that clocks may go back; later stamps would overflow the sum
DEAD = ord("D")
TIMED_OUT = ord("T")
CLOSED = ord("E")


@hot
def appendage_fits(address, length, fixed):
    """True when the message ends at `fixed`, or with an appendage whose stated length ends it."""
    if length == fixed:
        return True
    if length < fixed + ouch.APPENDAGE_LENGTH_FIELD:
        return False
    return load_be16(address + fixed) == length - fixed - ouch.APPENDAGE_LENGTH_FIELD


@hot
def begin(address, midnight_ns, kind, report):
    """The fields that every report has; the others are cleared."""
    record = view(report, 1, ORDER_REPORT)[0]
    record.kind = kind
    record.venue_reference = load_be32(address + ouch.OUTBOUND_USER_REFERENCE)
    record.venue_time_ns = midnight_ns + load_be64(address + ouch.TIMESTAMP_NS)
    record.match_number = 0
    record.price = 0
    record.quantity = 0
    record.side = 0
    record.liquidity = 0
    record.reason = 0


@hot
def parse_accepted(address, length, midnight_ns, report):
    """Order Accepted (3.2). One that is accepted dead is a CANCELED report of its whole quantity."""
    if not appendage_fits(address, length, ouch.ACCEPTED_LENGTH):
        return MALFORMED
    reference = load_be64(address + ouch.ACCEPTED_REFERENCE)
    if reference < 0:
        return MALFORMED
    dead = load_u8(address + ouch.ACCEPTED_ORDER_STATE) == DEAD
    begin(address, midnight_ns, CANCELED if dead else ACCEPTED, report)
    record = view(report, 1, ORDER_REPORT)[0]
    record.side = SIDES[load_u8(address + ouch.ACCEPTED_SIDE)]
    record.quantity = load_be32(address + ouch.ACCEPTED_QUANTITY)
    record.price = load_be64(address + ouch.ACCEPTED_PRICE)
    record.match_number = reference
    record.reason = DEAD if dead else 0
    return REPORT if record.side != 0 and record.price >= 0 else MALFORMED


@hot
def parse_replaced(address, length, midnight_ns, report):
    """Order Replaced (3.3): quantity is what is outstanding. One that is dead is a CANCELED report."""
    if not appendage_fits(address, length, ouch.REPLACED_LENGTH):
        return MALFORMED
    reference = load_be64(address + ouch.REPLACED_REFERENCE)
    if reference < 0:
        return MALFORMED
    dead = load_u8(address + ouch.REPLACED_ORDER_STATE) == DEAD
    begin(address, midnight_ns, CANCELED if dead else REPLACED, report)
    record = view(report, 1, ORDER_REPORT)[0]
    record.venue_reference = load_be32(address + ouch.REPLACED_USER_REFERENCE)
    record.side = SIDES[load_u8(address + ouch.REPLACED_SIDE)]
    record.quantity = load_be32(address + ouch.REPLACED_QUANTITY)
    record.price = load_be64(address + ouch.REPLACED_PRICE)
    record.match_number = reference
    record.reason = DEAD if dead else 0
    return REPORT if record.side != 0 and record.price >= 0 else MALFORMED


@hot
def parse_executed(address, length, midnight_ns, report):
    """Order Executed (3.6)."""
    if not appendage_fits(address, length, ouch.EXECUTED_LENGTH):
        return MALFORMED
    match_number = load_be64(address + ouch.EXECUTED_MATCH_NUMBER)
    if match_number < 0:
        return MALFORMED
    begin(address, midnight_ns, EXECUTED, report)
    record = view(report, 1, ORDER_REPORT)[0]
    record.quantity = load_be32(address + ouch.EXECUTED_QUANTITY)
    record.price = load_be64(address + ouch.EXECUTED_PRICE)
    record.match_number = match_number
    record.liquidity = LIQUIDITY[load_u8(address + ouch.EXECUTED_LIQUIDITY)]
    return REPORT if record.quantity > 0 and record.price >= 0 else MALFORMED


@hot
def parse_canceled(address, length, midnight_ns, report):
    """Order Canceled (3.4) and AIQ Canceled (3.5), whose first fields are the same."""
    if load_u8(address) == ouch.CANCELED:
        fits = appendage_fits(address, length, ouch.CANCELED_LENGTH)
    else:
        older = ouch.AIQ_CANCELED_STRATEGY
        fits = appendage_fits(address, length, ouch.AIQ_CANCELED_LENGTH) or appendage_fits(address, length, older)
    if not fits:
        return MALFORMED
    reason = load_u8(address + ouch.CANCELED_REASON)
    begin(address, midnight_ns, EXPIRED if reason in (TIMED_OUT, CLOSED) else CANCELED, report)
    record = view(report, 1, ORDER_REPORT)[0]
    record.quantity = load_be32(address + ouch.CANCELED_QUANTITY)
    record.reason = reason
    if load_u8(address) == ouch.AIQ_CANCELED:
        record.price = load_be64(address + ouch.AIQ_CANCELED_PRICE)
        return REPORT if record.price >= 0 else MALFORMED
    return REPORT


@hot
def parse_rejected(address, length, midnight_ns, report):
    """Order Rejected (3.8), of an order or of a replacement."""
    if not appendage_fits(address, length, ouch.REJECTED_LENGTH):
        return MALFORMED
    begin(address, midnight_ns, REJECTED, report)
    record = view(report, 1, ORDER_REPORT)[0]
    record.reason = load_be16(address + ouch.REJECTED_REASON) & 0xFF
    return REPORT


@hot
def parse_broken_trade(address, length, midnight_ns, report):
    """Broken Trade (3.7): the fill with this match number did not happen."""
    if not appendage_fits(address, length, ouch.BROKEN_TRADE_LENGTH):
        return MALFORMED
    match_number = load_be64(address + ouch.BROKEN_TRADE_MATCH_NUMBER)
    if match_number < 0:
        return MALFORMED
    begin(address, midnight_ns, BROKEN, report)
    record = view(report, 1, ORDER_REPORT)[0]
    record.match_number = match_number
    record.reason = load_u8(address + ouch.BROKEN_TRADE_REASON)
    return REPORT


@hot
def parse_cancel_answer(address, length, midnight_ns, report):
    """Cancel Pending (3.9) and Cancel Reject (3.10)."""
    if not appendage_fits(address, length, ouch.CANCEL_PENDING_LENGTH):
        return MALFORMED
    begin(address, midnight_ns, CANCEL_PENDING if load_u8(address) == ouch.CANCEL_PENDING else CANCEL_REJECTED, report)
    return REPORT


@hot
def parse_modified(address, length, midnight_ns, report):
    """Order Modified (3.12): quantity is what is outstanding."""
    if not appendage_fits(address, length, ouch.MODIFIED_LENGTH):
        return MALFORMED
    begin(address, midnight_ns, MODIFIED, report)
    record = view(report, 1, ORDER_REPORT)[0]
    record.side = SIDES[load_u8(address + ouch.MODIFIED_SIDE)]
    record.quantity = load_be32(address + ouch.MODIFIED_QUANTITY)
    return REPORT if record.side != 0 else MALFORMED


@hot
def parse_priority_update(address, length, midnight_ns, report):
    """Order Priority Update (3.11)."""
    if not appendage_fits(address, length, ouch.PRIORITY_UPDATE_LENGTH):
        return MALFORMED
    reference = load_be64(address + ouch.PRIORITY_UPDATE_REFERENCE)
    begin(address, midnight_ns, PRIORITY_UPDATED, report)
    record = view(report, 1, ORDER_REPORT)[0]
    record.price = load_be64(address + ouch.PRIORITY_UPDATE_PRICE)
    record.match_number = reference
    return REPORT if reference >= 0 and record.price >= 0 else MALFORMED


@hot
def find_option(address, length, fixed, tag):
    """Address of the value of the appendage's first element with this tag and of its length in bytes, as (address,
    length); (0, 0) without one. The appendage fits."""
    at = fixed + ouch.APPENDAGE_LENGTH_FIELD
    while at + 1 < length:
        size = load_u8(address + at)
        if size == 0 or at + 1 + size > length:
            return 0, 0
        if load_u8(address + at + 1) == tag:
            return address + at + 2, size - 1
        at += 1 + size
    return 0, 0


@hot
def parse_restated(address, length, midnight_ns, report):
    """Order Restated (3.13): displayed quantity and price, and the feed's new number of the order, from its options."""
    if not appendage_fits(address, length, ouch.RESTATED_LENGTH):
        return MALFORMED
    begin(address, midnight_ns, RESTATED, report)
    record = view(report, 1, ORDER_REPORT)[0]
    record.reason = load_u8(address + ouch.RESTATED_REASON)
    value, size = find_option(address, length, ouch.RESTATED_LENGTH, ouch.TAG_DISPLAY_QUANTITY)
    if size == 4:
        record.quantity = load_be32(value)
    value, size = find_option(address, length, ouch.RESTATED_LENGTH, ouch.TAG_DISPLAY_PRICE)
    if size == 8:
        price = load_be64(value)
        if price < 0:
            return MALFORMED
        record.price = price
    value, size = find_option(address, length, ouch.RESTATED_LENGTH, ouch.TAG_SECONDARY_REFERENCE)
    if size == 8:
        reference = load_be64(value)
        if reference < 0:
            return MALFORMED
        record.match_number = reference
    return REPORT


@hot
def parse_correction(address, length, midnight_ns, report):
    """Trade Correction (until revision 1.03): the fill with this match number was another one. An EXECUTED report."""
    if not appendage_fits(address, length, ouch.TRADE_CORRECTION_LENGTH):
        return MALFORMED
    match_number = load_be64(address + ouch.TRADE_CORRECTION_MATCH_NUMBER)
    begin(address, midnight_ns, EXECUTED, report)
    record = view(report, 1, ORDER_REPORT)[0]
    record.quantity = load_be32(address + ouch.TRADE_CORRECTION_QUANTITY)
    record.price = load_be64(address + ouch.TRADE_CORRECTION_PRICE)
    record.match_number = match_number
    record.liquidity = LIQUIDITY[load_u8(address + ouch.TRADE_CORRECTION_LIQUIDITY)]
    record.reason = CORRECTED
    return CORRECTION if match_number >= 0 and record.quantity > 0 and record.price >= 0 else MALFORMED


@hot
def other_answer(address, length):
    """NO_REPORT for a well-formed answer that is not about the life of one order; MALFORMED for anything else."""
    letter = load_u8(address)
    fixed = 0
    if letter == ouch.SYSTEM_EVENT:
        return NO_REPORT if length == ouch.SYSTEM_EVENT_LENGTH else MALFORMED
    if letter == ouch.ACCOUNT_QUERY_RESPONSE:
        fixed = ouch.ACCOUNT_QUERY_RESPONSE_LENGTH
    elif letter == ouch.MASS_CANCEL_RESPONSE:
        fixed = ouch.MASS_CANCEL_RESPONSE_LENGTH
    elif letter == ouch.DISABLE_ORDER_ENTRY_RESPONSE or letter == ouch.ENABLE_ORDER_ENTRY_RESPONSE:
        fixed = ouch.DISABLE_ORDER_ENTRY_RESPONSE_LENGTH
    if fixed == 0 or not appendage_fits(address, length, fixed):
        return MALFORMED
    return NO_REPORT


@hot
def parse_rare(address, length, midnight_ns, report):
    """The answers that a day hardly has."""
    letter = load_u8(address)
    if letter == ouch.CANCEL_PENDING or letter == ouch.CANCEL_REJECTED:
        return parse_cancel_answer(address, length, midnight_ns, report)
    if letter == ouch.BROKEN_TRADE:
        return parse_broken_trade(address, length, midnight_ns, report)
    if letter == ouch.MODIFIED:
        return parse_modified(address, length, midnight_ns, report)
    if letter == ouch.PRIORITY_UPDATE:
        return parse_priority_update(address, length, midnight_ns, report)
    if letter == ouch.RESTATED:
        return parse_restated(address, length, midnight_ns, report)
    if letter == ouch.TRADE_CORRECTION:
        return parse_correction(address, length, midnight_ns, report)
    return other_answer(address, length)


@hot
def parse_report(address, length, midnight_ns, report):
    """The outbound message of `length` bytes at `address` into the ORDER_REPORT body at `report` (96 bytes).

    REPORT (1) when the body was filled, CORRECTION (3) when it stands for an earlier fill, NO_REPORT (2) for a
    well-formed message without one, MALFORMED (0) for unknown types, wrong lengths and numbers above the signed range;
    the body is meaningless in the last two cases.
    """
    if length < ouch.SYSTEM_EVENT_LENGTH:
        return MALFORMED
    timestamp_ns = load_be64(address + ouch.TIMESTAMP_NS)
    if timestamp_ns < 0 or timestamp_ns > LATEST_NS:
        return MALFORMED
    letter = load_u8(address)
    if letter == ouch.ACCEPTED:
        return parse_accepted(address, length, midnight_ns, report)
    if letter == ouch.EXECUTED:
        return parse_executed(address, length, midnight_ns, report)
    if letter == ouch.CANCELED or letter == ouch.AIQ_CANCELED:
        return parse_canceled(address, length, midnight_ns, report)
    if letter == ouch.REPLACED:
        return parse_replaced(address, length, midnight_ns, report)
    if letter == ouch.REJECTED:
        return parse_rejected(address, length, midnight_ns, report)
    return parse_rare(address, length, midnight_ns, report)


@hot
def entry_switched(address):
    """Of a message that is well formed: 1 order entry was disabled, 2 it was enabled, 0 neither."""
    letter = load_u8(address)
    if letter == ouch.DISABLE_ORDER_ENTRY_RESPONSE:
        return 1
    return 2 if letter == ouch.ENABLE_ORDER_ENTRY_RESPONSE else 0


@hot
def next_user_reference(address, length):
    """The answer to an account query, or 0 when the message is not one."""
    if length < ouch.ACCOUNT_QUERY_RESPONSE_LENGTH or load_u8(address) != ouch.ACCOUNT_QUERY_RESPONSE:
        return 0
    return load_be32(address + ouch.ACCOUNT_QUERY_RESPONSE_NEXT_USER_REFERENCE)
