"""Orders, fills and positions."""

from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from desk.api.authentication import caller
from desk.api.lookups import instrument_id, name_of, venue_number, word
from desk.api.models import ApiScope
from desk.api.pages import page, page_of_all
from desk.api.shapes import (
    PAGE,
    Count,
    Cursor,
    EntryOut,
    FillOut,
    Id,
    OrderIn,
    OrderOut,
    Page,
    PositionOut,
    ReplacedOut,
    ReplaceIn,
    identity,
    money,
    stamp,
)
from desk.blotter import services
from desk.blotter.authors import Author, author_of, authors_of
from desk.blotter.entries import Entered, check_client_order_id
from desk.blotter.market_orders import LIMIT, MARKET, default_protection
from desk.blotter.models import Fill, Order, OrderEntry
from desk.positions.models import Position
from desk.positions.services import visible_positions
from desk.refusals import EngineRefused, Invalid
from engine.messages.codes import DenialReason, Liquidity, OrderState, Side, TimeInForce
from engine.messages.control import SMART

SMART_NAME = "smart"  # in place of a venue: the router chooses
router = Router(tags=["orders"])


def entry_shape(entry: OrderEntry) -> dict[str, Any]:
    return {
        "client_order_id": entry.client_order_id,
        "outcome": entry.outcome,
        "order_id": identity(entry.order_id),
        "parent_id": identity(entry.parent_id),
        "change_id": identity(entry.change_id),
        "journal_sequence": identity(entry.journal_sequence),
        "reason": entry.reason,
    }


def whose(row: Any) -> dict[str, str | None]:
    return {
        "strategy": identity(row.strategy_id),
        "team": name_of(row, "team"),
        "instrument": name_of(row, "instrument"),
        "venue": name_of(row, "venue"),
    }


def order_shapes(orders: list[Order]) -> list[dict[str, Any]]:
    authors = authors_of(orders)
    return [order_shape(order, authors[order.order_id]) for order in orders]


def order_shape(order: Order, author: Author) -> dict[str, Any]:
    denied = DenialReason(order.denial_reason)
    return {
        **whose(order),
        "order_id": str(order.order_id),
        "sequence": str(order.sequence),
        "parent_id": identity(order.parent_id),
        "side": word(Side(order.side)),
        "type": MARKET if order.protection else LIMIT,
        "price": money(order.price),
        "protection": order.protection or None,
        "quantity": str(order.quantity),
        "filled_quantity": str(order.filled_quantity),
        "leaves": str(order.leaves),
        "time_in_force": word(TimeInForce(order.time_in_force)),
        "state": word(OrderState(order.state)),
        "denial_reason": word(denied) if denied else None,
        "limits_version": str(order.limits_version),
        "trader": author.trader or None,
        "strategy_version": identity(author.version),
        "ts": stamp(order.time_ns),
        "ts_ns": str(order.time_ns),
    }


def fill_shape(fill: Fill) -> dict[str, Any]:
    return {
        **whose(fill),
        "sequence": str(fill.sequence),
        "order_id": str(fill.order_id),
        "side": word(Side(fill.side)),
        "price": money(fill.price),
        "quantity": str(fill.quantity),
        "fee": money(fill.fee),
        "liquidity": word(Liquidity(fill.liquidity)),
        "match_number": str(fill.match_number),
        "broken": fill.broken_sequence is not None,
        "ts": stamp(fill.time_ns),
        "ts_ns": str(fill.time_ns),
    }


def position_shape(row: Position) -> dict[str, Any]:
    return {
        **whose(row),
        "quantity": str(row.quantity),
        "average_price": money(row.average_price),
        "realised": money(row.realised),
        "fees": money(row.fees),
        "sequence": str(row.last_sequence),
    }


def entry_answer(response: HttpResponse, entered: Entered) -> Status[Any]:
    """Of an order or parent order that was entered, now or before. EngineRefused when the engine would not have it."""
    entry = entered.entry
    if entry.outcome == OrderEntry.Outcome.REFUSED:
        raise EngineRefused(entry.reason or "The engine refused the order.", code=entry.refusal_code)
    if entered.replayed:
        response["Idempotent-Replayed"] = "true"
    return Status(200 if entered.replayed else 202, entry_shape(entry))


