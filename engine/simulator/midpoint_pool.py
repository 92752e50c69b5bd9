"""A dark pool: orders that nobody sees trade at the midpoint of the lit book, and there only.

Beside its clients it holds interest of others, drawn from a seed: hidden, at the midpoint at any price, gone after a
while. Every trade is printed (ITCH Trade, `P`); there are no quotes. Orders of one owner never meet each other.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from engine.messages.codes import Liquidity, Side, TimeInForce
from engine.messages.instruments import Instrument
from engine.simulator.generator import NEVER_NS
from engine.simulator.held_orders import HeldDesk, HeldOrder
from engine.simulator.layout import MARKET_PRICE, BookMemory

LOOK_AGAIN_NS = 50_000_000
LARGEST_INTEREST = 10  # hundreds of shares
Print = Callable[[int, int, int, int, int], None]


@dataclass
class Interest:
    """What somebody else wants at the midpoint."""

    side: int
    quantity: int
    until_ns: int


class MidpointDesk(HeldDesk):
    """The pool, and the source of the others' interest: `rate` of it a second over all instruments, each waiting for
    `interest_ns`. `announce(instrument, price, quantity, match_number, time_ns)` prints a trade."""

    def __init__(
        self,
        memory: BookMemory,
        instruments: list[Instrument],
        reference: BookMemory,
        seed: int,
        rate: float,
        interest_ns: int,
        start_ns: int,
    ) -> None:
        super().__init__(memory, instruments, reference)
        self.announce: Print = lambda *_: None
        self._listed = [row.id for row in instruments]
        self._lots = {row.id: row.lot_size for row in instruments}
        self._random = random.Random(seed)
        self._rate, self._interest_ns = rate, interest_ns
        self._others: dict[int, list[Interest]] = {row.id: [] for row in instruments}
        self._interest_at = start_ns + self._gap() if rate else NEVER_NS
        self._look_at = start_ns + LOOK_AGAIN_NS

    @property
    def next_time_ns(self) -> int:
        """When somebody comes, or when the midpoint is looked at again for the orders that wait."""
        return min(self._interest_at, self._look_at if self.held_orders else NEVER_NS)

    def run_until(self, time_ns: int, _message_limit: int = 1 << 30) -> int:
        """Everything up to `time_ns`."""
        events = 0
        while self.next_time_ns <= time_ns:
            events += 1
            at = self._clock(self.next_time_ns)
            if self._interest_at <= self._look_at or not self.held_orders:
                self._somebody_comes(at)
            else:
                self._look_at = at + LOOK_AGAIN_NS
                for order in self.orders_of():
                    self.work(order, at)
        return events

    def midpoint(self, instrument: int) -> int:
        """Of the lit book; 0 while a side is missing, the book is locked or crossed, or trading is halted."""
        bid, ask = self.touch(instrument)
        return (bid + ask) // 2 if 0 < bid < ask and not self.is_halted(instrument) else 0

    def work(self, order: HeldOrder, time_ns: int) -> None:
        """Trade it with whoever waits, if its limit reaches the midpoint."""
        price = self.midpoint(order.instrument)
        if not price or not _reaches(order, price):
            return
        if order.time_in_force == TimeInForce.FOK and self._available(order, price, time_ns) < order.quantity:
            return
        for other in self._waiting(order.instrument, 3 - order.side, time_ns):
            quantity = min(order.quantity, other.quantity)
            if quantity:
                other.quantity -= quantity
                self._trade(order, None, price, quantity, time_ns)
        for resting in list(self.orders_of(order.instrument)):
            if order.quantity and self._meets(order, resting, price):
                self._trade(order, resting, price, min(order.quantity, resting.quantity), time_ns)

    def _available(self, order: HeldOrder, price: int, time_ns: int) -> int:
        others = sum(other.quantity for other in self._waiting(order.instrument, 3 - order.side, time_ns))
        clients = [o.quantity for o in self.orders_of(order.instrument) if self._meets(order, o, price)]
        return others + sum(clients)

    def _meets(self, order: HeldOrder, resting: HeldOrder, price: int) -> bool:
        return resting.owner != order.owner and resting.side != order.side and _reaches(resting, price)

    def _trade(self, order: HeldOrder, resting: HeldOrder | None, price: int, quantity: int, time_ns: int) -> None:
        match_number = self.fill(order, price, quantity, Liquidity.REMOVED, time_ns)
        if resting is not None:
            self.fill(resting, price, quantity, Liquidity.ADDED, time_ns, match_number)
        self.announce(order.instrument, price, quantity, match_number, time_ns)

    def _waiting(self, instrument: int, side: int, time_ns: int) -> list[Interest]:
        others = [o for o in self._others[instrument] if o.quantity and o.until_ns > time_ns]
        self._others[instrument] = others
        return [other for other in others if other.side == side]

    def _somebody_comes(self, time_ns: int) -> None:
        self._interest_at = time_ns + self._gap()
        instrument = self._random.choice(self._listed)
        side = self._random.choice((Side.BUY, Side.SELL))
        lot = max(1, 100 // self._lots[instrument]) * self._lots[instrument]
        quantity = lot * self._random.randint(1, LARGEST_INTEREST)
        price = self.midpoint(instrument)
        if not price:
            return
        for order in self.orders_of(instrument):
            if quantity and order.side != side and _reaches(order, price):
                traded = min(quantity, order.quantity)
                quantity -= traded
                match_number = self.fill(order, price, traded, Liquidity.ADDED, time_ns)
                self.announce(instrument, price, traded, match_number, time_ns)
        for other in self._waiting(instrument, 3 - side, time_ns):
            traded = min(quantity, other.quantity)
            if traded:
                quantity -= traded
                other.quantity -= traded
                self.announce(instrument, price, traded, self._next("next_match"), time_ns)
        if quantity:
            self._others[instrument].append(Interest(int(side), quantity, time_ns + self._interest_ns))

    def _gap(self) -> int:
        return max(1, round(self._random.expovariate(self._rate) * 1e9))


def _reaches(order: HeldOrder, price: int) -> bool:
    if order.price == MARKET_PRICE:
        return True
    return order.price >= price if order.side == Side.BUY else order.price <= price
