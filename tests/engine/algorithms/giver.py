"""A strategy that gives one parent order, of its first instrument, and nothing else."""

from __future__ import annotations

import numpy as np

from engine.hotpath.tables import CONTEXT, MAX_REQUESTS, REQUEST
from engine.messages.catalogue import Parameter
from engine.native import view
from engine.strategies.requests import BUY, ask_parent

LABEL = "Giver"
SUMMARY = "Gives one parent order."
INSTRUMENT_LABELS = ["First"]
PARAMETERS = [
    Parameter("quantity", "Quantity", "shares", 1, 100_000, 100, step=1),
    Parameter("algorithm", "Algorithm", "", 0, 1_000, 101, step=1),
    Parameter("seconds", "Lasts", "seconds", 1, 1_000, 10, step=1),
]
STATE = np.dtype([("quantity", "<f8"), ("algorithm", "<f8"), ("seconds", "<f8"), ("signal", "<f8"), ("given", "<i8")])


def on_event(context, row, legs):
    """Once."""
    own = view(row, 1, STATE)[0]
    if own.given != 0:
        return 0
    own.given = 1
    requests = view(view(context, 1, CONTEXT)[0].requests, MAX_REQUESTS, REQUEST)
    duration_ns = int(own.seconds) * 1_000_000_000
    return ask_parent(requests, 0, 0, BUY, 0, int(own.quantity), int(own.algorithm), duration_ns, 0.0)
