"""Market orders: never without a limit, which the engine makes so many basis points beyond the touch."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings

from desk.blotter.models import Order
from engine.messages.codes import OrderState, TimeInForce
from engine.messages.prices import LARGEST_PROTECTION

LIMIT, MARKET = "limit", "market"  # how the ticket and the API call them


def default_protection() -> int:
    """Basis points of a market order that says nothing of its own."""
    return int(settings.MARKET_PROTECTION)


def read_protection(text: str, errors: dict[str, str]) -> int:
    """The protection that was typed; empty: the desk's default."""
    text = text.strip()
    if not text:
        return default_protection()
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= LARGEST_PROTECTION:
        errors["protection"] = PROTECTION_RULE
        return 0
    return int(text)


PROTECTION_RULE = f"The protection is a whole number of basis points, 1 to {LARGEST_PROTECTION:,}."


def market_errors(price: Decimal | None, protection: int | None, time_in_force: TimeInForce) -> dict[str, str]:
    """What is wrong with an order that is a market order, or is neither that nor a limit order."""
    if protection is None:
        return {"price": "A limit order needs a price."} if price is None else {}
    errors = {}
    if price is not None:
        errors["price"] = "A market order has no price; its protection makes its limit."
    if not 1 <= protection <= LARGEST_PROTECTION:
        errors["protection"] = PROTECTION_RULE
    if time_in_force == TimeInForce.POST_ONLY:
        errors["time_in_force"] = "A market order takes, which post-only forbids."
    return errors


def method_of(body: dict[str, Any]) -> str:
    """What an entry's body is in words: a market or a limit order."""
    return "Market order" if body.get("protection") else "Limit order"


def protection_words(body: dict[str, Any]) -> str:
    """Of a market order: how far it may go."""
    return f"{body['protection']:,} basis points beyond the touch"


def missed_sentence(order: Order) -> str:
    """What became of the rest of a market order that has ended; empty: there is none, or it is a limit order."""
    rest = order.quantity - order.filled_quantity
    if not order.protection or order.working or order.denial_reason or rest <= 0:
        return ""
    ended = "canceled" if order.state == OrderState.CANCELED else order.get_state_display()
    filled = f"{order.filled_quantity:,} of {order.quantity:,} shares were filled; the rest, {rest:,}, was {ended}"
    return f"{filled}: the market order goes no farther than {order.protection:,} basis points beyond the touch."
