"""Children towards what the schedule wants, at most one on each venue: first at the touch, then across the spread.

A child waits at the best price of its own side on whichever venue has it, moves along when the touch leaves it behind,
and after `patience` seconds the rest crosses on whichever venue is best. The limit price is never passed, the quantity
never exceeded (what is open may be filled), children are whole lots and, but for the last ones, no less than one part
in SMALLEST of the order. A child whose venue does not answer keeps its
shares; the rest goes on elsewhere. A venue that shows no book is offered a part of it. In the last part of its time
(one in FINISH, a second at least) the order stops waiting and crosses for all that is left.
"""

from __future__ import annotations

from engine.hotpath.tables import MAX_REQUESTS
from engine.messages.catalogue import YES_OR_NO, Parameter
from engine.messages.codes import ParentState, Side, TimeInForce
from engine.native import hot
from engine.strategies.requests import ask_cancel, ask_order

BUY, SELL = int(Side.BUY), int(Side.SELL)
DAY, IOC = int(TimeInForce.DAY), int(TimeInForce.IOC)
WORKING = int(ParentState.WORKING)
WAITS, CROSSES = 0, 1  # what the child of a leg does, in the leg's `attempts`
SECOND_NS = 1_000_000_000.0
HIDDEN_PART = 4  # one part in so many is offered to a venue that shows no book
SMALLEST = 250
FINISH = 20  # the last twentieth of its time
LEAST_FINISH_NS = 1_000_000_000

PATIENCE = Parameter(
    "patience", "Patience", "seconds", 0.0, 3600.0, 5.0, help="how long a child waits at the touch before it crosses"
)
COMPLETE = Parameter("complete", "Complete", YES_OR_NO, 0, 1, 1, step=1, help="cross for what is left before the end")


@hot
def elapsed(parent, clock_ns):
    """The part of its time that has passed, 0.0 to 1.0."""
    if clock_ns <= parent.start_ns:
        return 0.0
    if clock_ns >= parent.end_ns:
        return 1.0
    return (clock_ns - parent.start_ns) / (parent.end_ns - parent.start_ns)


@hot
def finishing(parent, clock_ns):
    """Whether there is only time left to cross."""
    length = parent.end_ns - parent.start_ns
    last = length // FINISH
    if last < LEAST_FINISH_NS:
        last = LEAST_FINISH_NS
    return clock_ns >= parent.end_ns - last


@hot
def whole_lots(parent, quantity):
    """The quantity without a broken lot."""
    return quantity - quantity % parent.lot_size


@hot
def within(parent, price):
    """Whether the limit allows this price."""
    if parent.price == 0:
        return True
    return price <= parent.price if parent.side == BUY else price >= parent.price


@hot
def open_quantity(parent, legs):
    """Shares in open children: each may still be filled."""
    total = 0
    for at in range(parent.leg_count):
        total += legs[at].working_buy if parent.side == BUY else legs[at].working_sell
    return total


@hot
def hides(leg):
    """Whether its venue shows no book (a midpoint pool, a broker) and another one prices it."""
    return leg.watched != leg.venue


@hot
def best_leg(parent, legs, opposite, own, clock_ns):
    """The leg with the best price of our own side of the book (or the opposite one), the larger quantity of two alike;
    -1 when no venue has one, or those that do have refused lately or have a child. The child of leg `own` does not
    count: it is the one that may move."""
    found = -1
    best = 0
    most = 0
    buying = (parent.side == BUY) != (opposite != 0)
    for at in range(parent.leg_count):
        leg = legs[at]
        price = leg.bid if buying else leg.ask
        quantity = leg.bid_quantity if buying else leg.ask_quantity
        if hides(leg) or quantity <= 0 or clock_ns < leg.retry_after_ns or (leg.open_orders > 0 and at != own):
            continue
        better = price > best if buying else price < best
        if found < 0 or better or (price == best and quantity > most):
            found = at
            best = price
            most = quantity
    return found


@hot
def own_price(parent, leg):
    """The touch of our side, as far as the limit allows."""
    if parent.side == BUY:
        return leg.bid if within(parent, leg.bid) else parent.price
    return leg.ask if within(parent, leg.ask) else parent.price


@hot
def opposite_price(parent, leg):
    """What it costs to trade at once."""
    return leg.ask if parent.side == BUY else leg.bid


@hot
def crossable(parent, legs, own, clock_ns):
    """The leg where the order can trade at once within its limit, or -1."""
    at = best_leg(parent, legs, 1, own, clock_ns)
    if at >= 0 and within(parent, opposite_price(parent, legs[at])):
        return at
    return -1


