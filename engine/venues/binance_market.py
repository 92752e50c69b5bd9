"""Binance market data towards the loop: events of the streams and snapshots in, ITCH messages out (`level_feed`).

Nothing here waits or connects. Who calls fetches a snapshot for each instrument in `wanted`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine.messages.codes import Side
from engine.messages.instruments import Instrument
from engine.protocols.binance import DepthUpdate, Event, Level, Quote, Scale, Snapshot, Trade
from engine.protocols.binance_depth import DepthBook, QuoteCheck, Step
from engine.protocols.itch50_levels import LevelMessages
from engine.protocols.layouts import MalformedMessage
from engine.venues.level_feed import LevelFeed

DAY_NS = 86_400_000_000_000
DOUBT_EVERY_NS = 60_000_000_000  # quotes that disagree ask for another snapshot no more often
PRICE_DECIMALS = 4


class InstrumentFeed:
    """One instrument: its levels as the venue says them, and what was published of them."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.scale = Scale(PRICE_DECIMALS, instrument.quantity_decimals)
        self.depth = DepthBook()
        self.messages = LevelMessages(instrument.id, instrument.name)
        self.quotes = QuoteCheck()
        self.last_trade = 0
        self.doubted_ns = 0

    def best(self, side: Side) -> Level | None:
        """Best price and quantity, in the venue's units."""
        return self.depth.best(side)


class MarketFeed:
    """All instruments of one venue, behind one feed."""

    def __init__(
        self, instruments: Iterable[Instrument], feed: LevelFeed, now_ns: Callable[[], int], say: Callable[[str], None]
    ) -> None:
        self.feed, self._now_ns, self._say = feed, now_ns, say
        self.instruments = {row.name: InstrumentFeed(row) for row in instruments}
        self.wanted: set[str] = set(self.instruments)
        self.malformed = 0
        self._midnight_ns = 0
        self._published = True

    @property
    def day_is_over(self) -> bool:
        """Midnight UTC has passed since the feed session began: stamps count from midnight, so another one is due."""
        return self._now_ns() - self._midnight_ns >= DAY_NS

    @property
    def in_step(self) -> bool:
        """Whether every book is what the venue says."""
        return all(row.depth.in_step for row in self.instruments.values())

    def begin(self, session: str) -> None:
        """A feed session begins, with everything that is known."""
        now_ns = self._now_ns()
        self._midnight_ns = now_ns - now_ns % DAY_NS
        self.feed.begin(session)
        time_ns = self._since_midnight(now_ns)
        messages: list[bytes] = []
        for row in self.instruments.values():
            messages += row.messages.directory(time_ns, row.instrument.lot_size)
            messages += row.messages.everything(time_ns)
        self._published = True
        self.feed.in_step = False
        self.feed.send(messages)
        if self.in_step:
            self._recover([])

    def end(self) -> None:
        """The feed session is over; from here on nothing is published until the next one."""
        self.feed.in_step = False
        self.feed.heartbeat()
        self.feed.end()
        self._published = False

    def lose(self, sentence: str) -> None:
        """The stream broke: whatever comes next, something may be missing before it."""
        self._say(sentence)
        for row in self.instruments.values():
            row.depth.lose()
        self.wanted = set(self.instruments)
        self._out_of_step()

    def take(self, event: Event) -> None:
        """One event of a stream. MalformedMessage when it does not fit its instrument."""
        if isinstance(event, Snapshot):
            raise MalformedMessage("a snapshot does not come by a stream")
        row = self.instruments.get(event.instrument)
        if row is None:
            return
        if isinstance(event, DepthUpdate):
            self._update(row, event)
        elif isinstance(event, Trade):
            self._trade(row, event)
        elif isinstance(event, Quote):
            row.quotes.quote(event)
            self._compare(row, event)

    def snapshot(self, name: str, snapshot: Snapshot) -> bool:
        """A snapshot that was asked for; False when it is too old, or does not do: ask again."""
        row = self.instruments[name]
        steps = row.depth.snapshot(snapshot)
        messages = self._messages(row, steps)
        if not row.depth.in_step:
            self._publish(messages)
            return False
        self.wanted.discard(name)
        if self.in_step and not self.feed.in_step and self._published:
            self._recover(messages)
            self._say(f"{name}: the book is in step, as of update {row.depth.last}")
        else:
            self._publish(messages)
        return True

    def _update(self, row: InstrumentFeed, event: DepthUpdate) -> None:
        gaps = row.depth.gaps
        self._publish(self._messages(row, row.depth.update(event)))
        if row.depth.gaps != gaps:
            self._say(f"{event.instrument}: updates before {event.first} are missing; asking for a snapshot")
            self.wanted.add(event.instrument)
            self._out_of_step()
        elif row.depth.in_step:
            row.quotes.book(row.depth.last, row.best(Side.BUY), row.best(Side.SELL))

    def _compare(self, row: InstrumentFeed, event: Quote) -> None:
        if not row.quotes.disagreeing:
            return
        row.quotes = QuoteCheck()
        now_ns = self._now_ns()
        if row.depth.in_step and now_ns - row.doubted_ns >= DOUBT_EVERY_NS:
            row.doubted_ns = now_ns
            self._say(f"{event.instrument}: the book disagrees with the venue's best prices at update {event.last}")
            row.depth.lose()
            self.wanted.add(event.instrument)
            self._out_of_step()

    def _trade(self, row: InstrumentFeed, event: Trade) -> None:
        if event.number <= row.last_trade:
            return
        row.last_trade = event.number
        resting = Side.BUY if event.buyer_is_maker else Side.SELL
        price, quantity = row.scale.price(event.price), row.scale.quantity(event.quantity)
        time_ns = self._since_midnight(event.time_ns)
        self._publish(row.messages.trade(resting, price, quantity, event.number, time_ns))

    def _messages(self, row: InstrumentFeed, steps: list[Step]) -> list[bytes]:
        messages: list[bytes] = []
        for step in steps:
            time_ns = self._since_midnight(step.time_ns) if step.time_ns else 0
            for side, price, quantity in step.changes:
                units = row.scale.quantity(quantity)
                messages += row.messages.change(side, row.scale.price(price), units, time_ns)
        return messages

    def _recover(self, messages: list[bytes]) -> None:
        # With at least one message: what was claimed has to come.
        time_ns = self._since_midnight(self._now_ns())
        for row in self.instruments.values():
            messages = messages + row.messages.directory(time_ns, row.instrument.lot_size)[1:]
        self.feed.recover(messages)

    def _publish(self, messages: list[bytes]) -> None:
        if self._published:
            self.feed.send(messages)

    def _out_of_step(self) -> None:
        self.feed.in_step = False
        if self._published:
            self.feed.heartbeat()

    def _since_midnight(self, time_ns: int) -> int:
        return max(time_ns - self._midnight_ns, 0)
