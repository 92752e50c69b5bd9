"""A strategy that asks for what a test told it, and counts how often it was called."""

from __future__ import annotations

import numpy as np

from engine.hotpath.tables import CONTEXT, MAX_REQUESTS, REQUEST
from engine.messages.catalogue import Parameter
from engine.native import view

LABEL = "Told"
SUMMARY = "Does as it is told."
INSTRUMENT_LABELS = ["First", "Second"]
PARAMETERS: list[Parameter] = []
STATE = np.dtype(
    [
        ("calls", "<i8"),
        ("event", "<i8"),
        ("time_ns", "<i8"),
        ("asks", "<i8"),  # how many requests to claim next time
        ("action", "<i8"),
        ("leg", "<i8"),
        ("side", "<i8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("order_id", "<i8"),
        ("signal", "<f8"),
    ]
)


def on_event(context, row, legs):
    """The loop's entry."""
    event = view(context, 1, CONTEXT)[0]
    told = view(row, 1, STATE)[0]
    told.calls += 1
    told.event = event.event
    told.time_ns = event.time_ns
    requests = view(event.requests, MAX_REQUESTS, REQUEST)
    for at in range(MAX_REQUESTS):
        request = requests[at]
        request.action = told.action
        request.leg = told.leg
        request.side = told.side
        request.price = told.price
        request.quantity = told.quantity
        request.time_in_force = 1
        request.order_id = told.order_id
        request.signal = told.signal
    asks = told.asks
    told.asks = 0
    return asks
