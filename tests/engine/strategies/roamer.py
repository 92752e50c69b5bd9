"""A strategy that asks once for an order of its instrument, at whatever venue."""

from __future__ import annotations

import numpy as np

from engine.hotpath.tables import CONTEXT, MAX_REQUESTS, REQUEST
from engine.messages.catalogue import Parameter
from engine.native import view
from engine.strategies.requests import BUY, ask_order, go_anywhere

LABEL = "Roamer"
SUMMARY = "Asks for one order."
INSTRUMENT_LABELS = ["Only"]
PARAMETERS = [
    Parameter("quantity", "Quantity", "shares", 1, 100_000, 100, step=1),
    Parameter("price", "Price", "", 1, 1e9, 1, step=1),
    Parameter("time_in_force", "Time in force", "", 1, 100, 1, step=1),
]
STATE = np.dtype([*((one.name, "<f8") for one in PARAMETERS), ("signal", "<f8"), ("given", "<i8")])


def on_event(context, row, legs):
    """Once."""
    own = view(row, 1, STATE)[0]
    if own.given != 0:
        return 0
    own.given = 1
    requests = view(view(context, 1, CONTEXT)[0].requests, MAX_REQUESTS, REQUEST)
    force = int(own.time_in_force)
    return go_anywhere(requests, ask_order(requests, 0, 0, BUY, int(own.price), int(own.quantity), force, 0.0))
