"""Order sessions in: SoupBinTCP frames and OUCH answers from the socket, or records from a session process's ring."""

from __future__ import annotations

from engine.hotpath.clock import read_clock
from engine.hotpath.fix_sessions import keep_fix_alive, take_fix_frames
from engine.hotpath.numbers import reserve
from engine.hotpath.reports import (
    complete_report,
    expire_all,
    forget_cancels,
    mark_unknown,
    resolve_never_sent,
    take_back,
    take_report,
)
from engine.hotpath.requests import cancel_killed
from engine.hotpath.resend import resend_pending
from engine.hotpath.sending import flush_unsent, lose_session, on_socket, send_heartbeat
from engine.hotpath.tables import (
    ENGINE,
    FIX,
    INBOUND_BYTES,
    LOST_BOUNDARY,
    LOST_END_OF_SESSION,
    LOST_SILENCE,
    OUCH42,
    SESSION_ENDED,
    SESSION_READY,
    VENUE,
    VENUES,
)
from engine.hotpath.venue_requests import assert_venue_kill
from engine.journal.append import commit_journal
from engine.messages.codes import RecordKind, SessionState, StampCause
from engine.messages.journal import ORDER_REPORT, SESSION_EVENT
from engine.native import AGAIN, DONT_WAIT, cycle_counter, errno, hot, load_u8, recv, store_u8, view
from engine.protocols import ouch42_reports, ouch50_reports
from engine.protocols.ouch50_reports import CORRECTION, MALFORMED, NO_REPORT
from engine.protocols.soupbintcp_frames import (
    DEBUG,
    END_OF_SESSION,
    HEADER_LENGTH,
    PARTIAL,
    PAYLOAD,
    SEQUENCED_DATA,
    SERVER_HEARTBEAT,
    TYPE,
    UNSEQUENCED_DATA,
    next_frame,
)
from engine.transport.rings import ring_advance, ring_peek

SESSION_EVENT_KIND = int(RecordKind.SESSION_EVENT)
ORDER_REPORT_KIND = int(RecordKind.ORDER_REPORT)
ANSWER = int(StampCause.ANSWER)
UP, DOWN = int(SessionState.UP), int(SessionState.DOWN)
DAY_NS = 86_400_000_000_000
SILENCE_NS = 15_000_000_000  # SoupBinTCP: a peer silent for 15 s is gone
HEARTBEAT_NS = 1_000_000_000
RECORDS_PER_TURN = 64


@hot
def apply_session_event(engine, body):
    """What a session going up or down does to orders. The way of the event in a replay, too."""
    core = view(engine, 1, ENGINE)[0]
    event = view(body, 1, SESSION_EVENT)[0]
    venue = view(core.venues, VENUES, VENUE)[event.venue]
    venue.session = event.state
    venue.next_inbound = event.venue_sequence
    forget_cancels(engine, event.venue)
    if event.state == DOWN:
        mark_unknown(engine, event.venue)
    else:
        venue.session_low = event.session_low
        venue.session_high = event.session_high
        if event.fresh != 0:
            venue.entry_disabled = 0
        venue.midnight_ns = core.clock_ns - core.clock_ns % DAY_NS


@hot
def assert_kills(engine, body):
    """After the record of a session event: what was killed or stopped while the venue was away is canceled now.

    A venue's new session has nothing of the last one left to cancel.
    """
    event = view(body, 1, SESSION_EVENT)[0]
    if event.state == UP:
        assert_venue_kill(engine, event.venue)
    if event.state == UP and event.fresh == 0:
        cancel_killed(engine, event.venue, event.next_reference)


@hot
def session_event(engine, venue_index, state, next_reference, fresh, session_low, session_high):
    """Journal a change of a session's state, apply it, and settle what the session proves about our orders.

    `fresh`: the venue began a new session. Returns 1, or 0 when the journal is full.
    """
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    body = reserve(engine)
    if body == 0:
        return 0
    event = view(body, 1, SESSION_EVENT)[0]
    event.position = core.position
    event.venue_sequence = venue.next_inbound
    event.next_reference = next_reference
    event.venue = venue_index
    event.state = state
    event.fresh = fresh
    event.session_low = session_low
    event.session_high = session_high
    apply_session_event(engine, body)
    commit_journal(core.journal, SESSION_EVENT_KIND, core.clock_ns)
    first_new = core.next_order_id
    assert_kills(engine, body)
    if core.replaying == 0:
        if fresh != 0:
            expire_all(engine, venue_index)
        elif state == UP and next_reference > 0:
            if core.next_order_id == first_new:  # a switch of order entry has used up every number before its own
                resend_pending(engine, venue_index, next_reference)
            resolve_never_sent(engine, venue_index, next_reference)
    flush_unsent(engine)
    return 1


