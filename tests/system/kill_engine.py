"""`python -m tests.system.kill_engine --times 100`: SIGKILL the engine at random instants under load, start it again,
and compare it with the exchange's own log each time. Prints a line per kill and a summary as JSON."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.messages import control
from engine.messages.codes import Scope
from engine.simulator.generator import default_instruments
from tests.system.agreement import EngineLog, OracleLog, disagreements
from tests.system.engine_rig import USER, XSIM, Rig, running, wait_until

PAIRS = 10
ALLOWED_S = 5.0
PATIENCE_S = 180.0  # what is too late is found in the summary; a busy machine must not hide what else is wrong


@dataclass
class Outcome:
    """What a run of kills found. Times in seconds from the start of the process; `processor_s` is how long it was at
    work meanwhile, which a busy machine does not stretch."""

    kills: int = 0
    up_s: list[float] = field(default_factory=list)
    agreed_s: list[float] = field(default_factory=list)
    processor_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    orders: int = 0
    fills: int = 0
    records: int = 0
    replay: dict[str, Any] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """For people and for tests."""
        agreed = sorted(self.agreed_s)
        return {
            "kills": self.kills,
            "faults": self.faults,
            "orders": self.orders,
            "fills": self.fills,
            "journal_records": self.records,
            "up_seconds_median": round(sorted(self.up_s)[len(self.up_s) // 2], 2),
            "agreed_seconds_median": round(agreed[len(agreed) // 2], 2),
            "agreed_seconds_max": round(agreed[-1], 2),
            "processor_seconds_median": round(sorted(self.processor_s)[len(agreed) // 2], 2),
            "processor_seconds_max": round(max(self.processor_s), 2),
            "replay_identical": self.replay.get("identical"),
        }


def start_trading(rig: Rig) -> None:
    """Exchange, engine, venue, limits, ten pairs."""
    rig.write_exchange()
    rig.start_exchange()
    rig.start_engine()
    rig.define_ouch_venue()
    rig.apply_limits(list(range(1, PAIRS + 1)))
    for strategy in range(1, PAIRS + 1):
        rig.start_pairs(strategy, 4 * strategy - 3, 4 * strategy - 2)


class Killing:
    """A rig that trades, and both logs of it."""

    def __init__(self, rig: Rig, seed: int, say: Callable[[str], None]) -> None:
        self.rig, self.say = rig, say
        self.random = random.Random(seed)
        self.names = {row.name: row.id for row in default_instruments()}
        self.exchange = OracleLog(rig.directory / "exchange" / "oracle.jsonl", USER, "XSIM")
        self.engine = EngineLog(rig.state, XSIM)
        self.outcome = Outcome()

    def wait_for_fills(self, more: int) -> None:
        """Until so many fills more are journalled."""
        self.engine.read()
        wanted = self.engine.fills.total() + more
        wait_until(lambda: self.engine.read() or self.engine.fills.total() >= wanted, "fills", 60)

    def kill_once(self) -> None:
        """One kill at a random instant, one recovery, one comparison."""
        rig, outcome = self.rig, self.outcome
        time.sleep(self.random.uniform(0, 0.8))
        rig.kill_engine()
        while self.random.random() < 0.2:  # killed once more while it recovers
            rig.start_engine(wait=False)
            time.sleep(self.random.uniform(0, 4.0))
            rig.kill_engine()
            outcome.kills += 1
        self.engine.read()
        starts = self.engine.starts
        rig.start_engine(wait=False)
        self.exchange.read()
        missed = self.exchange.last_sequence
        rig.wait_for_engine(PATIENCE_S)
        outcome.up_s.append(time.monotonic() - rig.started_at)
        wait_until(lambda: self._caught_up(starts, missed), "the engine has caught up with the exchange", PATIENCE_S)
        outcome.agreed_s.append(time.monotonic() - rig.started_at)
        outcome.processor_s.append(rig.engine_processor_seconds())
        outcome.kills += 1
        faults = disagreements(self.exchange, self.engine, self.names, quiet=False)
        outcome.faults += [f"kill {outcome.kills}: {fault}" for fault in faults]
        took = (
            f"up {outcome.up_s[-1]:.2f} s, agreed {outcome.agreed_s[-1]:.2f} s, at work {outcome.processor_s[-1]:.2f} s"
        )
        self.say(f"kill {outcome.kills}: {took}, {self.engine.records} records, {len(faults)} faults")
        self.wait_for_fills(3)

    def _caught_up(self, starts: int, missed: int) -> bool:
        self.engine.read()
        return self.engine.starts > starts and self.engine.session_up and self.engine.last_sequence >= missed

    def finish(self) -> Outcome:
        """Cancel everything, compare at rest, stop, replay."""
        rig, outcome = self.rig, self.outcome
        rig.apply(control.Kill(int(Scope.FIRM), 0, "the end of the test"))
        wait_until(self._at_rest, self._unrest, 30)
        outcome.faults += disagreements(self.exchange, self.engine, self.names, quiet=True)
        shown: dict[int, int] = {}
        for row in rig.state_frame()["positions"]:
            shown[row["instrument"]] = shown.get(row["instrument"], 0) + row["quantity"]
        journalled = {i: q for i, q in self.engine.positions.items() if q}
        if {i: q for i, q in shown.items() if q} != journalled:
            outcome.faults.append(f"positions: {shown} in memory, {journalled} in the journal")
        if rig.stop_engine() != 0:
            outcome.faults.append("the engine did not stop cleanly")
        outcome.replay = rig.door("journal", "replay", str(rig.state))
        outcome.orders, outcome.fills = len(self.engine.entered), self.engine.fills.total()
        outcome.records = self.engine.records
        return outcome

    def _at_rest(self) -> bool:
        self.engine.read()
        working = any(left for _, left in self.engine.orders.values())
        return not working and not disagreements(self.exchange, self.engine, self.names, quiet=True)

    def _unrest(self) -> str:
        working = [order_id for order_id, (_, left) in self.engine.orders.items() if left]
        return f"working: {working}; {disagreements(self.exchange, self.engine, self.names, quiet=True)}"


def kill_many(directory: Path, times: int, seed: int = 1, say: Callable[[str], None] = lambda _line: None) -> Outcome:
    """Kill and compare `times` times in `directory`."""
    with running(Rig(directory, default_instruments())) as rig:
        start_trading(rig)
        killing = Killing(rig, seed, say)
        killing.wait_for_fills(20)
        for _ in range(times):
            killing.kill_once()
        return killing.finish()


def main(arguments: list[str]) -> int:
    """0 when nothing was lost, doubled or late."""
    parser = argparse.ArgumentParser(prog="python -m tests.system.kill_engine", description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in DIR and leave logs and journal there")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as directory:
        outcome = kill_many(
            chosen.keep or Path(directory), chosen.times, chosen.seed, lambda line: print(line, flush=True)
        )
    summary = outcome.summary()
    print(json.dumps(summary))
    return int(bool(outcome.faults) or not summary["replay_identical"] or summary["agreed_seconds_max"] > ALLOWED_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
