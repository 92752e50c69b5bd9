"""Orders, their fills and their parents, as the journal tells them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.history.recorded_market import event_time
from engine.messages.codes import (
    CORRECTED,
    OPEN_STATES,
    FeedEventKind,
    OrderAction,
    OrderState,
    ParentState,
    RecordKind,
    ReportKind,
)
from engine.messages.records import TextRecord, bodies
from engine.messages.tca import DAY_NS
from engine.studies.tca.market import FeedChange
from engine.studies.tca.sources import Sources

NEVER_NS = 1 << 62
REQUESTED = (
    "order_id", "parent_id", "strategy", "team", "instrument", "kind", "venue", "side", "price", "quantity", "position",
)  # fmt: skip
OWNED = ("strategy", "team", "instrument", "side", "kind", "position", "quantity")
REPORTED = ("price", "quantity", "fee", "liquidity", "match_number", "reason")


@dataclass(slots=True)
class Fill:
    """An execution that stands."""

    sequence: int
    time_ns: int
    event_ns: int  # the venue's time of day, on the day that is nearest; NEVER_NS where the venue says none
    price: int
    quantity: int
    fee: int
    liquidity: int
    match_number: int

    @property
    def when(self) -> tuple[int, int, int]:
        """Its place in the journal, our time of the report, the venue's time."""
        return self.sequence, self.time_ns, self.event_ns


@dataclass(slots=True)
class Order:
    """One order; `position` and `sent_ns` are those of its request."""

    order_id: int
    target: int
    parent_id: int
    strategy: int
    team: int
    instrument: int
    kind: int
    venue: int
    side: int
    price: int
    quantity: int
    position: int
    sent_ns: int
    state: int = int(OrderState.PENDING_NEW)
    ended_ns: int = 0
    answered_ns: int = 0  # the venue's first word about it; 0: none yet
    fills: list[Fill] = field(default_factory=list)
    taken_back: Fill | None = None  # the newest that the venue took back

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def filled(self) -> int:
        return sum(fill.quantity for fill in self.fills)


@dataclass(slots=True)
class Parent:
    """A parent order, or an order without one together with its replacements. `quantity`: what was wanted at last."""

    parent_id: int
    position: int
    decided_ns: int
    quantity: int
    kind: int
    strategy: int
    team: int
    instrument: int
    side: int
    orders: list[Order] = field(default_factory=list)
    ended_ns: int = 0

    @property
    def filled(self) -> int:
        return sum(order.filled for order in self.orders)


