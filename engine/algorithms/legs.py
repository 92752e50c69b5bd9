"""Multi-leg: several instruments in a ratio as one order, the first leg worked and the others following its fills.

The first leg asks for no more than the limit on what is unhedged leaves it. As it fills, the others are told by `rule`
what to do; what has not followed after `time_out` is chased, or the whole is given back to where the legs match
(`unwind`), and the order ends. In the last part of its time (a twentieth, a second at least) the first leg begins
nothing more and the others chase.
"""

from __future__ import annotations

import numpy as np

from engine.algorithms.children import CROSSES, DAY, IOC, SECOND_NS, WAITS, WORKING, finishing
from engine.algorithms.leg_risk import (
    BUY,
    SELL,
    TERM,
    TERM_FIELDS,
    behind,
    excess,
    last_leg,
    room,
    under_way,
)
from engine.hotpath.market_orders import protected_price
from engine.hotpath.tables import CONTEXT, LEG, LEGS_PER_STRATEGY, MAX_REQUESTS, PARENT, PARENT_FIELDS, REQUEST
from engine.messages.catalogue import Parameter
from engine.messages.codes import ParentState
from engine.native import hot, view
from engine.strategies.requests import ask_cancel, ask_order

LABEL = "Multi-leg"
SUMMARY = "A pair or a small basket in a ratio: the first leg is worked, the others follow its fills."
MOST_LEGS = LEGS_PER_STRATEGY

CANCELING = int(ParentState.CANCELING)
CHASE, JOIN, AT_LIMIT = 0, 1, 2
CURRENCY = 10_000.0

PARAMETERS = [
    Parameter(
        "unhedged", "Most unhedged", "shares of the first leg", 1, 10_000_000, 200, step=1,
        help="no leg is farther before another",
    ),
    Parameter(
        "unhedged_value", "Most unhedged value", "USD of the first leg", 0.0, 1_000_000_000.0, 0.0,
        help="0: bounded by shares only",
    ),
    Parameter(
        "patience", "Patience", "seconds", 0.0, 3600.0, 5.0, help="how long the first leg waits at the touch; 0 crosses"
    ),
    Parameter(
        "rule", "When the first fills", "0 chase, 1 join, 2 cross at limit", 0, 2, 0, step=1,
        help="what the other legs do: cross with protection, join their touch, or rest at their limit",
    ),
    Parameter("protection", "Protection", "basis points", 0.0, 1_000.0, 10.0, help="how far a chase passes the touch"),
    Parameter("time_out", "Time-out", "seconds", 0.0, 3600.0, 5.0, help="how long a leg may stay behind"),
    Parameter(
        "unwind", "After the time-out", "0 chase, 1 unwind", 0, 1, 0, step=1,
        help="unwind: give back what is unhedged and end",
    ),
]  # fmt: skip
STATE = np.dtype(
    [
        *PARENT_FIELDS,
        *((parameter.name, "<f8") for parameter in PARAMETERS),
        ("behind_ns", "<i8"),  # since when a leg is behind the first, 0: none is
        ("unwinding", "<i8"),
        *TERM_FIELDS,
    ]
)
TERMS_AT = int(STATE.fields["side_1"][1])  # type: ignore[index]


