"""The thread behind the latency numbers: takes stamps from the loop's ring, keeps them in the log and in histograms,
and watches the budget. It never touches what the loop decides with.

Histograms hold order requests that a packet caused and that were sent: packet received to send called, and the stages
in between. The log holds every request.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.control.histogram import Histogram, LastMinute
from engine.control.latency_budget import Budget, Transition
from engine.control.latency_log import DAY_NS, LatencyLog
from engine.control.stamps import Rows, StampReader
from engine.hotpath.memory import EngineMemory
from engine.messages.codes import OrderAction, StampCause
from engine.messages.latency import NEVER, QUANTILES, STAGES

TURN_S = 0.1
WATCH_TURNS = 5  # the budget is looked at twice a second
SECOND_NS = 1_000_000_000


def stage_durations(rows: Rows) -> dict[str, np.ndarray[Any, Any]]:
    """Nanoseconds of each stage, of those rows that count."""
    counted = rows[
        (rows["cause"] == StampCause.PACKET) & (rows["action"] != OrderAction.CANCEL) & (rows["sent_ns"] != NEVER)
    ]
    decided, journaled, sent = (counted[f"{stamp}_ns"] for stamp in ("decided", "journaled", "sent"))
    return dict(zip(STAGES, (decided, journaled - decided, sent - journaled, sent), strict=True))


def no_latency() -> dict[str, Any]:
    """The summary before the first order."""
    nothing = {"n": 0} | dict.fromkeys((*QUANTILES, "max_ns"))
    windows = {window: {stage: dict(nothing) for stage in STAGES} for window in ("minute", "day")}
    whole = {name: value for name, value in nothing.items() if name != "p90_ns"}
    return whole | windows | {"lost": 0, "logged": 0, "failure": ""}


class LatencyKeeper:
    """`alarm` is called in the keeper's thread when a budget is broken and when it holds again."""

    def __init__(
        self, memory: EngineMemory, log: LatencyLog, budget: Budget, alarm: Callable[[Transition], None]
    ) -> None:
        self._reader, self._log, self._budget, self._alarm = StampReader(memory), log, budget, alarm
        self._minute = {stage: LastMinute() for stage in STAGES}
        self._day = {stage: Histogram() for stage in STAGES}
        self._today = 0
        self._failure = ""
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="latency", daemon=True)
        self._begin(time.time_ns())

    def start(self) -> None:
        """Begin to keep."""
        self._thread.start()

    def stop(self) -> None:
        """Keep what is left, then no more."""
        self._stop.set()
        self._thread.join()
        self.turn(time.time_ns())

    def turn(self, now_ns: int) -> None:
        """Take what the loop stamped since the last turn."""
        with self._lock:
            self._take(now_ns)

    def summary(self, now_ns: int) -> dict[str, Any]:
        """`latency` of the state frame, everything taken that is there now."""
        with self._lock:
            self._take(now_ns)
            minute = {stage: found.quantiles(QUANTILES) for stage, found in self._minute.items()}
            day = {stage: found.quantiles(QUANTILES) for stage, found in self._day.items()}
            told = {"lost": self._reader.lost, "logged": self._log.sequence, "failure": self._failure}
        whole = {name: value for name, value in day["whole"].items() if name != "p90_ns"}
        return whole | {"minute": minute, "day": day} | told

    def watch(self, now_ns: int) -> None:
        """Compare the last minute with the budget."""
        with self._lock:
            minute = self._minute["whole"].quantiles(QUANTILES)
        for transition in self._budget.check(minute, now_ns // SECOND_NS):
            self._alarm(transition)

    def _take(self, now_ns: int) -> None:
        if now_ns // DAY_NS != self._today:
            self._begin(now_ns)
        for minute in self._minute.values():
            minute.move_to(now_ns // SECOND_NS)
        rows = self._reader.take()
        self._write(rows)
        for stage, durations in stage_durations(rows).items():
            self._minute[stage].add(durations)
            self._day[stage].add(durations)

    def _begin(self, now_ns: int) -> None:
        """A day begins, or the engine in the middle of one: what the log has of it counts."""
        self._today = now_ns // DAY_NS
        for stage, durations in stage_durations(np.asarray(self._log.day(now_ns))).items():
            self._day[stage].clear()
            self._day[stage].add(durations)

    def _write(self, rows: Rows) -> None:
        try:
            self._log.append(rows)
            self._failure = ""
        except OSError as error:
            self._failure = f"the latency log could not be written: {error.strerror}"

    def _keep(self) -> None:
        turns = 0
        while not self._stop.wait(TURN_S):
            now_ns = time.time_ns()
            self.turn(now_ns)
            turns += 1
            if turns % WATCH_TURNS == 0:
                self.watch(now_ns)
