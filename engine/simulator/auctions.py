"""The crosses of a lit venue: imbalances announced before, all that can trade filled at one price, the rest canceled.

Orders of the continuous book take part at their limits. A displayed one is told to the market as executed with a price
(C, not printable), because the cross itself is printed once (Q).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from engine.messages.codes import Liquidity, ReportKind, Side
from engine.simulator.announcements import Announcements
from engine.simulator.cross_orders import AT_CLOSE, AT_OPEN, CrossOrder
from engine.simulator.crossing import LOWEST_PRICE, Cross, Interest, crossing, price_variation, share_out
from engine.simulator.layout import TAKE, CancelReason
from engine.simulator.orders import OrderDesk

LETTERS: dict[int, str] = {AT_OPEN: "O", AT_CLOSE: "C"}
NAMES: dict[int, str] = {AT_OPEN: "opening", AT_CLOSE: "closing"}
WORDS = {"open": AT_OPEN, "close": AT_CLOSE}
BUY, SELL = int(Side.BUY), int(Side.SELL)
NOT_PRINTABLE = "N"
Share = tuple[CrossOrder, int]


class CrossOver(ValueError):
    """That cross was held already; the text says which."""


class Auctions:
    """Of one venue. `cross` is the time in force whose orders it is for."""

    def __init__(self, desk: OrderDesk, announcements: Announcements, opening_prices: dict[int, int]) -> None:
        self._desk, self._announcements = desk, announcements
        self._orders = desk.crosses
        self._opening_prices = opening_prices

    def skip(self, instruments: list[int], cross: int) -> None:
        """There is no such cross today: its orders are late from the start."""
        self._orders.over.update((instrument, cross) for instrument in instruments)

    def check(self, instrument: int, cross: int) -> None:
        """CrossOver when it was held already."""
        if self._orders.late(instrument, cross):
            raise CrossOver(f"the {NAMES[cross]} cross of {self._desk.instrument_name(instrument)} is over")

    def indicate(self, instrument: int, cross: int, time_ns: int) -> None:
        """Net Order Imbalance Indicator (I) of a cross that is to come.

        Paired and imbalance are of the cross's own orders at the reference price, the far price is theirs alone, the
        near price has the continuous book with it.
        """
        self.check(instrument, cross)
        reference, tick = self.reference(instrument), self._tick(instrument)
        own = [order for order in self._orders.waiting.values() if self._meant(order, instrument, cross)]
        at_reference = Interest(*_sides(own)).at(reference)
        far = crossing(*_sides(own), reference, tick)
        near = crossing(*_sides(own + self._resting(instrument, cross)), reference, tick)
        told: dict[str, Any] = {"paired_quantity": at_reference.paired}
        told |= {"imbalance_quantity": abs(at_reference.imbalance), "imbalance_direction": at_reference.direction}
        told |= {"far_price": far.price, "near_price": near.price, "reference_price": reference}
        told |= {"cross_type": LETTERS[cross], "price_variation": price_variation(near.price, reference)}
        self._publish("net_order_imbalance", instrument, time_ns, **told)

    def hold(self, instrument: int, cross: int, time_ns: int) -> Cross:
        """The cross itself. CrossOver when it was held already."""
        self.check(instrument, cross)
        own = [order for order in self._orders.waiting.values() if self._meant(order, instrument, cross)]
        orders = own + self._resting(instrument, cross) if own else []
        found = crossing(*_sides(orders), self.reference(instrument), self._tick(instrument))
        if found.paired:
            self._trade(orders, found, cross, time_ns)
        told: dict[str, Any] = {"price": found.price, "quantity": found.paired, "cross_type": LETTERS[cross]}
        self._publish("cross_trade", instrument, time_ns, **told, match_number=self._orders.next_number("next_match"))
        for order in own:
            if order.quantity:
                self._orders.withdraw(order, CancelReason.CROSS, time_ns)
        self._orders.over.add((instrument, cross))
        return found

    def end(self, instruments: list[int], time_ns: int) -> None:
        """The session ends: closing crosses that orders wait for are held; who waits for an opening leaves."""
        for instrument in instruments:
            if any(self._meant(order, instrument, AT_CLOSE) for order in self._orders.waiting.values()):
                self.hold(instrument, AT_CLOSE, time_ns)
        for order in list(self._orders.waiting.values()):
            self._orders.withdraw(order, CancelReason.CROSS, time_ns)

    def reference(self, instrument: int) -> int:
        """The middle of the book; without two sides its last price, or the price at which it was listed."""
        entry, levels = self._desk.memory.instruments[instrument], self._desk.memory.levels
        if entry["best_bid"] and entry["best_ask"]:
            return (int(levels[entry["best_bid"]]["price"]) + int(levels[entry["best_ask"]]["price"])) // 2
        return int(entry["last_price"]) or self._opening_prices.get(instrument, 0)

    @staticmethod
    def _meant(order: CrossOrder, instrument: int, cross: int) -> bool:
        return order.instrument == instrument and order.time_in_force == cross

    def _tick(self, instrument: int) -> int:
        return int(self._desk.memory.instruments[instrument]["tick_size"])

    def _publish(self, name: str, instrument: int, time_ns: int, **values: Any) -> None:
        told = {"instrument": self._desk.instrument_name(instrument)} | values
        self._announcements.publish(name, time_ns, instrument, **told)

    def _resting(self, instrument: int, cross: int) -> list[CrossOrder]:
        """The continuous book as orders for the cross."""
        memory, found = self._desk.memory, []
        for side in ("best_bid", "best_ask"):
            place = int(memory.instruments[instrument][side])
            while place:
                level = memory.levels[place]
                for hidden, queue in enumerate(("first", "hidden_first")):
                    index = int(level[queue])
                    while index:
                        found.append(_as_cross_order(memory.orders[index], cross, hidden))
                        index = int(memory.orders[index]["later"])
                place = int(level["worse"])
        return found

    def _trade(self, orders: list[CrossOrder], found: Cross, cross: int, time_ns: int) -> None:
        """Fill both sides, first in line with first in line, each pair under a match number of its own."""
        buyers, sellers = (_line(orders, side, found) for side in (BUY, SELL))
        for buyer, seller, quantity in pair_up(buyers, sellers):
            match_number = self._orders.next_number("next_match")
            self._fill(buyer, found.price, quantity, match_number, time_ns)
            self._fill(seller, found.price, quantity, match_number, time_ns)
        row = self._desk.memory.instruments[orders[0].instrument]
        row["last_price"] = found.price
        row["traded_quantity"] += found.paired
        self._desk.memory.book[0]["trade_count"] += 1

    def _fill(self, order: CrossOrder, price: int, quantity: int, match: int, time_ns: int) -> None:
        waits = (order.owner, order.user_reference) in self._orders.waiting
        order.quantity -= quantity
        order.executed += quantity
        if not waits:
            request = {"owner": order.owner, "user_reference": order.user_reference, "quantity": quantity}
            self._desk.request(action=TAKE, time_ns=time_ns, **request)
            if not order.hidden:
                told: dict[str, Any] = {"reference": order.reference, "quantity": quantity, "match_number": match}
                told |= {"printable": NOT_PRINTABLE, "price": price}
                self._announcements.publish("order_executed_with_price", time_ns, order.instrument, **told)
        elif order.quantity == 0:
            del self._orders.waiting[order.owner, order.user_reference]
        numbers = {"quantity": quantity, "match_number": match, "liquidity": int(Liquidity.NONE)}
        self._orders.tell(ReportKind.EXECUTED, order, time_ns, price=price, **numbers)


def pair_up(buyers: list[Share], sellers: list[Share]) -> Iterator[tuple[CrossOrder, CrossOrder, int]]:
    """Who trades how much with whom: the shares of both sides, equal in total, laid beside each other."""
    bought = sold = 0
    waiting = iter(sellers)
    seller, offered = next(waiting)
    for buyer, wanted in buyers:
        bought += wanted
        while sold < bought:
            quantity = min(offered, bought - sold)
            yield buyer, seller, quantity
            sold += quantity
            offered -= quantity
            if offered == 0:
                seller, offered = next(waiting, (seller, 0))


def _line(orders: list[CrossOrder], side: int, found: Cross) -> list[Share]:
    """The orders of a side that get something, the first in line first, with what they get."""
    line = sorted((o for o in orders if o.side == side and _limit_reaches(o, found.price)), key=_place_in_line)
    shares = share_out([order.quantity for order in line], found.paired)
    return [(order, share) for order, share in zip(line, shares, strict=True) if share]


def _as_cross_order(row: Any, cross: int, hidden: int) -> CrossOrder:
    names = ("owner", "user_reference", "reference", "instrument", "side", "price", "quantity", "executed")
    return CrossOrder(**{name: int(row[name]) for name in names}, time_in_force=cross, hidden=hidden)


def _limit(order: CrossOrder) -> int:
    return LOWEST_PRICE if order.is_market and order.side == SELL else order.price


def _limit_reaches(order: CrossOrder, price: int) -> bool:
    return _limit(order) >= price if order.side == BUY else _limit(order) <= price


def _sides(orders: list[CrossOrder]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    pairs: Callable[[int], list[tuple[int, int]]] = lambda side: [  # noqa: E731
        (_limit(order), order.quantity) for order in orders if order.side == side
    ]
    return pairs(BUY), pairs(SELL)


def _place_in_line(order: CrossOrder) -> tuple[int, int, int]:
    """Better limits first; of one price what is displayed or waits for the cross before what is hidden; then time."""
    return (-_limit(order) if order.side == BUY else _limit(order), order.hidden, order.reference)
