"""FIX sessions in the loop: answers and heartbeats. Everything else hands the connection over to the cold path, which
settles it and gives it back (`engine.venues.fix_connection`): a gap, a resend request, a reset, a reject, a logout,
whatever cannot be read.

What is handed over stays in the buffers: the message that the loop does not take is the first one that the cold path
reads.
"""

from __future__ import annotations

from numpy import int64

from engine.hotpath.orders import find_order
from engine.hotpath.reports import complete_report, take_back, take_report
from engine.hotpath.sending import flush_unsent, has_room, lose_session, queued
from engine.hotpath.tables import ENGINE, HANDED_OVER, LOST_SILENCE, ORDER, SESSION_LOST, VENUE, VENUES
from engine.messages.codes import CORRECTED, ReportKind
from engine.messages.journal import ORDER_REPORT
from engine.native import hot, load_u8, store_u8, view
from engine.protocols import fix_encode, fix_fields
from engine.protocols.fix_fields import FIX_FIELDS, PARTIAL, next_fix_frame, parse_fields
from engine.protocols.fix_reports import (
    CORRECTION,
    EXECUTION_REPORT,
    MALFORMED,
    ORDER_CANCEL_REJECT,
    REPORT,
    RESTATED,
    is_possible_duplicate,
    parse_correction,
    parse_report,
    sequence_of,
)

HEARTBEAT, TEST_REQUEST = ord("0"), ord("1")
CANCELED = int(ReportKind.CANCELED)
LONGEST_REQUEST_ID = 128


@hot
def hand_over(engine, venue_index):
    """The cold path is needed, with the connection as it is. Nothing is sent or read here until it is given back."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    if venue.lost == 0:
        venue.lost = HANDED_OVER
    core.attention |= SESSION_LOST


@hot
def take_fix_report(engine, venue_index, kind, sequence):
    """One answer that `parse_fields` has read: applied and journalled. 0 when it cannot be read or the journal is
    full."""
    core = view(engine, 1, ENGINE)[0]
    outcome = parse_report(kind, core.fix_fields, core.report)
    if outcome == MALFORMED:
        return 0
    if outcome == CORRECTION:
        report = view(core.report, 1, ORDER_REPORT)[0]
        report.reason = CORRECTED
        if take_back(engine, venue_index, core.report) == 0:
            return 1
        if parse_correction(core.fix_fields, core.report) == MALFORMED:
            return 0
        report.reason = CORRECTED
    elif outcome == RESTATED:
        restate(engine)
    elif outcome != REPORT:
        return 1
    complete_report(engine, venue_index, core.report, sequence)
    return take_report(engine, core.report)


@hot
def restate(engine):
    """What is left of an order that the venue changed by itself: the shares that it lost are canceled."""
    core = view(engine, 1, ENGINE)[0]
    report = view(core.report, 1, ORDER_REPORT)[0]
    slot = find_order(engine, int64(report.venue_reference))
    if slot == 0:
        return
    lost = view(slot, 1, ORDER)[0].leaves - report.quantity
    if lost > 0:
        report.kind = CANCELED
        report.quantity = lost


@hot
def take_fix_message(engine, venue_index, frame, length):
    """One whole message. 1 when it was taken, 0 when it is the cold path's."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    kind = parse_fields(frame, length, core.fix_fields)
    if kind < 0:
        return 0
    sequence = sequence_of(core.fix_fields)
    if sequence != venue.next_inbound:
        return 1 if 0 <= sequence < venue.next_inbound and is_possible_duplicate(core.fix_fields) else 0
    if kind == EXECUTION_REPORT or kind == ORDER_CANCEL_REJECT:
        if take_fix_report(engine, venue_index, kind, sequence) == 0:
            return 0
    elif kind == TEST_REQUEST:
        if answer_test_request(engine, venue_index) == 0:
            return 0
    elif kind != HEARTBEAT:
        return 0
    venue.next_inbound = sequence + 1
    return 1


@hot
def answer_test_request(engine, venue_index):
    """Heartbeat(0) with the TestReqID(112) that came. 0 when that is too long to be answered here."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    fields = view(core.fix_fields, 1, FIX_FIELDS)[0]
    length = fields.length[fix_fields.TEST_REQ_ID]
    if length > LONGEST_REQUEST_ID or has_room(engine, venue_index) == 0:
        return 0
    packet = venue.outbound + venue.outbound_used
    request = fields.at[fix_fields.TEST_REQ_ID]
    queued(engine, venue_index, fix_encode.write_heartbeat(venue.wire, packet, core.clock_ns, request, length))
    return 1


@hot
def take_fix_frames(engine, venue_index):
    """Every whole message in the inbound buffer, as far as the loop takes them; the rest stays."""
    venue = view(view(engine, 1, ENGINE)[0].venues, VENUES, VENUE)[venue_index]
    at = 0
    while True:
        frame = venue.inbound + at
        length = next_fix_frame(frame, venue.inbound_used - at)
        if length == PARTIAL:
            break
        if length < 0 or take_fix_message(engine, venue_index, frame, length) == 0:
            hand_over(engine, venue_index)
            break
        at += length
    if at > 0:
        rest = venue.inbound_used - at
        for byte in range(rest):
            store_u8(venue.inbound + byte, load_u8(venue.inbound + at + byte))
        venue.inbound_used = rest
        venue.tested = 0


@hot
def keep_fix_alive(engine, venue_index):
    """A heartbeat after HeartBtInt(108) without sending; a test after 1.2 times it without hearing, the end after
    2.4."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    packet = venue.outbound + venue.outbound_used
    silent_ns = core.clock_ns - venue.heard_ns
    if silent_ns >= venue.interval_ns * 12 // 5:
        lose_session(engine, venue_index, LOST_SILENCE)
    elif silent_ns >= venue.interval_ns * 6 // 5 and venue.tested == 0:
        if has_room(engine, venue_index) != 0:
            venue.tested = 1
            queued(engine, venue_index, fix_encode.write_test_request(venue.wire, packet, core.clock_ns))
    elif core.clock_ns - venue.sent_ns >= venue.interval_ns:
        if has_room(engine, venue_index) != 0:
            queued(engine, venue_index, fix_encode.write_heartbeat(venue.wire, packet, core.clock_ns, 0, 0))
    flush_unsent(engine)
