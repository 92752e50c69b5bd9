"""Orders that a venue holds without showing them: the common part of a midpoint pool and of a broker.

Stands where `OrderDesk` stands, with the same requests, refusals and results, but nothing trades by itself:
`HeldDesk.work` says what happens to an order that was taken in. Prices 1/10,000 of the currency, quantities shares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from engine.messages.codes import Liquidity, OrderAction, ReportKind, TimeInForce
from engine.messages.instruments import Instrument
from engine.simulator.layout import ORDER, BookMemory, CancelReason, Refusal
from engine.simulator.orders import OrderDesk

Key = tuple[int, int]


@dataclass
class HeldOrder:
    """`quantity` is what is open, `executed` what the chain of replacements has traded."""

    owner: int
    user_reference: int
    reference: int
    instrument: int
    side: int
    price: int
    quantity: int
    time_in_force: int
    executed: int = 0
    due_ns: int = 0


class HeldDesk(OrderDesk):
    """Requests to a venue that holds orders. `reference` is the memory of the lit book that it looks at."""

    has_crosses = False

    def __init__(self, memory: BookMemory, instruments: Sequence[Instrument], reference: BookMemory) -> None:
        super().__init__(memory, instruments)
        self.lit = reference
        self.held_orders: dict[Key, HeldOrder] = {}

    def work(self, order: HeldOrder, time_ns: int) -> None:
        """What happens to an order that has just been taken in: by itself, nothing."""

    def touch(self, instrument: int) -> tuple[int, int]:
        """Best bid and offer of the lit book; 0 for a side that is empty."""
        entry = self.lit.instruments[instrument]
        bid, ask = int(entry["best_bid"]), int(entry["best_ask"])
        levels = self.lit.levels
        return (int(levels[bid]["price"]) if bid else 0, int(levels[ask]["price"]) if ask else 0)

    def is_halted(self, instrument: int) -> bool:
        """Here or where the prices come from."""
        return bool(self.lit.instruments[instrument]["halted"] or self.memory.instruments[instrument]["halted"])

    def request(self, **fields: int) -> int:
        """As `OrderDesk.request`, without a book."""
        time_ns = self._clock(fields.get("time_ns", 0))
        action = fields.get("action", 0)
        if action == OrderAction.CANCEL:
            return self._reduce(fields, time_ns)
        executed = 0
        existing = None
        terms = dict(fields)
        if action == OrderAction.REPLACE:
            existing = self.held_orders.get((fields["owner"], fields["existing_reference"]))
            if existing is None:
                return Refusal.UNKNOWN_ORDER
            executed = existing.executed
            terms |= {"instrument": existing.instrument, "side": existing.side}
            terms["quantity"] = fields["quantity"] - executed
        reason = self._refusal(terms)
        if existing is not None and (reason or (terms["owner"], terms["user_reference"]) in self.held_orders):
            return reason or Refusal.DUPLICATE_REFERENCE  # the existing order stays
        order = _taken(terms, executed, self._next("next_reference"))
        if reason:
            order.reference = 0
            self.tell(ReportKind.REJECTED, order, time_ns, quantity=order.quantity, reason=reason)
            return reason
        if existing is not None:
            del self.held_orders[existing.owner, existing.user_reference]
            told = {"quantity": order.quantity, "previous_reference": existing.user_reference}
            self.tell(ReportKind.REPLACED, order, time_ns, **told)
        else:
            self.tell(ReportKind.ACCEPTED, order, time_ns, quantity=order.quantity)
        self.held_orders[order.owner, order.user_reference] = order
        self.work(order, time_ns)
        if order.quantity and order.time_in_force != TimeInForce.DAY:
            self.withdraw(order, CancelReason.IMMEDIATE_OR_CANCEL, time_ns)
        return 0

    def _refusal(self, terms: dict[str, int]) -> int:
        reason = self.refusal(**terms)
        if reason == 0 and terms.get("time_in_force") == TimeInForce.POST_ONLY:
            reason = Refusal.INVALID_TIME_IN_FORCE  # nothing is posted here
        if reason == 0 and self.is_halted(terms["instrument"]):
            reason = Refusal.HALTED
        if reason == 0 and (terms["owner"], terms["user_reference"]) in self.held_orders:
            reason = Refusal.DUPLICATE_REFERENCE
        return int(reason)

    def _reduce(self, fields: dict[str, int], time_ns: int) -> int:
        """Limit what can execute in total to `quantity`, 0: nothing more."""
        order = self.held_orders.get((fields["owner"], fields["user_reference"]))
        if order is None:
            return Refusal.UNKNOWN_ORDER
        reason = CancelReason(fields.get("reason") or CancelReason.USER)
        leaves = max(0, fields.get("quantity", 0) - order.executed)
        if leaves == 0:
            self.withdraw(order, reason, time_ns)
        elif leaves < order.quantity:
            gone, order.quantity = order.quantity - leaves, leaves
            self.tell(ReportKind.CANCELED, order, time_ns, quantity=gone, reason=reason)
        return 0

    def withdraw(self, order: HeldOrder, reason: CancelReason, time_ns: int) -> None:
        """The rest of an order leaves without trading."""
        gone, order.quantity = order.quantity, 0
        self.held_orders.pop((order.owner, order.user_reference), None)
        self.tell(ReportKind.CANCELED, order, time_ns, quantity=gone, reason=reason)

    def fill(
        self, order: HeldOrder, price: int, quantity: int, liquidity: Liquidity, time_ns: int, match_number: int = 0
    ) -> int:
        """Some of an order trades; returns the match number, a new one unless the other side has it already."""
        match_number = match_number or self._next("next_match")
        order.quantity -= quantity
        order.executed += quantity
        if not order.quantity:
            self.held_orders.pop((order.owner, order.user_reference), None)
        told = {"price": price, "quantity": quantity, "match_number": match_number, "liquidity": liquidity}
        self.tell(ReportKind.EXECUTED, order, time_ns, **told)
        return match_number

    def tell(self, kind: ReportKind, order: HeldOrder, time_ns: int, **values: int) -> None:
        """A RESULT about an order, for its owner."""
        result = self.memory.add_result()
        for name in ("owner", "user_reference", "reference", "instrument", "side", "price", "time_in_force"):
            result[name] = getattr(order, name)
        result["kind"], result["time_ns"] = kind, time_ns
        result["leaves"] = 0 if kind is ReportKind.REJECTED else order.quantity
        for name, value in values.items():
            result[name] = value

    def resting(self, owner: int, user_reference: int) -> np.void | None:
        """The order as a row of a book, or None."""
        order = self.held_orders.get((owner, user_reference))
        if order is None:
            return None
        made = np.zeros(1, ORDER)[0]
        for name in ("reference", "owner", "user_reference", "instrument", "side", "price", "quantity", "executed"):
            made[name] = getattr(order, name)
        return made

    def cancel_owned(self, owner: int, instrument: int, reason: int, time_ns: int) -> int:
        """Every order of an owner, of one instrument when not 0."""
        mine = [order for order in self.orders_of(instrument) if order.owner == owner]
        for order in mine:
            self.withdraw(order, CancelReason(reason), self._clock(time_ns))
        return len(mine)

    def orders_of(self, instrument: int = 0) -> Iterator[HeldOrder]:
        """Orders that are held, oldest first, of one instrument when not 0."""
        yield from [o for o in self.held_orders.values() if instrument in (0, o.instrument)]

    def _next(self, counter: str) -> int:
        row = self.memory.book[0]
        row[counter] += 1
        return int(row[counter]) - 1


def _taken(terms: dict[str, int], executed: int, reference: int) -> HeldOrder:
    names = ("owner", "user_reference", "instrument", "side", "price", "quantity", "time_in_force")
    return HeldOrder(**{name: terms.get(name, 0) for name in names}, executed=executed, reference=reference)
