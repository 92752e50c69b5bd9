"""Stop: waits until the market has come to its trigger price, then trades at once; with a limit price a stop limit.

A buy is triggered when the best offer is at the trigger or above, a sell when the best bid is at it or below: what it
would have to trade at. No venue knows of it before. A stop without a limit crosses until it is done; one with a limit
rests at the limit for what is not offered within it.
"""

from __future__ import annotations

import numpy as np

from engine.algorithms.children import (
    BUY,
    DAY,
    WAITS,
    best_leg,
    open_quantity,
    opposite_price,
    whole_lots,
    work,
)
from engine.hotpath.tables import CONTEXT, LEG, LEGS_PER_STRATEGY, MAX_REQUESTS, PARENT, PARENT_FIELDS, REQUEST
from engine.messages.catalogue import Parameter
from engine.native import hot, view
from engine.strategies.requests import ask_order

LABEL = "Stop"
SUMMARY = "Trades once the market has come to its trigger price; with a limit price a stop limit."

CURRENCY = 10_000.0
PARAMETERS = [
    Parameter("trigger", "Trigger price", "USD", 0.0001, 13_000_000.0, 100.0, help="the order waits for it"),
]
STATE = np.dtype([*PARENT_FIELDS, ("trigger", "<f8"), ("triggered", "<i8")])


@hot
def is_triggered(parent, legs, trigger, clock_ns):
    """Whether what the order would trade at has come to the trigger (in 1/10,000)."""
    at = best_leg(parent, legs, 1, -1, clock_ns)
    if at < 0:
        return False
    price = opposite_price(parent, legs[at])
    return price >= trigger if parent.side == BUY else price <= trigger


@hot
def rest_at_limit(parent, legs, event, requests):
    """A stop limit after its trigger: what is missing, at the limit price, on the venue that is best now."""
    missing = whole_lots(parent, parent.quantity - parent.filled - open_quantity(parent, legs))
    at = best_leg(parent, legs, 1, -1, event.clock_ns)
    if missing <= 0 or at < 0:
        return 0
    legs[at].attempts = WAITS
    quantity = min(missing, parent.largest)
    return ask_order(requests, 0, at, parent.side, parent.price, quantity, DAY, float(missing))


def on_event(context, row, legs):
    """The loop's entry."""
    own = view(row, 1, STATE)[0]
    parent = view(row, 1, PARENT)[0]
    event = view(context, 1, CONTEXT)[0]
    every = view(legs, LEGS_PER_STRATEGY, LEG)
    requests = view(event.requests, MAX_REQUESTS, REQUEST)
    if event.clock_ns < parent.start_ns or event.clock_ns >= parent.end_ns:
        return 0
    if own.triggered == 0:
        if not is_triggered(parent, every, int(own.trigger * CURRENCY + 0.5), event.clock_ns):
            return 0
        own.triggered = 1
    parent.scheduled = parent.quantity
    if parent.price != 0:
        return rest_at_limit(parent, every, event, requests)
    return work(parent, every, event, parent.quantity, 0.0, 1.0, requests)