def order_ticket(body: OrderIn) -> services.OrderTicket:
    """The ticket that the body is; Invalid when it says of a limit order how it is protected."""
    market = body.type == MARKET
    if body.protection is not None and not market:
        raise Invalid({"protection": "A limit order has its price; only one of type market has a protection."})
    return services.OrderTicket(
        client_order_id=body.client_order_id,
        instrument=instrument_id(body.instrument),
        venue=SMART if body.venue == SMART_NAME else venue_number(body.venue),
        side=Side[body.side.upper()],
        quantity=int(body.quantity),
        price=None if body.price is None else Decimal(body.price),
        protection=body.protection or default_protection() if market else None,
        time_in_force=TimeInForce[body.time_in_force.upper()],
        good_till_ns=int(body.good_till_ns),
        valid_milliseconds=body.valid_milliseconds,
        care=body.care,
        instruction=body.instruction.strip(),
    )


@router.post("/orders", response={202: EntryOut, 200: EntryOut})
def enter_order(request: HttpRequest, response: HttpResponse, body: OrderIn) -> Any:
    """Enter a manual order of the caller's team.

    202 when the engine took it; the same body again is 200 with `Idempotent-Replayed: true`; another body under the
    same id is 409. 504 `outcome_unknown`: ask again with the same id, never with a new one. Outcome `waiting`: it waits
    for a second person under `/queue`.
    """
    user = caller(request, ApiScope.TRADE)
    return entry_answer(response, services.enter_order(user, order_ticket(body)))


@router.get("/orders", response=Page[OrderOut])
def list_orders(
    request: HttpRequest, after: Cursor = 0, limit: Count = PAGE, working: bool = False, strategy: Id | None = None
) -> Any:
    """Orders by the sequence of their request."""
    user = caller(request, ApiScope.READ)
    rows = services.working_orders(user) if working else services.visible_orders(user)
    if strategy is not None:
        rows = rows.filter(strategy_id=strategy) if strategy else rows.filter(strategy=None)
    return page_of_all(request, rows, after, limit, order_shapes)


@router.get("/orders:by_client_order_id", response=EntryOut)
def find_entry(request: HttpRequest, client_order_id: str) -> Any:
    """What became of an order whose answer was lost."""
    user = caller(request, ApiScope.READ)
    check_client_order_id(client_order_id)
    return entry_shape(services.find_entry(user, client_order_id))


@router.get("/orders/{order_id}", response=OrderOut)
def get_order(request: HttpRequest, order_id: Id) -> Any:
    order = services.find_order(caller(request, ApiScope.READ), order_id)
    return order_shape(order, author_of(order))


@router.delete("/orders/{order_id}", response={202: None})
def cancel_order(request: HttpRequest, order_id: Id) -> Any:
    """Ask the venue to cancel; the order's state says what came of it."""
    services.cancel_order(caller(request, ApiScope.CANCEL), order_id)
    return Status(202, None)


@router.post("/orders/{order_id}/replace", response={202: ReplacedOut})
def replace_order(request: HttpRequest, order_id: Id, body: ReplaceIn) -> Any:
    """Ask the venue for another price and open quantity of a working manual order. Fewer shares at the same price keep
    the order's number and place; anything else goes on under a new number, which the answer names. The order's state
    says what came of it."""
    user = caller(request, ApiScope.TRADE)
    status = services.replace_order(user, order_id, Decimal(body.price), int(body.quantity))
    return Status(202, {"order_id": identity(status.body.get("order_id"))})


@router.get("/fills", response=Page[FillOut])
def list_fills(request: HttpRequest, after: Cursor = 0, limit: Count = PAGE) -> Any:
    """Fills by journal sequence; `after` is the last one that the caller has."""
    return page(request, services.visible_fills(caller(request, ApiScope.READ)), after, limit, fill_shape)


@router.get("/positions", response=list[PositionOut])
def list_positions(request: HttpRequest) -> Any:
    return [position_shape(row) for row in visible_positions(caller(request, ApiScope.READ))]
