"""Parent orders: entered once, listed with their progress, canceled."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from desk.api.authentication import caller
from desk.api.lookups import instrument_id, name_of, venue_number, word
from desk.api.models import ApiScope
from desk.api.pages import page, page_of_all
from desk.api.routes.orders import SMART_NAME, entry_answer, order_shapes
from desk.api.shapes import (
    PAGE,
    Count,
    Cursor,
    EntryOut,
    Id,
    LegIn,
    LegOut,
    LegsIn,
    OrderOut,
    Page,
    ParentIn,
    ParentOut,
    identity,
    money,
    stamp,
)
from desk.blotter import parents
from desk.blotter.legs import LegTerms, legs_done, of_the_whole
from desk.blotter.models import Parent
from desk.markets.models import Venue
from engine.messages.codes import ParentState, Side
from engine.messages.control import SMART

router = Router(tags=["parent orders"])


def parent_shapes() -> Callable[[Any], dict[str, Any]]:
    """Shapes rows with the names that hold now."""
    venues = dict(Venue.objects.values_list("number", "name"))
    algorithms = parents.algorithm_names()
    return lambda parent: parent_shape(parent, venues, algorithms)


def parent_shape(parent: Any, venues: dict[int, str], algorithms: dict[int, str]) -> dict[str, Any]:
    return {
        "parent_id": str(parent.parent_id),
        "sequence": str(parent.sequence),
        "legs": parent.legs,
        "algorithm": algorithms.get(parent.kind, str(parent.kind)),
        "strategy": identity(parent.strategy_id),
        "team": name_of(parent, "team"),
        "trader": parent.trader.get_username() if parent.trader else identity(parent.trader_id),
        "instrument": name_of(parent, "instrument"),
        "venues": [venues.get(number, str(number)) for number in parent.venue_numbers],
        "side": word(Side(parent.side)),
        "quantity": str(parent.quantity),
        "price": money(parent.price),
        "state": word(ParentState(parent.state)),
        "filled_quantity": str(parent.filled_quantity),
        "unwound_quantity": str(parent.unwound_quantity),
        "average_price": money(parents.average_price(parent)),
        "fees": money(parent.fees),
        "limits_version": str(parent.limits_version),
        "start_ns": str(parent.start_ns),
        "end_ns": str(parent.end_ns),
        "ts": stamp(parent.time_ns),
        "ts_ns": str(parent.time_ns),
    }


def parent_ticket(body: ParentIn) -> parents.ParentTicket:
    """The ticket that the body is."""
    return _ticket(
        body,
        instrument=instrument_id(body.instrument),
        venues=[venue_number(name) for name in body.venues],
        **_terms(body),
    )


def _terms(body: ParentIn | LegIn) -> dict[str, Any]:
    return {
        "side": Side[body.side.upper()],
        "quantity": int(body.quantity),
        "price": None if body.price is None else Decimal(body.price),
    }


def _ticket(body: ParentIn | LegsIn, **asked: Any) -> parents.ParentTicket:
    """What the order is for, and what it shares with every other: how, when and by whom it is worked."""
    return parents.ParentTicket(
        **asked,
        client_order_id=body.client_order_id,
        algorithm=body.algorithm,
        parameters=dict(body.parameters),
        start_ns=int(body.start_ns),
        end_ns=int(body.end_ns),
        seconds=body.seconds,
        valid_milliseconds=body.valid_milliseconds,
        care=body.care,
        instruction=body.instruction.strip(),
    )


@router.post("", response={202: EntryOut, 200: EntryOut})
def enter_parent(request: HttpRequest, response: HttpResponse, body: ParentIn) -> Any:
    """Enter a parent order of the caller's team; its algorithm makes the orders. Answers as `POST /orders`."""
    user = caller(request, ApiScope.TRADE)
    return entry_answer(response, parents.enter_parent(user, parent_ticket(body)))


@router.post("/legs", response={202: EntryOut, 200: EntryOut})
def enter_legs(request: HttpRequest, response: HttpResponse, body: LegsIn) -> Any:
    """Enter a multi-leg order of the caller's team: a pair or a small basket in a ratio. Answers as `POST /orders`."""
    user = caller(request, ApiScope.TRADE)
    legs = [
        LegTerms(
            venue=SMART if leg.venue == SMART_NAME else venue_number(leg.venue),
            instrument=instrument_id(leg.instrument),
            **_terms(leg),
        )
        for leg in body.legs
    ]
    return entry_answer(response, parents.enter_parent(user, _ticket(body, **of_the_whole(legs))))


@router.get("", response=Page[ParentOut])
def list_parents(request: HttpRequest, after: Cursor = 0, limit: Count = PAGE, working: bool = False) -> Any:
    """Parent orders by the sequence of their entry."""
    rows = parents.visible_parents(caller(request, ApiScope.READ))
    return page(request, rows.filter(ended_ns=None) if working else rows, after, limit, parent_shapes())


@router.get("/{parent_id}", response=ParentOut)
def get_parent(request: HttpRequest, parent_id: Id) -> Any:
    return parent_shapes()(parents.find_parent(caller(request, ApiScope.READ), parent_id))


@router.get("/{parent_id}/orders", response=Page[OrderOut])
def list_children(request: HttpRequest, parent_id: Id, after: Cursor = 0, limit: Count = PAGE) -> Any:
    """Its children, by the sequence of their request."""
    parent: Parent = parents.find_parent(caller(request, ApiScope.READ), parent_id)
    return page_of_all(request, parents.children_of(parent).select_related("team"), after, limit, order_shapes)


@router.get("/{parent_id}/legs", response=list[LegOut])
def list_legs(request: HttpRequest, parent_id: Id) -> Any:
    """How far each leg of a multi-leg order is; empty for an order of one instrument."""
    parent: Parent = parents.find_parent(caller(request, ApiScope.READ), parent_id)
    return [
        {
            "instrument": leg.instrument,
            "side": word(Side(leg.side)),
            "quantity": identity(leg.quantity),
            "filled_quantity": str(leg.filled),
            "unwound_quantity": str(leg.unwound),
            "average_price": money(leg.average_price),
        }
        for leg in (legs_done(parent) if parent.legs else [])
    ]


@router.delete("/{parent_id}", response={202: None})
def cancel_parent(request: HttpRequest, parent_id: Id) -> Any:
    """Ask for no more children and cancel the open ones; its state says when it has ended."""
    parents.cancel_parent(caller(request, ApiScope.CANCEL), parent_id)
    return Status(202, None)
