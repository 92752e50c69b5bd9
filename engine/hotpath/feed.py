"""Market data in: MoldUDP64 arbitration between lines A and B, gaps and their retransmission, and the way of one
packet.

The first copy of a sequence number wins. A packet from the future waits in a pending slot while the missing ones are
asked for; the book is dirty until they came. What is processed is recorded first.
"""

from __future__ import annotations

from engine.hotpath.book import clear_venue
from engine.hotpath.book_layout import BATCHED, BOOK, DUPLICATE, MOST_BATCHED
from engine.hotpath.dispatch import notify_touched, touch
from engine.hotpath.itch_book import NOT_BOOK, apply_inlined
from engine.hotpath.itch_prefetch import ask_levels, ask_orders, gather_blocks
from engine.hotpath.mark import DAY_NS, begin_day, refresh_holdings
from engine.hotpath.market_status import apply_status, clear_statuses, mark_venue
from engine.hotpath.numbers import reserve
from engine.hotpath.sending import flush_unsent
from engine.hotpath.snapshot_feed import begin_join, touch_venue
from engine.hotpath.status_tables import CLOSED
from engine.hotpath.tables import (
    ACCOUNT,
    ARRIVAL,
    ARRIVALS,
    ENGINE,
    FIRST_STRATEGY_ACCOUNT,
    LEG,
    LEGS_PER_STRATEGY,
    LINE,
    LINES,
    LOG_FULL,
    PACKET_BYTES,
    PENDING_PACKETS,
    VENUE,
    VENUES,
)
from engine.hotpath.traded_volume import count_volume
from engine.journal.append import append_recording, commit_journal
from engine.messages.codes import EngineState, FeedEventKind, RecordKind
from engine.messages.journal import FEED_EVENT
from engine.native import (
    copy_bytes,
    hot,
    hot_inlined,
    load_be48,
    load_i64,
    load_le16,
    sendto,
    store_i64,
    store_le16,
    view,
    zero_bytes,
)
from engine.protocols.itch50_offsets import TIMESTAMP_NS
from engine.protocols.moldudp64_blocks import (
    BLOCK_HEADER_LENGTH,
    END_OF_SESSION,
    HEADER_LENGTH,
    HEARTBEAT,
    next_block,
    packet_count,
    packet_sequence,
    same_session,
    write_request,
)

HALTED = int(EngineState.HALTED)
FEED_EVENT_KIND = int(RecordKind.FEED_EVENT)
GAP, RECOVERED = int(FeedEventKind.GAP), int(FeedEventKind.RECOVERED)
SNAPSHOT_BEGUN, SNAPSHOT_JOINED = int(FeedEventKind.SNAPSHOT_BEGUN), int(FeedEventKind.SNAPSHOT_JOINED)
ENDED, NEW_SESSION = int(FeedEventKind.END_OF_SESSION), int(FeedEventKind.NEW_SESSION)
QUIET_NS = 3_000_000_000  # another session's name is believed only after this much silence
RETRANSMISSION_LINE = 2
PATIENCE_NS = 1_000_000  # how long the other line may take to bring what this one lost
REPEAT_NS = 20_000_000
REFRESH_NS = 100_000_000
SOCKADDR_BYTES = 16
LARGEST_REQUEST = 4096
SHORTEST_MESSAGE = TIMESTAMP_NS + 6  # an ITCH header
LATEST_NS = 90_000_000_000_000  # a day and the hour that clocks may go back; a later stamp moves no clock
LARGEST_SEQUENCE = 1 << 48  # beyond it a number is garbage
VENUE_BYTES = VENUE.itemsize
ARRIVAL_BYTES = ARRIVAL.itemsize
SESSION_AT = int(VENUE.fields["feed_session"][1])  # type: ignore[index]


@hot
def consume(engine, venue_index, line, packet, length):
    """One packet whose first new message is the expected one: record it, apply it, let the strategies look.

    Returns 1, or 0 when the recording is full (the engine halts). Also the way of a packet in a replay.
    """
    core = view(engine, 1, ENGINE)[0]
    gathered = gather_blocks(core.book, venue_index, packet + HEADER_LENGTH, packet + length)
    return consume_gathered(engine, venue_index, line, packet, length, gathered)


