"""Good till: stands for an order good till canceled, or till a time, at a venue that has day orders only.

One day order at the limit rests there for all that is left. When the venue ends it with its session, what is left is
entered anew as soon as the venue takes orders again. The time at which it ends is the parent order's.
"""

from __future__ import annotations

import numpy as np

from engine.algorithms.children import DAY
from engine.hotpath.tables import CONTEXT, LEG, LEGS_PER_STRATEGY, MAX_REQUESTS, PARENT, PARENT_FIELDS, REQUEST
from engine.messages.catalogue import Parameter
from engine.messages.codes import TimeInForce
from engine.native import hot, view
from engine.strategies.requests import ask_order

LABEL = "Good till"
SUMMARY = "Stands for a time in force that its venue does not have: a day order that is entered anew each session."
NEEDS_PRICE = True
EMULATES = (TimeInForce.GTC, TimeInForce.GTD)

PAUSE_NS = 1_000_000_000  # between two orders: a venue that takes none of them is not asked in a hurry
PARAMETERS: list[Parameter] = []
STATE = np.dtype([*PARENT_FIELDS, ("asked_ns", "<i8")])


@hot
def rest(own, parent, leg, event, requests):
    """Ask for the day order when there is none and the venue takes orders."""
    left = parent.quantity - parent.filled
    if left <= 0 or leg.open_orders > 0 or parent.takes_orders == 0:
        return 0
    if event.clock_ns < leg.retry_after_ns or (own.asked_ns != 0 and event.clock_ns < own.asked_ns + PAUSE_NS):
        return 0
    own.asked_ns = event.clock_ns
    return ask_order(requests, 0, 0, parent.side, parent.price, left, DAY, float(left))


def on_event(context, row, legs):
    """The loop's entry."""
    own = view(row, 1, STATE)[0]
    parent = view(row, 1, PARENT)[0]
    event = view(context, 1, CONTEXT)[0]
    parent.scheduled = parent.quantity
    if event.clock_ns < parent.start_ns or event.clock_ns >= parent.end_ns:
        return 0
    every = view(legs, LEGS_PER_STRATEGY, LEG)
    return rest(own, parent, every[0], event, view(event.requests, MAX_REQUESTS, REQUEST))
