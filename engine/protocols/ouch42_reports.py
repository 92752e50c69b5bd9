"""One OUCH 4.2 answer into an ORDER_REPORT body, in the loop; fields and outcomes are those of `ouch50_reports`.

`reason` of a rejection is its letter. The order's number is the last eight of a token's 14 hexadecimal digits. Answers
with other tokens are malformed, they are not ours; but for the rejection of a probe, whose token begins with Q.
"""

from __future__ import annotations

import numpy as np

from engine.messages.codes import CORRECTED
from engine.messages.journal import ORDER_REPORT
from engine.native import hot, load_be32, load_be64, load_u8, view
from engine.protocols import ouch42_offsets as ouch
from engine.protocols.ouch42_layouts import OUTBOUND
from engine.protocols.ouch50_reports import (
    ACCEPTED,
    BROKEN,
    CANCEL_PENDING,
    CANCEL_REJECTED,
    CANCELED,
    CLOSED,
    CORRECTION,
    DEAD,
    EXECUTED,
    EXPIRED,
    LATEST_NS,
    LIQUIDITY,
    MALFORMED,
    MODIFIED,
    NO_REPORT,
    PRIORITY_UPDATED,
    REJECTED,
    REPLACED,
    REPORT,
    SIDES,
    TIMED_OUT,
)

NO_TOKEN = -1
PROBE = ord("Q")  # the first letter of a token that asks the venue for a sign of life
NUMBER_MASK = 0xFFFFFFFF
OLDER_AIQ_CANCELED_LENGTH = ouch.AIQ_CANCELED_LENGTH - 1
LENGTHS = np.zeros(256, np.int64)
for _layout in OUTBOUND:
    LENGTHS[ord(_layout.code)] = _layout.length


@hot
def read_token(address):
    """The order's number in a token of ours, or NO_TOKEN."""
    number = 0
    for index in range(ouch.TOKEN_LENGTH):
        letter = load_u8(address + index)
        if 48 <= letter <= 57:
            digit = letter - 48
        elif 65 <= letter <= 70:
            digit = letter - 55
        else:
            return NO_TOKEN
        number = number * 16 + digit
    return number & NUMBER_MASK


@hot
def begin(address, midnight_ns, kind, report):
    """The fields that every report has; the others are cleared. False when the token is not ours."""
    reference = read_token(address + ouch.OUTBOUND_TOKEN)
    record = view(report, 1, ORDER_REPORT)[0]
    record.kind = kind
    record.venue_time_ns = midnight_ns + load_be64(address + ouch.TIMESTAMP_NS)
    record.match_number = 0
    record.price = 0
    record.quantity = 0
    record.side = 0
    record.liquidity = 0
    record.reason = 0
    if reference < 0:
        return False
    record.venue_reference = reference
    return True


@hot
def parse_order(address, live_kind, midnight_ns, report):
    """Accepted and Replaced, whose fields up to the order state are the same."""
    dead = load_u8(address + ouch.ACCEPTED_ORDER_STATE) == DEAD
    reference = load_be64(address + ouch.ACCEPTED_REFERENCE)
    if reference < 0 or not begin(address, midnight_ns, CANCELED if dead else live_kind, report):
        return MALFORMED
    record = view(report, 1, ORDER_REPORT)[0]
    record.side = SIDES[load_u8(address + ouch.ACCEPTED_SIDE)]
    record.quantity = load_be32(address + ouch.ACCEPTED_QUANTITY)
    record.price = load_be32(address + ouch.ACCEPTED_PRICE)
    record.match_number = reference
    record.reason = DEAD if dead else 0
    return REPORT if record.side != 0 else MALFORMED


@hot
def parse_executed(address, midnight_ns, report):
    """Executed, with and without reference price."""
    match_number = load_be64(address + ouch.EXECUTED_MATCH_NUMBER)
    if match_number < 0 or not begin(address, midnight_ns, EXECUTED, report):
        return MALFORMED
    record = view(report, 1, ORDER_REPORT)[0]
    record.quantity = load_be32(address + ouch.EXECUTED_QUANTITY)
    record.price = load_be32(address + ouch.EXECUTED_PRICE)
    record.match_number = match_number
    record.liquidity = LIQUIDITY[load_u8(address + ouch.EXECUTED_LIQUIDITY)]
    return REPORT if record.quantity > 0 else MALFORMED


@hot
def parse_canceled(address, midnight_ns, report):
    """Canceled and AIQ Canceled, whose first fields are the same."""
    reason = load_u8(address + ouch.CANCELED_REASON)
    if not begin(address, midnight_ns, EXPIRED if reason in (TIMED_OUT, CLOSED) else CANCELED, report):
        return MALFORMED
    record = view(report, 1, ORDER_REPORT)[0]
    record.quantity = load_be32(address + ouch.CANCELED_QUANTITY)
    record.reason = reason
    if load_u8(address) == ouch.AIQ_CANCELED:
        record.price = load_be32(address + ouch.AIQ_CANCELED_PRICE)
    return REPORT


