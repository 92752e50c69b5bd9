"""An engine in memory for benchmarks: the tables, commands and gate of the live one; its venue is a `Responder`."""

from __future__ import annotations

import ctypes
import hashlib
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.bench.itch_session import VENUE
from engine.bench.market import TEAMS, Market
from engine.bench.responder import Responder, drive
from engine.control.commands import Commands
from engine.control.configuration import Configuration
from engine.hotpath import tables
from engine.hotpath.calibration import cycles_per_us, read_cycles
from engine.hotpath.entries import apply_event, session_event
from engine.hotpath.memory import EngineMemory
from engine.journal.append import commit_journal, reserve_journal
from engine.journal.copier import CopierProcess, SyncPolicy, start_copier
from engine.journal.scratch import ScratchJournal
from engine.journal.writer import open_journal
from engine.messages import control
from engine.messages.codes import EngineState, LimitName, RecordKind, Scope, SessionState, StampCause
from engine.messages.endpoints import shared_memory_path
from engine.messages.journal import ENGINE_STATE
from engine.messages.risk import LARGEST, LimitsRow
from engine.native import address_of, touched

ACTOR = "benchmark"
START_NS = 1_767_225_600_000_000_000
ORDERS_PER_SECOND = 1_000_000_000
RECORDING_OVERHEAD = 64
ROOM = 16 << 20
JOURNAL_ROOM = 32 << 20
JOURNALLED = 384  # bytes for each message of the market: ten thousand pairs enter an order on every other packet
SETTINGS = {"order_address": "127.0.0.1:1", "user": "bench", "password": "bench", "feed_line_a": "127.0.0.1:1"}
FEES = {"maker_fee": "-20", "taker_fee": "30"}


def open_limits(strategies: Sequence[control.StartStrategy]) -> control.ApplyLimits:
    """Every limit of every scope set, so that every check is made, and none so low that it stops the trading."""
    bounds = {name.name.lower(): LARGEST[name] for name in LimitName} | {"orders_per_second": ORDERS_PER_SECOND}
    scopes = [(Scope.FIRM, 0), *((Scope.TEAM, team) for team in range(1, TEAMS + 1))]
    scopes += [(Scope.STRATEGY, body.strategy) for body in strategies]
    return control.ApplyLimits(0, [asdict(LimitsRow(int(scope), number, **bounds)) for scope, number in scopes])


class MemoryLogs:
    """Journal and recording in private memory, large enough for the whole run."""

    def __init__(self, market: Market) -> None:
        recording = len(market.packets) + market.count * RECORDING_OVERHEAD + ROOM
        self._journal, self._recording = (
            ScratchJournal(JOURNAL_ROOM + JOURNALLED * market.messages),
            ScratchJournal(recording),
        )
        self.journal, self.recording = self._journal.writer, self._recording.writer

    def append_command(self, document: dict[str, Any]) -> int:
        """Append a COMMAND. Its sequence."""
        return self._journal.append_command(document)

    def journal_bytes(self) -> bytes:
        """Everything journalled."""
        return self._journal.take()

    def close(self) -> None:
        """Nothing to do."""


class SharedLogs:
    """The real logs: segments in shared memory, the keeper's thread, the copier's process and a disk."""

    def __init__(self, disk: Path) -> None:
        self._state = Path(tempfile.mkdtemp(dir=disk, prefix="bench-pipeline-"))
        self._logs = open_journal(self._state)
        self._logs.start_keeper()
        self._copier: CopierProcess = start_copier(self._state, policy=SyncPolicy.INTERVAL)
        self.journal, self.recording = self._logs.journal.writer, self._logs.recording.writer

    def append_command(self, document: dict[str, Any]) -> int:
        """Append a COMMAND. Its sequence."""
        return self._logs.append_text(RecordKind.COMMAND, START_NS, document)

    def journal_bytes(self) -> bytes:
        """Not kept here: it is on the disk."""
        return b""

    def close(self) -> None:
        """Stop the copier, remove everything."""
        self._copier.stop(60.0)
        self._logs.close()
        shutil.rmtree(shared_memory_path(self._state), ignore_errors=True)
        shutil.rmtree(self._state)


