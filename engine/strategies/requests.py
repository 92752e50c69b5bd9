"""What a strategy asks for: rows of a short table, filled in order."""

from __future__ import annotations

from engine.hotpath.tables import MAX_REQUESTS
from engine.messages.codes import OrderAction, Side, TimeInForce
from engine.native import hot

BUY, SELL = int(Side.BUY), int(Side.SELL)
ENTER, CANCEL = int(OrderAction.ENTER), int(OrderAction.CANCEL)
DAY = int(TimeInForce.DAY)


@hot
def ask_enter(requests, count, leg, side, price, quantity, signal):
    """Add a DAY limit order. Returns the new count; the table is never overrun."""
    if count >= MAX_REQUESTS:
        return count
    request = requests[count]
    request.action = ENTER
    request.leg = leg
    request.side = side
    request.price = price
    request.quantity = quantity
    request.time_in_force = DAY
    request.order_id = 0
    request.signal = signal
    return count + 1


@hot
def ask_cancel(requests, count, leg, order_id, signal):
    """Add a cancel of one of our orders. Returns the new count."""
    if count >= MAX_REQUESTS:
        return count
    request = requests[count]
    request.action = CANCEL
    request.leg = leg
    request.side = 0
    request.price = 0
    request.quantity = 0
    request.time_in_force = 0
    request.order_id = order_id
    request.signal = signal
    return count + 1