@hot
def consume_gathered(engine, venue_index, line, packet, length, gathered):
    """As `consume`, when the first `gathered` messages of the packet are in the book's batch."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    ask_orders(core.book, gathered)
    if core.replaying != 0:
        position = core.position + 1
    else:
        position = append_recording(core.recording, venue_index, line, core.clock_ns, packet, length)
        if position == 0:
            core.state = HALTED
            core.attention |= LOG_FULL
            return 0
    core.position = position
    if core.parent_count != 0:
        count_volume(engine, venue_index, packet, length)
    since = core.clock_ns - core.day * DAY_NS
    if since < 0 or since >= DAY_NS:
        begin_day(engine)
    keep_session(engine, venue_index, packet)
    core.line = line
    sequence = packet_sequence(packet)
    after = sequence + packet_count(packet, length)
    while gathered > 0 and sequence < after:
        ask_levels(core.book, gathered)
        apply_gathered(engine, venue_index, sequence, gathered)
        sequence += gathered
        if sequence < after:
            gathered = gather_rest(engine, venue_index, packet + length)
            ask_orders(core.book, gathered)
    venue.expected = after
    core.feed_sequence = after - 1
    if core.market_time_ns >= core.refresh_ns:
        refresh_holdings(engine)
        core.refresh_ns = core.market_time_ns + REFRESH_NS
    notify_touched(engine)
    if core.unsent != 0:
        flush_unsent(engine)
    return 1


@hot
def gather_rest(engine, venue_index, end):
    """The next messages of a packet that has more than a batch holds."""
    core = view(engine, 1, ENGINE)[0]
    return gather_blocks(core.book, venue_index, view(core.book, 1, BOOK)[0].gathered_end, end)


@hot_inlined
def apply_gathered(engine, venue_index, sequence, gathered):
    """Apply the messages of the batch, the first of which has this number; those that came before are passed over."""
    core = view(engine, 1, ENGINE)[0]
    book = view(core.book, 1, BOOK)[0]
    batch = view(book.batch, MOST_BATCHED, BATCHED)
    seen = view(core.venues, VENUES, VENUE)[venue_index].expected - sequence
    n = seen if seen > 0 else 0
    while n < gathered:
        message = batch[n].message
        market_time = load_be48(message + TIMESTAMP_NS)
        if core.market_time_ns < market_time <= LATEST_NS:
            core.market_time_ns = market_time
        outcome = apply_inlined(core.book, venue_index, message, batch[n].length)
        n += 1
        if outcome <= DUPLICATE:
            if book.top_changed != 0:
                touch(engine, book.listing)
        elif outcome == NOT_BOOK:
            apply_status(engine, venue_index, message)


@hot_inlined
def keep_session(engine, venue_index, packet):
    """The session whose messages are counted from now on."""
    session = view(engine, 1, ENGINE)[0].venues + venue_index * VENUE_BYTES + SESSION_AT
    store_i64(session, load_i64(packet))
    store_le16(session + 8, load_le16(packet + 8))


@hot
def well_formed(packet, length):
    """Every block of the packet lies inside it and holds at least an ITCH header; its number can be one."""
    count = packet_count(packet, length)
    if count < 0 or packet_sequence(packet) < 0 or packet_sequence(packet) > LARGEST_SEQUENCE:
        return 0
    at = packet + HEADER_LENGTH
    end = packet + length
    if count != END_OF_SESSION:
        for _ in range(count):
            size = next_block(at, end)
            if size < SHORTEST_MESSAGE:
                return 0
            at += BLOCK_HEADER_LENGTH + size
    return 1 if at == end else 0


@hot
def feed_event(engine, venue_index, line, kind, expected, received):
    """Journal something about a feed that decisions depend on, and apply it."""
    core = view(engine, 1, ENGINE)[0]
    body = reserve(engine)
    if body == 0:
        return
    event = view(body, 1, FEED_EVENT)[0]
    event.position = core.position
    event.expected = expected
    event.received = received
    event.venue = venue_index
    event.line = line
    event.kind = kind
    apply_feed_event(engine, body)
    commit_journal(core.journal, FEED_EVENT_KIND, core.clock_ns)


@hot
def apply_feed_event(engine, body):
    """A gap makes the venue's books dirty, recovery makes them clean."""
    core = view(engine, 1, ENGINE)[0]
    event = view(body, 1, FEED_EVENT)[0]
    venue = view(core.venues, VENUES, VENUE)[event.venue]
    if event.kind == GAP:
        venue.dirty = 1
    elif event.kind == RECOVERED:
        venue.dirty = 0
    elif event.kind == ENDED:
        venue.ended = 1
        mark_venue(engine, event.venue, 0, CLOSED)
    elif event.kind == NEW_SESSION:
        begin_session(engine, event.venue)
    elif event.kind == SNAPSHOT_BEGUN:
        begin_join(engine, event.venue)
    elif event.kind == SNAPSHOT_JOINED:
        venue.expected = event.received


