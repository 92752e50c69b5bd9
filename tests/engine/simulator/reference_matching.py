"""A slow exchange that is obviously right: lists and sorting. The judge of `engine.simulator.matching`."""

from __future__ import annotations

from dataclasses import dataclass

BUY, SELL = 1, 2
DAY, IOC, FOK, POST_ONLY = 1, 2, 3, 4
MARKET_PRICE = 0x7FFFFFFF
TICK = 100


@dataclass
class Order:
    owner: int
    user_reference: int
    reference: int
    instrument: int
    side: int
    price: int
    quantity: int
    executed: int
    displayed: int
    arrival: int


class ReferenceExchange:
    """`results`: (kind, owner, user reference, price, quantity, leaves, reference, match number, liquidity, reason)."""

    def __init__(self, instruments: set[int], self_match: str = "allow") -> None:
        self.orders: list[Order] = []
        self.results: list[tuple] = []
        self.disabled: set[int] = set()
        self._instruments, self._self_match = instruments, self_match
        self._references = self._matches = self._arrivals = 0

    def levels(self, instrument: int, side: int, displayed_only: bool = True) -> list[tuple[int, int]]:
        """(price, quantity) per level, best first."""
        totals: dict[int, int] = {}
        for order in self.orders:
            if (order.instrument, order.side) == (instrument, side) and (order.displayed or not displayed_only):
                totals[order.price] = totals.get(order.price, 0) + order.quantity
        return sorted(totals.items(), reverse=side == BUY)

    def _find(self, owner: int, user_reference: int) -> Order | None:
        return next((o for o in self.orders if (o.owner, o.user_reference) == (owner, user_reference)), None)

    def _tell(self, kind: str, order: Order, quantity: int, leaves: int, price: int = 0, match: int = 0,
              liquidity: int = 0, reason: str = "") -> None:  # fmt: skip
        if order.owner:
            self.results.append(
                (kind, order.owner, order.user_reference, price or order.price, quantity, leaves, order.reference,
                 match, liquidity, reason)
            )  # fmt: skip

    def _refusal(self, order: Order, time_in_force: int, minimum: int) -> str:
        if order.instrument not in self._instruments:
            return "INVALID_INSTRUMENT"
        if order.side not in (BUY, SELL):
            return "INVALID_SIDE"
        if not 1 <= order.quantity < 1_000_000:
            return "INVALID_QUANTITY"
        if time_in_force not in (DAY, IOC, FOK, POST_ONLY):
            return "INVALID_TIME_IN_FORCE"
        if order.price == MARKET_PRICE and time_in_force in (DAY, POST_ONLY):
            return "INVALID_PRICE"
        if order.price != MARKET_PRICE and not (1 <= order.price < MARKET_PRICE and order.price % TICK == 0):
            return "INVALID_PRICE"
        if minimum < 0 or minimum > order.quantity or (minimum and time_in_force in (DAY, POST_ONLY)):
            return "INVALID_MINIMUM_QUANTITY"
        return "ENTRY_DISABLED" if order.owner in self.disabled else ""

    def _next(self) -> tuple[int, int]:
        self._references += 1
        self._arrivals += 1
        return self._references, self._arrivals

    def enter(self, owner: int, user_reference: int, instrument: int, side: int, price: int, quantity: int,
              time_in_force: int = DAY, minimum: int = 0, displayed: int = 1) -> str:  # fmt: skip
        order = Order(owner, user_reference, 0, instrument, side, price, quantity, 0, displayed, 0)
        reason = self._refusal(order, time_in_force, minimum)
        if not reason and self._find(owner, user_reference):
            reason = "DUPLICATE_REFERENCE"
        if reason:
            self._tell("REJECTED", order, quantity, 0, reason=reason)
            return reason
        order.reference, order.arrival = self._next()
        self._tell("ACCEPTED", order, quantity, quantity)
        self._work(order, time_in_force, minimum)
        return ""

    def replace(self, owner: int, existing: int, user_reference: int, price: int, quantity: int,
                time_in_force: int = DAY, minimum: int = 0, displayed: int = 1) -> str:  # fmt: skip
        old = self._find(owner, existing)
        if old is None:
            return "UNKNOWN_ORDER"
        if self._find(owner, user_reference):
            return "DUPLICATE_REFERENCE"
        open_quantity = quantity - old.executed
        new = Order(
            owner, user_reference, 0, old.instrument, old.side, price, open_quantity, old.executed, displayed, 0
        )
        reason = self._refusal(new, time_in_force, minimum)
        self.orders.remove(old)
        if reason:
            self._tell("CANCELED", old, old.quantity, 0, reason="USER")
            return reason
        new.reference, new.arrival = self._next()
        self._tell("REPLACED", new, open_quantity, open_quantity)
        self._work(new, time_in_force, minimum)
        return ""

    def cancel(self, owner: int, user_reference: int, intended: int = 0) -> str:
        order = self._find(owner, user_reference)
        if order is None:
            return "UNKNOWN_ORDER"
        leaves = max(0, intended - order.executed)
        if leaves < order.quantity:
            gone, order.quantity = order.quantity - leaves, leaves
            self._tell("CANCELED", order, gone, leaves, reason="USER")
            if leaves == 0:
                self.orders.remove(order)
        return ""

    def cancel_owned(self, owner: int, instrument: int = 0) -> int:
        mine = [o for o in self.orders if o.owner == owner and (not instrument or o.instrument == instrument)]
        for order in sorted(mine, key=lambda o: o.arrival):
            self.orders.remove(order)
            self._tell("CANCELED", order, order.quantity, 0, reason="USER")
        return len(mine)

    def _opposite(self, order: Order) -> list[Order]:
        """Resting orders that the incoming one reaches, in the order in which they trade."""
        limit = 1 if order.price == MARKET_PRICE and order.side == SELL else order.price
        found = [
            o
            for o in self.orders
            if o.instrument == order.instrument
            and o.side != order.side
            and (o.price <= limit if order.side == BUY else o.price >= limit)
        ]
        direction = 1 if order.side == BUY else -1
        return sorted(found, key=lambda o: (direction * o.price, not o.displayed, o.arrival))

    def _reachable(self, order: Order) -> int:
        total = 0
        for resting in self._opposite(order):
            if order.owner and resting.owner == order.owner and self._self_match != "allow":
                if self._self_match == "cancel_incoming":
                    break
                continue
            total += resting.quantity
        return total

    def _work(self, order: Order, time_in_force: int, minimum: int) -> None:
        if time_in_force == POST_ONLY and self._opposite(order):
            self._tell("CANCELED", order, order.quantity, 0, reason="POST_ONLY")
            return
        least = order.quantity if time_in_force == FOK else minimum
        stopped = False
        if self._reachable(order) >= least:
            for resting in self._opposite(order):
                if order.quantity == 0:
                    break
                if order.owner and resting.owner == order.owner and self._self_match != "allow":
                    if self._self_match == "cancel_incoming":
                        stopped = True
                        break
                    self.orders.remove(resting)
                    self._tell("CANCELED", resting, resting.quantity, 0, reason="SELF_MATCH")
                    continue
                self._trade(order, resting)
        if order.quantity and (stopped or time_in_force not in (DAY, POST_ONLY)):
            reason = "SELF_MATCH" if stopped else "IMMEDIATE_OR_CANCEL"
            self._tell("CANCELED", order, order.quantity, 0, reason=reason)
        elif order.quantity:
            self.orders.append(order)

    def _trade(self, order: Order, resting: Order) -> None:
        quantity = min(order.quantity, resting.quantity)
        self._matches += 1
        for one, liquidity in ((resting, 1), (order, 2)):
            one.quantity -= quantity
            one.executed += quantity
            self._tell("EXECUTED", one, quantity, one.quantity, resting.price, self._matches, liquidity)
        if resting.quantity == 0:
            self.orders.remove(resting)
