"""The live side of a snapshot: its beginning and its end as journalled events, for the cold path to call."""

from __future__ import annotations

from engine.hotpath.feed import close_gap, feed_event
from engine.hotpath.snapshot_feed import JOINING, SNAPSHOT_LINE
from engine.hotpath.tables import ENGINE, LINE, LINES, VENUE, VENUES
from engine.messages.codes import FeedEventKind
from engine.native import hot, view

NEW_SESSION = int(FeedEventKind.NEW_SESSION)
SNAPSHOT_BEGUN, SNAPSHOT_JOINED = int(FeedEventKind.SNAPSHOT_BEGUN), int(FeedEventKind.SNAPSHOT_JOINED)


@hot
def begin_snapshot(engine, venue_index, sequence):
    """The books are emptied for a snapshot after which the feed goes on with message `sequence`."""
    core = view(engine, 1, ENGINE)[0]
    expected = view(core.venues, VENUES, VENUE)[venue_index].expected
    statistics = view(core.lines, VENUES * LINES, LINE)[venue_index * LINES + SNAPSHOT_LINE]
    if expected > 0 and sequence > expected:
        statistics.recovered += sequence - expected
    feed_event(engine, venue_index, SNAPSHOT_LINE, SNAPSHOT_BEGUN, expected if expected > 0 else 0, sequence)


@hot
def join_snapshot(engine, venue_index, sequence):
    """The snapshot is applied: go on with message `sequence`, first with what waited. Clean when nothing is missing."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    if venue.expected != JOINING:
        return
    feed_event(engine, venue_index, SNAPSHOT_LINE, SNAPSHOT_JOINED, sequence, sequence)
    venue.requested_ns = 0
    close_gap(engine, venue_index, SNAPSHOT_LINE)


@hot
def begin_again(engine, venue_index):
    """Start from the first message: a snapshot was left half way and there is no other."""
    feed_event(engine, venue_index, SNAPSHOT_LINE, NEW_SESSION, 0, 0)
