"""When each order request was received, decided, journaled and sent: four readings of the time stamp counter.

Rows stand in a ring in memory that the loop writes and `engine.control.stamps` reads; they lie outside the journal, so
a replay compares nothing of them. A row is settled, and may be read, once its request was sent or never will be.

    received    the packet, answer or command that caused the request was taken
    decided     the strategy asked for it and the gate let it pass
    journaled   its record is published
    sent        send was called with it (or the record stands in the ring of its session process)
"""

from __future__ import annotations

import numpy as np

from engine.hotpath.tables import ENGINE, VENUE, VENUES
from engine.native import cycle_counter, hot, prefetch, store_release, view

STAMP = np.dtype(
    [
        ("sequence", "<i8"),  # of the request in the journal
        ("order_id", "<i8"),
        ("received_ns", "<i8"),  # the loop's clock; the four below are counts of the time stamp counter
        ("received", "<i8"),
        ("decided", "<i8"),
        ("journaled", "<i8"),
        ("sent", "<i8"),  # 0: not yet, or never
        ("venue", "<i2"),
        ("action", "u1"),
        ("cause", "u1"),
        ("reserved", "<i4"),
    ]
)
STAMP_BYTES = STAMP.itemsize
STAMP_ROWS = 1 << 16  # the ring's default; a power of two
SETTLED_AT = int(ENGINE.fields["stamps_settled"][1])  # type: ignore[index]
NO_VENUE_BIT = 1  # in `unsent`: something has to be settled


@hot
def stamp_request(engine, order_id, venue_index, action, sequence, decided):
    """A request stands in the journal under `sequence`; the gate had let it pass at count `decided`. Nothing is stamped
    for what has no time of receipt (`received_cycles` 0)."""
    core = view(engine, 1, ENGINE)[0]
    if core.received_cycles == 0:
        return
    place = core.stamps + (core.stamps_made & core.stamp_mask) * STAMP_BYTES
    row = view(place, 1, STAMP)[0]
    row.sequence = sequence
    row.order_id = order_id
    row.received_ns = core.clock_ns
    row.received = core.received_cycles
    row.decided = decided
    row.sent = 0
    row.venue = venue_index
    row.action = action
    row.cause = core.cause
    core.stamps_made += 1
    core.unsent |= NO_VENUE_BIT
    row.journaled = cycle_counter()
    prefetch(place + STAMP_BYTES)


@hot
def stamp_sent(engine, venue_index):
    """Send is called now with every request to the venue that was not sent yet."""
    core = view(engine, 1, ENGINE)[0]
    now = cycle_counter()
    settled = core.stamps_settled
    for at in range(settled, core.stamps_made):
        row = view(core.stamps + (at & core.stamp_mask) * STAMP_BYTES, 1, STAMP)[0]
        if row.venue == venue_index and row.sent == 0:
            row.sent = now
        if row.sent != 0 and at == settled:
            settled += 1
    store_release(engine + SETTLED_AT, settled)


@hot
def settle_stamps(engine):
    """Everything that one packet or answer caused was handed over; what was not, because its session is lost, never
    will be."""
    core = view(engine, 1, ENGINE)[0]
    now = cycle_counter()
    for at in range(core.stamps_settled, core.stamps_made):
        row = view(core.stamps + (at & core.stamp_mask) * STAMP_BYTES, 1, STAMP)[0]
        if row.sent == 0 and view(core.venues, VENUES, VENUE)[row.venue].lost == 0:
            row.sent = now
    store_release(engine + SETTLED_AT, core.stamps_made)
