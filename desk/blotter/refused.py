"""Orders that went nowhere: denied by our risk gate, or rejected by the venue, in one list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from desk.accounts.models import User
from desk.blotter.denials import sentence_of
from desk.blotter.models import Denial, Order, OrderEvent
from desk.blotter.services import visible_denials, visible_orders
from engine.messages.codes import OrderState, ReportKind

RISK_GATE = "Risk gate"


@dataclass(frozen=True)
class RefusedOrder:
    """One line of the list; `by` is who refused."""

    sequence: int
    time_ns: int
    strategy: Any
    instrument: Any
    instrument_id: int | None
    side: int
    quantity: int
    price: Any
    by: str
    sentence: str


def refused_orders(user: User, count: int, **filters: Any) -> list[RefusedOrder]:
    """The newest refused orders that the person may see."""
    denied = [_from_denial(denial) for denial in visible_denials(user).filter(**filters)[:count]]
    rejected = list(visible_orders(user).filter(state=OrderState.REJECTED.value, **filters)[:count])
    reasons = dict(
        OrderEvent.objects.filter(
            order_id__in=[order.order_id for order in rejected], kind=ReportKind.REJECTED.value
        ).values_list("order_id", "reason")
    )
    rows = denied + [_from_order(order, reasons.get(order.order_id)) for order in rejected]
    return sorted(rows, key=lambda row: -row.sequence)[:count]


def last_refusal(parent_id: int) -> str:
    """Why the newest child of a parent order went nowhere; empty when it did not."""
    child = Order.objects.filter(parent_id=parent_id).order_by("-order_id").first()
    if child is None or child.state not in (OrderState.DENIED.value, OrderState.REJECTED.value):
        return ""
    if child.state == OrderState.DENIED.value:
        denial = Denial.objects.filter(order_id=child.order_id).first()
        return sentence_of(denial) if denial else ""
    events = OrderEvent.objects.filter(order_id=child.order_id, kind=ReportKind.REJECTED.value)
    return rejection_sentence(events.values_list("reason", flat=True).first())


def rejection_sentence(reason: int | None) -> str:
    """A venue's reject reason."""
    return f"The venue rejected it with reason {reason}." if reason else "The venue rejected it."


def _from_denial(denial: Denial) -> RefusedOrder:
    return _row(denial, denial.sequence, RISK_GATE, sentence_of(denial))


def _from_order(order: Order, reason: int | None) -> RefusedOrder:
    by = order.venue.name if order.venue else f"venue {order.venue_id}"
    return _row(order, order.last_sequence, by, rejection_sentence(reason))


def _row(row: Denial | Order, sequence: int, by: str, why: str) -> RefusedOrder:
    return RefusedOrder(
        sequence,
        row.time_ns,
        row.strategy,
        row.instrument,
        row.instrument_id,
        row.side,
        row.quantity,
        row.price,
        by,
        why,
    )
