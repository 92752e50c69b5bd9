"""An engine in memory that speaks FIX itself, over a real socket, with a venue that is QuickFIX."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.control.fix_sessions import FixSessions
from engine.hotpath.entries import cancel, flush_unsent, keep_sessions, session_event, turn
from engine.messages import control
from engine.messages.codes import EngineState, RecordKind, ReportKind, SessionState
from tests.engine.loop_builder import ALPHA, BUY, DAY, Loop

VENUE_ID = 3
TURN_S = 0.0005


class FixLoop(Loop):
    """`state` is where the session's numbers are; `name` and `port` are the venue's."""

    def __init__(self, state: Path, name: str, port: int, version: str = "4.4", **settings: str) -> None:
        super().__init__(venues=())
        self.settings = {
            "version": version, "order_address": f"127.0.0.1:{port}", "sender_comp_id": "DESK",
            "target_comp_id": name, "heartbeat_seconds": "30", "username": "desk", "password": "secret",
            "account": "A1", "feed_line_a": "127.0.0.1:1",
        } | settings  # fmt: skip
        self.said: list[str] = []
        self.sessions = FixSessions(self.memory, self.configuration.complaints, state, self.said.append, lambda: None)
        self.reports: list[tuple[str, int, int, int]] = []
        self.events: list[str] = []
        self.body = control.DefineVenue(VENUE_ID, "XFIX", "fix", self.settings)
        self.applied(self.body)
        self.row = self.memory.venues[VENUE_ID]
        self.wide_limits()

    def redefine(self, name: str, port: int) -> None:
        """The same venue, under another name and elsewhere."""
        self.sessions.close(VENUE_ID)
        self.settings |= {"target_comp_id": name, "order_address": f"127.0.0.1:{port}"}
        self.body = control.DefineVenue(VENUE_ID, "XFIX", "fix", self.settings)
        self.applied(self.body)

    def step(self) -> None:
        """One round of the loop and of the cold path, under the clock of the machine."""
        self.clock(time.time_ns())
        turn(self.address)
        keep_sessions(self.address)
        self.core["attention"] = 0
        self.sessions.care(VENUE_ID, self.body)
        for record in self.taken():
            if record.kind == RecordKind.ORDER_REPORT:
                kind = ReportKind(int(record.body["kind"])).name
                self.reports.append((kind, *(int(record.body[name]) for name in ("order_id", "quantity", "leaves"))))
            elif record.kind == RecordKind.SESSION_EVENT:
                self.events.append(SessionState(int(record.body["state"])).name)

    def until(self, condition: Callable[[], Any], what: str, seconds: float = 30.0) -> None:
        """Turn until the condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (what, self.said, self.reports, self.events)
            self.step()
            time.sleep(TURN_S)  # the interpreter is for the other threads meanwhile

    def up(self) -> None:
        """Turn until the session is up, and have the engine active."""
        self.until(lambda: self.row["session"] == SessionState.UP and self.row["fd"] >= 0, "the session is up")
        self.core["state"] = EngineState.ACTIVE
        self.quote(ALPHA, 999_000, 1_001_000, venue=VENUE_ID)

    def order(self, side: int = BUY, quantity: int = 100, price: int = 1_000_000, time_in_force: int = DAY) -> int:
        """Enter an order that must pass the gate. Its number."""
        number = self.enter(side, quantity, price, venue=VENUE_ID, time_in_force=time_in_force)
        assert number > 0, number
        return number

    def replayed_order(self) -> int:
        """An order of the engine that was killed, as a replay leaves it before the first logon. Its number."""
        self.row["session"], self.core["replaying"] = SessionState.UP, 1
        self.core["state"] = EngineState.ACTIVE
        self.quote(ALPHA, 999_000, 1_001_000, venue=VENUE_ID)
        number = self.order()
        self.core["replaying"] = 0
        session_event(self.address, VENUE_ID, int(SessionState.DOWN), 0, 0, 0, 0)
        self.taken()
        return number

    def cancel(self, order_id: int) -> None:
        """Ask the venue to cancel."""
        cancel(self.address, order_id)
        flush_unsent(self.address)

    def reported(self, count: int) -> list[tuple[str, int, int, int]]:
        """Turn until so many reports were journalled, and all of them."""
        self.until(lambda: len(self.reports) >= count, f"{count} reports")
        return self.reports

    def complaint(self) -> str:
        """Why there is no session, as people are told."""
        return self.configuration.complaints.get(VENUE_ID, "")

    def state_of(self, order_id: int) -> int:
        """OrderState of an order."""
        return int(super().order(order_id)["state"])

    def close(self) -> None:
        """Log out and close."""
        self.sessions.close(VENUE_ID)

    def die(self) -> None:
        """As after a kill: the connection breaks, nothing is said."""
        session = self.sessions._sessions.pop(VENUE_ID)
        if session.connection is not None:
            session.connection.close()
