"""Close: towards the price at its end time, so most of it late; a part of it, or all, in the closing cross.

The part for the cross is one child at the close, on the first of its venues that takes it. While that waits, the rest
is worked as if it were the whole order. What the cross does not fill, or no venue takes, is the rest's again.
"""

from __future__ import annotations

import numpy as np

from engine.algorithms.children import BUY, PATIENCE, WORKING, elapsed, hides, whole_lots, within, work
from engine.hotpath.tables import CONTEXT, LEG, LEGS_PER_STRATEGY, MAX_REQUESTS, PARENT, PARENT_FIELDS, REQUEST
from engine.messages.catalogue import Parameter
from engine.messages.codes import TimeInForce
from engine.native import hot, view
from engine.strategies.requests import ask_order

LABEL = "Close"
SUMMARY = "Most of it late, near the price at its end time; part of it in the closing cross."

AT_CLOSE = int(TimeInForce.AT_CLOSE)
PERCENT, BASIS_POINTS = 100.0, 10_000
BEGUN, ASKED, WAITING, OVER = 0, 1, 2, 3  # of the part for the cross
MORE_ATTEMPTS = 2  # beyond one for each venue

PARAMETERS = [
    Parameter(
        "lateness", "Lateness", "", 1.0, 20.0, 3.0, help="1 is a straight line; at 3 half the time does an eighth"
    ),
    PATIENCE,
    Parameter(
        "auction", "In the closing cross", "%", 0.0, 100.0, 0.0,
        help="the part of it that waits for the cross of one venue; the order has to last until then",
    ),
    Parameter(
        "protection", "Protection", "basis points", 0.0, 10_000.0, 50.0,
        help="how far past the touch the cross may be when there is no limit price",
    ),
]  # fmt: skip
STATE = np.dtype(
    [
        *PARENT_FIELDS,
        ("lateness", "<f8"),
        ("patience", "<f8"),
        ("auction", "<f8"),
        ("protection", "<f8"),
        ("auction_step", "<i8"),
        ("auction_leg", "<i8"),
        ("attempts", "<i8"),  # to place the part for the cross
    ]
)


@hot
def schedule(parent, lateness, clock_ns):
    """Shares that are to be done by now."""
    return whole_lots(parent, int(parent.quantity * elapsed(parent, clock_ns) ** lateness))


@hot
def auction_part(parent, percent):
    """Shares for the cross: whole lots, and no more than one child may have."""
    part = whole_lots(parent, int(parent.quantity * percent / PERCENT))
    return part if part < parent.largest else parent.largest


@hot
def auction_price(parent, leg, protection):
    """The limit of the child for the cross: the order's own, else so many basis points past the touch; 0 while there is
    no touch. Whole ticks, rounded towards the touch."""
    if parent.price != 0:
        return parent.price
    if leg.bid_quantity <= 0 or leg.ask_quantity <= 0:
        return 0
    if parent.side == BUY:
        price = leg.ask + int(leg.ask * protection) // BASIS_POINTS
        return price - price % parent.tick_size
    price = leg.bid - int(leg.bid * protection) // BASIS_POINTS
    price += parent.tick_size - 1
    price -= price % parent.tick_size
    return price if price > 0 else parent.tick_size


@hot
def free_leg(parent, legs, clock_ns):
    """The first leg with a book of its own, without a child, that has not refused lately; or -1."""
    for at in range(parent.leg_count):
        leg = legs[at]
        if not hides(leg) and leg.open_orders == 0 and clock_ns >= leg.retry_after_ns:
            return at
    return -1


@hot
def count_books(parent, legs):
    """How many of its venues have a book of their own, and so may have a cross."""
    count = 0
    for at in range(parent.leg_count):
        count += 0 if hides(legs[at]) else 1
    return count


@hot
def follow_auction(own, parent, legs):
    """Where the part for the cross is now: refused, waiting there, or over."""
    if own.auction_step == ASKED:
        own.auction_step = WAITING if parent.auction_working + parent.auction_filled > 0 else BEGUN
    elif own.auction_step == WAITING and parent.auction_working == 0:
        own.auction_step = OVER
    if own.auction_step == BEGUN:
        books = count_books(parent, legs)
        if own.auction <= 0.0 or books == 0 or own.attempts >= books + MORE_ATTEMPTS:
            own.auction_step = OVER


@hot
def ask_auction(own, parent, legs, event, requests):
    """Ask for the child at the close. Returns how many requests were made."""
    quantity = auction_part(parent, own.auction)
    if quantity <= 0:
        own.auction_step = OVER
        return 0
    if parent.state != WORKING or event.clock_ns < parent.start_ns or event.clock_ns >= parent.end_ns:
        return 0
    at = free_leg(parent, legs, event.clock_ns)
    if at < 0:
        return 0
    price = auction_price(parent, legs[at], own.protection)
    if price == 0 or not within(parent, price):
        return 0
    own.auction_step = ASKED
    own.auction_leg = at
    own.attempts += 1
    return ask_order(requests, 0, at, parent.side, price, quantity, AT_CLOSE, float(quantity))


@hot
def set_aside(parent, legs, at, shares):
    """Hide the child at the close, of so many open shares on leg `at`, from the rest (negative: show it again)."""
    count = 1 if shares > 0 else -1
    parent.quantity -= shares
    legs[at].open_orders -= count
    if parent.side == BUY:
        legs[at].working_buy -= shares
    else:
        legs[at].working_sell -= shares


def on_event(context, row, legs):
    """The loop's entry."""
    own = view(row, 1, STATE)[0]
    parent = view(row, 1, PARENT)[0]
    event = view(context, 1, CONTEXT)[0]
    requests = view(event.requests, MAX_REQUESTS, REQUEST)
    seen = view(legs, LEGS_PER_STRATEGY, LEG)
    follow_auction(own, parent, seen)
    if own.auction_step == BEGUN:
        return ask_auction(own, parent, seen, event, requests)
    aside = parent.auction_working
    if aside > 0:
        set_aside(parent, seen, own.auction_leg, aside)
    goal = schedule(parent, own.lateness, event.clock_ns)
    count = work(parent, seen, event, goal, own.patience, 1.0, requests)
    if aside > 0:
        set_aside(parent, seen, own.auction_leg, -aside)
    return count
