"""QuickFIX's ends of the round trip, as its own examples write them."""

from __future__ import annotations

import itertools
import tempfile
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

import quickfix
import quickfix44


class _Application(quickfix.Application):
    def __init__(self, told: Connection) -> None:
        super().__init__()
        self.told = told
        self.session: Any = None
        self.numbers = itertools.count(1)

    def onCreate(self, session: Any) -> None:  # noqa: N802
        self.session = session

    def onLogon(self, session: Any) -> None:  # noqa: N802
        self.told.send("logged on")

    def onLogout(self, session: Any) -> None:  # noqa: N802
        """Nothing to do."""

    def toAdmin(self, message: Any, session: Any) -> None:  # noqa: N802
        """Nothing to add."""

    def toApp(self, message: Any, session: Any) -> None:  # noqa: N802
        """Nothing to add."""

    def fromAdmin(self, message: Any, session: Any) -> None:  # noqa: N802
        """Nothing to do."""

    def run(self, count: int) -> None:
        """Nothing to ask."""


class Serving(_Application):
    """Fills every order."""

    def fromApp(self, message: Any, session: Any) -> None:  # noqa: N802
        report = quickfix44.ExecutionReport()
        number = str(next(self.numbers))
        for tag, value in (
            (37, number), (11, message.getField(11)), (17, number), (150, "F"), (39, "2"), (55, "ABC"), (54, "1"),
            (38, "100"), (44, "12.34"), (32, "100"), (31, "12.34"), (151, "0"), (14, "100"), (6, "0"),
        ):  # fmt: skip
            report.setField(tag, value)
        report.setField(quickfix.TransactTime())
        quickfix.Session.sendToTarget(report, session)


class Asking(_Application):
    """Sends an order when the one before is filled."""

    def __init__(self, told: Connection) -> None:
        super().__init__(told)
        self._filled = threading.Event()
        self._times: list[int] = []
        self._left = self._before = 0

    def fromApp(self, message: Any, session: Any) -> None:  # noqa: N802
        message.getField(31)
        self._times.append(time.monotonic_ns() - self._before)
        self._left -= 1
        if self._left:
            self._send()
        else:
            self._filled.set()

    def _send(self) -> None:
        self._before = time.monotonic_ns()
        order = quickfix44.NewOrderSingle()
        for tag, value in (
            (11, str(next(self.numbers))), (55, "ABC"), (54, "1"), (38, "100"), (40, "2"), (44, "12.34"), (59, "0"),
        ):  # fmt: skip
            order.setField(tag, value)
        order.setField(quickfix.TransactTime())
        quickfix.Session.sendToTarget(order, self.session)

    def run(self, count: int) -> None:
        """So many round trips; their nanoseconds are told."""
        self._times, self._left = [], count
        self._filled.clear()
        self._send()
        self._filled.wait()
        self.told.send(self._times)


def start(role: str, text: str, application: _Application) -> tuple[Any, ...]:
    """A started end; what is returned has to be kept, QuickFIX holds bare pointers to it."""
    with tempfile.NamedTemporaryFile("w", suffix=".cfg") as file:
        file.write(text)
        file.flush()
        settings = quickfix.SessionSettings(file.name)
    store = quickfix.MemoryStoreFactory()
    make = quickfix.SocketInitiator if role == "initiator" else quickfix.SocketAcceptor
    end = make(application, store, settings)
    end.start()
    return application, settings, store, end