@hot
def left_behind(parent, legs, own, clock_ns):
    """Whether a better place at the touch, within the limit, is free for the child of leg `own`."""
    at = best_leg(parent, legs, 0, own, clock_ns)
    if at < 0:
        return False
    price = own_price(parent, legs[at])
    waits_at = legs[own].order_price
    return price > waits_at if parent.side == BUY else price < waits_at


@hot
def tend_child(parent, legs, at, context, patience, last, requests, count):
    """One step of a child that is open: leave it, or cancel it because it has waited enough or is not at the touch.
    Returns how many requests there are now."""
    leg = legs[at]
    if leg.order_id == 0 or leg.canceling != 0 or leg.attempts == CROSSES:
        return count
    waited = context.clock_ns - parent.waiting_ns >= patience * SECOND_NS
    if (waited or last) and crossable(parent, legs, at, context.clock_ns) >= 0:
        parent.crossing = 1
        return ask_cancel(requests, count, at, leg.order_id, 0.0)
    if left_behind(parent, legs, at, context.clock_ns):
        return ask_cancel(requests, count, at, leg.order_id, 0.0)
    return count


@hot
def work(parent, legs, context, goal, patience, complete, requests):
    """One step towards `goal` shares done by now. Returns how many requests were made."""
    parent.scheduled = goal
    if parent.state != WORKING or context.clock_ns < parent.start_ns or context.clock_ns >= parent.end_ns:
        return 0
    last = complete != 0.0 and finishing(parent, context.clock_ns)
    count = 0
    for at in range(parent.leg_count):
        if legs[at].open_orders > 0:
            count = tend_child(parent, legs, at, context, patience, last, requests, count)
    wanted = parent.quantity if last or goal > parent.quantity else goal
    working = open_quantity(parent, legs)
    missing = whole_lots(parent, wanted - parent.filled - working)
    if wanted < parent.quantity and missing * SMALLEST < parent.quantity:
        missing = 0
    if missing > 0:
        crossing = patience == 0.0 or last or parent.crossing != 0
        at = hidden_leg(parent, legs, context.clock_ns)
        part = hidden_part(parent, legs, missing)
        if at >= 0 and part > 0 and count < MAX_REQUESTS and (part == missing or not crossing):
            count = start_hidden(parent, legs, at, context, part, requests, count)
            missing -= part
        return start_child(parent, legs, context, missing, crossing, requests, count)
    if working == 0:
        parent.crossing = 0
        parent.waiting_ns = 0
    return count


@hot
def hidden_leg(parent, legs, clock_ns):
    """A leg whose venue shows no book, that has no child and has not refused lately; or -1."""
    for at in range(parent.leg_count):
        leg = legs[at]
        priced = leg.bid_quantity > 0 and leg.ask_quantity > 0
        if hides(leg) and priced and leg.open_orders == 0 and clock_ns >= leg.retry_after_ns:
            return at
    return -1


@hot
def hidden_part(parent, legs, missing):
    """What of the missing shares a venue without a book is offered: a part, or all where no other is to be used."""
    part = missing
    for at in range(parent.leg_count):
        if not hides(legs[at]):
            part = missing // HIDDEN_PART
    part = whole_lots(parent, part)
    return part if part < parent.largest else parent.largest


@hot
def start_hidden(parent, legs, at, context, quantity, requests, count):
    """Ask for a child where no book is shown, at no more than it costs where one is: it waits as others do at the
    touch."""
    if parent.waiting_ns == 0:
        parent.waiting_ns = context.clock_ns
    legs[at].attempts = WAITS
    price = opposite_price(parent, legs[at])
    if not within(parent, price):
        price = parent.price
    signal = float(parent.scheduled - parent.filled)
    return ask_order(requests, count, at, parent.side, price, quantity, DAY, signal)


@hot
def start_child(parent, legs, context, missing, crossing, requests, count):
    """Ask for the next child on a venue that has none: across the spread, or at the touch."""
    quantity = missing if missing < parent.largest else parent.largest
    signal = float(parent.scheduled - parent.filled)
    if crossing:
        at = crossable(parent, legs, -1, context.clock_ns)
        if at >= 0:
            legs[at].attempts = CROSSES
            price = opposite_price(parent, legs[at])
            return ask_order(requests, count, at, parent.side, price, quantity, IOC, signal)
    at = best_leg(parent, legs, 0, -1, context.clock_ns)
    if at < 0:
        return count
    if parent.waiting_ns == 0:
        parent.waiting_ns = context.clock_ns
    legs[at].attempts = WAITS
    return ask_order(requests, count, at, parent.side, own_price(parent, legs[at]), quantity, DAY, signal)
