"""Recorded input through the same pipeline: packets as `consume` takes them live, and journalled answers and events.

While `replaying` is set nothing is sent or recorded again. FOLLOW lets strategies decide, so that their requests can
be compared with the journal's; RECORDS mutes them, for a journal that another build wrote.
"""

from __future__ import annotations

import numpy as np
from numpy import int64

from engine.hotpath.changes import REPLACE
from engine.hotpath.feed import apply_feed_event, consume, take_datagram
from engine.hotpath.numbers import reserve
from engine.hotpath.orders import find_order, open_order
from engine.hotpath.parents import find_parent
from engine.hotpath.positions import LEG_BYTES
from engine.hotpath.replacements import open_replacement
from engine.hotpath.reports import take_report
from engine.hotpath.requests import CANCEL, ENTER, mark_canceling
from engine.hotpath.sessions import apply_session_event, assert_kills
from engine.hotpath.snapshot_feed import SNAPSHOT_LINE, consume_snapshot
from engine.hotpath.tables import ENGINE, LEG, LEGS_PER_STRATEGY, VENUE, VENUES
from engine.hotpath.timers import pass_time
from engine.hotpath.venue_requests import DISABLE_ENTRY, ENABLE_ENTRY
from engine.journal.append import commit_journal
from engine.journal.scratch import has_waiting, take_equal
from engine.messages.codes import RecordKind
from engine.messages.journal import (
    ENGINE_STATE,
    HEADER_SIZE,
    JOURNAL_HEADER,
    ORDER_REPORT,
    ORDER_REQUEST,
    RECORDING_HEADER,
)
from engine.native import copy_bytes, hot, load_i64, load_le16, load_le32, view

LIVE, FOLLOW, RECORDS = 0, 1, 2
RECORDING_HEADER_BYTES = RECORDING_HEADER.itemsize
BODY_BYTES = 96
PACKET_GAP_NS = 1000
LENGTH_AT = int(JOURNAL_HEADER.fields["length"][1])  # type: ignore[index]
KIND_AT = int(JOURNAL_HEADER.fields["kind"][1])  # type: ignore[index]
SESSION_KIND = int(RecordKind.SESSION_EVENT)
FEED_KIND = int(RecordKind.FEED_EVENT)
STATE_KIND = int(RecordKind.ENGINE_STATE)
REPORT_KIND = int(RecordKind.ORDER_REPORT)
TIMER_KIND = int(RecordKind.TIMER)
STARTED_KIND, COMMAND_KIND = int(RecordKind.ENGINE_STARTED), int(RecordKind.COMMAND)

# Where a replay stands in the recording, and why `follow_records` came back.
PROGRESS = np.dtype(
    [
        ("packet_at", "<i8"),
        ("packet_end", "<i8"),
        ("exhausted", "<i8"),  # the recording has no more packets
        ("records", "<i8"),
        ("stopped", "<i8"),
    ]
)
AT_END, AT_TEXT, NO_PACKETS, DIFFERENT = 0, 1, 2, 3