@dataclass
class Run:
    """What one run found. `cycles` per packet, when it was stamped."""

    seconds: float
    messages: int
    cycles: np.ndarray[Any, Any]


class DecisionPath:
    """One engine with pairs over a market, ready for its first packet."""

    def __init__(
        self,
        market: Market,
        strategies: Sequence[control.StartStrategy],
        logs: MemoryLogs | SharedLogs,
        responder: Responder,
    ) -> None:
        self.market, self.logs, self.responder = market, logs, responder
        instruments = market.instruments()
        room = 1 << max(16, (2 * market.most_orders).bit_length())
        self.memory = EngineMemory(
            instruments, venue_count=VENUE, strategy_count=len(strategies) + 2, book_orders=min(room, 1 << 20)
        )
        self.configuration = Configuration(self.memory, {row.id: row.name for row in instruments})
        self._commands = Commands(self.configuration, logs.append_command)
        core = self.memory.core
        core["journal"], core["recording"] = logs.journal, logs.recording
        read_cycles()  # compiled or loaded before it is timed
        core["cycles_per_us"] = cycles_per_us()
        core["clock_ns"] = START_NS
        self._configure(strategies)

    @property
    def address(self) -> int:
        """The engine, for hot functions."""
        return self.memory.address

    def _configure(self, strategies: Sequence[control.StartStrategy]) -> None:
        venue = control.DefineVenue(VENUE, "BENCH", "ouch50", SETTINGS | FEES)
        subscribe = self.memory.subscribe
        self.memory.subscribe = lambda: None  # type: ignore[method-assign]  # once for all of them
        for number, body in enumerate([open_limits(strategies), venue, *strategies]):
            status = self._commands.execute(control.command(body, ACTOR, f"benchmark-{number:06d}"))
            if not status.applied:
                raise ValueError(status.reason)
        subscribe()
        self.memory.venues[VENUE]["protocol"] = tables.IN_MEMORY
        session_event(self.address, VENUE, int(SessionState.UP), 1, 0, 0, 0)
        state = np.zeros(1, ENGINE_STATE)
        state["state"] = EngineState.ACTIVE
        body_address = int(reserve_journal(self.logs.journal))
        ctypes.memmove(body_address, address_of(state), ENGINE_STATE.itemsize)
        apply_event(self.address, int(RecordKind.ENGINE_STATE), body_address)
        commit_journal(self.logs.journal, int(RecordKind.ENGINE_STATE), START_NS)

    def run(self, first: int, last: int, *, stamped: bool = False) -> Run:
        """Packets first to last - 1; `stamped` reads the cycle counter twice a packet, which is not
        free. RuntimeError when the pipeline stopped before."""
        market = self.market
        cycles = touched(last - first if stamped else 0, np.dtype("<i8"))
        stamps = address_of(cycles) if stamped else 0
        self.memory.core["cause"] = StampCause.PACKET
        arguments = (address_of(market.packets), address_of(market.offsets), first, last, stamps)
        started = time.perf_counter()
        done = int(drive(self.address, VENUE, self.responder.address, *arguments))
        seconds = time.perf_counter() - started
        attention = int(self.memory.core["attention"][0])
        if done != last - first or attention:
            raise RuntimeError(f"the pipeline stopped after {done} packets with attention {attention}")
        return Run(seconds, market.messages_between(first, last), cycles)

    def totals(self) -> dict[str, int]:
        """What the engine counted."""
        core = self.memory.core[0]
        return {
            "orders": int(core["orders_entered"]),
            "denials": int(core["denials"]),
            "cancels": self.responder["cancels"],
            "refused": int(self.memory.lines["malformed"].sum()) + int(core["unknown_reports"]),
        }

    def journal_sha256(self) -> str:
        """Hash of everything that was journalled (in private memory)."""
        return hashlib.sha256(self.logs.journal_bytes()).hexdigest()