@hot
def begin_session(engine, venue_index):
    """A new day of the venue: empty books, sequence numbers from 1, clocks of the last day forgotten."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    clear_venue(core.book, venue_index)
    clear_statuses(engine, venue_index)
    touch_venue(engine, venue_index)
    venue.expected = 1
    venue.ended = 0
    venue.dirty = 0
    venue.pending_count = 0
    venue.pending_from = 0
    venue.gap_since_ns = 0
    core.market_time_ns = 0
    core.refresh_ns = 0
    accounts = view(core.accounts, FIRST_STRATEGY_ACCOUNT + core.strategy_count, ACCOUNT)
    for at in range(FIRST_STRATEGY_ACCOUNT + core.strategy_count):
        accounts[at].rate_due_ns = 0
    legs = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)
    for at in range(core.strategy_count * LEGS_PER_STRATEGY):
        legs[at].retry_after_ns = 0
        legs[at].order_since_ns = 0


@hot
def keep_pending(engine, venue_index, packet, length):
    """Keep a packet from the future; when all slots are taken it is asked for again later."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    if venue.pending_count >= PENDING_PACKETS or length > PACKET_BYTES:
        return
    slot = venue_index * PENDING_PACKETS + venue.pending_count
    copy_bytes(core.pending + slot * PACKET_BYTES, packet, length)
    store_i64(core.pending_lengths + slot * 8, length)
    if venue.pending_count == 0 or packet_sequence(packet) < venue.pending_from:
        venue.pending_from = packet_sequence(packet)
    venue.pending_count += 1


@hot
def drain_pending(engine, venue_index):
    """Consume what waited and is now expected, drop what came another way, keep the rest."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    base = core.pending + venue_index * PENDING_PACKETS * PACKET_BYTES
    lengths = core.pending_lengths + venue_index * PENDING_PACKETS * 8
    progress = 1
    while progress != 0 and venue.pending_count > 0:
        progress = 0
        kept = 0
        lowest = 0
        for at in range(venue.pending_count):
            packet = base + at * PACKET_BYTES
            length = load_i64(lengths + at * 8)
            sequence = packet_sequence(packet)
            if sequence <= venue.expected:
                if sequence + packet_count(packet, length) > venue.expected:
                    consume(engine, venue_index, RETRANSMISSION_LINE, packet, length)
                    progress = 1
                continue
            if kept != at:
                copy_bytes(base + kept * PACKET_BYTES, packet, length)
                store_i64(lengths + kept * 8, length)
            lowest = sequence if kept == 0 or sequence < lowest else lowest
            kept += 1
        venue.pending_count = kept
        venue.pending_from = lowest


@hot
def request_missing(engine, venue_index):
    """Ask the retransmission server for what lies between the expected and the first pending message."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    venue.requested_ns = core.clock_ns
    if venue.requester == 0 or venue.feed_fds[RETRANSMISSION_LINE] < 0:
        return
    missing = venue.pending_from - venue.expected
    session = core.venues + venue_index * VENUE_BYTES + SESSION_AT
    count = missing if missing < LARGEST_REQUEST else LARGEST_REQUEST
    length = write_request(core.report, session, venue.expected, count)
    sendto(venue.feed_fds[RETRANSMISSION_LINE], core.report, length, 0, venue.requester, SOCKADDR_BYTES)


@hot
def watch_gap(engine, venue_index):
    """While something is missing: dirty after the other line had its chance, asked for at once and again and again."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    if venue.gap_since_ns == 0 or core.clock_ns - venue.gap_since_ns < PATIENCE_NS or venue.expected < 0:
        return
    if venue.dirty == 0:
        feed_event(engine, venue_index, RETRANSMISSION_LINE, GAP, venue.expected, venue.pending_from)
    if core.clock_ns - venue.requested_ns >= REPEAT_NS:
        request_missing(engine, venue_index)


@hot
def open_gap(engine, venue_index, line, sequence):
    """A number beyond the expected one was seen."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    if venue.gap_since_ns == 0:
        venue.gap_since_ns = core.clock_ns
        view(core.lines, VENUES * LINES, LINE)[venue_index * LINES + line].gaps += 1
    if venue.pending_count == 0:
        venue.pending_from = sequence


