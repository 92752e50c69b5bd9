"""Sessions of an engine in memory, saved as a backtest leaves them: the input of a cost report."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from engine.hotpath.entries import cancel, complete_report, replace, take_report
from engine.messages.codes import Liquidity, ReportKind
from engine.messages.journal import ORDER_REPORT
from engine.native import address_of, touched
from engine.protocols import itch50
from tests.engine.loop_builder import BUY, INSTRUMENTS, VENUE, Loop

DAY_NS = 86_400_000_000_000
FEE = 30
K = ReportKind


class Session:
    """A loop with two venues; everything happens at its clock."""

    def __init__(self) -> None:
        self.loop = Loop()
        started = {"instruments": [asdict(row) for row in INSTRUMENTS], "venue_count": 2, "build_hash": "0", "epoch": 1}
        self.loop.journal.append_started(started)
        wide = {"position": 10**6, "orders_per_second": 10**6, "collar_basis_points": 9_000, "order_value": 10**12}
        self.loop.wide_limits(firm=wide, team=wide, strategy=wide)
        for venue in (1, 2):
            self.loop.memory.venues[venue]["taker_fee"] = FEE
            self.loop.memory.venues[venue]["maker_fee"] = -FEE // 3
        self.matches = 0
        self.ahead_ns = {1: 0, 2: 0}  # of the venues' clocks before ours

    @property
    def now_ns(self) -> int:
        return int(self.loop.core["clock_ns"])

    def event_ns(self, venue: int) -> int:
        """Now, on the venue's clock."""
        return self.now_ns + self.ahead_ns[venue]

    def wait(self, duration_ns: int) -> None:
        self.loop.pass_time(duration_ns)

    def quote(self, instrument: int, bid: int, ask: int, venue: int = VENUE) -> None:
        """A new top of a venue."""
        self.loop.quote(instrument, bid, ask, self.event_ns(venue) % DAY_NS, venue)

    def print(self, instrument: int, price: int, quantity: int, venue: int = VENUE) -> None:
        """A trade between others, of orders that were not displayed."""
        self.matches += 1
        fields = {
            "stock_locate": instrument,
            "timestamp_ns": self.event_ns(venue) % DAY_NS,
            "reference": 0,
            "side": "B",
        }
        name = INSTRUMENTS[instrument - 1].name
        fields |= {"quantity": quantity, "instrument": name, "price": price, "match_number": self.matches}
        self.loop.packet([itch50.encode("trade", **fields)], venue)

    def execute_bid(self, instrument: int, quantity: int, venue: int = VENUE) -> None:
        """A trade between others, at the bid."""
        self.matches += 1
        reference = self.loop.quoted[venue, instrument][0]
        fields = {"stock_locate": instrument, "timestamp_ns": self.event_ns(venue) % DAY_NS, "reference": reference}
        message = itch50.encode("order_executed", **fields, quantity=quantity, match_number=self.matches)
        self.loop.packet([message], venue)

    def enter(self, side: int = BUY, quantity: int = 100, price: int = 1_000_000, **where: Any) -> int:
        """An order by hand that the venue takes."""
        number = self.loop.enter(side, quantity, price, **where)
        assert number > 0, number
        self.say(K.ACCEPTED, number, quantity, price, venue=where.get("venue", VENUE))
        return number

    def replace(self, order_id: int, price: int, quantity: int, venue: int = VENUE) -> int:
        """A replacement that the venue takes; 0 when there is nothing to replace."""
        number = int(replace(self.loop.address, order_id, price, quantity))
        if number > 0:
            self.say(K.REPLACED, number, quantity, price, venue=venue)
        return max(number, 0)

    def fill(
        self, order_id: int, quantity: int, price: int, *, venue: int = VENUE, added: bool = False, **more: int
    ) -> int:
        """An execution of ours. Its match number. `fee`: another than the venue's."""
        self.matches += 1
        more |= {"liquidity": Liquidity.ADDED if added else Liquidity.REMOVED, "match_number": self.matches}
        self.say(K.EXECUTED, order_id, quantity, price, venue=venue, **more)
        return self.matches

    def cancel(self, order_id: int, venue: int = VENUE) -> None:
        """A cancel that the venue carries out."""
        if cancel(self.loop.address, order_id):
            self.say(K.CANCELED, order_id, venue=venue)

    def say(
        self, kind: ReportKind, order_id: int, quantity: int = 0, price: int = 0, *, venue: int = VENUE, **more: int
    ) -> None:
        """One answer of the venue."""
        body = touched(1, ORDER_REPORT)
        fields = {"kind": kind, "venue_reference": order_id, "quantity": quantity, "price": price}
        for name, value in (fields | {"venue_time_ns": self.event_ns(venue)} | more).items():
            body[name] = value
        complete_report(self.loop.address, venue, address_of(body), 0)
        body["fee"] = more.get("fee", body["fee"])
        take_report(self.loop.address, address_of(body))

    def save(self, path: Path) -> Path:
        """The directory that `study tca` reads."""
        path.mkdir(exist_ok=True)
        (path / "journal.bin").write_bytes(self.loop.journal.take())
        (path / "recording.bin").write_bytes(self.loop.recording.take())
        return path
