"""Coming back: the state of the loop from its journal and recording, through the same pipeline that made them.

A journal of this very build is followed: every record that the pipeline makes again is compared with the one on disk,
byte for byte.
A journal of another build is taken at its word: orders, answers and commands are applied, strategies stay silent and
are stopped at the end, for people to start again.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.build import build_hash
from engine.control.commands import Commands
from engine.hotpath.entries import (
    begin_numbers,
    follow_records,
    replay_input,
    replay_packets,
    replay_parent,
    replay_request,
)
from engine.hotpath.memory import EngineMemory
from engine.hotpath.replay import DIFFERENT, FOLLOW, LIVE, NO_PACKETS, PROGRESS, RECORDS
from engine.journal.places import Places
from engine.journal.reader import LogReader, Span
from engine.journal.scratch import ScratchJournal
from engine.messages.codes import ParentState, RecordKind, StrategyState
from engine.messages.control import Command
from engine.messages.journal import (
    DENIAL,
    HEADER_SIZE,
    JOURNAL_HEADER,
    ORDER_NUMBERS,
    ORDER_REQUEST,
    RECORD_SIZE,
    ROUTE,
)
from engine.native import address_of, touched

INPUTS = (
    RecordKind.ORDER_REPORT,
    RecordKind.SESSION_EVENT,
    RecordKind.FEED_EVENT,
    RecordKind.ENGINE_STATE,
    RecordKind.TIMER,
)
EVERYTHING = (1 << 62) - 1
SAY_EVERY = 100_000


class Diverged(Exception):
    """This build, given the same input, decides otherwise than the journal says: a broken promise, never continued
    from."""


@dataclass
class Recovered:
    """What a replay found. `sequence`, `position`: the last journal record and packet. `epoch`: starts of the engine
    so far.
    `extra`: records that the pipeline made from packets after the last journal record (decided, never journalled)."""

    sequence: int = 0
    position: int = 0
    records: int = 0
    epoch: int = 0
    build: str = ""
    followed: bool = True
    extra: bytes = b""


def _diverged(header: Any) -> Diverged:
    what = f"journal record {int(header['sequence'])} ({RecordKind(int(header['kind'])).name.lower()})"
    return Diverged(f"{what} is not what this build makes of the same input")


class _Packets:
    """The recording as spans, consumed up to a position at a time; `progress` is what hot functions see of it."""

    def __init__(self, places: Places, memory: EngineMemory) -> None:
        self._reader = LogReader(places.recording)
        self._memory = memory
        self._span: Span | None = None
        self.progress = touched(1, PROGRESS)

    @property
    def position(self) -> int:
        """Position of the last packet consumed."""
        return int(self._memory.core["position"][0])

    def open_next(self) -> None:
        """Have the next span's packets consumed, if there are more."""
        self._span = self._reader.next_span()
        if self._span is None:
            self.progress["exhausted"] = 1
            return
        self.progress["packet_at"] = self._span.address
        self.progress["packet_end"] = self._span.address + len(self._span.data)

    def feed(self, last_position: int) -> None:
        """Consume every recorded packet up to `last_position`, as far as the recording goes."""
        progress = self.progress
        while self.position < last_position:
            if progress["packet_at"] >= progress["packet_end"]:
                self.open_next()
                if progress["exhausted"]:
                    return
            at, end = int(progress["packet_at"][0]), int(progress["packet_end"][0])
            progress["packet_at"] = replay_packets(self._memory.address, at, end, last_position)


