"""The engine's end of a FIX session, as far as tests need it: rings, a journal that is a list, and the rule of
`after`.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine.messages.codes import OrderAction, RecordKind, ReportKind, SessionState, Side, TimeInForce
from engine.messages.journal import ORDER_REPORT, ORDER_REQUEST, SESSION_EVENT
from engine.venues.fix44_session import STATUS_REQUEST
from engine.venues.fix44_start import start_fix44

VENUE_ID = 3


def wait_for(condition: Callable[[], Any], what: str = "", timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what or condition}"
        time.sleep(0.002)


def request_body(order_id: int, action: OrderAction = OrderAction.ENTER, **fields: int) -> bytes:
    made = np.zeros((), ORDER_REQUEST)
    usual = {
        "instrument": 1, "side": Side.BUY, "quantity": 100, "price": 123_400, "strategy": 7, "team": 1,
        "venue": VENUE_ID, "time_in_force": TimeInForce.DAY,
    }  # fmt: skip
    for name, value in (usual | fields | {"order_id": order_id, "action": action}).items():
        made[name] = value
    return made.tobytes()


class Engine:
    def __init__(self, state: Path, port: int, venue_name: str, **settings: str) -> None:
        self.state = state
        self.settings = {
            "order_address": f"127.0.0.1:{port}", "sender_comp_id": "DESK", "target_comp_id": venue_name,
            "heartbeat_seconds": "30", "username": "desk", "password": "secret", "account": "A1",
            "feed_line_a": "127.0.0.1:1",
        }  # fmt: skip
        self.settings |= settings
        self.instruments = state / "instruments.json"
        self.instruments.write_text(json.dumps([{"id": 1, "name": "ABC"}, {"id": 2, "name": "XYZ"}]))
        self.journal: list[Any] = []
        self.sessions: list[SessionState] = []
        self.next_references: list[int] = []
        self.start()

    def start(self) -> None:
        self.fix = start_fix44(self.state, VENUE_ID, "XFIX", self.settings, self.instruments, self.last)

    @property
    def last(self) -> int:
        return int(self.journal[-1]["venue_sequence"]) if self.journal else 0

    def kill(self) -> None:
        if self.fix.alive:
            os.kill(self.fix.process.pid, signal.SIGKILL)
            self.fix.process.wait()
        self.drain()
        self.sessions.append(SessionState.DOWN)

    def push(self, body: bytes, kind: int = RecordKind.ORDER_REQUEST) -> None:
        wait_for(lambda: self.fix.requests.push(kind, body), "room in the ring")

    def enter(self, order_id: int, **fields: int) -> None:
        self.push(request_body(order_id, **fields))

    def replace(self, order_id: int, target: int, **fields: int) -> None:
        self.push(request_body(order_id, OrderAction.REPLACE, target_order_id=target, **fields))

    def cancel(self, order_id: int) -> None:
        self.push(request_body(order_id, OrderAction.CANCEL))

    def ask(self, order_id: int) -> None:
        self.push(request_body(order_id), STATUS_REQUEST)

    def drain(self) -> None:
        while (record := self.fix.reports.peek()) is not None:
            self._take(*record[1:])
            self.fix.reports.advance()

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

    def wait_ended(self, count: int) -> None:
        """Until so many orders have ended: filled, canceled, or never sent."""

        def enough() -> bool:
            self.drain()
            return len(ended()) >= count

        def ended() -> set[int]:
            return {int(report["order_id"]) for report in self.journal if report["leaves"] == 0}

        wait_for(enough, f"the end of {count} orders")

    def wait_told(self, report: tuple[str, int, int, int]) -> None:
        """Until this was the last report (as in `told`)."""

        def there() -> bool:
            self.drain()
            return bool(self.journal) and self.told()[-1] == report

        wait_for(there, f"{report}; there are {self.told()}")

    def wait_session(self, state: SessionState) -> None:
        def there() -> bool:
            self.drain()
            return bool(self.sessions) and self.sessions[-1] == state

        wait_for(there, f"session {state.name}")

    def told(self) -> list[tuple[str, int, int, int]]:
        """Kind, order, quantity and leaves of every report so far."""
        return [
            (ReportKind(r["kind"]).name, int(r["order_id"]), int(r["quantity"]), int(r["leaves"])) for r in self.journal
        ]