@hot
def close_gap(engine, venue_index, line):
    """After progress: consume what waited; clean again when nothing is missing, else ask for the next part."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    if venue.pending_count > 0:
        drain_pending(engine, venue_index)
    if venue.pending_count == 0 and venue.expected >= venue.pending_from:
        venue.gap_since_ns = 0
        if venue.dirty != 0:
            feed_event(engine, venue_index, line, RECOVERED, venue.expected, venue.expected)
    elif line == RETRANSMISSION_LINE and venue.dirty != 0:
        request_missing(engine, venue_index)


@hot
def count_losses(engine, venue_index, line, sequence, count):
    """What a line by itself did not bring, whether or not the other line did."""
    core = view(engine, 1, ENGINE)[0]
    statistics = view(core.lines, VENUES * LINES, LINE)[venue_index * LINES + line]
    if line < RETRANSMISSION_LINE and 0 < statistics.expected < sequence:
        statistics.lost += sequence - statistics.expected
    if sequence + count > statistics.expected:
        statistics.expected = sequence + count


@hot
def note_arrival(engine, venue_index, line, sequence):
    """Remember when the first copy of a packet came."""
    core = view(engine, 1, ENGINE)[0]
    arrival = view(core.arrivals, VENUES * ARRIVALS, ARRIVAL)[venue_index * ARRIVALS + (sequence & (ARRIVALS - 1))]
    if arrival.sequence != sequence:
        arrival.sequence = sequence
        arrival.time_ns = core.clock_ns
        arrival.line = line


@hot
def measure_behind(engine, venue_index, line, sequence):
    """How much later than the other line's copy a packet came, while that one is remembered."""
    core = view(engine, 1, ENGINE)[0]
    arrival = view(core.arrivals, VENUES * ARRIVALS, ARRIVAL)[venue_index * ARRIVALS + (sequence & (ARRIVALS - 1))]
    if arrival.sequence != sequence or arrival.line == line or line + arrival.line >= RETRANSMISSION_LINE:
        return
    behind_ns = core.clock_ns - arrival.time_ns
    statistics = view(core.lines, VENUES * LINES, LINE)[venue_index * LINES + line]
    statistics.behind += 1
    statistics.behind_ns += behind_ns
    if behind_ns > statistics.behind_most_ns:
        statistics.behind_most_ns = behind_ns


@hot
def take_datagram(engine, venue_index, line, packet, length):
    """Arbitrate one datagram of a line: the usual one begins with the expected message."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    statistics = view(core.lines, VENUES * LINES, LINE)[venue_index * LINES + line]
    statistics.packets += 1
    statistics.heard_ns = core.clock_ns
    session = core.venues + venue_index * VENUE_BYTES + SESSION_AT
    count = packet_count(packet, length)
    if count <= 0 or venue.expected <= 0:  # what waits for a snapshot expects nothing
        take_unusual(engine, venue_index, line, packet, length)
        return
    if packet_sequence(packet) != venue.expected or not same_session(packet, session):
        take_unusual(engine, venue_index, line, packet, length)
        return
    gathered = gather_blocks(core.book, venue_index, packet + HEADER_LENGTH, packet + length)
    book = view(core.book, 1, BOOK)[0]
    if gathered != count or book.gathered_end != packet + length or book.gathered_shortest < SHORTEST_MESSAGE:
        take_unusual(engine, venue_index, line, packet, length)
        return
    venue.feed_heard_ns = core.clock_ns
    sequence = venue.expected
    count_losses(engine, venue_index, line, sequence, count)
    statistics.messages += count
    note_arrival(engine, venue_index, line, sequence)
    consume_gathered(engine, venue_index, line, packet, length, gathered)
    if venue.gap_since_ns != 0:
        close_gap(engine, venue_index, line)


@hot
def take_unusual(engine, venue_index, line, packet, length):
    """A datagram that may be malformed, of another session, without messages, old, from the future, or very long."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    statistics = view(core.lines, VENUES * LINES, LINE)[venue_index * LINES + line]
    if well_formed(packet, length) == 0:
        statistics.malformed += 1
        return
    session = core.venues + venue_index * VENUE_BYTES + SESSION_AT
    if load_i64(session) == 0:
        keep_session(engine, venue_index, packet)
    if not same_session(packet, session):
        if core.clock_ns - venue.feed_heard_ns < QUIET_NS:
            statistics.malformed += 1
            return
        feed_event(engine, venue_index, line, NEW_SESSION, venue.expected, packet_sequence(packet))
        for other in range(LINES):
            view(core.lines, VENUES * LINES, LINE)[venue_index * LINES + other].expected = 0
        zero_bytes(core.arrivals + venue_index * ARRIVALS * ARRIVAL_BYTES, ARRIVALS * ARRIVAL_BYTES)
        keep_session(engine, venue_index, packet)
    venue.feed_heard_ns = core.clock_ns
    count = packet_count(packet, length)
    sequence = packet_sequence(packet)
    count_losses(engine, venue_index, line, sequence, 0 if count == END_OF_SESSION else count)
    if count == HEARTBEAT or count == END_OF_SESSION:
        statistics.heartbeats += 1
        if sequence > venue.expected:
            open_gap(engine, venue_index, line, sequence)
        elif count == END_OF_SESSION and venue.ended == 0:
            feed_event(engine, venue_index, line, ENDED, venue.expected, sequence)
        return
    statistics.messages += count
    if sequence + count <= venue.expected:
        statistics.duplicates += 1
        measure_behind(engine, venue_index, line, sequence)
        return
    note_arrival(engine, venue_index, line, sequence)
    if sequence > venue.expected:
        open_gap(engine, venue_index, line, sequence)
        keep_pending(engine, venue_index, packet, length)
        return
    consume(engine, venue_index, line, packet, length)
    if venue.gap_since_ns != 0:
        close_gap(engine, venue_index, line)
