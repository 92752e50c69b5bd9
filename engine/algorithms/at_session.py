"""At the session: stands for an order at the open or at the close at a venue that has no auction.

At the open it waits until the venue's market hours begin, at the close until its own time to begin; then all of it goes
out once, as an IOC order at its limit, or so many basis points beyond the touch. What is not filled then is over. While
the gate refuses it, it is asked again until the time for it is over.
"""

from __future__ import annotations

import numpy as np

from engine.algorithms.children import BUY, CROSSES, IOC
from engine.hotpath.market_orders import protected_price
from engine.hotpath.tables import CONTEXT, LEG, LEGS_PER_STRATEGY, MAX_REQUESTS, PARENT, PARENT_FIELDS, REQUEST
from engine.messages.catalogue import Parameter
from engine.messages.codes import TimeInForce
from engine.messages.prices import LARGEST_PROTECTION
from engine.native import hot, view
from engine.strategies.requests import ask_order

LABEL = "At the session"
SUMMARY = "Stands for an order at the open or close where there is no auction: it goes out once, as an IOC order."
EMULATES = (TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE)

AT_OPEN = int(TimeInForce.AT_OPEN)
OPENING_NS = 60_000_000_000  # how long after the open it is still one
PARAMETERS = [
    Parameter(
        "protection", "Protection", "basis points", 0.0, float(LARGEST_PROTECTION), 0.0, help="0: it has a limit"
    ),
]
STATE = np.dtype([*PARENT_FIELDS, ("protection", "<f8"), ("opened_ns", "<i8")])


@hot
def is_time(own, parent, clock_ns):
    """Whether it may go out now; ends it when the open is long past."""
    if parent.emulates != AT_OPEN:
        return clock_ns >= parent.start_ns
    if own.opened_ns == 0 and parent.market_open != 0:
        own.opened_ns = clock_ns
        parent.end_ns = clock_ns + OPENING_NS
    return own.opened_ns != 0


@hot
def price_of(own, parent, leg):
    """Its limit, or one made of the touch; 0 while there is none."""
    if own.protection <= 0.0:
        return parent.price
    if leg.bid_quantity <= 0 or leg.ask_quantity <= 0:
        return 0
    return protected_price(parent.side, leg.ask if parent.side == BUY else leg.bid, own.protection, parent.tick_size)


@hot
def go_out(own, parent, leg, event, requests):
    """Ask for the one order, or end when it is over."""
    if leg.open_orders > 0:
        return 0
    if leg.order_price != 0:  # it was out
        parent.end_ns = event.clock_ns
        return 0
    if event.clock_ns < leg.retry_after_ns or parent.takes_orders == 0:
        return 0
    price = price_of(own, parent, leg)
    if price <= 0:
        return 0
    leg.attempts = CROSSES
    left = parent.quantity - parent.filled
    return ask_order(requests, 0, 0, parent.side, price, left, IOC, float(left))


def on_event(context, row, legs):
    """The loop's entry."""
    own = view(row, 1, STATE)[0]
    parent = view(row, 1, PARENT)[0]
    event = view(context, 1, CONTEXT)[0]
    parent.scheduled = parent.filled
    if event.clock_ns < parent.start_ns or event.clock_ns >= parent.end_ns or parent.filled >= parent.quantity:
        return 0
    if not is_time(own, parent, event.clock_ns):
        return 0
    every = view(legs, LEGS_PER_STRATEGY, LEG)
    return go_out(own, parent, every[0], event, view(event.requests, MAX_REQUESTS, REQUEST))
