"""Pegged: rests at the best price of its own side, or so much behind it, and moves with it. Its parts are
post-only orders, so it only adds liquidity."""

from __future__ import annotations

import numpy as np

from engine.algorithms.children import (
    BUY,
    WAITS,
    best_leg,
    open_quantity,
    own_price,
    whole_lots,
)
from engine.hotpath.tables import CONTEXT, LEG, LEGS_PER_STRATEGY, MAX_REQUESTS, PARENT, PARENT_FIELDS, REQUEST
from engine.messages.catalogue import Parameter
from engine.native import hot, view
from engine.strategies.requests import POST_ONLY, ask_cancel, ask_order

LABEL = "Pegged"
SUMMARY = "Rests at the best price of its own side and moves with it; never crosses."

CURRENCY = 10_000.0
PARAMETERS = [
    Parameter("offset", "Offset", "USD behind the touch", 0.0, 10_000.0, 0.0, help="in whole ticks, else refused"),
    Parameter("display", "Display", "shares", 1, 10_000_000, 10_000_000, step=1, help="how much is shown at a time"),
]
STATE = np.dtype([*PARENT_FIELDS, ("offset", "<f8"), ("display", "<f8")])


@hot
def peg(parent, leg, offset):
    """Where it wants to rest on this leg's venue, within its limit."""
    touch = own_price(parent, leg)
    price = touch - offset if parent.side == BUY else touch + offset
    return price if price > 0 else touch


@hot
def follow(parent, legs, event, offset, display, requests):
    """Move the child that is open, or ask for the next one."""
    at = best_leg(parent, legs, 0, -1, event.clock_ns)
    for own in range(parent.leg_count):
        leg = legs[own]
        if leg.open_orders > 0:
            best = best_leg(parent, legs, 0, own, event.clock_ns)
            settled = leg.order_id != 0 and leg.canceling == 0
            if settled and best >= 0 and peg(parent, legs[best], offset) != leg.order_price:
                return ask_cancel(requests, 0, own, leg.order_id, 0.0)
            return 0
    rest = whole_lots(parent, parent.quantity - parent.filled - open_quantity(parent, legs))
    part = max(whole_lots(parent, int(display)), parent.lot_size)
    quantity = min(rest, part, parent.largest)
    if at < 0 or quantity <= 0:
        return 0
    legs[at].attempts = WAITS
    return ask_order(requests, 0, at, parent.side, peg(parent, legs[at], offset), quantity, POST_ONLY, float(rest))


def on_event(context, row, legs):
    """The loop's entry."""
    own = view(row, 1, STATE)[0]
    parent = view(row, 1, PARENT)[0]
    event = view(context, 1, CONTEXT)[0]
    parent.scheduled = parent.quantity
    if event.clock_ns < parent.start_ns or event.clock_ns >= parent.end_ns:
        return 0
    requests = view(event.requests, MAX_REQUESTS, REQUEST)
    offset = int(own.offset * CURRENCY + 0.5)
    return follow(parent, view(legs, LEGS_PER_STRATEGY, LEG), event, offset, own.display, requests)