@hot
def take_other_answer(engine, venue_index, message, length):
    """An answer that says nothing about one order: to the account query or the probe, or to a switch of order entry."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    if venue.protocol == OUCH42:
        answered = ouch42_reports.answers_probe(message, length)
        reference = 0
    else:
        reference = ouch50_reports.next_user_reference(message, length)
        answered = reference > 0
        switched = ouch50_reports.entry_switched(message)
        if switched != 0:
            venue.entry_confirmed = switched
    if answered and venue.session != UP:
        venue.next_reference = reference
        venue.query_answered = 1
        core.attention |= SESSION_READY


@hot
def take_answer(engine, venue_index, message, length):
    """One sequenced OUCH message."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    sequence = venue.next_inbound
    if venue.protocol == OUCH42:
        outcome = ouch42_reports.parse_report(message, length, venue.midnight_ns, core.report)
    else:
        outcome = ouch50_reports.parse_report(message, length, venue.midnight_ns, core.report)
    if outcome == MALFORMED:
        venue.malformed += 1
    elif outcome == NO_REPORT:
        take_other_answer(engine, venue_index, message, length)
    else:
        if outcome == CORRECTION and take_back(engine, venue_index, core.report) == 0:
            venue.next_inbound = sequence + 1
            return
        complete_report(engine, venue_index, core.report, sequence)
        take_report(engine, core.report)
    venue.next_inbound = sequence + 1


@hot
def take_frames(engine, venue_index):
    """Every whole SoupBinTCP packet in the inbound buffer; what is cut stays for the next read."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    at = 0
    while True:
        frame = venue.inbound + at
        length = next_frame(frame, venue.inbound_used - at)
        if length == PARTIAL:
            break
        if length < 0:
            venue.malformed += 1
            lose_session(engine, venue_index, LOST_BOUNDARY)
            return
        kind = load_u8(frame + TYPE)
        if kind == SEQUENCED_DATA:
            take_answer(engine, venue_index, frame + PAYLOAD, length - HEADER_LENGTH)
        elif kind == END_OF_SESSION:
            core.attention |= SESSION_ENDED
            lose_session(engine, venue_index, LOST_END_OF_SESSION)
            return
        elif kind == DEBUG:
            venue.debug_packets += 1
        elif kind != SERVER_HEARTBEAT and kind != UNSEQUENCED_DATA:
            venue.malformed += 1
        at += length
    rest = venue.inbound_used - at
    if at > 0:
        for byte in range(rest):
            store_u8(venue.inbound + byte, load_u8(venue.inbound + at + byte))
        venue.inbound_used = rest


@hot
def poll_socket(engine, venue_index):
    """Read what the venue's socket holds. 1 when something came."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    room = INBOUND_BYTES - venue.inbound_used
    received = recv(venue.fd, venue.inbound + venue.inbound_used, room, DONT_WAIT)
    if received > 0:
        read_clock(engine)
        venue.heard_ns = core.clock_ns
        venue.inbound_used += received
        core.received_cycles = cycle_counter()
        core.cause = ANSWER
        if venue.protocol == FIX:
            take_fix_frames(engine, venue_index)
        else:
            take_frames(engine, venue_index)
        flush_unsent(engine)
        return 1
    if received == 0 or errno() != AGAIN:
        lose_session(engine, venue_index)
    return 0


@hot
def poll_ring(engine, venue_index):
    """Take records from the session process; each is journalled before it is given back. 1 when something came."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    taken = 0
    for _ in range(RECORDS_PER_TURN):
        kind = ring_peek(venue.report_ring, core.report)
        if kind == 0:
            break
        taken = 1
        read_clock(engine)
        venue.heard_ns = core.clock_ns
        core.received_cycles = cycle_counter()
        core.cause = ANSWER
        if kind == ORDER_REPORT_KIND:
            report = view(core.report, 1, ORDER_REPORT)[0]
            sequence = report.venue_sequence
            stated_fee = report.fee
            # Killed between the journal and `ring_advance`, the engine finds a record that it has journalled already.
            if sequence >= venue.next_inbound:
                complete_report(engine, venue_index, core.report, sequence)
                if stated_fee != 0:
                    report.fee = stated_fee
                if take_report(engine, core.report) == 0:
                    break
                venue.next_inbound = sequence + 1
        elif kind == SESSION_EVENT_KIND:
            event = view(core.report, 1, SESSION_EVENT)[0]
            session_event(engine, venue_index, event.state, event.next_reference, event.fresh, 0, 0)
        else:
            venue.malformed += 1
        ring_advance(venue.report_ring)
    flush_unsent(engine)
    return taken


@hot
def keep_alive(engine, venue_index):
    """Heartbeats of a socket session: ours after a second of silence, the venue's missed for too long."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    if not on_socket(venue.protocol) or venue.fd < 0 or venue.lost != 0:
        return
    if venue.protocol == FIX:
        keep_fix_alive(engine, venue_index)
        return
    if core.clock_ns - venue.sent_ns >= HEARTBEAT_NS:
        send_heartbeat(engine, venue_index)
        flush_unsent(engine)
    if core.clock_ns - venue.heard_ns >= SILENCE_NS:
        lose_session(engine, venue_index, LOST_SILENCE)
