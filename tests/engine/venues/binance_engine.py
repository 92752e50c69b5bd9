"""The engine's end of a Binance session, as far as tests need it: a feed socket with the engine's own book behind it,
the rings, and a journal that is a list."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine.hotpath.book_depth import level
from engine.hotpath.book_layout import BookMemory
from engine.hotpath.itch_book import apply_itch
from engine.messages.codes import OrderAction, RecordKind, ReportKind, SessionState, Side, TimeInForce
from engine.messages.journal import ORDER_REPORT, ORDER_REQUEST, SESSION_EVENT
from engine.native import address_of
from engine.protocols import moldudp64
from engine.venues.binance_start import session_directory, start_binance
from tests.engine.venues.binance_venue import BinanceVenue

VENUE_ID, INSTRUMENT_ID = 5, 9
UNITS = 100_000  # of one bitcoin


def wait_for(condition: Callable[[], Any], what: str, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.005)


def request_body(order_id: int, action: OrderAction = OrderAction.ENTER, **fields: int) -> bytes:
    made = np.zeros((), ORDER_REQUEST)
    usual = {
        "instrument": INSTRUMENT_ID, "side": Side.BUY, "quantity": 20_000, "price": 1_001_000, "strategy": 7,
        "team": 1, "venue": VENUE_ID, "time_in_force": TimeInForce.DAY,
    }  # fmt: skip
    for name, value in (usual | fields | {"order_id": order_id, "action": action}).items():
        made[name] = value
    return made.tobytes()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Engine:
    def __init__(self, state: Path, venue: BinanceVenue) -> None:
        self.state = state
        self.feed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.feed.bind(("127.0.0.1", 0))
        self.feed.setblocking(False)
        self.retransmission_port = free_port()
        self.settings = venue.settings(self.feed.getsockname()[1], self.retransmission_port)
        self.instruments = state / "instruments.json"
        row = {"id": INSTRUMENT_ID, "name": "BTCUSDT", "tick_size": 100, "quantity_decimals": 5, "currency": "USDT"}
        self.instruments.write_text(json.dumps([row]))
        self.journal: list[Any] = []
        self.sessions: list[SessionState] = []
        self.next_references: list[int] = []
        self.names: list[str] = []
        self._new_book()
        self.start()

    def start(self) -> None:
        self.process = start_binance(self.state, VENUE_ID, "XBIN", self.settings, self.instruments, self.last)

    @property
    def last(self) -> int:
        return int(self.journal[-1]["venue_sequence"]) if self.journal else 0

    @property
    def tag(self) -> str:
        return (session_directory(self.state, VENUE_ID) / "tag").read_text()

    def client_id(self, order_id: int) -> str:
        return f"{self.tag}-{order_id}"

    def kill(self) -> None:
        os.kill(self.process.process.pid, signal.SIGKILL)
        self.process.process.wait()
        self.drain()
        self.sessions.append(SessionState.DOWN)

    def push(self, body: bytes) -> None:
        wait_for(lambda: self.process.requests.push(RecordKind.ORDER_REQUEST, body), "room in the ring")

    def enter(self, order_id: int, **fields: int) -> None:
        self.push(request_body(order_id, **fields))

    def cancel(self, order_id: int) -> None:
        self.push(request_body(order_id, OrderAction.CANCEL))

    # Orders

    def drain(self) -> None:
        while (record := self.process.reports.peek()) is not None:
            self._take(*record[1:])
            self.process.reports.advance()

    def _take(self, kind: int, body: bytes) -> None:
        if kind == RecordKind.SESSION_EVENT:
            event = np.frombuffer(body, SESSION_EVENT)[0]
            self.sessions.append(SessionState(event["state"]))
            if event["next_reference"]:
                self.next_references.append(int(event["next_reference"]))
            return
        report = np.frombuffer(body, ORDER_REPORT)[0]
        if report["venue_sequence"] > self.last:
            assert report["venue_sequence"] == self.last + 1
            self.journal.append(report)

    def wait_reports(self, count: int) -> None:
        def enough() -> bool:
            self.drain()
            return len(self.journal) >= count

        wait_for(enough, f"{count} reports; there are {self.told()}")

    def wait_session(self, state: SessionState) -> None:
        def there() -> bool:
            self.drain()
            return bool(self.sessions) and self.sessions[-1] == state

        wait_for(there, f"session {state.name}; it was {self.sessions}")

    def told(self) -> list[tuple[str, int, int, int]]:
        """Kind, order, quantity and leaves of every report so far."""
        return [
            (ReportKind(r["kind"]).name, int(r["order_id"]), int(r["quantity"]), int(r["leaves"])) for r in self.journal
        ]

    # Market data

    def _new_book(self) -> None:
        self.memory = BookMemory([100], 1024, venues=1, window=64, queues=False)
        self.memory.map_locate(1, INSTRUMENT_ID, 0)
        self.expected, self.claimed, self.claims_ahead = 1, 1, 0
        self.seen: list[bytes] = []

    def listen(self) -> None:
        """Take what the feed line holds, in order; the highest number claimed is kept."""
        while True:
            try:
                packet = moldudp64.decode(self.feed.recv(65536))
            except BlockingIOError:
                return
            if not self.names or packet.session != self.names[-1]:
                self.names.append(packet.session)
                self._new_book()
            self.claimed = max(self.claimed, packet.sequence + len(packet.messages))
            self.claims_ahead += packet.sequence > self.expected
            assert packet.sequence <= self.expected or not packet.messages
            for message in packet.messages[self.expected - packet.sequence :]:
                self.expected += 1
                self.seen.append(message)
                data = np.frombuffer(message, np.uint8)
                assert apply_itch(self.memory.address, 1, address_of(data), len(message)) in (0, 8)

    @property
    def dirty(self) -> bool:
        """Something was claimed that has not come."""
        self.listen()
        return self.claimed > self.expected

    def book(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Prices and quantities of both sides, best first."""
        self.listen()
        bids, asks = (level(self.memory, 0, side, 10) for side in Side)
        return [(int(r[0]), int(r[1])) for r in bids], [(int(r[0]), int(r[1])) for r in asks]

    def wait_book(self, bids: list[tuple[int, int]], asks: list[tuple[int, int]]) -> None:
        wait_for(lambda: self.book() == (bids, asks) and not self.dirty, f"{bids} {asks}; it is {self.book()}")

    def close(self) -> None:
        if self.process.alive:
            self.process.stop()
        self.feed.close()
