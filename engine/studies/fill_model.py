"""What would have come of an order of ours on the recorded day: one model for every router, and none of them sees it.

An order that takes gets, at the moment it arrives, what the venue is then known to display within its limit; and if the
venue traded more than that at such prices in the moment after, up to that many: shares that others got there were
there for us. What this parent took from a venue before is not there again while the venue shows the same price.
An order that rests waits behind the venue's queue. Trades of the venue at its price or worse go to that queue first; it
is never longer than what the venue then displays, and gone when the best price of the market has become worse.
Trades of other exchanges at a worse price, and a quote of the other side at its price, reach it whatever the queue.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.studies.recorded_venues import BUY, SELL, Array, RecordedVenues

MOMENT_MS = 25  # for how long after an arrival trades show what was there
TRADED, SHORTER = 0, 1  # in this order within a millisecond: the careful one
ANYWHERE = -1
Event = tuple[int, int, int, int, bool]  # time, kind, venue, shares, whether it reaches orders at other venues too


@dataclass(frozen=True)
class Fill:
    """Some shares at a price; a fee per share."""

    time_ms: int
    quantity: int
    price: float
    fee: int
    through: bool = False  # after the market had left our price


class Taken:
    """What one parent took from each venue and the recorded market has not yet given to somebody else: those shares
    are still in the record, but not there for us again."""

    def __init__(self, market: RecordedVenues) -> None:
        self._market = market
        self._taken: dict[int, tuple[int, int, int]] = {}  # by venue: shares, price that it showed, time

    def of(self, venue: int, shown: int, time_ms: int) -> int:
        """Shares of the venue that are ours; none once it shows another price."""
        shares, price, since_ms = self._taken.get(venue, (0, 0, 0))
        if not shares or (shown and shown != price):
            return 0
        prints = self._market.prints[venue]
        return max(0, shares - int(prints.quantity[prints.between(since_ms, time_ms)].sum()))

    def add(self, venue: int, shown: int, time_ms: int, shares: int) -> None:
        """The parent took more."""
        price = shown or self._taken.get(venue, (0, 0, 0))[1]
        self._taken[venue] = (self.of(venue, shown, time_ms) + shares, price, time_ms)


def opposite(side: int) -> int:
    """The side of whom we trade with."""
    return SELL if side == BUY else BUY


def no_worse(side: int, price: int, limit: int) -> bool:
    """Whether a price of the other side is within a limit of ours."""
    return price <= limit if side == BUY else price >= limit


def displayed(market: RecordedVenues, side: int, venue: int, time_ms: int, taken: Taken) -> tuple[int, int]:
    """Price and quantity that an order on `side` finds displayed at the venue; zeros: nothing is known to be."""
    price, quantity, _ = market.standing(opposite(side), venue, time_ms)
    left = quantity - taken.of(venue, price, time_ms)
    return (price, left) if left > 0 else (0, 0)


def take(
    market: RecordedVenues, side: int, venue: int, limit: int, quantity: int, time_ms: int, taken: Taken, fee: int
) -> list[Fill]:
    """An order that arrives at the venue at a time, takes what it can within its limit, and is gone."""
    price, shown = displayed(market, side, venue, time_ms, taken)
    if not price or not no_worse(side, price, limit):
        price, shown = 0, 0
    fills = [Fill(time_ms, min(quantity, shown), price, fee)] if shown else []
    left = quantity - min(quantity, shown)
    prints = market.prints[venue]
    span = prints.between(time_ms, time_ms + MOMENT_MS)
    prices, shares = prints.price[span], prints.quantity[span]
    near = market.best(side, time_ms)[0]
    ours = (prices <= limit) & (prices > near) if side == BUY else (prices >= limit) & (prices < near)
    traded = int(shares[ours].sum()) - shown - taken.of(venue, price, time_ms)
    if left > 0 and traded > 0:
        average = float((prices[ours] * shares[ours]).sum() / shares[ours].sum())
        fills.append(Fill(time_ms, min(left, traded), average, fee))
    taken.add(venue, price, time_ms, sum(fill.quantity for fill in fills))
    return fills


@dataclass
class Resting:
    """An order at rest: where, since when, how many shares are left and how many are ahead of it."""

    venue: int
    quantity: int
    arrives_ms: int
    fee: int
    ahead: int = 0
    left: int = 0


def rest(market: RecordedVenues, side: int, price: int, orders: list[Resting], until_ms: int) -> list[list[Fill]]:
    """Orders of one parent that rest at a price, each at another venue, until a time: the fills of each. Shares that
    trade elsewhere at a worse price reach one of them only, the earliest in the list that has some left."""
    _join(market, side, price, orders)
    return _work(orders, price, _events(market, side, price, orders, until_ms))


def rest_each(
    market: RecordedVenues, side: int, price: int, orders: list[Resting], until_ms: int
) -> list[tuple[int, list[Fill]]]:
    """The same for orders of which each rests alone, as if there were none of the others: the queue that it finds and
    its fills."""
    _join(market, side, price, orders)
    found = [order.ahead for order in orders]
    events = _events(market, side, price, orders, until_ms)
    return [(ahead, _work([order], price, events)[0]) for ahead, order in zip(found, orders, strict=True)]


def _join(market: RecordedVenues, side: int, price: int, orders: list[Resting]) -> None:
    for order in orders:
        best, waiting = market.queue(side, order.venue, order.arrives_ms)
        alone = best < price if side == BUY else best > price
        order.ahead, order.left = 0 if alone else waiting, order.quantity


def _work(orders: list[Resting], price: int, events: list[Event]) -> list[list[Fill]]:
    fills: list[list[Fill]] = [[] for _ in orders]
    gone = False
    for time_ms, kind, venue, shares, through in events:
        reached = shares
        gone = gone or (kind == SHORTER and venue == ANYWHERE)
        for order, made in zip(orders, fills, strict=True):
            if time_ms <= order.arrives_ms:
                continue
            if kind == SHORTER:
                if venue in (order.venue, ANYWHERE):
                    order.ahead = min(order.ahead, shares)
            elif venue == order.venue:
                passed = min(order.ahead, reached)
                order.ahead -= passed
                reached -= (
                    _fill(order, made, Fill(time_ms, reached - passed, price, order.fee, gone or through)) + passed
                )
        if kind != SHORTER and through:
            for order, made in zip(orders, fills, strict=True):
                if time_ms > order.arrives_ms and venue != order.venue:
                    reached -= _fill(order, made, Fill(time_ms, reached, price, order.fee, True))
        if not any(order.left for order in orders):
            break
    return fills


def _fill(order: Resting, made: list[Fill], most: Fill) -> int:
    got = min(most.quantity, order.left)
    if got <= 0:
        return 0
    order.left -= got
    made.append(replace(most, quantity=got))
    return got


def _events(market: RecordedVenues, side: int, price: int, orders: list[Resting], until_ms: int) -> list[Event]:
    """What happens to orders that rest at a price, in order."""
    events: list[Event] = []
    after_ms = min(order.arrives_ms for order in orders)
    near, far = market.lines[side], market.lines[opposite(side)]
    first, last = np.searchsorted(near.time_ms, (after_ms, until_ms), side="right")
    worse = _worse(side, near.price[first:last], price)
    if worse.any():
        events.append((int(near.time_ms[first + int(worse.argmax())]), SHORTER, ANYWHERE, 0, False))
    for venue in {order.venue for order in orders}:
        times = near.venue_ms[venue]
        span = slice(times.searchsorted(after_ms, side="right"), times.searchsorted(until_ms, side="right"))
        own = near.of_venue[venue][span]
        own = own[near.price[own] == price]
        events += [(int(near.time_ms[at]), SHORTER, venue, int(near.quantity[at]), False) for at in own]
    for venue, prints in enumerate(market.prints):
        span = prints.between(after_ms, until_ms)
        prices = prints.price[span]
        through = _worse(side, prices, price)
        for at in np.flatnonzero(through | (prices == price)):
            row = span.start + int(at)
            events.append((int(prints.time_ms[row]), TRADED, venue, int(prints.quantity[row]), bool(through[at])))
    first, last = np.searchsorted(far.time_ms, (after_ms, until_ms), side="right")
    prices = far.price[first:last]
    crossing = np.flatnonzero(_worse(side, prices, price) | (prices == price)) + first
    if len(crossing):
        events.append((int(far.time_ms[crossing[0]]), TRADED, ANYWHERE, int(far.quantity[crossing[0]]), True))
    return sorted(events)


def _worse(side: int, prices: Array, price: int) -> Array:
    """Which prices a resting order of ours at `price` is better than."""
    return prices < price if side == BUY else prices > price
