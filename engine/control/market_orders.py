"""Market orders that people enter: a limit so far beyond the touch, made of the books when the command is applied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.control.configuration import Refusal
from engine.control.routing import route_order
from engine.hotpath.entries import enter_market, market_price
from engine.hotpath.memory import EngineMemory
from engine.messages.codes import Side, TimeInForce
from engine.messages.control import SMART, EnterOrder
from engine.messages.prices import LARGEST_PROTECTION

NOBODY_ELSE = -1  # no leg: the order is of people


def check_market(body: EnterOrder) -> None:
    """Refusal when the order is neither a limit order nor a market order with protection."""
    if not body.protection:
        return
    if not 1 <= body.protection <= LARGEST_PROTECTION:
        raise Refusal(f"the protection of a market order is 1 to {LARGEST_PROTECTION} basis points")
    if body.price:
        raise Refusal("a market order has no price of its own; its protection makes its limit")
    if body.side not in tuple(Side) or body.quantity <= 0:
        raise Refusal("a market order needs a side and a quantity")
    if body.time_in_force == TimeInForce.POST_ONLY:
        raise Refusal("a market order takes; post-only forbids that")


def enter_at_market(memory: EngineMemory, team: int, body: EnterOrder) -> dict[str, Any]:
    """Enter a checked market order; answered as a limit order, with the `price` that was made."""
    price = int(market_price(memory.address, body.venue, body.instrument, body.side, body.protection))
    if body.venue == SMART and price > 0:
        memory.core["protection"] = body.protection
        answer = route_order(memory, team, replace(body, price=price))
        memory.core["protection"] = 0
        return answer | {"price": price}
    number = enter_market(
        memory.address, 0, team, NOBODY_ELSE, body.venue, body.instrument, body.side, body.quantity,
        body.time_in_force, body.protection,
    )  # fmt: skip
    return {"order_id": int(number), "price": max(price, 0)}
