"""What several venues displayed and traded on a recorded day, at any moment of it.

The quote file names, for each side, one venue at a time: the one that displays most at the best price. So the line of
a venue stands until it says something else, or until a line of any venue proves that it is gone: a worse best price, or
fewer shares at the same price than it had. Recorded trades at its price take from it. What a venue displays
while another one is named is not in the file: it counts as nothing for who takes, and as a queue for who rests there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.history.lean_day import LeanDay
from engine.messages.codes import Side

BUY, SELL = int(Side.BUY), int(Side.SELL)
OPEN_MS, NOON_MS, CLOSE_MS = 34_200_000, 43_200_000, 57_600_000
OFF_EXCHANGE = frozenset({"D"})  # prints of the trade reporting facilities: nobody can send an order there
FOREVER = np.iinfo(np.int64).max
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Lines:
    """One side's lines: the best price of the market at any time is the last one's."""

    time_ms: Array
    price: Array
    quantity: Array
    venue: Array  # index of the venue
    end_ms: Array  # when it is proved gone
    of_venue: list[Array]  # positions of each venue's lines, and their times
    venue_ms: list[Array]


@dataclass(frozen=True)
class Prints:
    """Trades of one venue (or of all)."""

    time_ms: Array
    price: Array
    quantity: Array

    def between(self, after_ms: int, until_ms: int) -> slice:
        """Positions of the trades later than `after_ms` and not later than `until_ms`."""
        first = self.time_ms.searchsorted(after_ms, side="right")
        return slice(int(first), int(self.time_ms.searchsorted(until_ms, side="right")))


class RecordedVenues:
    """The venues of one instrument, by the letters of the quote file, in the order of the alphabet."""

    def __init__(self, day: LeanDay) -> None:
        """ValueError when the day has no quotes of both sides before and after noon."""
        self.instrument = day.instrument
        quotes = day.quotes[(day.quotes["time_ms"] >= OPEN_MS) & (day.quotes["time_ms"] < CLOSE_MS)]
        trades = day.trades[(day.trades["time_ms"] >= OPEN_MS) & (day.trades["time_ms"] < CLOSE_MS)]
        self.letters = sorted(set(np.unique(quotes["venue"]).tolist()) - OFF_EXCHANGE)
        on_exchange = trades[~np.isin(trades["venue"], list(OFF_EXCHANGE))]
        self.lines = {BUY: self._side(quotes, "bid", 1), SELL: self._side(quotes, "ask", -1)}
        for side in (BUY, SELL):
            times = self.lines[side].time_ms
            if not len(times) or times[0] >= NOON_MS or times[-1] < NOON_MS:
                raise ValueError(f"{self.instrument} has no quotes of both sides in the morning and in the afternoon")
        self.everywhere = _prints(on_exchange)
        self.prints = [_prints(on_exchange[on_exchange["venue"] == letter]) for letter in self.letters]
        self.typical = [self._typical(at) for at in range(len(self.letters))]

    def _side(self, quotes: Array, name: str, sign: int) -> Lines:
        rows = quotes[(quotes[name] > 0) & np.isin(quotes["venue"], self.letters)]
        venue = np.searchsorted(self.letters, rows["venue"])
        quantity = rows[f"{name}_quantity"]
        time_ms, price = rows["time_ms"].copy(), rows[name].copy()
        own = [np.flatnonzero(venue == at) for at in range(len(self.letters))]
        end_ms = _proved_gone(time_ms, sign * price, quantity)
        for positions in own:
            end_ms[positions[:-1]] = np.minimum(end_ms[positions[:-1]], time_ms[positions[1:]])
        return Lines(time_ms, price, quantity.copy(), venue, end_ms, own, [time_ms[at] for at in own])

    def _typical(self, venue: int) -> int:
        """What the venue displays when it is named, in the morning: more than at other times, so a careful queue."""
        shown = [
            lines.quantity[lines.of_venue[venue]][lines.time_ms[lines.of_venue[venue]] < NOON_MS]
            for lines in self.lines.values()
        ]
        together = np.concatenate(shown)
        return int(np.median(together)) if len(together) else 0

    def best(self, side: int, time_ms: int) -> tuple[int, int, int]:
        """Price, quantity and venue of the side's best line at a time; price 0 before the first."""
        lines = self.lines[side]
        at = int(lines.time_ms.searchsorted(time_ms, side="right")) - 1
        if at < 0:
            return 0, 0, 0
        return int(lines.price[at]), int(lines.quantity[at]), int(lines.venue[at])

    def middle(self, time_ms: int) -> float:
        """Between the best prices of the market."""
        return (self.best(BUY, time_ms)[0] + self.best(SELL, time_ms)[0]) / 2

    def standing(self, side: int, venue: int, time_ms: int) -> tuple[int, int, int]:
        """Price and quantity of what the venue is known to display on the side, and since when; zeros: nothing."""
        lines = self.lines[side]
        own = lines.of_venue[venue]
        at = int(lines.venue_ms[venue].searchsorted(time_ms, side="right")) - 1
        if at < 0 or lines.end_ms[own[at]] <= time_ms:
            return 0, 0, 0
        line = own[at]
        price, since_ms = int(lines.price[line]), int(lines.time_ms[line])
        prints = self.prints[venue]
        span = prints.between(since_ms, time_ms)
        gone = int(prints.quantity[span][prints.price[span] == price].sum())
        left = int(lines.quantity[line]) - gone
        return (price, left, since_ms) if left > 0 else (0, 0, 0)

    def queue(self, side: int, venue: int, time_ms: int) -> tuple[int, int]:
        """Price and quantity of the queue that an order finds which comes to rest at the venue at the best price: what
        stands, else what the venue typically displays when named, but not more than the named venue does now (and as
        much as that one when the venue is never named in the morning)."""
        price, quantity, _ = self.standing(side, venue, time_ms)
        best, most, _ = self.best(side, time_ms)
        if price == best:
            return price, quantity
        return best, min(most, self.typical[venue] or most)


def _prints(trades: Array) -> Prints:
    return Prints(trades["time_ms"].copy(), trades["price"].copy(), trades["quantity"].copy())


def _proved_gone(time_ms: Array, rank: Array, quantity: Array) -> Array:
    """For each line the time of the next one that is worse: a lower rank, or the same with fewer shares."""
    end = np.full(len(time_ms), FOREVER)
    waiting: list[tuple[int, int, int]] = []
    keys = zip(rank.tolist(), quantity.tolist(), strict=True)
    times = time_ms.tolist()
    for at, (level, shares) in enumerate(keys):
        while waiting and (level, shares) < waiting[-1][:2]:
            end[waiting.pop()[2]] = times[at]
        waiting.append((level, shares, at))
    return end
