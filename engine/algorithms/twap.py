"""Time-weighted: the same number of shares in every slice of its time."""

from __future__ import annotations

import numpy as np

from engine.algorithms.children import PATIENCE, elapsed, whole_lots, work
from engine.hotpath.tables import CONTEXT, LEG, LEGS_PER_STRATEGY, MAX_REQUESTS, PARENT, PARENT_FIELDS, REQUEST
from engine.messages.catalogue import Parameter
from engine.native import hot, view

LABEL = "TWAP"
SUMMARY = "The same quantity in every slice of its time."

PARAMETERS = [
    Parameter("slices", "Slices", "", 1, 1000, 10, step=1, help="how often the next part is released"),
    PATIENCE,
]
STATE = np.dtype([*PARENT_FIELDS, ("slices", "<f8"), ("patience", "<f8")])


@hot
def schedule(parent, slices, clock_ns):
    """Shares that are to be done by now: each slice is released when it begins."""
    released = int(elapsed(parent, clock_ns) * slices) + 1
    if released >= slices:
        return parent.quantity
    return whole_lots(parent, int(parent.quantity * released / slices))


def on_event(context, row, legs):
    """The loop's entry."""
    own = view(row, 1, STATE)[0]
    parent = view(row, 1, PARENT)[0]
    event = view(context, 1, CONTEXT)[0]
    goal = schedule(parent, own.slices, event.clock_ns)
    requests = view(event.requests, MAX_REQUESTS, REQUEST)
    return work(parent, view(legs, LEGS_PER_STRATEGY, LEG), event, goal, own.patience, 1.0, requests)
