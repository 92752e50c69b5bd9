"""Sniper: shows nothing, waits for its price, and takes what is offered there."""

from __future__ import annotations

import numpy as np

from engine.algorithms.children import BUY, IOC, crossable, open_quantity, opposite_price, whole_lots
from engine.hotpath.tables import CONTEXT, LEG, LEGS_PER_STRATEGY, MAX_REQUESTS, PARENT, PARENT_FIELDS, REQUEST
from engine.messages.catalogue import Parameter
from engine.native import hot, view
from engine.strategies.requests import ask_order

LABEL = "Sniper"
SUMMARY = "Waits for its limit price and takes what is there."
NEEDS_PRICE = True

PARAMETERS = [
    Parameter("least", "Least quantity", "shares", 1, 10_000_000, 1, step=1, help="it does not show itself for less"),
]
STATE = np.dtype([*PARENT_FIELDS, ("least", "<f8")])


@hot
def snipe(parent, legs, event, least, requests):
    """Take what is offered within the limit."""
    at = crossable(parent, legs, -1, event.clock_ns)
    if at < 0:
        return 0
    leg = legs[at]
    offered = leg.ask_quantity if parent.side == BUY else leg.bid_quantity
    rest = parent.quantity - parent.filled - open_quantity(parent, legs)
    quantity = whole_lots(parent, min(rest, offered, parent.largest))
    if quantity <= 0 or quantity < min(int(least), rest):
        return 0
    return ask_order(requests, 0, at, parent.side, opposite_price(parent, leg), quantity, IOC, float(rest))


def on_event(context, row, legs):
    """The loop's entry."""
    own = view(row, 1, STATE)[0]
    parent = view(row, 1, PARENT)[0]
    event = view(context, 1, CONTEXT)[0]
    parent.scheduled = parent.filled
    if event.clock_ns < parent.start_ns or event.clock_ns >= parent.end_ns:
        return 0
    every = view(legs, LEGS_PER_STRATEGY, LEG)
    return snipe(parent, every, event, own.least, view(event.requests, MAX_REQUESTS, REQUEST))
