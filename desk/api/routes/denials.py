"""What the risk gate refused: typed, with what was measured against which bound."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from desk.api.authentication import caller
from desk.api.lookups import word
from desk.api.models import ApiScope
from desk.api.pages import page
from desk.api.routes.orders import whose
from desk.api.shapes import PAGE, Count, Cursor, DenialOut, Page, money, stamp
from desk.blotter import services
from desk.blotter.denials import category_of, is_money, sentence_of
from desk.blotter.models import Denial
from engine.messages.codes import DenialReason, LimitName, OrderAction, Scope, Side
from engine.messages.prices import to_decimal

router = Router(tags=["orders"])


def denial_shape(denial: Denial) -> dict[str, Any]:
    reason = DenialReason(denial.reason)
    amount = (lambda value: money(to_decimal(value))) if is_money(reason) else str
    return {
        **whose(denial),
        "sequence": str(denial.sequence),
        "order_id": str(denial.order_id),
        "action": word(OrderAction(denial.action)),
        "side": word(Side(denial.side)) if denial.side else None,
        "price": money(denial.price),
        "quantity": str(denial.quantity),
        "category": category_of(reason),
        "reason": word(reason),
        "measured": amount(denial.measured),
        "bound": amount(denial.bound),
        "limit": word(LimitName(denial.limit_name)) if denial.limit_name else None,
        "scope": word(Scope(denial.scope)) if denial.scope else None,
        "scope_id": str(denial.scope_id),
        "limits_version": str(denial.limits_version),
        "sentence": sentence_of(denial),
        "ts": stamp(denial.time_ns),
        "ts_ns": str(denial.time_ns),
    }


@router.get("/denials", response=Page[DenialOut])
def list_denials(request: HttpRequest, after: Cursor = 0, limit: Count = PAGE) -> Any:
    """What the risk gate refused, by journal sequence; `after` is the last one that the caller has."""
    return page(request, services.visible_denials(caller(request, ApiScope.READ)), after, limit, denial_shape)
