"""What a FIX session process knows of its orders, rebuilt from its records: enough to cancel, replace and ask for
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.messages.codes import OrderAction, RecordKind, ReportKind
from engine.messages.journal import ORDER_REPORT, ORDER_REQUEST
from engine.venues.fix44_records import Record

ENDS = frozenset({ReportKind.CANCELED, ReportKind.EXPIRED, ReportKind.REJECTED, ReportKind.NOT_SENT})


@dataclass(slots=True)
class Order:
    """One enter or replace request. `executed` counts the whole chain of replacements, as CumQty(14) does."""

    order_id: int
    target_order_id: int
    instrument: int
    strategy: int
    side: int
    time_in_force: int
    quantity: int
    price: int
    acknowledged: bool = False
    ended: bool = False
    executed: int = 0
    replaced_by: int = 0
    cancels: int = 0
    cancel_wanted: bool = False
    good_till_s: int = 0


class Orders:
    """All orders of the session by id."""

    def __init__(self) -> None:
        self._orders: dict[int, Order] = {}

    @property
    def next_id(self) -> int:
        """No order from this number on was ever remembered."""
        return max(self._orders, default=0) + 1

    def find(self, order_id: int) -> Order | None:
        """The order; None when no request for it was ever remembered."""
        return self._orders.get(order_id)

    def open(self) -> list[Order]:
        """Orders that may still be working at the venue, oldest first."""
        return [order for order in self._orders.values() if not order.ended]

    def apply(self, record: Record) -> None:
        """Take one record in; the same function at run time and when the records are read again."""
        if record.kind == RecordKind.ORDER_REQUEST:
            self._request(np.frombuffer(record.body, ORDER_REQUEST)[0])
        else:
            self._report(np.frombuffer(record.body, ORDER_REPORT)[0])

    def _request(self, request: Any) -> None:
        if request["action"] == OrderAction.CANCEL:
            order = self._orders.get(canceled_order_id(request))
            if order is not None:
                order.cancels += 1
                order.cancel_wanted = True
            return
        order_id = int(request["order_id"])
        self._orders[order_id] = Order(
            order_id=order_id,
            target_order_id=int(request["target_order_id"]) if request["action"] == OrderAction.REPLACE else 0,
            instrument=int(request["instrument"]),
            strategy=int(request["strategy"]),
            side=int(request["side"]),
            time_in_force=int(request["time_in_force"]),
            quantity=int(request["quantity"]),
            price=int(request["price"]),
            good_till_s=int(request["good_till_s"]),
        )

    def _report(self, report: Any) -> None:
        order = self._orders.get(int(report["order_id"]))
        if order is None:
            return
        kind = ReportKind(report["kind"])
        if kind in ENDS:
            order.ended = True
        elif kind == ReportKind.CANCEL_REJECTED:
            order.cancel_wanted = False
        else:
            order.acknowledged = True
        if kind in (ReportKind.EXECUTED, ReportKind.BROKEN) and report["duplicate"]:
            return
        if kind == ReportKind.EXECUTED:
            self._count(order, int(report["quantity"]))
            order.ended = order.ended or report["leaves"] == 0
        elif kind == ReportKind.BROKEN:
            self._count(order, -int(report["quantity"]))
        elif kind == ReportKind.REPLACED:
            self._replaced(order)

    def _replaced(self, order: Order) -> None:
        target = self._orders.get(order.target_order_id)
        if target is not None and not target.ended:
            order.executed += target.executed
            target.ended, target.replaced_by = True, order.order_id

    def _count(self, order: Order | None, quantity: int) -> None:
        """Executed by an order, and so by those that replaced it."""
        while order is not None:
            order.executed += quantity
            order = self._orders.get(order.replaced_by)


def canceled_order_id(request: Any) -> int:
    """The order that a cancel request means: its target, or itself when the request names no other."""
    return int(request["target_order_id"]) or int(request["order_id"])
