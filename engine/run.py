"""`python -m engine run CONFIG`: the engine as a process. Wires the parts, recovers, runs the loop, serves the cold
path.

    open the logs -> copier -> replay -> journal the start -> control and follow servers -> the loop

Only this file knows the mode.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import queue
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from engine.build import build_hash, require_unchanged
from engine.config import EngineConfig, read_config
from engine.control.announce import catalogue
from engine.control.commands import Commands
from engine.control.configuration import Configuration
from engine.control.latency_budget import Budget, Transition
from engine.control.latency_keeper import LatencyKeeper
from engine.control.latency_log import LatencyLog
from engine.control.recovery import Diverged, Recovered, Replay
from engine.control.server import ControlServer, Pending
from engine.control.session_view import view_session
from engine.control.sessions import Sessions
from engine.control.state_frame import StateFrame
from engine.control.warm_decisions import WarmDecisions
from engine.control.warm_sends import WarmSends, start_warm_sends
from engine.control.warm_up import warm_up
from engine.hotpath import tables
from engine.hotpath.calibration import cycles_per_us, read_cycles
from engine.hotpath.entries import apply_event, begin_numbers, run_loop, session_event
from engine.hotpath.memory import EngineMemory
from engine.journal.append import commit_journal, reserve_journal
from engine.journal.copier import CopierProcess, SyncPolicy, launch_copier
from engine.journal.follow import FollowServer
from engine.journal.tails import JournalCorrupt
from engine.journal.writer import Journal, open_journal
from engine.messages import control
from engine.messages.codes import EngineState, OrderState, RecordKind, Scope, SessionState
from engine.messages.control import Status
from engine.messages.costs import costs_hash, read_costs
from engine.messages.endpoints import engine_endpoints
from engine.messages.instruments import read_instruments
from engine.messages.journal import ENGINE_STATE, HEADER_SIZE, JOURNAL_HEADER, RECORD_SIZE
from engine.messages.socket_folders import leave_socket_directory, make_socket_directory, take_away_stale
from engine.quick_compile import quick_compile
from engine.runtime import Runtime
from engine.venues import why_not_on_paper
from engine.venues.secret_files import secret_files

COMMANDS_PER_BATCH = 16
KILL_FILE = "KILL"
PAPER = "paper"
LOOKS_PER_COLLECTION = 300
OPEN = (
    OrderState.PENDING_NEW,
    OrderState.ACCEPTED,
    OrderState.PARTIALLY_FILLED,
    OrderState.PENDING_CANCEL,
    OrderState.UNKNOWN,
)


def say(sentence: str) -> None:
    """Progress and events, for people."""
    print(sentence, file=sys.stderr, flush=True)


class Engine:
    """One engine: logs, memory, commands, sessions and servers."""

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self.runtime = Runtime(config)
        self.runtime.begin()
        self.instruments = read_instruments(config.instruments)
        self.memory = EngineMemory(
            self.instruments, venue_count=config.venue_count, strategy_count=config.strategy_count
        )
        names = {row.id: row.name for row in self.instruments}
        self.configuration = Configuration(self.memory, names)
        self.journal: Journal = open_journal(config.state)
        self.commands = Commands(self.configuration, self._append_command)
        secrets = secret_files(config.state, config.secrets_folder)
        self.sessions = Sessions(self.configuration, config.state, config.instruments, say, self._why_not, secrets)
        self.stopping = False
        self._copier: CopierProcess | None = None
        self._warm_sends: WarmSends | None = None
        self._warm_decisions: WarmDecisions | None = None
        self._looks = 0
        self._kill_file = config.state / "engine" / KILL_FILE

    def start(self) -> None:
        """Recover and begin a new epoch. Raises Diverged or JournalCorrupt: then the engine stays down."""
        self._copier = launch_copier(self.config.state, policy=SyncPolicy(self.config.sync_policy))
        say("compiling the hot path (the first time takes half a minute)")
        with quick_compile():
            warm_up()
        require_unchanged()
        say("reading the journal")
        recovered = Replay(
            self.journal.places, self.memory, self.commands, lambda n: say(f"replayed {n} journal records")
        ).run()
        self._copier.wait_until_running()
        core = self.memory.core
        core["journal"], core["recording"] = self.journal.journal.writer, self.journal.recording.writer
        read_cycles()  # loading it must not be timed
        core["cycles_per_us"] = cycles_per_us()
        core["spinning"] = self.config.wait == "spinning"
        if self.config.warm_sends_us:
            self._warm_sends = start_warm_sends(self.memory, self.config.warm_sends_us)
        core["clock_ns"] = time.time_ns()
        if self.config.warm_decisions_us and self.config.wait == "spinning":
            self._warm_decisions = WarmDecisions(self.memory, self.config.warm_decisions_us)
        self._append_extra(recovered)
        self._begin_epoch(recovered)
        self._apply_costs()
        self.journal.start_keeper()
        take_away_stale()
        make_socket_directory(self.config.state)
        endpoints = engine_endpoints(self.config.state)
        self.control = ControlServer(endpoints.control, self._wake, self._watch, self._look)
        self.state = StateFrame(self.configuration, self.epoch, self.config.mode)
        self.state.journal_sequence = lambda: self.journal.journal.sequence
        self.state.recording_position = lambda: self.journal.recording.sequence
        self._begin_latency()
        place, status = self.journal.places.journal, self._copier.status
        self.follow = FollowServer(place, endpoints.follow, self.state.make, status, self.latency_log.after)
        self.follow.start()
        self.control.start()
        self.latency.start()
        self.runtime.enter_loop()
        for sentence in self.runtime.sentences():
            say(sentence)
        say(f"engine {build_hash()} is up: epoch {self.epoch}, {EngineState(int(core['state'][0])).name}")

    def _begin_latency(self) -> None:
        self.latency_log = LatencyLog(self.config.state, self.journal.journal.sequence)
        config, on = self.config, frozenset(self.configuration.alarms)
        budget = Budget(config.latency_budget_us, config.order_latency_budget_us, on)
        self.latency = LatencyKeeper(self.memory, self.latency_log, budget, self._alarm)
        self.state.latency = lambda: self.latency.summary(time.time_ns())

    def _alarm(self, change: Transition) -> None:
        """In the keeper's thread: an alarm is a command of the engine's own, so that the journal has it."""
        say(f"ALARM: {change.sentence}" if change.raised else f"alarm over: {change.sentence}")
        body = control.Alarm(change.name, int(change.raised), change.sentence, change.measured_ns, change.budget_ns)
        self.control.pending.put(Pending(control.command(body, "engine")))
        self._wake()

    def run(self) -> int:
        """The loop, and the cold path between its batches. Returns the exit status."""
        self._handle_pending()
        while not self.stopping:
            attention = int(run_loop(self.memory.address))
            if attention & tables.SESSION_READY:
                for venue in list(self.configuration.venues):
                    self.sessions.ready(venue)
            if attention & tables.LOG_FULL:
                say(f"HALTED: the journal is full. {self.journal.failure}")
            self._handle_pending()
        self._close()
        return 0

    def _handle_pending(self) -> None:
        """A bounded number of commands, and whatever venues need."""
        self.memory.core["wake"] = 0
        self.memory.core["clock_ns"] = time.time_ns()
        self.memory.core["received_cycles"] = 0  # what sessions cause has no time of receipt
        for _ in range(COMMANDS_PER_BATCH):
            try:
                pending = self.control.pending.get_nowait()
            except queue.Empty:
                break
            self._answer(pending)
        else:
            self._wake()
        self.commands.enter_asked()
        self.sessions.care()
        self._check_health()

    def _answer(self, pending: Pending) -> None:
        command = pending.command
        if command.kind == control.HELLO:
            made = catalogue(self.configuration, self.instruments, self.epoch, self.config.mode, self.runtime.rows())
            pending.reply(Status(command.id, control.APPLIED, "", made.as_body(), self.journal.journal.sequence))
            return
        refusal = self._refused_on_paper(command)
        pending.reply(refusal or self.commands.execute(command))

    def _look(self, command: control.Command) -> Status:
        return view_session(self.configuration, self.config.state, command)

    def _why_not(self, body: control.DefineVenue) -> str:
        return why_not_on_paper(body.protocol, body.settings) if self.config.mode == PAPER else ""

    def _refused_on_paper(self, command: control.Command) -> Status | None:
        """A venue for real money. Asked before the command is journalled, so a replay need not know the mode."""
        if command.kind != control.DEFINE_VENUE:
            return None
        try:
            body = control.decode_body(command)
        except ValueError:
            return None  # the commands say what is wrong with it
        sentence = self._why_not(body)
        return Status(command.id, control.REFUSED, sentence) if sentence else None

    def _check_health(self) -> None:
        """Copier dead: halt. Copier silent (a sync that hangs): reduce until it is back. Reconciled: become active."""
        state = int(self.memory.core["state"][0])
        copier = self._copier
        if copier is not None and copier.process.poll() is not None and state != EngineState.HALTED:
            say(f"HALTED: the copier has ended. {copier.status.failure}")
            self._set_state(EngineState.HALTED)
        elif copier is not None and not copier.alive() and state == EngineState.ACTIVE:
            say("REDUCE: the copier does not answer; nothing adds risk until it does")
            self._set_state(EngineState.REDUCE)
        elif state == EngineState.REDUCE and copier is not None and copier.alive():
            say("ACTIVE: the copier answers again")
            self._set_state(EngineState.ACTIVE)
        elif state == EngineState.RECONCILING and self._reconciled():
            self._set_state(EngineState.ACTIVE)

    def _reconciled(self) -> bool:
        """Every venue that may still have orders of ours has told what became of them."""
        orders = self.memory.orders
        live = orders[(orders["order_id"] != 0)]
        venues = {int(row["venue"]) for row in live if int(row["state"]) in OPEN}
        return all(self.memory.venues[venue]["session"] == SessionState.UP for venue in venues)

    def _set_state(self, state: EngineState) -> None:
        core = self.memory.core
        body = int(reserve_journal(core["journal"][0]))
        if body == 0:
            core["state"] = EngineState.HALTED
            return
        event = np.frombuffer(memoryview((ctypes.c_char * ENGINE_STATE.itemsize).from_address(body)), ENGINE_STATE)
        event["position"], event["state"] = int(core["position"][0]), int(state)
        apply_event(self.memory.address, int(RecordKind.ENGINE_STATE), body)
        commit_journal(core["journal"][0], int(RecordKind.ENGINE_STATE), int(core["clock_ns"][0]))

    def _append_command(self, document: dict[str, Any]) -> int:
        sequence = self.journal.append_text(RecordKind.COMMAND, int(self.memory.core["clock_ns"][0]), document)
        if sequence == 0:
            self.memory.core["state"] = EngineState.HALTED
        return sequence

    def _append_extra(self, recovered: Recovered) -> None:
        """What the pipeline decided on recorded packets before a kill could journal it; never sent, so venues deny
        it."""
        for at in range(0, len(recovered.extra), RECORD_SIZE):
            raw = recovered.extra[at : at + RECORD_SIZE]
            body = int(reserve_journal(self.journal.journal.writer))
            ctypes.memmove(body, raw[HEADER_SIZE:], RECORD_SIZE - HEADER_SIZE)
            header = np.frombuffer(raw[:HEADER_SIZE], JOURNAL_HEADER)[0]
            commit_journal(self.journal.journal.writer, int(header["kind"]), int(header["time_ns"]))

    def _begin_epoch(self, recovered: Recovered) -> None:
        self.epoch = recovered.epoch + 1
        if recovered.records and not recovered.followed:
            say("the journal is of another build: orders and positions were taken from it, strategies are stopped")
        document = {
            "build_hash": build_hash(),
            "epoch": self.epoch,
            "mode": self.config.mode,
            "venue_count": self.config.venue_count,
            "strategy_count": self.config.strategy_count,
            "instruments": [asdict(row) for row in self.instruments],
        }
        self.journal.append_text(RecordKind.ENGINE_STARTED, int(self.memory.core["clock_ns"][0]), document)
        begin_numbers(self.memory.address)
        killed = (int(Scope.FIRM), 0) in self.configuration.kills
        for venue in range(1, self.config.venue_count + 1):
            row = self.memory.venues[venue]
            if row["session"] != SessionState.DOWN:
                session_event(self.memory.address, venue, int(SessionState.DOWN), 0, 0, 0, 0)
        self._set_state(EngineState.HALTED if killed else EngineState.RECONCILING)
        if recovered.records:
            say(f"recovered {recovered.records} journal records and {recovered.position} packets")

    def _apply_costs(self) -> None:
        """The file of fitted costs, when it says other than the journal's last one."""
        if self.config.costs is None:
            return
        if not self.config.costs.exists():
            say(f"there are no fitted costs at {self.config.costs} yet")
            return
        try:
            found = read_costs(self.config.costs)
        except ValueError as error:
            say(f"{error}; the router goes on with what it knows")
            return
        body = control.ApplyCosts(costs_hash(found), [asdict(row) for row in found])
        if body.hash != self.configuration.costs_hash:
            status = self.commands.execute(control.command(body, "engine"))
            said = f"the router reckons with {self.config.costs}" if status.applied else status.reason
            say(f"fitted costs: {said}")

    def _wake(self) -> None:
        self.memory.core["wake"] = 1

    def _watch(self) -> None:
        """A few times a second, in the control thread: the sentinel file, a look at the venues, and now and then the
        garbage that nobody else collects."""
        self._looks += 1
        if self._looks % LOOKS_PER_COLLECTION == 0:
            gc.collect()
        killed = (int(Scope.FIRM), 0) in self.configuration.kills
        if self._kill_file.exists() and not killed:
            reason = f"the file {KILL_FILE} is there"
            self.control.pending.put(
                Pending(control.command(control.Kill(int(Scope.FIRM), 0, reason), "sentinel file"))
            )
        self._wake()

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """SIGTERM and SIGINT: leave the loop, cancel nothing, close everything."""
        self.stopping = True
        self._wake()

    def _close(self) -> None:
        say("stopping")
        self.control.stop()
        self.follow.stop()
        leave_socket_directory(self.config.state)
        self.latency.stop()
        self.sessions.close_all()
        if self._warm_sends is not None:
            self._warm_sends.close(self.memory)
        if self._warm_decisions is not None:
            self._warm_decisions.close()
        on_disk = self._copier is not None and self._copier.stop() == 0
        self.journal.close(on_disk=on_disk)


def main(arguments: list[str]) -> int:
    """Run one engine until SIGTERM. Status 1 with a sentence when it cannot or must not run."""
    parser = argparse.ArgumentParser(prog="python -m engine run")
    parser.add_argument("config", type=Path)
    chosen = parser.parse_args(arguments)
    try:
        engine = Engine(read_config(chosen.config))
        signal.signal(signal.SIGTERM, engine.stop)
        signal.signal(signal.SIGINT, engine.stop)
        engine.start()
    except (ValueError, OSError, JournalCorrupt, Diverged, RuntimeError) as error:
        say(f"engine: {error}")
        return 1
    return engine.run()
