"""Whose decision an order was: the person behind it, and of a strategy's the version that decided.

The journal has an order's strategy, parent order and limits; who gave the parent order, started the strategy or entered
the order by hand stands in parent orders, runs and entries, which are joined here, a few queries for many orders.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Q

from desk.blotter.models import Order, OrderEntry, Parent, Route
from desk.runs.models import Run

AT_ONCE = 1_000
LONGEST_CHAIN = 1_000  # replacements of replacements


@dataclass(frozen=True)
class Author:
    """`trader`: who entered the order or its parent order by hand, or started its strategy; empty when that was in no
    browser and over no API. `version`: of the strategy's definition, None without one."""

    trader: str = ""
    version: int | None = None


NOBODY = Author()


def author_of(order: Order) -> Author:
    """Of one order."""
    return authors_of([order])[order.order_id]


def with_authors(orders: Iterable[Order]) -> Iterator[tuple[Order, Author]]:
    """Each order with its author, in the same order, so many at a time."""
    left = iter(orders)
    while some := list(islice(left, AT_ONCE)):
        authors = authors_of(some)
        for order in some:
            yield order, authors[order.order_id]


def authors_of(orders: Iterable[Order]) -> dict[int, Author]:
    """By order number."""
    orders = list(orders)
    worked = [order for order in orders if order.strategy_id is not None]
    given = [order for order in orders if order.strategy_id is None and order.parent_id is not None]
    entered = [order for order in orders if order.strategy_id is None and order.parent_id is None]
    authors = _starters(worked) if worked else {}
    authors |= _givers(given) if given else {}
    return authors | (_enterers(entered) if entered else {})


def _starters(orders: list[Order]) -> dict[int, Author]:
    """The run that a strategy's order belongs to is the last one that began before it."""
    runs: dict[int, list[tuple[int, Author]]] = {}
    columns = ("strategy_id", "started_sequence", "strategy_version", "started_by__username")
    found = Run.objects.filter(strategy_id__in={order.strategy_id for order in orders})
    for strategy, sequence, version, trader in found.order_by("started_sequence").values_list(*columns):
        runs.setdefault(strategy, []).append((sequence, Author(trader, version)))
    authors = {}
    for order in orders:
        own = runs.get(order.strategy_id or 0, [])
        at = bisect_right(own, order.sequence, key=lambda run: run[0])
        authors[order.order_id] = own[at - 1][1] if at else NOBODY
    return authors


def _givers(orders: list[Order]) -> dict[int, Author]:
    parents = Parent.objects.filter(parent_id__in={order.parent_id for order in orders})
    named = dict(parents.values_list("parent_id", "trader__username"))
    return {order.order_id: Author(named.get(order.parent_id or 0) or "") for order in orders}


def _enterers(orders: list[Order]) -> dict[int, Author]:
    """An order by hand is what its entry became: the order itself, the first of a chain of replacements, or a part of
    what the router made of it."""
    first = _firsts(orders)
    parts = _parts(set(first.values()))
    wanted = set(first.values()) | {number for numbers in parts.values() for number in numbers}
    entries = OrderEntry.objects.filter(order_id__in=wanted).values_list("order_id", "entered_by__username")
    named: dict[Any, str] = dict(entries)
    authors = {}
    for order in orders:
        own = first[order.order_id]
        candidates = [own, *parts.get(own, ())]
        authors[order.order_id] = Author(next((named[number] for number in candidates if number in named), ""))
    return authors


def _firsts(orders: list[Order]) -> dict[int, int]:
    """The order that each one's chain of replacements began with."""
    before = {order.order_id: order.target_order_id for order in orders}
    for _ in range(LONGEST_CHAIN):
        missing = {target for target in before.values() if target and target not in before}
        if not missing:
            break
        found = dict(Order.objects.filter(order_id__in=missing).values_list("order_id", "target_order_id"))
        before |= {number: found.get(number) for number in missing}
    return {order.order_id: _first(before, order.order_id) for order in orders}


def _first(before: dict[int, int | None], number: int) -> int:
    while target := before.get(number):
        number = target
    return number


def _parts(orders: set[int]) -> dict[int, list[int]]:
    """The other parts of the routed order that each of these is a part of."""
    rows = Route.objects.filter(Q(taken__in=orders) | Q(rested__in=orders)).values_list("route_id", "taken", "rested")
    route_of = {number: route for route, *numbers in rows for number in numbers if number in orders}
    made: dict[int, list[int]] = {}
    siblings = Route.objects.filter(route_id__in=set(route_of.values())).values_list("route_id", "taken", "rested")
    for route, *numbers in siblings:
        made.setdefault(route, []).extend(number for number in numbers if number)
    return {number: made[route] for number, route in route_of.items()}
