"""Orders that people enter for no venue in particular: the router splits them."""

from __future__ import annotations

from typing import Any

from engine.control.configuration import Refusal
from engine.hotpath.book_layout import HIGHEST_PRICE, HIGHEST_QUANTITY
from engine.hotpath.entries import route
from engine.hotpath.memory import EngineMemory
from engine.hotpath.router_orders import ALL_VENUES
from engine.messages import control
from engine.messages.codes import Side, TimeInForce, Urgency

SMART = control.SMART
URGENCIES = {
    TimeInForce.DAY: Urgency.NORMAL,
    TimeInForce.IOC: Urgency.URGENT,
    TimeInForce.POST_ONLY: Urgency.PATIENT,
}
NOBODY_ELSE = -1  # no leg: the order is of people


def check_routed(body: control.EnterOrder) -> None:
    """Refusal when the router cannot work the order."""
    if body.time_in_force not in URGENCIES:
        raise Refusal("the router works DAY, IOC and post-only orders; name a venue for another time in force")
    if body.side not in tuple(Side) or (body.price <= 0 and not body.protection) or body.quantity <= 0:
        raise Refusal("the router needs a side, a price and a quantity")
    if body.price > HIGHEST_PRICE or body.quantity > HIGHEST_QUANTITY:
        raise Refusal("no venue shows a price or a quantity as large as that")


def route_order(memory: EngineMemory, team: int, body: control.EnterOrder) -> dict[str, Any]:
    """Split a checked order. `order_id` is its first part's, or minus the DenialReason when every part was refused;
    `route_id` is the number under which the decision is explained."""
    urgency = URGENCIES[TimeInForce(body.time_in_force)]
    number = route(
        memory.address, 0, team, NOBODY_ELSE, body.instrument, body.side, body.price, body.quantity, urgency, ALL_VENUES
    )
    first = int(memory.core["routed_order"][0])
    if number == 0:
        return {"order_id": 0, "outcome": control.REFUSED, "reason": "too many routed orders are working"}
    if first == 0:
        reason = "the router found no venue for it: none is up that displays a price within the limit"
        return {"order_id": 0, "route_id": number, "outcome": control.REFUSED, "reason": reason}
    return {"order_id": first, "route_id": number}
