"""The price of a cross: most shares, then least imbalance, then nearest to the reference, the lower of two alike.

Orders are (limit price, quantity); prices are in 1/10,000 of the currency and multiples of the tick size, quantities
shares. A market order to buy has the price MARKET_PRICE, one to sell LOWEST_PRICE.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from engine.simulator.layout import MARKET_PRICE

LOWEST_PRICE = 1
Order = tuple[int, int]
NO_SIDE, BUYERS, SELLERS = "N", "B", "S"
FAR_OFF = 30  # percent from which on ITCH does not tell how far


@dataclass(frozen=True)
class Cross:
    """What would trade at `price`; `imbalance` is what buyers want beyond it, negative what sellers do. Price 0: no
    order of one side meets one of the other."""

    price: int
    paired: int
    imbalance: int

    @property
    def direction(self) -> str:
        """The side that is left over, as ITCH's letter."""
        return NO_SIDE if self.imbalance == 0 else BUYERS if self.imbalance > 0 else SELLERS


class Interest:
    """How much would be bought and sold at each price."""

    def __init__(self, buys: Iterable[Order], sells: Iterable[Order]) -> None:
        self._buys, self._sells = sorted(buys), sorted(sells)
        self._buy_prices = [price for price, _ in self._buys]
        self._sell_prices = [price for price, _ in self._sells]
        self._bought = [0, *accumulate(quantity for _, quantity in self._buys)]
        self._sold = [0, *accumulate(quantity for _, quantity in self._sells)]

    def at(self, price: int) -> Cross:
        """Buyers take part up to their limit, sellers down to theirs."""
        wanted = self._bought[-1] - self._bought[bisect_left(self._buy_prices, price)]
        offered = self._sold[bisect_right(self._sell_prices, price)]
        return Cross(price, min(wanted, offered), wanted - offered)

    def limits(self) -> set[int]:
        """The prices at which somebody's limit stands; market orders have none."""
        return {*self._buy_prices, *self._sell_prices} - {MARKET_PRICE, LOWEST_PRICE}


def crossing(buys: Iterable[Order], sells: Iterable[Order], reference: int, tick_size: int) -> Cross:
    """The cross by the rule above, on the grid of ticks.

    Interest changes at limits only, so that a limit, the ticks beside it and those around the reference are all the
    prices that can be the best.
    """
    interest = Interest(buys, sells)
    lower = reference - reference % tick_size
    candidates = {lower, lower if lower == reference else lower + tick_size}
    for limit in interest.limits():
        candidates |= {limit - tick_size, limit, limit + tick_size}
    tried = [interest.at(price) for price in sorted(candidates) if 0 < price < MARKET_PRICE]
    best = min(tried, key=lambda c: (-c.paired, abs(c.imbalance), abs(c.price - reference), c.price), default=None)
    return best if best is not None and best.paired > 0 else Cross(0, 0, interest.at(max(lower, tick_size)).imbalance)


def share_out(quantities: Iterable[int], paired: int) -> list[int]:
    """What each order of a side gets of the paired shares, the first in line first."""
    left, shares = paired, []
    for quantity in quantities:
        shares.append(min(quantity, left))
        left -= shares[-1]
    return shares


def price_variation(near: int, reference: int) -> str:
    """ITCH's letter of how far the near price is from the reference (1.6): L below one percent, 1 to 9, A, B, C."""
    if near == 0 or reference == 0:
        return " "
    percent = abs(near - reference) * 100 // reference
    if percent < 1:
        return "L"
    if percent < 10:
        return str(percent)
    return "C" if percent >= FAR_OFF else "A" if percent < 20 else "B"
