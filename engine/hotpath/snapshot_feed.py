"""A snapshot of a venue's books in the loop: what its beginning, its packets and its end do, live and in a replay.

Between begin and end the venue expects JOINING, a number below every packet's, so that whatever the lines bring waits.
Its books are dirty until the feed is joined without a gap.
"""

from __future__ import annotations

from engine.hotpath.book import clear_venue
from engine.hotpath.book_layout import BOOK, DUPLICATE
from engine.hotpath.dispatch import notify_touched, touch
from engine.hotpath.itch_book import NOT_BOOK, apply_itch
from engine.hotpath.market_status import apply_status, clear_statuses
from engine.hotpath.tables import ENGINE, LINE, LINES, LOG_FULL, VENUE, VENUES
from engine.journal.append import append_recording
from engine.messages.codes import EngineState
from engine.native import hot, load_be48, view
from engine.protocols.itch50_offsets import TIMESTAMP_NS
from engine.protocols.moldudp64_blocks import BLOCK_HEADER_LENGTH, HEADER_LENGTH, next_block, packet_count

HALTED = int(EngineState.HALTED)
SNAPSHOT_LINE = 3
JOINING = -1
LATEST_NS = 90_000_000_000_000


@hot
def touch_venue(engine, venue_index):
    """Every leg that watches a listing of the venue sees its top again."""
    core = view(engine, 1, ENGINE)[0]
    width = core.instrument_count + 1
    for listing in range((venue_index - 1) * width, venue_index * width):
        touch(engine, listing)


@hot
def begin_join(engine, venue_index):
    """A snapshot is about to come: nothing of the venue is known any more."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    clear_venue(core.book, venue_index)
    clear_statuses(engine, venue_index)
    venue.dirty = 1
    venue.expected = JOINING
    touch_venue(engine, venue_index)


@hot
def consume_snapshot(engine, venue_index, packet, length):
    """Record and apply one packet of a snapshot: every message of it, whatever its number. Also the way in a replay.

    Returns 1, or 0 when the recording is full (the engine halts). Strategies are not called: the books are dirty.
    """
    core = view(engine, 1, ENGINE)[0]
    if core.replaying != 0:
        position = core.position + 1
    else:
        position = append_recording(core.recording, venue_index, SNAPSHOT_LINE, core.clock_ns, packet, length)
        if position == 0:
            core.state = HALTED
            core.attention |= LOG_FULL
            return 0
    core.position = position
    core.line = SNAPSHOT_LINE
    book = view(core.book, 1, BOOK)[0]
    at = packet + HEADER_LENGTH
    end = packet + length
    for _ in range(packet_count(packet, length)):
        size = next_block(at, end)
        message = at + BLOCK_HEADER_LENGTH
        market_time = load_be48(message + TIMESTAMP_NS)
        if core.market_time_ns < market_time <= LATEST_NS:
            core.market_time_ns = market_time
        outcome = apply_itch(core.book, venue_index, message, size)
        if outcome <= DUPLICATE:
            if book.top_changed != 0:
                touch(engine, book.listing)
        elif outcome == NOT_BOOK:
            apply_status(engine, venue_index, message)
        at += BLOCK_HEADER_LENGTH + size
    statistics = view(core.lines, VENUES * LINES, LINE)[venue_index * LINES + SNAPSHOT_LINE]
    statistics.packets += 1
    statistics.messages += packet_count(packet, length)
    statistics.heard_ns = core.clock_ns
    notify_touched(engine)
    return 1
