"""Volume-weighted: follows a curve of how a day's volume comes, busy at both ends unless another one is given.

The curve has ten buckets of equal length. With `opening` and `closing` (hours UTC) it lies over the trading day, and
the order follows the part that its own time covers; without them it lies over the order's own time.
"""

from __future__ import annotations

import numpy as np

from engine.algorithms.children import PATIENCE, elapsed, whole_lots, work
from engine.hotpath.tables import CONTEXT, LEG, LEGS_PER_STRATEGY, MAX_REQUESTS, PARENT, PARENT_FIELDS, REQUEST
from engine.messages.catalogue import Parameter
from engine.native import hot, view

LABEL = "VWAP"
SUMMARY = "Follows the volume curve of the day."

BUCKETS = 10
U_SHAPE = (16, 11, 9, 7, 7, 7, 7, 9, 11, 16)
HOUR_NS = 3_600_000_000_000.0
DAY_NS = 86_400_000_000_000

PARAMETERS = [
    PATIENCE,
    Parameter(
        "opening", "Opening", "hours UTC", 0.0, 24.0, 0.0, help="where the curve begins; 0 and 0: with the order"
    ),
    Parameter("closing", "Closing", "hours UTC", 0.0, 24.0, 0.0, help="where the curve ends"),
    *(
        Parameter(f"bucket_{at}", f"Bucket {at}", "parts of the volume", 0.0, 1_000_000.0, share)
        for at, share in enumerate(U_SHAPE, 1)
    ),
]
STATE = np.dtype(
    [
        *PARENT_FIELDS,
        ("patience", "<f8"),
        ("opening", "<f8"),
        ("closing", "<f8"),
        *((f"bucket_{at}", "<f8") for at in range(1, BUCKETS + 1)),
    ]
)
CURVE = np.dtype([("bucket", "<f8", (BUCKETS,))])
CURVE_AT = int(STATE.fields["bucket_1"][1])  # type: ignore[index]


@hot
def traded_by(curve, part):
    """Parts of the volume that come until `part` (0.0 to 1.0) of the curve's time."""
    place = part * BUCKETS
    total = 0.0
    for at in range(BUCKETS):
        inside = min(max(place - at, 0.0), 1.0)
        total += inside * curve.bucket[at]
    return total


@hot
def part_of_day(time_ns, opening, closing):
    """How much of the trading day has passed, 0.0 to 1.0."""
    hours = (time_ns % DAY_NS) / HOUR_NS
    return min(max((hours - opening) / (closing - opening), 0.0), 1.0)


@hot
def schedule(parent, own, curve, clock_ns):
    """Shares that are to be done by now."""
    if clock_ns >= parent.end_ns:
        return parent.quantity
    if own.opening < own.closing:
        first = traded_by(curve, part_of_day(parent.start_ns, own.opening, own.closing))
        now = traded_by(curve, part_of_day(clock_ns, own.opening, own.closing)) - first
        all_of_it = traded_by(curve, part_of_day(parent.end_ns, own.opening, own.closing)) - first
    else:
        now = traded_by(curve, elapsed(parent, clock_ns))
        all_of_it = traded_by(curve, 1.0)
    share = now / all_of_it if all_of_it > 0.0 else elapsed(parent, clock_ns)
    return whole_lots(parent, int(parent.quantity * min(max(share, 0.0), 1.0)))


def on_event(context, row, legs):
    """The loop's entry."""
    own = view(row, 1, STATE)[0]
    parent = view(row, 1, PARENT)[0]
    event = view(context, 1, CONTEXT)[0]
    goal = schedule(parent, own, view(row + CURVE_AT, 1, CURVE)[0], event.clock_ns)
    requests = view(event.requests, MAX_REQUESTS, REQUEST)
    return work(parent, view(legs, LEGS_PER_STRATEGY, LEG), event, goal, own.patience, 1.0, requests)
