"""Orders of ours in Binance's words, and what Binance says of them as order reports. Nothing here sends or remembers.

"New order", "Cancel order", "Query order" and "Account trade list" of the WebSocket API, and `executionReport` of the
user data stream. Prices are 1/10,000 of the quote currency, quantities are in the instrument's units.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.messages.codes import Liquidity, OrderState, ReportKind, Side, TimeInForce
from engine.messages.prices import fixed_text
from engine.protocols.binance import DECIMALS, LARGEST_ID, Scale, number, time_of, whole
from engine.protocols.layouts import MalformedMessage
from engine.venues.fix44_orders import Order
from engine.venues.fix44_reports import Report

PRICE_DECIMALS = 4
TIMES_IN_FORCE = {TimeInForce.DAY: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
STATES = {
    "NEW": OrderState.ACCEPTED,
    "PARTIALLY_FILLED": OrderState.PARTIALLY_FILLED,
    "FILLED": OrderState.FILLED,
    "CANCELED": OrderState.CANCELED,
    "PENDING_CANCEL": OrderState.PENDING_CANCEL,
    "PENDING_NEW": OrderState.PENDING_NEW,
    "REJECTED": OrderState.REJECTED,
    "EXPIRED": OrderState.EXPIRED,
    "EXPIRED_IN_MATCH": OrderState.EXPIRED,
}
ENDINGS = {
    OrderState.CANCELED: ReportKind.CANCELED,
    OrderState.EXPIRED: ReportKind.EXPIRED,
    OrderState.REJECTED: ReportKind.REJECTED,
}
NO_SUCH_ORDER = -2013
LARGEST_FEE = (1 << 63) - 1
_NAME = re.compile(r"[A-Za-z0-9]{1,12}")


@dataclass(frozen=True)
class Listed:
    """An instrument as the venue lists it. `base` and `quote` are the assets that change hands."""

    symbol: str
    quantity_decimals: int
    base: str = ""
    quote: str = ""

    @property
    def scale(self) -> Scale:
        """Units of the engine's prices and quantities."""
        return Scale(PRICE_DECIMALS, self.quantity_decimals)


def client_order_id(tag: str, order_id: int) -> str:
    """`newClientOrderId` of an order: the account's orders of this state directory have the same tag for ever."""
    return f"{tag}-{order_id}"


def order_id_of(tag: str, text: Any) -> int:
    """Our order that a client order id names; 0: not ours."""
    prefix, _, digits = str(text).rpartition("-")
    ours = prefix == tag and digits.isascii() and digits.isdecimal() and len(digits) < 19
    return int(digits) if ours else 0


def place_parameters(order: Order, listed: Listed, tag: str) -> dict[str, object]:
    """`order.place`. KeyError for a side or time in force that is not one.

    A market that never closes has no end of the day: DAY rests until it is canceled (GTC). Post only is LIMIT_MAKER,
    which has no time in force.
    """
    posts = order.time_in_force == TimeInForce.POST_ONLY
    kind = {"type": "LIMIT_MAKER"} if posts else {"type": "LIMIT", "timeInForce": _time_in_force(order)}
    return {
        "symbol": listed.symbol,
        "side": Side(order.side).name,
        **kind,
        "price": fixed_text(order.price, PRICE_DECIMALS),
        "quantity": fixed_text(order.quantity, listed.quantity_decimals),
        "newClientOrderId": client_order_id(tag, order.order_id),
        "newOrderRespType": "ACK",
    }


def _time_in_force(order: Order) -> str:
    return TIMES_IN_FORCE[TimeInForce(order.time_in_force)]


def named_parameters(order: Order, listed: Listed, tag: str) -> dict[str, object]:
    """`order.cancel` and `order.status`."""
    return {"symbol": listed.symbol, "origClientOrderId": client_order_id(tag, order.order_id)}


def read_execution_report(body: Mapping[str, Any], tag: str, listed: Listed) -> Report | None:
    """An `executionReport` -> the report that it makes; None when nothing changed or the order is not ours.

    MalformedMessage when a field that is needed is absent or wrong, or the execution type is not a known one.
    """
    order_id = order_id_of(tag, body.get("C")) or order_id_of(tag, body.get("c"))
    if order_id == 0:
        return None
    kind, venue_id = body.get("x"), whole(body, "i")
    quantity, done = _quantity(body, "q", listed), _quantity(body, "z", listed)
    common = {
        "order_id": order_id,
        "venue_reference": order_id,
        "venue_time_ns": time_of(body, "T"),
        "price": _price(body, "p", listed),
        "leaves": max(quantity - done, 0),
        "state": _state(body.get("X")),
    }
    ended = {"quantity": max(quantity - done, 0), "leaves": 0}
    match kind:
        case "NEW":
            return Report(f"new {venue_id}", common | _accepted(venue_id, quantity))
        case "TRADE":
            trade = whole(body, "t")
            fill = {
                "kind": ReportKind.EXECUTED,
                "match_number": trade,
                "price": _price(body, "L", listed),
                "quantity": _quantity(body, "l", listed),
                "liquidity": _liquidity(body.get("m")),
                "fee": fee_of(body.get("n"), body.get("N"), _price(body, "L", listed), listed),
            }
            return Report(f"trade {listed.symbol} {trade}", common | fill)
        case "CANCELED":
            return Report(f"ended {venue_id}", common | ended | {"kind": ReportKind.CANCELED})
        case "TRADE_PREVENTION" if common["state"] != OrderState.EXPIRED:
            return None  # less may trade, nothing has ended
        case "EXPIRED" | "TRADE_PREVENTION":
            return Report(f"ended {venue_id}", common | ended | {"kind": ReportKind.EXPIRED})
        case "REJECTED":
            return Report(f"ended {venue_id}", common | ended | {"kind": ReportKind.REJECTED})
        case "REPLACED":
            return None  # an amended quantity, which we never ask for
    raise MalformedMessage(f"execution type {str(kind)[:20]!r} is not a known one")