@hot
def parse_broken_trade(address, midnight_ns, report):
    """Broken Trade: the fill with this match number did not happen."""
    match_number = load_be64(address + ouch.BROKEN_TRADE_MATCH_NUMBER)
    if match_number < 0 or not begin(address, midnight_ns, BROKEN, report):
        return MALFORMED
    record = view(report, 1, ORDER_REPORT)[0]
    record.match_number = match_number
    record.reason = load_u8(address + ouch.BROKEN_TRADE_REASON)
    return REPORT


@hot
def parse_answer(address, kind, midnight_ns, report):
    """Rejected, Cancel Pending and Cancel Reject."""
    if not begin(address, midnight_ns, kind, report):
        return MALFORMED
    if kind == REJECTED:
        view(report, 1, ORDER_REPORT)[0].reason = load_u8(address + ouch.REJECTED_REASON)
    return REPORT


@hot
def parse_modified(address, midnight_ns, report):
    """Order Modified: quantity is what is outstanding."""
    if not begin(address, midnight_ns, MODIFIED, report):
        return MALFORMED
    record = view(report, 1, ORDER_REPORT)[0]
    record.side = SIDES[load_u8(address + ouch.MODIFIED_SIDE)]
    record.quantity = load_be32(address + ouch.MODIFIED_QUANTITY)
    return REPORT if record.side != 0 else MALFORMED


@hot
def parse_priority_update(address, midnight_ns, report):
    """Order Priority Update."""
    reference = load_be64(address + ouch.PRIORITY_UPDATE_REFERENCE)
    if reference < 0 or not begin(address, midnight_ns, PRIORITY_UPDATED, report):
        return MALFORMED
    record = view(report, 1, ORDER_REPORT)[0]
    record.price = load_be32(address + ouch.PRIORITY_UPDATE_PRICE)
    record.match_number = reference
    return REPORT


@hot
def parse_correction(address, midnight_ns, report):
    """Trade Correction: an EXECUTED report in the place of an earlier one."""
    outcome = parse_executed(address, midnight_ns, report)
    view(report, 1, ORDER_REPORT)[0].reason = CORRECTED
    return CORRECTION if outcome == REPORT else MALFORMED


@hot
def parse_rare(address, letter, midnight_ns, report):
    """The answers that a day hardly has."""
    if letter == ouch.CANCEL_PENDING:
        return parse_answer(address, CANCEL_PENDING, midnight_ns, report)
    if letter == ouch.CANCEL_REJECTED:
        return parse_answer(address, CANCEL_REJECTED, midnight_ns, report)
    if letter == ouch.BROKEN_TRADE:
        return parse_broken_trade(address, midnight_ns, report)
    if letter == ouch.MODIFIED:
        return parse_modified(address, midnight_ns, report)
    if letter == ouch.PRIORITY_UPDATE:
        return parse_priority_update(address, midnight_ns, report)
    if letter == ouch.TRADE_CORRECTION:
        return parse_correction(address, midnight_ns, report)
    return NO_REPORT


@hot
def answers_probe(address, length):
    """Whether the message is the rejection of a probe: everything that the venue had to say before has come."""
    if length != ouch.REJECTED_LENGTH or load_u8(address) != ouch.REJECTED:
        return False
    return load_u8(address + ouch.OUTBOUND_TOKEN) == PROBE


@hot
def parse_report(address, length, midnight_ns, report):
    """The outbound message of `length` bytes at `address` into the ORDER_REPORT body at `report`."""
    if length < ouch.SYSTEM_EVENT_LENGTH:
        return MALFORMED
    letter = load_u8(address)
    older = letter == ouch.AIQ_CANCELED and length == OLDER_AIQ_CANCELED_LENGTH
    if length != LENGTHS[letter] and not older:
        return MALFORMED
    timestamp_ns = load_be64(address + ouch.TIMESTAMP_NS)
    if timestamp_ns < 0 or timestamp_ns > LATEST_NS:
        return MALFORMED
    if letter == ouch.ACCEPTED:
        return parse_order(address, ACCEPTED, midnight_ns, report)
    if letter in (ouch.EXECUTED, ouch.EXECUTED_WITH_REFERENCE_PRICE):
        return parse_executed(address, midnight_ns, report)
    if letter in (ouch.CANCELED, ouch.AIQ_CANCELED):
        return parse_canceled(address, midnight_ns, report)
    if letter == ouch.REPLACED:
        return parse_order(address, REPLACED, midnight_ns, report)
    if letter == ouch.REJECTED:
        if answers_probe(address, length):
            return NO_REPORT
        return parse_answer(address, REJECTED, midnight_ns, report)
    return parse_rare(address, letter, midnight_ns, report)
