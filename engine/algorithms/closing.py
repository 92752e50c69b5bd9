"""Close: towards the price at its end time, so most of it late."""

from __future__ import annotations

import numpy as np

from engine.algorithms.children import PATIENCE, elapsed, whole_lots, work
from engine.hotpath.tables import CONTEXT, LEG, LEGS_PER_STRATEGY, MAX_REQUESTS, PARENT, PARENT_FIELDS, REQUEST
from engine.messages.catalogue import Parameter
from engine.native import hot, view

LABEL = "Close"
SUMMARY = "Most of it late, near the price at its end time."

PARAMETERS = [
    Parameter(
        "lateness", "Lateness", "", 1.0, 20.0, 3.0, help="1 is a straight line; at 3 half the time does an eighth"
    ),
    PATIENCE,
]
STATE = np.dtype([*PARENT_FIELDS, ("lateness", "<f8"), ("patience", "<f8")])


@hot
def schedule(parent, lateness, clock_ns):
    """Shares that are to be done by now."""
    return whole_lots(parent, int(parent.quantity * elapsed(parent, clock_ns) ** lateness))


def on_event(context, row, legs):
    """The loop's entry."""
    own = view(row, 1, STATE)[0]
    parent = view(row, 1, PARENT)[0]
    event = view(context, 1, CONTEXT)[0]
    goal = schedule(parent, own.lateness, event.clock_ns)
    requests = view(event.requests, MAX_REQUESTS, REQUEST)
    return work(parent, view(legs, LEGS_PER_STRATEGY, LEG), event, goal, own.patience, 1.0, requests)
