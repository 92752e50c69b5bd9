"""A strategy that gives one parent order, of its first instrument or as a pair, and nothing else."""

from __future__ import annotations

import numpy as np

from engine.hotpath.tables import CONTEXT, MAX_REQUESTS, REQUEST
from engine.messages.catalogue import Parameter
from engine.native import view
from engine.strategies.requests import BUY, SELL, ask_parent, choose, go_anywhere

LEGS = 110  # the multi-leg algorithm: half as much of the second instrument against the first
LABEL = "Giver"
SUMMARY = "Gives one parent order."
INSTRUMENT_LABELS = ["First"]
PARAMETERS = [
    Parameter("quantity", "Quantity", "shares", 1, 100_000, 100, step=1),
    Parameter("algorithm", "Algorithm", "", 0, 1_000, 101, step=1),
    Parameter("seconds", "Lasts", "seconds", 1, 1_000, 10, step=1),
    Parameter("place", "Parameter chosen", "place", -1, 20, -1, step=1),
    Parameter("value", "Its value", "", -1e9, 1e9, 0),
    Parameter("anywhere", "Goes to", "0 its venue, 1 all", 0, 1, 0, step=1),
]
STATE = np.dtype([*((one.name, "<f8") for one in PARAMETERS), ("signal", "<f8"), ("given", "<i8")])


def on_event(context, row, legs):
    """Once."""
    own = view(row, 1, STATE)[0]
    if own.given != 0:
        return 0
    own.given = 1
    requests = view(view(context, 1, CONTEXT)[0].requests, MAX_REQUESTS, REQUEST)
    duration_ns = int(own.seconds) * 1_000_000_000
    count = ask_parent(requests, 0, 0, BUY, 0, int(own.quantity), int(own.algorithm), duration_ns, 0.0)
    if own.anywhere != 0.0:
        count = go_anywhere(requests, count)
    if int(own.algorithm) == LEGS:
        count = ask_parent(requests, count, 1, SELL, 0, int(own.quantity) // 2, LEGS, duration_ns, 0.0)
    if own.place >= 0.0:
        count = choose(requests, count, int(own.place), own.value)
    return count
