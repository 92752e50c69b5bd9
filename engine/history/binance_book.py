"""The book of a recorded Binance session: levels become ITCH messages, which the engine's own book applies, as live."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.hotpath.book_layout import BookMemory
from engine.hotpath.itch_blocks import WALK, walk_blocks
from engine.hotpath.itch_book import MALFORMED_OUTCOMES
from engine.native import address_of, touched
from engine.protocols.binance import DECIMALS, DepthUpdate, Event, Level, Quote, Scale, Snapshot
from engine.protocols.binance_depth import DepthBook, QuoteCheck, Step
from engine.protocols.itch50_levels import LevelMessages

VENUE = LOCATE = 1
MOST_ORDERS = 1 << 18
DAY_NS = 86_400_000_000_000


class BinanceBook:
    """The book of one instrument, listing 0 of its memory. Its units are those of `scale`."""

    def __init__(self, instrument: str, scale: Scale) -> None:
        self.memory = BookMemory([1], MOST_ORDERS, venues=VENUE, queues=False)
        self.memory.map_locate(VENUE, LOCATE, 0)
        self.depth = DepthBook()
        self.quotes = QuoteCheck()
        self.snapshots = 0
        self._scale = scale
        self._messages = LevelMessages(LOCATE, instrument)
        self._walk = touched(1, WALK)
        self._walk[0]["venue"], self._walk[0]["stop_locate"] = VENUE, -1

    def apply(self, event: Event) -> Iterator[Step]:
        """Apply one event of the instrument. Yields each difference when the book stands after it.

        MalformedMessage or ValueError when a level fits neither the scale nor the book.
        """
        if isinstance(event, Quote):
            self.quotes.quote(event)
        elif isinstance(event, DepthUpdate):
            yield from self._steps(self.depth.update(event))
        elif isinstance(event, Snapshot):
            steps = self.depth.snapshot(event)
            self.snapshots += bool(steps)
            yield from self._steps(steps)

    def compare(self, last: int) -> None:
        """Compare the engine's top, as it stands after update `last`, with the venue's quotes."""
        bid, bid_quantity, ask, ask_quantity = self.memory.tops[0].tolist()
        self.quotes.book(last, self._level(bid, bid_quantity), self._level(ask, ask_quantity))

    def _level(self, price: int, quantity: int) -> Level | None:
        if not quantity:
            return None
        scale = self._scale
        return price * 10 ** (DECIMALS - scale.price_decimals), quantity * 10 ** (DECIMALS - scale.quantity_decimals)

    def refused(self) -> int:
        """Messages that the book did not take: none, as long as it has room."""
        wrong = MALFORMED_OUTCOMES | {"full", "unknown_order", "not_followed"}
        return sum(
            count
            for outcomes in self.memory.counts_by_type().values()
            for outcome, count in outcomes.items()
            if outcome in wrong
        )

    def _steps(self, steps: list[Step]) -> Iterator[Step]:
        for step in steps:
            self._publish(step)
            if not step.from_snapshot:
                yield step

    def _publish(self, step: Step) -> None:
        scale, time_ns = self._scale, step.time_ns % DAY_NS
        messages: list[bytes] = []
        for side, price, quantity in step.changes:
            messages += self._messages.change(side, scale.price(price), scale.quantity(quantity), time_ns)
        data = np.frombuffer(b"".join(len(raw).to_bytes(2, "big") + raw for raw in messages) or b"\0", np.uint8)
        self._walk[0]["address"] = start = address_of(data)
        walk_blocks(self.memory.address, address_of(self._walk), start + (len(data) if messages else 0))
