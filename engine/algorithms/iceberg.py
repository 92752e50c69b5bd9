"""Iceberg: shows a part, and the next one when that is filled. At its limit price, or at the touch when it has none or
the market is better than the limit."""

from __future__ import annotations

import numpy as np

from engine.algorithms.children import (
    COMPLETE,
    DAY,
    WAITS,
    best_leg,
    finishing,
    left_behind,
    opposite_price,
    own_price,
    whole_lots,
    within,
    work,
)
from engine.hotpath.tables import CONTEXT, LEG, LEGS_PER_STRATEGY, MAX_REQUESTS, PARENT, PARENT_FIELDS, REQUEST
from engine.messages.catalogue import Parameter
from engine.native import hot, view
from engine.strategies.requests import ask_cancel, ask_order

LABEL = "Iceberg"
SUMMARY = "Shows a part of it at a time."

PARAMETERS = [
    Parameter("display", "Display", "shares", 1, 10_000_000, 100, step=1, help="how much is shown at a time"),
    COMPLETE,
]
STATE = np.dtype([*PARENT_FIELDS, ("display", "<f8"), ("complete", "<f8")])


@hot
def resting_place(parent, legs, clock_ns):
    """The leg where the next part rests: for a limit the venue that is nearest to it, else the best touch; -1: none."""
    at = best_leg(parent, legs, 1 if parent.price != 0 else 0, -1, clock_ns)
    return at if at >= 0 else best_leg(parent, legs, 0, -1, clock_ns)


@hot
def shown_price(parent, leg):
    """The limit, but no further through the market than the other side's touch: the gate refuses what is far off."""
    opposite = opposite_price(parent, leg)
    if parent.price == 0:
        return own_price(parent, leg)
    return opposite if opposite > 0 and within(parent, opposite) else parent.price


@hot
def show(parent, legs, event, display, requests):
    """Ask for the next part when none is shown; the one that is shown follows the touch, as far as the limit allows."""
    for at in range(parent.leg_count):
        leg = legs[at]
        if leg.open_orders > 0:
            settled = leg.order_id != 0 and leg.canceling == 0
            if settled and left_behind(parent, legs, at, event.clock_ns):
                return ask_cancel(requests, 0, at, leg.order_id, 0.0)
            return 0
    rest = parent.quantity - parent.filled
    part = max(whole_lots(parent, int(display)), parent.lot_size)
    quantity = min(rest, part, parent.largest)
    at = resting_place(parent, legs, event.clock_ns)
    if quantity <= 0 or at < 0:
        return 0
    parent.waiting_ns = event.clock_ns
    legs[at].attempts = WAITS
    return ask_order(requests, 0, at, parent.side, shown_price(parent, legs[at]), quantity, DAY, float(rest))


def on_event(context, row, legs):
    """The loop's entry."""
    own = view(row, 1, STATE)[0]
    parent = view(row, 1, PARENT)[0]
    event = view(context, 1, CONTEXT)[0]
    every = view(legs, LEGS_PER_STRATEGY, LEG)
    requests = view(event.requests, MAX_REQUESTS, REQUEST)
    parent.scheduled = parent.quantity
    if event.clock_ns < parent.start_ns or event.clock_ns >= parent.end_ns:
        return 0
    if own.complete != 0.0 and finishing(parent, event.clock_ns):
        return work(parent, every, event, parent.quantity, 0.0, 1.0, requests)
    return show(parent, every, event, own.display, requests)
