"""A Binance book from a snapshot and the differences after it, as steps: what each changed, level by level.

The rule is the one of "How to manage a local order book correctly" in the Binance spot API documents: updates that the
snapshot contains are dropped, the first one applied contains the update after the snapshot, each next one begins right
after the last. A hole means that a message is missing: the book is not in step any more until another snapshot comes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from engine.messages.codes import Side
from engine.protocols.binance import DepthUpdate, Level, Quote, Snapshot

LONGEST_WAIT = 10_000  # differences kept for a snapshot that does not come; the oldest go first

Change = tuple[Side, int, int]  # side, price and new quantity (0: the level is gone), in 1/100,000,000


@dataclass(frozen=True, slots=True)
class Step:
    """The book after update `last`. `changes` come in an order in which sides do not cross on the way: what leaves or
    shrinks first. `time_ns` is 0 for a snapshot, which has no time."""

    last: int
    time_ns: int
    changes: tuple[Change, ...]
    from_snapshot: bool = False


class DepthBook:
    """The levels of one instrument. `in_step` is False before the first snapshot and after a hole."""

    def __init__(self) -> None:
        self.in_step = False
        self.last = 0
        self.gaps = 0
        self.stale = 0
        self.sides: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
        self._waiting: deque[DepthUpdate] = deque(maxlen=LONGEST_WAIT)

    def lose(self) -> None:
        """Differences may be missing from here on, as when the connection broke: wait for another snapshot."""
        self.in_step = False
        self._waiting.clear()

    def update(self, update: DepthUpdate) -> list[Step]:
        """One difference: a step when it is the next one; none when it waits, is old, or shows a hole (then `in_step`
        is False and `gaps` has grown)."""
        if not self.in_step:
            self._waiting.append(update)
            return []
        if update.last <= self.last:
            self.stale += 1
            return []
        if update.first > self.last + 1:
            self.gaps += 1
            self.in_step = False
            self._waiting.append(update)
            return []
        self.last = update.last
        return [Step(update.last, update.time_ns, self._apply(update.bids, update.asks))]

    def snapshot(self, snapshot: Snapshot) -> list[Step]:
        """Another start: the step from the levels before to those of the snapshot, then those of what waited for it.

        No step when the snapshot is older than what waits and does not meet it: then ask for a newer one. A snapshot
        that is not newer than a book in step changes nothing.
        """
        if self.in_step and snapshot.last <= self.last:
            return []
        newer = [update for update in self._waiting if update.last > snapshot.last]
        if not self.in_step and newer and newer[0].first > snapshot.last + 1:
            return []
        self._waiting.clear()
        steps = [Step(snapshot.last, 0, self._replace(snapshot), from_snapshot=True)]
        self.in_step, self.last = True, snapshot.last
        for update in newer:
            steps += self.update(update)
        return steps

    def best(self, side: Side) -> Level | None:
        """Best price and its quantity."""
        levels = self.sides[side]
        if not levels:
            return None
        price = max(levels) if side == Side.BUY else min(levels)
        return price, levels[price]

    def _replace(self, snapshot: Snapshot) -> tuple[Change, ...]:
        wanted = {Side.BUY: dict(snapshot.bids), Side.SELL: dict(snapshot.asks)}
        gone = {
            side: tuple((price, 0) for price in levels if price not in wanted[side])
            for side, levels in self.sides.items()
        }
        return self._apply(gone[Side.BUY] + snapshot.bids, gone[Side.SELL] + snapshot.asks)

    def _apply(self, bids: tuple[Level, ...], asks: tuple[Level, ...]) -> tuple[Change, ...]:
        less: list[Change] = []
        more: list[Change] = []
        for side, rows in ((Side.BUY, bids), (Side.SELL, asks)):
            levels = self.sides[side]
            for price, quantity in rows:
                before = levels.get(price, 0)
                if quantity == before:
                    continue
                if quantity:
                    levels[price] = quantity
                else:
                    del levels[price]
                (less if quantity < before else more).append((side, price, quantity))
        return tuple(less + more)


class QuoteCheck:
    """Compares books after an update with the last best bid and offer whose update is not greater.

    The two come by different streams: a book is compared once a later quote shows that no other one precedes it.
    """

    def __init__(self) -> None:
        self.agreeing = self.disagreeing = 0
        self._quotes: deque[Quote] = deque(maxlen=LONGEST_WAIT)
        self._books: deque[tuple[int, Level | None, Level | None]] = deque(maxlen=LONGEST_WAIT)

    def book(self, last: int, bid: Level | None, ask: Level | None) -> None:
        """The best levels after update `last`."""
        self._books.append((last, bid, ask))
        self._compare()

    def quote(self, quote: Quote) -> None:
        """The next quote of the stream."""
        self._quotes.append(quote)
        self._compare()

    def finish(self) -> None:
        """No quote follows: compare what waits."""
        self._compare(more_to_come=False)

    def _compare(self, more_to_come: bool = True) -> None:
        while self._books and not (more_to_come and (not self._quotes or self._quotes[-1].last <= self._books[0][0])):
            last, bid, ask = self._books.popleft()
            while len(self._quotes) > 1 and self._quotes[1].last <= last:
                self._quotes.popleft()
            if not self._quotes or self._quotes[0].last > last:
                continue
            quote = self._quotes[0]
            same = bid == (quote.bid, quote.bid_quantity) and ask == (quote.ask, quote.ask_quantity)
            self.agreeing += same
            self.disagreeing += not same
