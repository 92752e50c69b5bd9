"""A broker: orders rest with a person who fills, partly fills or refuses them; or, with a delay, by themselves."""

from __future__ import annotations

from typing import Any

from engine.messages.codes import Liquidity, Side
from engine.messages.instruments import Instrument
from engine.messages.prices import to_decimal
from engine.simulator.generator import NEVER_NS
from engine.simulator.held_orders import HeldDesk, HeldOrder
from engine.simulator.layout import MARKET_PRICE, BookMemory, CancelReason

AGAIN_NS = 50_000_000  # an order that could not be filled is looked at again after this, at the earliest


class NotHeld(ValueError):
    """The broker does not hold such an order, or cannot do that with it; the text says which."""


class BrokerDesk(HeldDesk):
    """`delay_ns` 0: everything waits for a person. Otherwise an order is worked after the delay: half of it at the lit
    book's price, then the rest, as far as its limit allows."""

    def __init__(self, memory: BookMemory, instruments: list[Instrument], reference: BookMemory, delay_ns: int) -> None:
        super().__init__(memory, instruments, reference)
        self._lots = {row.id: row.lot_size for row in instruments}
        self.delay_ns = delay_ns
        self.automatic = delay_ns > 0

    def work(self, order: HeldOrder, time_ns: int) -> None:
        """It waits."""
        order.due_ns = time_ns + self.delay_ns

    @property
    def next_time_ns(self) -> int:
        """When the next order is worked."""
        if not self.automatic or not self.held_orders:
            return NEVER_NS
        return min(order.due_ns for order in self.held_orders.values())

    def run_until(self, time_ns: int, _message_limit: int = 1 << 30) -> int:
        """Work what is due."""
        due = [order for order in self.orders_of() if self.automatic and order.due_ns <= time_ns]
        for order in due:
            at = self._clock(order.due_ns)
            order.due_ns = at + max(self.delay_ns, AGAIN_NS)
            self._work_by_itself(order, at)
        return len(due)

    def _work_by_itself(self, order: HeldOrder, time_ns: int) -> None:
        bid, ask = self.touch(order.instrument)
        price = ask if order.side == Side.BUY else bid
        if not price or self.is_halted(order.instrument) or not _allows(order, price):
            return
        lot = self._lots[order.instrument]
        quantity = order.quantity if order.executed else max(lot, order.quantity // 2 // lot * lot)
        quantity = min(quantity, order.quantity)  # less than a lot is left of one that was reduced
        self.fill(order, price, quantity, Liquidity.REMOVED, time_ns)

    def find(self, owner: int, number: int) -> HeldOrder:
        """An order that is held. NotHeld when there is none."""
        order = self.held_orders.get((owner, number))
        if order is None:
            raise NotHeld(f"no order {number} is held")
        return order

    def fill_by_hand(self, owner: int, number: int, quantity: int, price: int, time_ns: int) -> None:
        """A person fills some of an order. NotHeld when that goes beyond it."""
        order = self.find(owner, number)
        if not 0 < quantity <= order.quantity:
            raise NotHeld(f"order {number} has {order.quantity} open, not {quantity}")
        if not _allows(order, price):
            raise NotHeld(f"order {number} is limited to {to_decimal(order.price)}")
        self.fill(order, price, quantity, Liquidity.REMOVED, time_ns)

    def refuse_by_hand(self, owner: int, number: int, time_ns: int) -> None:
        """A person does not go on with an order."""
        self.withdraw(self.find(owner, number), CancelReason.SUPERVISORY, time_ns)

    def described(self, users: dict[int, str]) -> list[dict[str, Any]]:
        """The orders that are held, as JSON; prices as decimals."""
        return [
            {
                "user": users.get(order.owner, ""),
                "number": order.user_reference,
                "instrument": self.instrument_name(order.instrument),
                "side": Side(order.side).name.lower(),
                "price": str(to_decimal(order.price)),
                "open": order.quantity,
                "executed": order.executed,
            }
            for order in self.orders_of()
        ]


def _allows(order: HeldOrder, price: int) -> bool:
    if price <= 0:
        return False
    if order.price == MARKET_PRICE:
        return True
    return price <= order.price if order.side == Side.BUY else price >= order.price