@hot
def take_packets(engine, venue_index, packets, offsets, first, last):
    """Datagrams `first` to `last` - 1 of those that stand back to back at `packets`, each PACKET_GAP_NS after the one
    before, until one makes the venue's outbound buffer fill, or needs people. Returns how many were taken."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    n = first
    while n < last and core.attention == 0 and venue.outbound_used == 0:
        start = load_i64(offsets + n * 8)
        core.clock_ns += PACKET_GAP_NS
        take_datagram(engine, venue_index, 0, packets + start, load_i64(offsets + n * 8 + 8) - start)
        n += 1
    return n - first


@hot
def replay_packets(engine, address, end, last_position):
    """Consume recorded packets from `address` on, up to `last_position`. Returns the address of the first one left."""
    core = view(engine, 1, ENGINE)[0]
    while address < end:
        header = view(address, 1, RECORDING_HEADER)[0]
        if header.position > last_position:
            break
        core.clock_ns = header.time_ns
        payload = address + RECORDING_HEADER_BYTES
        if header.line == SNAPSHOT_LINE:
            consume_snapshot(engine, header.venue, payload, header.payload_length)
        else:
            consume(engine, header.venue, header.line, payload, header.payload_length)
        address += header.length
    return address


@hot
def replay_input(engine, kind, time_ns, body):
    """Feed one journalled input (96 bytes at `body`) as it came: a report, a session, feed or engine state event."""
    core = view(engine, 1, ENGINE)[0]
    core.clock_ns = time_ns
    if kind == REPORT_KIND:
        copy_bytes(core.report, body, BODY_BYTES)  # the journal is read only
        report = view(core.report, 1, ORDER_REPORT)[0]
        report.duplicate = 0
        venue = view(core.venues, VENUES, VENUE)[report.venue]
        if report.venue_sequence >= venue.next_inbound:
            venue.next_inbound = report.venue_sequence + 1
        take_report(engine, core.report)
        return
    if kind == TIMER_KIND:
        pass_time(engine)
        return
    if kind != SESSION_KIND and kind != FEED_KIND and kind != STATE_KIND:
        return
    target = reserve(engine)
    if target == 0:
        return
    copy_bytes(target, body, BODY_BYTES)
    apply_event(engine, kind, target)
    commit_journal(core.journal, kind, time_ns)
    if kind == SESSION_KIND:
        assert_kills(engine, target)


@hot
def apply_event(engine, kind, body):
    """What an event does, live and in a replay."""
    if kind == SESSION_KIND:
        apply_session_event(engine, body)
    elif kind == FEED_KIND:
        apply_feed_event(engine, body)
    elif kind == STATE_KIND:
        view(engine, 1, ENGINE)[0].state = view(body, 1, ENGINE_STATE)[0].state


@hot
def follow_records(engine, cursor, progress, address, end):
    """Follow journal records from `address` on: each must be what packets and inputs make again.

    Returns the address of the first record that was not followed; `progress.stopped` says why (AT_END, AT_TEXT: the
    cold path's turn, NO_PACKETS: it has to find more, DIFFERENT).
    """
    core = view(engine, 1, ENGINE)[0]
    state = view(progress, 1, PROGRESS)[0]
    state.stopped = AT_END
    while address < end:
        header = view(address, 1, JOURNAL_HEADER)[0]
        body = address + HEADER_SIZE
        position = load_i64(body)
        kind = load_le16(address + KIND_AT)
        if kind in (STARTED_KIND, COMMAND_KIND):
            state.stopped = AT_TEXT
            break
        if not has_waiting(core.journal, cursor) and core.position < position:
            state.packet_at = replay_packets(engine, state.packet_at, state.packet_end, position)
            if core.position < position and state.exhausted == 0:
                state.stopped = NO_PACKETS
                break
        if not has_waiting(core.journal, cursor):
            replay_input(engine, kind, header.time_ns, body)
        length = load_le32(address + LENGTH_AT)
        if take_equal(core.journal, cursor, address, length) == 0:
            state.stopped = DIFFERENT
            break
        state.records += 1
        address += length
    return address


@hot
def replay_request(engine, body, strategy, team):
    """A request of another build: it was made, so its order exists, whatever this build would have decided."""
    core = view(engine, 1, ENGINE)[0]
    request = view(body, 1, ORDER_REQUEST)[0]
    order_id = int64(request.order_id)
    slot = find_order(engine, int64(request.target_order_id))
    if request.action == CANCEL and slot != 0:
        mark_canceling(engine, slot)
    elif request.action == REPLACE and slot != 0:
        open_replacement(engine, order_id, slot, request.price, request.quantity)
    elif request.action == DISABLE_ENTRY or request.action == ENABLE_ENTRY:
        view(core.venues, VENUES, VENUE)[request.venue].entry_disabled = request.action == DISABLE_ENTRY
    elif request.action == ENTER:
        replay_enter(engine, body, strategy, team)
    if order_id >= core.next_order_id:
        core.next_order_id = order_id + 1


@hot
def replay_enter(engine, body, strategy, team):
    """A new order of another build."""
    core = view(engine, 1, ENGINE)[0]
    request = view(body, 1, ORDER_REQUEST)[0]
    leg = -1
    row = find_parent(engine, int64(request.parent_id))
    decider = row if row != 0 else strategy
    for at in range(LEGS_PER_STRATEGY if decider > 0 else 0):
        index = decider * LEGS_PER_STRATEGY + at
        own = view(core.legs + index * LEG_BYTES, 1, LEG)[0]
        if own.instrument == request.instrument and (row == 0 or own.venue == request.venue):
            leg = index
    core.good_till_s = request.good_till_s
    open_order(
        engine,
        int64(request.order_id),
        strategy,
        team,
        leg,
        request.venue,
        request.instrument,
        request.side,
        request.price,
        request.quantity,
        request.time_in_force,
    )
    core.good_till_s = 0
