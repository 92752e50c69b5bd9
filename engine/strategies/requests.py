"""What a strategy asks for: rows of a short table, filled in order."""

from __future__ import annotations

from engine.hotpath.tables import (
    CHOOSE_PARAMETER,
    ENTER_ANYWHERE,
    ENTER_MARKET,
    GIVE_ANYWHERE,
    GIVE_PARENT,
    MAX_REQUESTS,
)
from engine.messages.codes import OrderAction, Side, TimeInForce
from engine.native import hot

BUY, SELL = int(Side.BUY), int(Side.SELL)
ENTER, CANCEL = int(OrderAction.ENTER), int(OrderAction.CANCEL)
REPLACE, MODIFY = int(OrderAction.REPLACE), int(OrderAction.MODIFY)
DAY, POST_ONLY = int(TimeInForce.DAY), int(TimeInForce.POST_ONLY)


@hot
def ask_order(requests, count, leg, side, price, quantity, time_in_force, signal):
    """Add a limit order, of DAY, IOC, FOK or POST_ONLY. Returns the new count; the table is never overrun."""
    if count >= MAX_REQUESTS:
        return count
    request = requests[count]
    request.action = ENTER
    request.leg = leg
    request.side = side
    request.price = price
    request.quantity = quantity
    request.time_in_force = time_in_force
    request.order_id = 0
    request.signal = signal
    return count + 1


@hot
def ask_market(requests, count, leg, side, quantity, protection, time_in_force, signal):
    """Add a market order of IOC, FOK or DAY: a limit order `protection` basis points (1 to 1,000) beyond the touch that
    it takes, as the book of the leg's venue stands then. Returns the new count."""
    if count >= MAX_REQUESTS:
        return count
    request = requests[count]
    request.action = ENTER_MARKET
    request.leg = leg
    request.side = side
    request.price = 0
    request.quantity = quantity
    request.time_in_force = time_in_force
    request.order_id = protection
    request.signal = signal
    return count + 1


@hot
def ask_enter(requests, count, leg, side, price, quantity, signal):
    """Add a DAY limit order. Returns the new count."""
    return ask_order(requests, count, leg, side, price, quantity, DAY, signal)


@hot
def ask_parent(requests, count, leg, side, price, quantity, algorithm, duration_ns, signal):
    """Add a parent order of the leg's instrument at its venue, worked by the algorithm of this number with its
    defaults, unless `choose` follows; a price of 0 is no limit. The engine enters it a moment later. Asked in one call
    for the multi-leg algorithm, one leg after the other, they are the legs of one order. Returns the new count."""
    if count >= MAX_REQUESTS:
        return count
    request = requests[count]
    request.action = GIVE_PARENT
    request.leg = leg
    request.side = side
    request.price = price
    request.quantity = quantity
    request.time_in_force = algorithm
    request.order_id = duration_ns
    request.signal = signal
    return count + 1


@hot
def go_anywhere(requests, count):
    """The order, or parent order (leg of one), that was asked for just before may go to every venue. An order is
    routed: what would trade at once takes, on several venues; what does not rests, whole, where that is expected to
    cost least. FOK and what waits for a cross stay at the leg's venue. Returns the count."""
    if count > 0:
        request = requests[count - 1]
        if request.action == ENTER:
            request.action = ENTER_ANYWHERE
        elif request.action == GIVE_PARENT:
            request.action = GIVE_ANYWHERE
    return count


@hot
def choose(requests, count, parameter, value):
    """Add a parameter of the parent order asked for just before (of all its legs, after the last): its place in the
    algorithm's list, 0 for the first. A value out of bounds has the order refused. Returns the new count."""
    if count >= MAX_REQUESTS:
        return count
    request = requests[count]
    request.action = CHOOSE_PARAMETER
    request.leg = parameter
    request.signal = value
    return count + 1


@hot
def ask_change(requests, count, action, leg, order_id, price, quantity, signal):
    """Add a request about one of our orders. Returns the new count."""
    if count >= MAX_REQUESTS:
        return count
    request = requests[count]
    request.action = action
    request.leg = leg
    request.side = 0
    request.price = price
    request.quantity = quantity
    request.time_in_force = 0
    request.order_id = order_id
    request.signal = signal
    return count + 1


@hot
def ask_cancel(requests, count, leg, order_id, signal):
    """Add a cancel of one of our orders. Returns the new count."""
    return ask_change(requests, count, CANCEL, leg, order_id, 0, 0, signal)


@hot
def ask_replace(requests, count, leg, order_id, price, quantity, signal):
    """Add a replacement of one of our orders: `price`, and `quantity` open from now on; its place in the queue is lost.
    Returns the new count."""
    return ask_change(requests, count, REPLACE, leg, order_id, price, quantity, signal)


@hot
def ask_modify(requests, count, leg, order_id, quantity, signal):
    """Add a modification: leave `quantity` of one of our orders open, in its place. Returns the new count."""
    return ask_change(requests, count, MODIFY, leg, order_id, 0, quantity, signal)