def check_terms(values: dict[str, float], terms: list[dict[str, int]]) -> str:
    """What is wrong with the limit on what is unhedged, or with a rule without prices; empty: nothing."""
    first = terms[0]
    for number, term in enumerate(terms[1:], 2):
        needed = first["lot"] + -(-term["lot"] * first["quantity"] // term["quantity"])
        if values["unhedged"] < needed:
            return (
                f"one lot of leg 1 and one of leg {number} take an unhedged limit of at least {needed} shares of leg 1"
            )
        if values["rule"] == AT_LIMIT and not term["price"]:
            return f"to cross at its limit leg {number} needs a limit price"
    return ""


@hot
def within(term, price):
    """Whether the leg's limit allows this price."""
    return term.price == 0 or (price <= term.price if term.side == BUY else price >= term.price)


@hot
def touches(side, leg):
    """The price at which an order of this side joins, and the one at which it crosses; 0 where nothing is quoted."""
    bid = leg.bid if leg.bid_quantity > 0 else 0
    ask = leg.ask if leg.ask_quantity > 0 else 0
    return (bid, ask) if side == BUY else (ask, bid)


@hot
def is_settled(leg):
    """Whether the leg's child may be canceled: it waits, its venue knows it, and nobody has asked yet."""
    return leg.order_id != 0 and leg.canceling == 0 and leg.attempts == WAITS


@hot
def is_left_behind(term, leg, joining):
    """Whether the child that waits could wait at a better price within the limit."""
    if joining == 0:
        return False
    best = joining if within(term, joining) else term.price
    return best > leg.order_price if term.side == BUY else best < leg.order_price


@hot
def join(term, leg, at, joining, quantity, requests, count):
    """Ask for a child that waits at its own touch, as far as the limit allows."""
    if joining == 0:
        return count
    leg.attempts = WAITS
    price = joining if within(term, joining) else term.price
    return ask_order(requests, count, at, term.side, price, quantity, DAY, float(quantity))


@hot
def most_unhedged(own, terms, legs):
    """Shares of the first leg that may be unhedged now; the value at the dearer side of its market."""
    shares = int(own.unhedged)
    dearest = max(legs[0].bid, legs[0].ask)
    if own.unhedged_value > 0.0 and dearest > 0:
        shares = min(shares, int(own.unhedged_value * CURRENCY) // dearest)
    return shares


@hot
def lead(own, parent, terms, legs, event, last, requests, count):
    """One step of the first leg: at the touch, and across it after `patience`. Returns how many requests there are."""
    term = terms[0]
    leg = legs[0]
    joining, crossing = touches(term.side, leg)
    crosses = crossing != 0 and within(term, crossing)
    if leg.open_orders > 0:
        if not is_settled(leg):
            return count
        waited = event.clock_ns - parent.waiting_ns >= own.patience * SECOND_NS
        if waited and crosses:
            parent.crossing = 1
        if last or (waited and crosses) or is_left_behind(term, leg, joining):
            return ask_cancel(requests, count, 0, leg.order_id, 0.0)
        return count
    quantity = room(parent, terms, legs, 0, most_unhedged(own, terms, legs))
    if last or quantity <= 0 or event.clock_ns < leg.retry_after_ns:
        return count
    if own.patience == 0.0 or parent.crossing != 0:
        if not crosses:
            return count
        parent.crossing = 0
        parent.waiting_ns = 0
        leg.attempts = CROSSES
        return ask_order(requests, count, 0, term.side, crossing, quantity, IOC, float(quantity))
    if parent.waiting_ns == 0:
        parent.waiting_ns = event.clock_ns
    return join(term, leg, 0, joining, quantity, requests, count)


@hot
def chase(own, term, leg, at, crossing, quantity, requests, count):
    """Ask for a child that crosses, with protection and within the limit."""
    if crossing == 0 or not within(term, crossing):
        return count
    leg.attempts = CROSSES
    price = protected_price(term.side, crossing, own.protection, term.tick)
    if not within(term, price):
        price = term.price
    return ask_order(requests, count, at, term.side, price, quantity, IOC, float(quantity))


@hot
def follow(own, parent, terms, legs, at, event, chasing, requests, count):
    """One step of another leg towards what the first has done. Returns how many requests there are."""
    term = terms[at]
    leg = legs[at]
    joining, crossing = touches(term.side, leg)
    if leg.open_orders > 0:
        moves = own.rule == JOIN and is_left_behind(term, leg, joining)
        if is_settled(leg) and (chasing or moves):
            return ask_cancel(requests, count, at, leg.order_id, 0.0)
        return count
    quantity = min(behind(terms, legs, at), room(parent, terms, legs, at, most_unhedged(own, terms, legs)))
    if quantity <= 0 or event.clock_ns < leg.retry_after_ns:
        return count
    if chasing:
        return chase(own, term, leg, at, crossing, quantity, requests, count)
    if own.rule == JOIN:
        return join(term, leg, at, joining, quantity, requests, count)
    leg.attempts = WAITS
    return ask_order(requests, count, at, term.side, term.price, quantity, DAY, float(quantity))


@hot
def unwind(own, parent, terms, legs, event, requests):
    """Give back what no other leg matches, begin nothing new, and end. Returns how many requests there are."""
    count = 0
    waits = False
    for at in range(parent.leg_count):
        if under_way(terms[at], legs[at]) > 0:
            waits = True
            if is_settled(legs[at]):
                count = ask_cancel(requests, count, at, legs[at].order_id, 0.0)
    if waits:
        return count
    last = last_leg(parent, terms, legs)
    ended = True
    for at in range(parent.leg_count):
        term = terms[at]
        leg = legs[at]
        quantity = min(excess(terms, legs, at, last), parent.largest - parent.largest % term.lot)
        if quantity > 0 or leg.open_orders > 0:
            ended = False
        side = SELL if term.side == BUY else BUY
        crossing = touches(side, leg)[1]
        if quantity > 0 and leg.open_orders == 0 and event.clock_ns >= leg.retry_after_ns and crossing != 0:
            leg.attempts = CROSSES
            price = protected_price(side, crossing, own.protection, term.tick)
            count = ask_order(requests, count, at, side, price, quantity, IOC, -float(quantity))
    if ended:
        parent.state = CANCELING
    return count


@hot
def note_behind(own, parent, terms, legs, clock_ns):
    """Since when a leg is behind the first. Whether it has been for longer than the time-out."""
    late = False
    for at in range(1, parent.leg_count):
        late = late or behind(terms, legs, at) > 0
    if not late:
        own.behind_ns = 0
    elif own.behind_ns == 0:
        own.behind_ns = clock_ns
    return late and clock_ns - own.behind_ns >= own.time_out * SECOND_NS


def on_event(context, row, legs):
    """The loop's entry."""
    own = view(row, 1, STATE)[0]
    parent = view(row, 1, PARENT)[0]
    event = view(context, 1, CONTEXT)[0]
    terms = view(row + TERMS_AT, LEGS_PER_STRATEGY, TERM)
    every = view(legs, LEGS_PER_STRATEGY, LEG)
    requests = view(event.requests, MAX_REQUESTS, REQUEST)
    parent.scheduled = parent.quantity
    if parent.state != WORKING or event.clock_ns < parent.start_ns or event.clock_ns >= parent.end_ns:
        return 0
    timed_out = note_behind(own, parent, terms, every, event.clock_ns)
    if own.unwinding == 0 and timed_out and own.unwind != 0.0:
        own.unwinding = 1
    if own.unwinding != 0:
        return unwind(own, parent, terms, every, event, requests)
    last = finishing(parent, event.clock_ns)
    count = 0
    chasing = own.rule == CHASE or timed_out or last
    for at in range(1, parent.leg_count):
        count = follow(own, parent, terms, every, at, event, chasing, requests, count)
    return lead(own, parent, terms, every, event, last, requests, count)
