"""What each fill, order and parent cost. The formulas are those of docs/tca.md; every figure is a whole number.

A cost of shares is side x (price - benchmark) x quantity. Benchmarks are doubled (bid plus ask), so costs are counted
in halves of 1/10,000, and what is split adds up again exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.messages.codes import Liquidity, Side
from engine.messages.tca import (
    COSTS,
    DAY_NS,
    FILL_COSTS,
    HORIZONS_NS,
    MARKED,
    MARKOUTS,
    ORDER_COSTS,
    PARENT_COSTS,
    PATH_POINT,
)
from engine.studies.tca.market import Series
from engine.studies.tca.orders import Book, Order, Parent

BUY, REMOVED = int(Side.BUY), int(Liquidity.REMOVED)
PATH_POINTS = 120
COPIED = (
    "order_id", "instrument", "venue", "side", "state", "sent_ns", "ended_ns", "price", "quantity", "filled",
)  # fmt: skip
PARENT_COPIED = (
    "parent_id", "strategy", "team", "instrument", "side", "kind", "decided_ns", "ended_ns", "quantity", "filled",
)  # fmt: skip
Array = np.ndarray[Any, Any]


@dataclass
class Report:
    """The four tables of engine.messages.tca."""

    parents: Array
    orders: Array
    fills: Array
    paths: Array


def sign_of(side: Any) -> Any:
    """1 for a buy, -1 for a sell."""
    return np.where(side == BUY, 1, -1)


def analyse(book: Book, series: dict[int, Series]) -> Report:
    """Costs of every parent of `book`, also of one that never came to have an order. `series` by instrument."""
    parents = book.parents
    rows = _rows(parents)
    _price_orders(rows.orders, rows.positions, series)
    _price_fills(rows, series)
    _price_parents(rows, parents, series, book.last_ns)
    return Report(rows.parents, rows.orders, rows.fills, _paths(rows.parents, series, book.last_ns))


@dataclass
class _Rows:
    parents: Array
    orders: Array
    fills: Array
    positions: Array  # of each order's request
    event_ns: Array  # of each fill


def _rows(parents: list[Parent]) -> _Rows:
    """The tables with everything that the journal says."""
    orders = [order for parent in parents for order in parent.orders]
    fills = [fill for order in orders for fill in order.fills]
    rows = _Rows(
        np.zeros(len(parents), PARENT_COSTS),
        np.zeros(len(orders), ORDER_COSTS),
        np.zeros(len(fills), FILL_COSTS),
        np.array([order.position for order in orders], np.int64),
        np.array([fill.event_ns for fill in fills], np.int64),
    )
    order_at = fill_at = 0
    for at, parent in enumerate(parents):
        first_order, first_fill = order_at, fill_at
        for order in parent.orders:
            for fill in order.fills:
                row = rows.fills[fill_at]
                for name in ("sequence", "time_ns", "price", "quantity", "liquidity"):
                    row[name] = getattr(fill, name)
                for name in ("order_id", "instrument", "venue", "side"):
                    row[name] = getattr(order, name)
                row["order_row"], row["parent_row"] = order_at, at
                row["fees"], row["notional"] = 2 * fill.fee, 2 * fill.price * fill.quantity
                fill_at += 1
            _order_row(rows.orders[order_at], order, at)
            order_at += 1
        _parent_row(rows.parents[at], parent, first_order, first_fill)
    return rows


def _order_row(row: Any, order: Order, parent_row: int) -> None:
    for name in COPIED:
        row[name] = getattr(order, name)
    row["target_order_id"], row["parent_row"], row["fills"] = order.target, parent_row, len(order.fills)


def _parent_row(row: Any, parent: Parent, first_order: int, first_fill: int) -> None:
    for name in PARENT_COPIED:
        row[name] = getattr(parent, name)
    venues = {order.venue for order in parent.orders}
    row["order_id"] = parent.orders[0].order_id if parent.orders else 0
    row["venue"] = venues.pop() if len(venues) == 1 else 0
    row["orders"], row["fills"] = len(parent.orders), sum(len(order.fills) for order in parent.orders)
    row["first_order"], row["first_fill"], row["is_open"] = first_order, first_fill, parent.ended_ns == 0


def _each(instruments: Array, series: dict[int, Series]) -> list[tuple[Array, Series]]:
    """Rows of each instrument, with its market."""
    return [(np.flatnonzero(instruments == at), series[at]) for at in np.unique(instruments).tolist()]


def _price_orders(orders: Array, positions: Array, series: dict[int, Series]) -> None:
    for rows, market in _each(orders["instrument"], series):
        orders["sent_2"][rows] = market.seen_at(positions[rows])


def _price_fills(rows: _Rows, series: dict[int, Series]) -> None:
    """The market just before each fill, and later."""
    fills = rows.fills
    for at, market in _each(fills["instrument"], series):
        middles, spreads, moments = market.before_fills(fills["venue"][at], rows.event_ns[at], fills["time_ns"][at])
        fills["middle_2"][at], fills["spread_width"][at] = middles, spreads
        sign, price, quantity = sign_of(fills["side"][at]), fills["price"][at], fills["quantity"][at]
        for horizon_ns, markout, marked in zip(HORIZONS_NS, MARKOUTS, MARKED, strict=True):
            later = market.after(moments + horizon_ns)
            fills[markout][at] = np.where(later > 0, sign * quantity * (later - 2 * price), 0)
            fills[marked][at] = np.where(later > 0, fills["notional"][at], 0)


def _price_parents(rows: _Rows, parents: list[Parent], series: dict[int, Series], last_ns: int) -> None:
    table, fills, orders = rows.parents, rows.fills, rows.orders
    positions = np.array([parent.position for parent in parents], np.int64)
    for at, market in _each(table["instrument"], series):
        end_ns = np.where(table["ended_ns"][at] > 0, table["ended_ns"][at], last_ns)
        table["arrival_2"][at] = market.seen_at(positions[at])
        table["end_2"][at] = market.at(end_ns)
        day_ns = table["decided_ns"][at] // DAY_NS * DAY_NS
        table["close_2"][at] = market.at(day_ns + DAY_NS - 1)
        table["session_volume"][at] = market.traded(day_ns, day_ns + DAY_NS - 1)[0]
        volume, value = market.traded(table["decided_ns"][at], end_ns)
        table["interval_volume"][at], table["interval_value"][at] = volume, value
    _split(rows)
    for part, owner, count in ((orders, fills["order_row"], len(orders)), (table, fills["parent_row"], len(table))):
        for name in ("notional", "spread", "impact", "timing", "fees", "against_middle", *MARKOUTS, *MARKED):
            part[name] = _sums(owner, fills[name], count)
    orders["shortfall"] = orders["spread"] + orders["impact"] + orders["timing"] + orders["fees"]
    _benchmarks(table)


def _split(rows: _Rows) -> None:
    """Spread, impact and timing of each fill: together they are side x (price - arrival) x quantity, exactly.

    A fill without a middle, of its own, of its order or of its parent, is priced at what is known: the missing middle
    is taken to be the next one that is.
    """
    fills = rows.fills
    price_2 = 2 * fills["price"]
    middle = np.where(fills["middle_2"] > 0, fills["middle_2"], price_2)
    sent = rows.orders["sent_2"][fills["order_row"]]
    sent = np.where(sent > 0, sent, middle)
    arrival = rows.parents["arrival_2"][fills["parent_row"]]
    arrival = np.where(arrival > 0, arrival, sent)
    signed = sign_of(fills["side"]) * fills["quantity"]
    paid = sign_of(fills["side"]) * (price_2 - middle)
    within = np.clip(paid, -fills["spread_width"], fills["spread_width"])
    fills["spread"] = fills["quantity"] * within
    # Who takes moves the market; while an order rests the market moves by itself.
    moved, took = signed * (middle - sent), fills["liquidity"] == REMOVED
    fills["impact"] = fills["quantity"] * (paid - within) + np.where(took, moved, 0)
    fills["timing"] = signed * (sent - arrival) + np.where(took, 0, moved)
    fills["against_middle"] = signed * (price_2 - middle)
    fills["shortfall"] = fills["spread"] + fills["impact"] + fills["timing"] + fills["fees"]


def _benchmarks(table: Array) -> None:
    """Opportunity, shortfall and the other benchmarks of parents."""
    sign = sign_of(table["side"])
    unfilled = np.maximum(table["quantity"] - table["filled"], 0)
    priced = (table["arrival_2"] > 0) & (table["end_2"] > 0)
    table["opportunity"] = np.where(priced, sign * unfilled * (table["end_2"] - table["arrival_2"]), 0)
    table["shortfall"] = np.sum([table[name] for name in COSTS], axis=0)
    table["paper"] = table["quantity"] * table["arrival_2"]
    known = (table["interval_volume"] > 0) & (table["filled"] > 0)
    vwap_value = _scaled(table["filled"], table["interval_value"], table["interval_volume"], known)
    table["vwap_notional"] = 2 * vwap_value
    table["against_vwap"] = np.where(known, sign * (table["notional"] - table["vwap_notional"]), 0)
    table["close_notional"] = table["filled"] * table["close_2"]
    table["against_close"] = np.where(table["close_2"] > 0, sign * (table["notional"] - table["close_notional"]), 0)


def _scaled(quantity: Array, value: Array, volume: Array, known: Array) -> Array:
    """quantity x value / volume, to the nearest whole number; exact integers, for the product may pass 2^63."""
    made = [
        (2 * int(q) * int(v) + int(n)) // (2 * int(n)) if k else 0
        for q, v, n, k in zip(quantity, value, volume, known, strict=True)
    ]
    return np.array(made, np.int64)


def _sums(owner: Array, values: Array, count: int) -> Array:
    made = np.zeros(count, np.int64)
    np.add.at(made, owner, values)
    return made


def _paths(parents: Array, series: dict[int, Series], last_ns: int) -> Array:
    """The middle from each parent's decision to its end, at PATH_POINTS times evenly spread; sets where they begin."""
    made = []
    begun = 0
    for row in parents:
        end_ns = int(row["ended_ns"]) or last_ns
        times = np.unique(np.linspace(int(row["decided_ns"]), end_ns, PATH_POINTS).astype(np.int64))
        points = np.zeros(len(times), PATH_POINT)
        points["time_ns"], points["middle_2"] = times, series[int(row["instrument"])].at(times)
        points = points[points["middle_2"] > 0]
        row["first_point"], row["points"] = begun, len(points)
        begun += len(points)
        made.append(points)
    return np.concatenate(made) if made else np.zeros(0, PATH_POINT)
