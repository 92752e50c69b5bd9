"""`python -m engine backtest CONFIG --out DIR`: the same pipeline, its ends plugged into a simulated venue in memory.

Packets come from the simulation, requests are taken out of the venue's outbound buffer, answers go in as they would
from
a socket. Requests that answer a packet are carried out before the next packet, as in a lockstep session. No network,
no clock.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import json
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import numpy as np

from engine.backtest_results import Results
from engine.build import build_hash
from engine.control.commands import Commands
from engine.control.configuration import Configuration
from engine.hotpath import tables
from engine.hotpath.entries import (
    apply_event,
    begin_numbers,
    pass_time,
    session_event,
    take_answer,
    take_datagram,
)
from engine.hotpath.memory import EngineMemory
from engine.journal.append import commit_journal, reserve_journal
from engine.journal.scratch import ScratchJournal
from engine.messages import control
from engine.messages.backtest import BacktestConfig, read_backtest
from engine.messages.codes import EngineState, RecordKind, SessionState
from engine.messages.costs import CostRow, by_place, costs_hash, read_costs
from engine.messages.instruments import read_instruments
from engine.messages.journal import ENGINE_STATE
from engine.native import address_of, touched
from engine.protocols.soupbintcp_frames import HEADER_LENGTH
from engine.simulator.assemble import Assembly
from engine.simulator.config import ExchangeConfig, User, VenueConfig
from engine.simulator.generator import NEVER_NS
from engine.simulator.simulation import Packet, Reports, Simulation
from engine.simulator.venue import Venue

ACTOR = "backtest"
USER = "desk"
PROGRESS_NS = 500_000_000
OUTPUTS_PER_FLUSH = 2048
LARGEST_MESSAGE = 4096


class Backtest:
    """One run over one recorded session."""

    def __init__(self, config: BacktestConfig, out: Path) -> None:
        recording = Path(config.recording)
        self.described = json.loads((recording / "recording.json").read_text())
        self.config, self.out = config, out
        self.instruments = read_instruments(recording / "instruments.json")
        self.costs = self._read_costs()
        self.simulation, self.assembly = self._assemble(recording)
        self.memory = EngineMemory(self.instruments, venue_count=max([4, *(v.venue for v in config.venues)]))
        self.configuration = Configuration(self.memory, {row.id: row.name for row in self.instruments})
        self.journal = ScratchJournal()
        self.recording = ScratchJournal()
        core = self.memory.core
        core["journal"], core["recording"] = self.journal.writer, self.recording.writer
        self.commands = Commands(self.configuration, self.journal.append_command)
        self.venues: dict[int, Venue] = {venue.number: venue for venue in self.simulation.venues}
        self._bytes = touched(LARGEST_MESSAGE + tables.PACKET_BYTES, np.dtype("u1"))
        self._bytes_address = address_of(self._bytes)
        self._timer_ns, self._clock_ns, self._position = (core[name] for name in ("timer_ns", "clock_ns", "position"))
        self._digest = hashlib.sha256()
        self.results = Results(self.memory, self.configuration)
        self.events = 0

    def _read_costs(self) -> list[CostRow]:
        """Rows of what trades here; those of instruments that the recording has not are left out."""
        if not self.config.costs:
            return []
        known = {0, *(row.id for row in self.instruments)}
        venues = {0, *(body.venue for body in self.config.venues)}
        return [row for row in read_costs(Path(self.config.costs)) if row.instrument in known and row.venue in venues]

    def _assemble(self, recording: Path) -> tuple[Simulation, Assembly]:
        venues = []
        answered = by_place(self.costs, lambda row: row.instrument == 0 and row.latency_us > 0)
        for body in self.config.venues:
            timed = answered.get((body.venue, 0))
            maker_fee, taker_fee = (int(body.settings.get(name) or 0) for name in ("maker_fee", "taker_fee"))
            venues.append(
                VenueConfig(
                    body.name,
                    body.venue,
                    maker_fee=maker_fee,
                    taker_fee=taker_fee,
                    entry_latency_us=timed.latency_us if timed else 0,
                    packet_interval_ms=int(self.described.get("packet_interval_ms", 5)),
                    users=(User(USER),),
                )
            )
        made = ExchangeConfig(
            out=self.out,
            venues=tuple(venues),
            instruments=recording / "instruments.json",
            flow=recording / "flow.npy",
            session="BACKTEST",
            costs=Path(self.config.costs) if self.config.costs else None,
        )
        assembly = Assembly(made, int(self.described["start_ns"]), log=False)
        return assembly.simulation, assembly

    def run(self, journal_file: IO[bytes], recording_file: IO[bytes] | None = None) -> dict[str, Any]:
        """Replay the session to its end. The totals of `doors.md`. `recording_file` gets every packet, as recorded."""
        started = time.monotonic()
        start_ns = self.assembly.start_ns
        end_ns = int(self.described.get("end_ns") or NEVER_NS - 1)
        self._configure(start_ns)
        self.assembly.open()
        said_ns = 0
        while (output := self.simulation.next_output(end_ns)) is not None:
            self._take(output)
            if self.events % OUTPUTS_PER_FLUSH == 0:
                self._flush(journal_file, recording_file)
            if output.time_ns - said_ns > max(PROGRESS_NS, (end_ns - start_ns) // 200):
                said_ns = output.time_ns
                done = (output.time_ns - start_ns) / max(1, end_ns - start_ns)
                print(f"progress {min(done, 1.0):.3f}", file=sys.stderr, flush=True)
        self.results.sample(int(self.memory.core["clock_ns"][0]))
        self._flush(journal_file, recording_file)
        seconds = time.monotonic() - started
        return {
            "events": self.events,
            "seconds": round(seconds, 3),
            "events_per_second": round(self.events / seconds) if seconds else 0,
            **self.results.totals(),
            "journal_sha256": self._digest.hexdigest(),
        }

    def _configure(self, start_ns: int) -> None:
        self._clock(start_ns)
        started = {
            "build_hash": build_hash(),
            "epoch": 1,
            "mode": "backtest",
            "venue_count": int(self.memory.core["venue_count"][0]),
            "strategy_count": len(self.memory.strategies),
            "instruments": [asdict(row) for row in self.instruments],
        }
        self.journal.append_started(started)
        begin_numbers(self.memory.address)
        rows = [asdict(row) for row in self.config.limits]
        bodies: list[Any] = [control.ApplyLimits(0, rows), *self.config.venues]
        if self.costs:
            bodies.append(control.ApplyCosts(costs_hash(self.costs), [asdict(row) for row in self.costs]))
        bodies += self.config.strategies
        for at, body in enumerate(bodies):
            status = self.commands.execute(control.command(body, ACTOR, f"backtest-{at:04d}"))
            if not status.applied:
                raise ValueError(status.reason)
        for number in self.configuration.venues:
            row = self.memory.venues[number]
            row["protocol"] = tables.IN_MEMORY
            session_event(self.memory.address, number, int(SessionState.UP), 1, 0, 0, 0)
        body = int(reserve_journal(self.journal.writer))
        view_state = self._bytes[: ENGINE_STATE.itemsize].view(ENGINE_STATE)
        view_state["state"] = EngineState.ACTIVE
        ctypes.memmove(body, self._bytes_address, ENGINE_STATE.itemsize)
        apply_event(self.memory.address, int(RecordKind.ENGINE_STATE), body)
        commit_journal(self.journal.writer, int(RecordKind.ENGINE_STATE), start_ns)

    def _clock(self, time_ns: int) -> None:
        self._clock_ns[0] = time_ns
        self.journal.stamp(time_ns, self._position.item(0))

    def _take(self, output: Packet | Reports) -> None:
        self._let_time_pass(output.time_ns)
        self._clock(output.time_ns)
        number = output.venue.number
        if isinstance(output, Packet):
            self.events += int.from_bytes(output.payload[18:20], "big")
            ctypes.memmove(self._bytes_address, output.payload, len(output.payload))
            take_datagram(self.memory.address, number, 0, self._bytes_address, len(output.payload))
        else:
            for message in output.messages:
                ctypes.memmove(self._bytes_address, message, len(message))
                take_answer(self.memory.address, number, self._bytes_address, len(message))
        self.commands.enter_asked()
        for venue in self.configuration.venues:
            self._submit(venue, output.time_ns)
        self.results.sample_if_due(output.time_ns)

    def _let_time_pass(self, until_ns: int) -> None:
        """Call the parent orders when their time comes between two things that happen."""
        while (timer_ns := self._timer_ns.item(0)) and (due_ns := max(timer_ns, self._clock_ns.item(0))) < until_ns:
            self._clock(due_ns)
            pass_time(self.memory.address)
            for venue in self.configuration.venues:
                self._submit(venue, due_ns)

    def _submit(self, number: int, time_ns: int) -> None:
        row = self.memory.venues[number]
        used = int(row["outbound_used"])
        if not used:
            return
        start = number * tables.OUTBOUND_BYTES
        raw = self.memory.outbound[start : start + used].tobytes()
        row["outbound_used"] = 0
        venue = self.venues[number]
        account = venue.accounts[USER]
        at = 0
        while at < len(raw):
            length = 2 + int.from_bytes(raw[at : at + 2], "big")
            self.simulation.submit(venue, account, raw[at + HEADER_LENGTH : at + length], time_ns)
            at += length

    def _flush(self, journal_file: IO[bytes], recording_file: IO[bytes] | None) -> None:
        made = self.journal.take()
        self._digest.update(made)
        journal_file.write(made)
        self.results.add_fills(made)
        if recording_file is not None:
            recording_file.write(self.recording.take())
        self.recording.forget(int(self.memory.core["position"][0]))


def main(arguments: list[str]) -> int:
    """One backtest. Status 1 with a sentence when the config or the recording is refused."""
    parser = argparse.ArgumentParser(prog="python -m engine backtest")
    parser.add_argument("config", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--recording", action="store_true", help="keep the packets, for a report of costs")
    chosen = parser.parse_args(arguments)
    try:
        config = read_backtest(chosen.config)
        chosen.out.mkdir(parents=True, exist_ok=True)
        backtest = Backtest(config, chosen.out)
        with ExitStack() as files:
            journal_file = files.enter_context((chosen.out / "journal.bin").open("wb"))
            kept = files.enter_context((chosen.out / "recording.bin").open("wb")) if chosen.recording else None
            totals = backtest.run(journal_file, kept)
    except (ValueError, OSError, KeyError) as error:
        print(f"backtest: {error}", file=sys.stderr)
        return 1
    backtest.results.write(chosen.out, totals)
    if chosen.json:
        print(json.dumps(totals))
    else:
        for name, value in totals.items():
            print(f"{name:18} {value}")
    return 0