def read_status(body: Mapping[str, Any], order: Order, listed: Listed) -> tuple[list[Report], int]:
    """The answer to `order.status` -> what it says beyond fills, each with the cause that the stream's report has, and
    how much was executed. Fills are asked for: they have prices of their own."""
    state, venue_id = _state(body.get("status")), whole(body, "orderId")
    quantity, done = _quantity(body, "origQty", listed), _quantity(body, "executedQty", listed)
    common = {
        "order_id": order.order_id,
        "venue_reference": order.order_id,
        "venue_time_ns": time_of(body, "updateTime"),
        "price": _price(body, "price", listed),
        "state": state,
    }
    reports = [Report(f"new {venue_id}", common | _accepted(venue_id, quantity) | {"leaves": quantity})]
    if state in ENDINGS:
        ended = {"kind": ENDINGS[state], "quantity": max(quantity - done, 0), "leaves": 0}
        reports.append(Report(f"ended {venue_id}", common | ended))
    return reports, done


def read_trades(rows: Any, order: Order, listed: Listed) -> list[Report]:
    """The answer to `myTrades` for one order -> its fills, oldest first, with the causes that the stream's have."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise MalformedMessage("the answer to myTrades is not a list of trades")
    reports, left = [], order.quantity
    for row in sorted(rows, key=lambda row: whole(row, "id")):
        quantity, price, trade = _quantity(row, "qty", listed), _price(row, "price", listed), whole(row, "id")
        left -= quantity
        values = {
            "order_id": order.order_id,
            "venue_reference": order.order_id,
            "venue_time_ns": time_of(row, "time"),
            "kind": ReportKind.EXECUTED,
            "match_number": trade,
            "price": price,
            "quantity": quantity,
            "leaves": max(left, 0),
            "state": OrderState.PARTIALLY_FILLED if left > 0 else OrderState.FILLED,
            "liquidity": _liquidity(row.get("isMaker")),
            "fee": fee_of(row.get("commission"), row.get("commissionAsset"), price, listed),
        }
        reports.append(Report(f"trade {listed.symbol} {trade}", values))
    return reports


def fee_of(commission: Any, asset: Any, price: int, listed: Listed) -> int:
    """A commission as money of the engine (price times quantity, in the instrument's units), rounded up. In a third
    asset it has no price here: 0."""
    if commission is None or asset not in (listed.base, listed.quote) or not asset:
        return 0
    amount = number(commission)
    units = price if asset == listed.base else 10**PRICE_DECIMALS
    fee = -(-amount * units * 10**listed.quantity_decimals // 10**DECIMALS)
    if fee > LARGEST_FEE:
        raise MalformedMessage(f"a commission of {commission} {asset} is more than a report can say")
    return fee


def reason_of(code: int) -> int:
    """The last digits of an error code, as far as a report has room: -2010 is 10, -1013 is 13."""
    return min(abs(code) % 1000, 255)


def read_listing(body: Any, symbols: Mapping[str, int]) -> dict[str, Listed]:
    """`GET /api/v3/exchangeInfo` -> what the venue lists of our instruments (name: decimals of its quantity).

    MalformedMessage when one is missing or its steps are finer than our units.
    """
    rows = body.get("symbols") if isinstance(body, dict) else None
    if not isinstance(rows, list):
        raise MalformedMessage("exchangeInfo holds no symbols")
    found = {row["symbol"]: row for row in rows if isinstance(row, dict) and isinstance(row.get("symbol"), str)}
    listing = {}
    for name, decimals in symbols.items():
        row = found.get(name)
        if row is None:
            raise MalformedMessage(f"the venue does not list {name}")
        assets = [str(row.get(asset, "")) for asset in ("baseAsset", "quoteAsset")]
        if not all(_NAME.fullmatch(asset) for asset in assets):
            raise MalformedMessage(f"{name} has no assets")
        listed = Listed(name, decimals, *assets)
        for kind, field, convert in (
            ("PRICE_FILTER", "tickSize", listed.scale.price),
            ("LOT_SIZE", "stepSize", listed.scale.exact_quantity),
        ):
            for rule in _rules(row):
                if isinstance(rule, dict) and rule.get("filterType") == kind:
                    convert(number(rule.get(field)))
        listing[name] = listed
    return listing


def _rules(row: Mapping[str, Any]) -> list[Any]:
    rules = row.get("filters", [])
    if not isinstance(rules, list):
        raise MalformedMessage("filters is not a list")
    return rules


def _accepted(venue_id: int, quantity: int) -> dict[str, int]:
    return {"kind": ReportKind.ACCEPTED, "quantity": quantity, "match_number": venue_id}


def _state(text: Any) -> OrderState:
    if not isinstance(text, str) or text not in STATES:
        raise MalformedMessage(f"order status {str(text)[:20]!r} is not a known one")
    return STATES[text]


def _liquidity(maker: Any) -> Liquidity:
    if not isinstance(maker, bool):
        raise MalformedMessage("the maker flag is neither true nor false")
    return Liquidity.ADDED if maker else Liquidity.REMOVED


def _price(body: Mapping[str, Any], name: str, listed: Listed) -> int:
    price = listed.scale.price(number(body.get(name)))
    if price >= LARGEST_ID:
        raise MalformedMessage(f"{name} is not a price")
    return price


def _quantity(body: Mapping[str, Any], name: str, listed: Listed) -> int:
    return listed.scale.exact_quantity(number(body.get(name)))
