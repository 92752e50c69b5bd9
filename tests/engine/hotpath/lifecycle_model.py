"""What an order and its replacement go through, in plain words: the oracle of the order table.

Nothing is counted up or down here: filled, position and what works are sums over what is known at the moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.messages.codes import OPEN_STATES, OrderState

S = OrderState
OLD, NEW = "old", "new"
OPEN_AGAIN = 90  # shares that the replacement asks to have open


@dataclass
class Fill:
    """One execution under its number. `stands`: it counts; `taken`: the order has lost its shares."""

    order: str
    quantity: int
    stands: bool = True
    taken: bool = True


@dataclass
class Order:
    """One buy order. `waits`: of a replacement, until the venue has said what became of it."""

    name: str
    total: int
    outstanding: int
    state: OrderState = S.PENDING_NEW
    canceling: bool = False
    waits: bool = False

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES


@dataclass
class World:
    """An order of 100 shares, perhaps its replacement, and every execution that the venue told us of."""

    orders: dict[str, Order] = field(default_factory=lambda: {OLD: Order(OLD, 100, 100)})
    fills: dict[tuple[str, int], Fill] = field(default_factory=dict)
    leader: str | None = OLD
    is_up: bool = True

    def filled(self, name: str) -> int:
        return sum(fill.quantity for fill in self.fills.values() if fill.order == name and fill.stands)

    @property
    def position(self) -> int:
        return sum(fill.quantity for fill in self.fills.values() if fill.stands)

    @property
    def replacing(self) -> bool:
        """A replacement of the old order was asked for and is not answered."""
        return NEW in self.orders and self.orders[NEW].waits

    def leaves(self, name: str) -> int:
        """Shares that count as working. Of a replacement under way: what it would have more than the old order."""
        order = self.orders[name]
        if order.waits:
            return max(0, order.total - self.filled(OLD) - self.orders[OLD].outstanding)
        return order.outstanding

    # what may happen

    def accepted(self, name: str) -> None:
        order = self._open(name)
        if order and order.state in (S.PENDING_NEW, S.UNKNOWN):
            self._works(order)

    def executed(self, name: str, quantity: int, number: int) -> None:
        order = self.orders.get(name)
        if order is None:
            return
        if order.is_open and order.waits:  # the fill shows that the venue has taken the replacement
            self.replaced(max(quantity, order.total - self.filled(OLD)))
        known = self.fills.get((name, number))
        if known is None:
            self.fills[name, number] = Fill(name, quantity)
            self._lose(order, quantity)
        elif not known.taken:
            known.taken = True
            self._lose(order, quantity)

    def broken(self, name: str, number: int) -> None:
        order = self.orders.get(name)
        if order is None:
            return
        known = self.fills.setdefault((name, number), Fill(name, 0, stands=False, taken=False))
        known.stands = False
        if order.state == S.PARTIALLY_FILLED:
            self._works(order)

    def corrected(self, name: str, number: int, quantity: int) -> None:
        if (name, number) in self.fills:
            self.broken(name, number)
            self.fills[name, number] = Fill(name, quantity)
            if (order := self._open(name)) is not None:
                self._works(order)

    def replaced(self, quantity: int) -> None:
        order = self._open(NEW)
        if order is None:
            return
        if not order.waits:
            self._bound(order, quantity - self.filled(NEW))
            return
        order.waits = False
        self._ends(self.orders[OLD], S.CANCELED)
        order.outstanding, self.leader = quantity, NEW
        self._works(order)

    def canceled(self, name: str, quantity: int, state: OrderState = S.CANCELED) -> None:
        order = self._open(name)
        if order and 0 < quantity < self.leaves(name) and not order.waits:
            order.outstanding -= quantity
        elif order:
            self._ends(order, state)

    def ended(self, name: str, state: OrderState) -> None:
        if order := self._open(name):
            self._ends(order, state)

    def modified(self, name: str, quantity: int) -> None:
        if order := self._open(name):
            self._bound(order, quantity)

    def cancel_rejected(self, name: str) -> None:
        if order := self._open(name):
            self._forget_cancel(order)

    def ask_cancel(self, name: str) -> None:
        order = self._open(name)
        if order and not order.canceling:
            order.canceling = True
            if order.state not in (S.PENDING_NEW, S.UNKNOWN):
                order.state = S.PENDING_CANCEL

    def ask_replace(self) -> None:
        old = self.orders[OLD]
        if self.is_up and NEW not in self.orders and old.state in (S.ACCEPTED, S.PARTIALLY_FILLED):
            self.orders[NEW] = Order(NEW, OPEN_AGAIN + self.filled(OLD), 0, waits=True)
            old.state = S.PENDING_REPLACE

    def session_down(self) -> None:
        self.is_up = False
        for order in self._all_open():
            self._forget_cancel(order)
            if order.state == S.PENDING_NEW:
                order.state = S.UNKNOWN

    def session_up(self, seen: tuple[str, ...]) -> None:
        """The venue has taken the orders in `seen`; another that it never spoke of was not sent."""
        self.is_up = True
        for order in self._all_open():
            self._forget_cancel(order)
        for order in self._all_open():
            pending = order.state in (S.PENDING_NEW, S.UNKNOWN) and not self.filled(order.name)
            if pending and order.name not in seen:
                self._ends(order, S.DENIED)

    def new_session(self) -> None:
        self.is_up = True
        for order in self._all_open():
            self._forget_cancel(order)
        for order in self._all_open():
            self.ended(order.name, S.EXPIRED)

    # what follows from it

    def _open(self, name: str) -> Order | None:
        order = self.orders.get(name)
        return order if order is not None and order.is_open else None

    def _all_open(self) -> list[Order]:
        return [order for order in self.orders.values() if order.is_open]

    def _works(self, order: Order) -> None:
        """The venue has it: what state that is depends on what we asked for since."""
        if order.canceling:
            order.state = S.PENDING_CANCEL
        elif order.name == OLD and self.replacing:
            order.state = S.PENDING_REPLACE
        else:
            order.state = S.PARTIALLY_FILLED if self.filled(order.name) else S.ACCEPTED

    def _lose(self, order: Order, quantity: int) -> None:
        """Shares were executed."""
        if not order.is_open:
            return
        order.outstanding = max(0, order.outstanding - quantity)
        if self.leaves(order.name):
            self._works(order)
        else:
            self._ends(order, S.FILLED)

    def _bound(self, order: Order, quantity: int) -> None:
        """The venue has no more than this outstanding."""
        if order.waits or quantity >= order.outstanding:
            return
        if quantity <= 0:
            self._ends(order, S.CANCELED)
        else:
            order.outstanding = quantity

    def _forget_cancel(self, order: Order) -> None:
        order.canceling = False
        if order.state == S.PENDING_CANCEL:
            self._works(order)

    def _ends(self, order: Order, state: OrderState) -> None:
        """The order ends, and with it a replacement that waits for it; one that never came to be lets the old go on."""
        was_waiting, order.waits = order.waits, False
        order.state, order.outstanding = state, 0
        self.leader = None if self.leader == order.name else self.leader
        old, new = self.orders[OLD], self.orders.get(NEW)
        if order is old and new is not None and new.waits:
            self._ends(new, S.CANCELED)
        elif order is new and was_waiting and old.is_open:
            if state in (S.CANCELED, S.EXPIRED):
                self._ends(old, S.CANCELED)
            elif old.state == S.PENDING_REPLACE:
                self._works(old)