class Book:
    """Reads a journal; `parents` are in the order in which they were decided."""

    def __init__(self, sources: Sources) -> None:
        self.orders: dict[int, Order] = {}
        self.parents: list[Parent] = []
        self.changes: list[FeedChange] = []
        self.last_ns = 0
        self._by_order: dict[int, Parent] = {}
        self._by_number: dict[int, Parent] = {}
        self._of_legs: dict[tuple[int, int, int], Parent] = {}  # by number, instrument and side
        self._several: dict[int, int] = {}  # when the multi-leg order of each number ended
        for run in sources.journal():
            if isinstance(run, TextRecord):
                self.last_ns = max(self.last_ns, run.time_ns)
            else:
                self.last_ns = max(self.last_ns, int(run["header"]["time_ns"][-1]))
                self._run(run)
        for (number, *_), parent in self._of_legs.items():
            # What a leg wanted follows from the others, so nothing of it counts as missed.
            parent.ended_ns, parent.quantity = self._several[number], parent.filled
        for parent in self.parents:
            self._end(parent)

    def keep(self, from_ns: int | None, to_ns: int | None, strategy: int | None) -> None:
        """Leave only the parents decided from one time to before another, and of one strategy; None does not choose."""
        self.parents = [
            parent
            for parent in self.parents
            if (from_ns is None or parent.decided_ns >= from_ns)
            and (to_ns is None or parent.decided_ns < to_ns)
            and (strategy is None or parent.strategy == strategy)
        ]

    def _run(self, run: np.ndarray[Any, Any]) -> None:
        for header, row in zip(*bodies(run, RecordKind.PARENT), strict=True):
            self._parent(header, row)
        for header, row in zip(*bodies(run, RecordKind.ORDER_REQUEST), strict=True):
            if row["action"] in (OrderAction.ENTER, OrderAction.REPLACE):
                self._request(header, row)
        for header, row in zip(*bodies(run, RecordKind.ORDER_REPORT), strict=True):
            order = self.orders.get(int(row["order_id"]))
            if order is not None and not row["duplicate"]:
                self._report(order, header, row)
        for _, row in zip(*bodies(run, RecordKind.FEED_EVENT), strict=True):
            kind = FeedEventKind(int(row["kind"]))
            self.changes.append(FeedChange(int(row["position"]), int(row["venue"]), kind, int(row["received"])))

    def _parent(self, header: Any, row: Any) -> None:
        number = int(row["parent_id"])
        if row["legs"]:
            self._several[number] = int(header["time_ns"]) if int(row["state"]) > ParentState.EXPIRING else 0
            return
        known = self._by_number.get(number)
        if known is None:
            told: dict[str, Any] = {name: int(row[name]) for name in OWNED}
            known = Parent(parent_id=number, decided_ns=int(header["time_ns"]), **told)
            self._by_number[number] = known
            self.parents.append(known)
        elif int(row["state"]) > ParentState.EXPIRING:
            known.ended_ns = int(header["time_ns"])

    def _request(self, header: Any, row: Any) -> None:
        told: dict[str, Any] = {name: int(row[name]) for name in REQUESTED}
        order = Order(target=int(row["target_order_id"]), sent_ns=int(header["time_ns"]), **told)
        self.orders[order.order_id] = order
        parent = self._by_number.get(order.parent_id) if order.parent_id else self._by_order.get(order.target)
        key = (order.parent_id, order.instrument, order.side)
        if order.parent_id in self._several:
            parent = self._of_legs.get(key)
        if parent is None:
            owned = {name: told[name] for name in OWNED}
            parent = Parent(parent_id=order.parent_id, decided_ns=order.sent_ns, **owned)
            self.parents.append(parent)
            if order.parent_id in self._several:
                self._of_legs[key] = parent
            elif order.parent_id:
                self._by_number[order.parent_id] = parent
        parent.orders.append(order)
        self._by_order[order.order_id] = parent

    def _report(self, order: Order, header: Any, row: Any) -> None:
        kind, time_ns = int(row["kind"]), int(header["time_ns"])
        order.answered_ns = order.answered_ns or time_ns
        if kind == ReportKind.EXECUTED:
            venue_ns = int(row["venue_time_ns"])
            event_ns = int(event_time(time_ns, venue_ns % DAY_NS)) if venue_ns else NEVER_NS
            told = {name: int(row[name]) for name in REPORTED}
            sequence = int(header["sequence"])
            if told["reason"] == CORRECTED and order.taken_back is not None:
                # The trade was what it is called now when it happened, not when that was said.
                sequence, time_ns, event_ns = order.taken_back.when
            del told["reason"]
            order.fills.append(Fill(sequence, time_ns, event_ns, **told))
        elif kind == ReportKind.BROKEN:
            standing = [fill for fill in order.fills if fill.match_number == int(row["match_number"])]
            if standing:
                order.taken_back = standing[-1]
                order.fills.remove(standing[-1])
        self._follow(order, int(row["state"]), time_ns)
        parent = self._by_order[order.order_id]
        if kind in (ReportKind.REPLACED, ReportKind.MODIFIED) and not parent.parent_id:
            parent.quantity = parent.filled + int(row["leaves"])
        if kind == ReportKind.REPLACED:
            order.quantity, order.price = int(row["quantity"]), int(row["price"]) or order.price
            target = self.orders.get(order.target)
            if target is not None and target.is_open:
                self._follow(target, int(OrderState.CANCELED), time_ns)

    @staticmethod
    def _follow(order: Order, state: int, time_ns: int) -> None:
        was_open = order.is_open
        order.state = state or order.state
        if was_open and not order.is_open:
            order.ended_ns = time_ns

    def _end(self, parent: Parent) -> None:
        """When the parent ended: 0 while something of it is open, or may still come."""
        if not parent.parent_id and not any(order.is_open for order in parent.orders):
            fills = [fill.time_ns for order in parent.orders for fill in order.fills]
            parent.ended_ns = max([order.ended_ns for order in parent.orders] + fills, default=0)