class Replay:
    """Replays the logs at `places` into a fresh memory and its commands."""

    def __init__(
        self, places: Places, memory: EngineMemory, commands: Commands, progress: Callable[[int], None] | None = None
    ) -> None:
        self.memory, self.commands = memory, commands
        self._places = places
        self._packets = _Packets(places, memory)
        self._progress = progress
        self._said = 0
        self._body = touched(96, np.dtype("u1"))
        self.scratch = ScratchJournal()
        self.found = Recovered()

    def run(self) -> Recovered:
        """Replay everything. Raises Diverged when a followed journal cannot be made again."""
        core = self.memory.core
        core["journal"] = self.scratch.writer
        core["replaying"] = FOLLOW
        kept, self.commands.append = self.commands.append, self.scratch.append_command
        try:
            self._follow(0, 0)  # compiled even with nothing to follow, not only when it is needed in a hurry
            reader = LogReader(self._places.journal)
            while (span := reader.next_span()) is not None:
                self._span(span)
            self._packets.feed(EVERYTHING)
        finally:
            self.commands.append = kept
            core["replaying"] = LIVE
        self.found.position = self._packets.position
        self.found.extra = self.scratch.take()
        if not self.found.followed:
            self.found.extra = b""
            self.memory.strategies["state"] = StrategyState.STOPPED
            self._cancel_parents()
            self.memory.subscribe()
        core["attention"] = 0
        core["received_cycles"] = 0
        return self.found

    def _cancel_parents(self) -> None:
        """Another build's parent orders are not gone on with: they end once nothing of them is open any more. One that
        emulates a time in force goes on: it knows no more than what it was asked for and what was filled."""
        count = int(self.memory.core["parent_count"][0])
        for row in self.memory.parents[:count].tolist():
            own = self.memory.rows[row]
            if own["emulates"][0] and own["state"][0] == ParentState.WORKING:
                self.memory.strategies[row]["state"] = StrategyState.RUNNING
            else:
                own["state"] = ParentState.CANCELING
        if count:
            self.memory.core["timer_ns"] = 1

    def _span(self, span: Span) -> None:
        at, end = span.address, span.address + len(span.data)
        while at < end:
            if self.found.followed:
                at = self._follow(at, end)
                if at == end:
                    break
            raw = span.data[at - span.address :]
            header = raw[:HEADER_SIZE].view(JOURNAL_HEADER)[0]
            at += int(header["length"])
            self._record(raw[: int(header["length"])], header)
            self.found.records += 1
        self.found.sequence = span.last
        if self._progress and self.found.records - self._said >= SAY_EVERY:
            self._said = self.found.records
            self._progress(self._said)

    def _follow(self, at: int, end: int) -> int:
        """Records with fixed bodies, at the speed of the loop. Address of the first text record, or `end`."""
        progress = self._packets.progress
        while True:
            progress["records"] = 0
            at = int(follow_records(self.memory.address, self.scratch.cursor, address_of(progress), at, end))
            self.found.records += int(progress["records"][0])
            stopped = int(progress["stopped"][0])
            if stopped == NO_PACKETS:
                self._packets.open_next()
            elif stopped == DIFFERENT:
                raise _diverged(np.frombuffer(ctypes.string_at(at, HEADER_SIZE), JOURNAL_HEADER)[0])
            else:
                return at

    def _record(self, raw: np.ndarray[Any, Any], header: Any) -> None:
        kind = RecordKind(int(header["kind"]))
        time_ns = int(header["time_ns"])
        self.found.sequence = int(header["sequence"])
        position = int(raw[HEADER_SIZE : HEADER_SIZE + 8].view("<i8")[0])
        if not self.scratch.waiting:
            self._packets.feed(position)
        if not self.scratch.waiting or not self.found.followed:
            self._feed(kind, raw, header, time_ns)
        if self.found.followed:
            if self.scratch.take_record(len(raw)) != raw.tobytes():
                raise _diverged(header)
        else:
            self.scratch.forget(self.found.sequence)

    def _feed(self, kind: RecordKind, raw: np.ndarray[Any, Any], header: Any, time_ns: int) -> None:
        core = self.memory.core
        if kind == RecordKind.ENGINE_STARTED:
            self._engine_started(raw, header, time_ns)
        elif kind == RecordKind.COMMAND:
            core["clock_ns"] = time_ns
            document = self.scratch.text_of(raw, header)
            self.scratch.stamp(time_ns, int(raw[HEADER_SIZE : HEADER_SIZE + 8].view("<i8")[0]))
            self.commands.execute(Command(**document))
        elif kind in INPUTS:
            self._body[:] = raw[HEADER_SIZE:RECORD_SIZE]
            replay_input(self.memory.address, int(kind), time_ns, address_of(self._body))
        elif kind == RecordKind.ORDER_REQUEST and not self.found.followed:
            self._foreign_request(raw)
        elif kind == RecordKind.PARENT and not self.found.followed:
            self._body[:] = raw[HEADER_SIZE:RECORD_SIZE]
            replay_parent(self.memory.address, address_of(self._body))
        elif kind == RecordKind.DENIAL and not self.found.followed:
            denied = int(raw[HEADER_SIZE:RECORD_SIZE].view(DENIAL)["order_id"][0])
            core["next_order_id"] = max(int(core["next_order_id"][0]), denied + 1)
        elif kind == RecordKind.ROUTE and not self.found.followed:
            routed = int(raw[HEADER_SIZE:RECORD_SIZE].view(ROUTE)["route_id"][0])
            core["next_order_id"] = max(int(core["next_order_id"][0]), routed + 1)
        elif kind == RecordKind.ORDER_NUMBERS and not self.found.followed:
            last = int(raw[HEADER_SIZE:RECORD_SIZE].view(ORDER_NUMBERS)["last"][0])
            core["last_number"] = max(int(core["last_number"][0]), last)

    def _engine_started(self, raw: np.ndarray[Any, Any], header: Any, time_ns: int) -> None:
        document = self.scratch.text_of(raw, header)
        self.found.epoch += 1
        self.found.build = document["build_hash"]
        self._check_instruments(document["instruments"])
        self.scratch.stamp(time_ns, int(raw[HEADER_SIZE : HEADER_SIZE + 8].view("<i8")[0]))
        self.scratch.append_started(document)
        self.memory.core["clock_ns"] = time_ns
        begin_numbers(self.memory.address)
        if document["build_hash"] != build_hash() and self.found.followed:
            self.found.followed = False
            self.memory.core["replaying"] = RECORDS

    def _check_instruments(self, recorded: list[dict[str, Any]]) -> None:
        """Recorded packets and orders mean what they meant only while an instrument keeps its number and its ticks."""
        for row in recorded:
            at = int(row["id"])
            known = self.memory.instruments[at] if at < len(self.memory.instruments) else None
            symbol = int.from_bytes(str(row["name"]).encode().ljust(8), "little")
            if known is None or int(known["symbol"]) != symbol or int(known["tick_size"]) != row["tick_size"]:
                name = f"instrument {at} ({row['name']})"
                raise ValueError(f"{name} of the journal is missing or changed in the instruments file")

    def _foreign_request(self, raw: np.ndarray[Any, Any]) -> None:
        self._body[:] = raw[HEADER_SIZE:RECORD_SIZE]
        request = self._body.view(ORDER_REQUEST)[0]
        configuration = self.commands.configuration
        strategy, team = int(request["strategy"]), int(request["team"])
        row = configuration.strategy_row(strategy) if strategy else 0
        account = configuration.team_account(team) if team else 0
        replay_request(self.memory.address, address_of(self._body), row, account)
