"""Orders of one venue that wait for its opening or its closing cross: not in the book, not displayed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.messages.codes import OrderAction, ReportKind, TimeInForce
from engine.simulator.layout import MARKET_PRICE, ORDER, BookMemory, CancelReason, Refusal

AT_OPEN, AT_CLOSE = TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE
CROSSES = (AT_OPEN, AT_CLOSE)
PART_FOR_CROSSES = 4  # of the orders that a book can hold, so many wait for crosses at most: one part in four
CARRIED = ("owner", "user_reference", "reference", "instrument", "side", "price")
Key = tuple[int, int]


@dataclass
class CrossOrder:
    """One of them; `quantity` is open, `time_in_force` says which cross it waits for."""

    owner: int
    user_reference: int
    reference: int
    instrument: int
    side: int
    price: int
    quantity: int
    time_in_force: int
    executed: int = 0
    hidden: int = 0

    @property
    def is_market(self) -> bool:
        """Whether it has no limit."""
        return self.price == MARKET_PRICE


class CrossOrders:
    """They are entered, replaced and canceled like orders of the book, until their cross is over."""

    def __init__(self, memory: BookMemory) -> None:
        self.memory = memory
        self.waiting: dict[Key, CrossOrder] = {}
        self.over: set[tuple[int, int]] = set()  # instrument and time in force of every cross that was held

    def takes(self, fields: dict[str, int]) -> bool:
        """Whether a request is about an order for a cross."""
        action, owner = fields.get("action"), fields.get("owner", 0)
        if action == OrderAction.ENTER:
            return fields.get("time_in_force") in CROSSES
        if action == OrderAction.REPLACE:
            return (owner, fields.get("existing_reference", 0)) in self.waiting
        return action == OrderAction.CANCEL and (owner, fields.get("user_reference", 0)) in self.waiting

    def enter(self, fields: dict[str, int], reason: int, time_ns: int) -> int:
        """A new order; `reason` is why the book would not take it now, 0 when it would. Returns 0 or a `Refusal`."""
        order = self._made(fields, fields["time_in_force"])
        reason = reason or self._taken(order)
        if reason:
            self.tell(ReportKind.REJECTED, order, time_ns, quantity=order.quantity, reason=reason)
            return reason
        self._accept(order)
        self.tell(ReportKind.ACCEPTED, order, time_ns, quantity=order.quantity)
        return 0

    def terms_of_replacement(self, fields: dict[str, int]) -> dict[str, int]:
        """What a replacement asks for with what stays as it was: instrument, side and the cross that it is for."""
        existing = self.waiting[fields["owner"], fields["existing_reference"]]
        kept = {name: getattr(existing, name) for name in ("instrument", "side", "time_in_force")}
        return fields | kept | {"quantity": fields["quantity"] - existing.executed}

    def replace(self, terms: dict[str, int], reason: int, time_ns: int) -> int:
        """As the book's: one that cannot be entered cancels the order that it was to replace."""
        existing = self.waiting[terms["owner"], terms["existing_reference"]]
        order = self._made(terms, existing.time_in_force)
        if taken := self._taken(order):
            return taken
        if reason:
            self.withdraw(existing, CancelReason.USER, time_ns)
            return reason
        order.executed = existing.executed
        del self.waiting[existing.owner, existing.user_reference]
        self._accept(order)
        told = {"quantity": order.quantity, "previous_reference": existing.user_reference}
        self.tell(ReportKind.REPLACED, order, time_ns, **told)
        return 0

    def reduce(self, fields: dict[str, int], time_ns: int) -> int:
        """Limit what can execute in total to `quantity`, 0: nothing more."""
        order = self.waiting[fields["owner"], fields["user_reference"]]
        reason = CancelReason(fields.get("reason") or CancelReason.USER)
        leaves = max(0, fields.get("quantity", 0) - order.executed)
        if leaves == 0:
            self.withdraw(order, reason, time_ns)
        elif leaves < order.quantity:
            gone, order.quantity = order.quantity - leaves, leaves
            self.tell(ReportKind.CANCELED, order, time_ns, quantity=gone, reason=reason)
        return 0

    def late(self, instrument: int, time_in_force: int) -> int:
        """INVALID_CROSS_ORDER once that cross of the instrument is over, else 0."""
        return int(Refusal.INVALID_CROSS_ORDER) if (instrument, time_in_force) in self.over else 0

    def withdraw(self, order: CrossOrder, reason: int, time_ns: int) -> None:
        """The rest of an order leaves without trading."""
        gone, order.quantity = order.quantity, 0
        self.waiting.pop((order.owner, order.user_reference), None)
        self.tell(ReportKind.CANCELED, order, time_ns, quantity=gone, reason=int(reason))

    def withdraw_owned(self, owner: int, instrument: int, reason: int, time_ns: int) -> int:
        """Every order of an owner, of one instrument when not 0. Returns how many."""
        mine = [o for o in self.waiting.values() if o.owner == owner and instrument in (0, o.instrument)]
        for order in mine:
            self.withdraw(order, reason, time_ns)
        return len(mine)

    def row(self, owner: int, user_reference: int) -> np.void | None:
        """The order as a row of the book, or None."""
        order = self.waiting.get((owner, user_reference))
        if order is None:
            return None
        made = np.zeros(1, ORDER)[0]
        for name in (*CARRIED, "quantity", "executed"):
            made[name] = getattr(order, name)
        return made

    def tell(self, kind: ReportKind, order: CrossOrder, time_ns: int, **values: int) -> None:
        """A RESULT about an order, for its owner; the simulated market is told nothing."""
        if order.owner == 0:
            return
        result = self.memory.add_result()
        for name in (*CARRIED, "time_in_force"):
            result[name] = getattr(order, name)
        result["kind"], result["time_ns"] = kind, time_ns
        result["leaves"] = 0 if kind is ReportKind.REJECTED else order.quantity
        for name, value in values.items():
            result[name] = value

    def next_number(self, counter: str) -> int:
        """The next reference or match number of the venue's day."""
        row = self.memory.book[0]
        row[counter] += 1
        return int(row[counter]) - 1

    def _taken(self, order: CrossOrder) -> int:
        if (order.owner, order.user_reference) in self.waiting:
            return int(Refusal.DUPLICATE_REFERENCE)
        full = len(self.waiting) > int(self.memory.book[0]["order_capacity"]) // PART_FOR_CROSSES
        return int(Refusal.CAPACITY) if full else 0

    def _accept(self, order: CrossOrder) -> None:
        order.reference = self.next_number("next_reference")
        self.waiting[order.owner, order.user_reference] = order

    @staticmethod
    def _made(fields: dict[str, int], time_in_force: int) -> CrossOrder:
        names = ("owner", "user_reference", "instrument", "side", "price", "quantity")
        values = {name: fields.get(name, 0) for name in names}
        return CrossOrder(**values, reference=0, time_in_force=time_in_force)
