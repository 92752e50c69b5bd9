"""Participation: a constant share of what is traded on its venues, its own trades among it."""

from __future__ import annotations

import numpy as np

from engine.algorithms.children import COMPLETE, PATIENCE, whole_lots, work
from engine.hotpath.tables import CONTEXT, LEG, LEGS_PER_STRATEGY, MAX_REQUESTS, PARENT, PARENT_FIELDS, REQUEST
from engine.messages.catalogue import Parameter
from engine.native import hot, view

LABEL = "Participation"
SUMMARY = "A constant share of what is traded."

PARAMETERS = [
    Parameter("rate", "Rate", "% of the volume", 0.1, 50.0, 10.0, help="its own trades are part of the volume"),
    PATIENCE,
    COMPLETE,
]
STATE = np.dtype([*PARENT_FIELDS, ("rate", "<f8"), ("patience", "<f8"), ("complete", "<f8")])


@hot
def schedule(parent, rate):
    """Shares that are to be done by now."""
    wanted = int(parent.volume * rate / 100.0)
    return whole_lots(parent, min(max(wanted, 0), parent.quantity))


def on_event(context, row, legs):
    """The loop's entry."""
    own = view(row, 1, STATE)[0]
    parent = view(row, 1, PARENT)[0]
    event = view(context, 1, CONTEXT)[0]
    goal = schedule(parent, own.rate)
    requests = view(event.requests, MAX_REQUESTS, REQUEST)
    return work(parent, view(legs, LEGS_PER_STRATEGY, LEG), event, goal, own.patience, own.complete, requests)
