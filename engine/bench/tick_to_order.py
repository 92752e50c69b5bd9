"""`bench tick-to-order`: a UDP packet in, an order out on TCP, over loopback, from the packet's intended send.

In turn in every round, on the same packets: the engine as it runs (`python -m engine run`, spinning, with its copier
and servers, 400 pairs, every check, journal on disk), a C program that receives the same packets and sends the same
bytes on the same packets and does nothing else (native code when there is no compiler), and plain asyncio doing that.
Which packets cause which orders is found in memory before (`rehearsal.py`); what the engine sends must be those bytes.
The others are stopped (SIGSTOP) while one is measured.

    p50_ns ... max_ns   to the last byte of what the packet causes (a pair's two legs make two orders)
    first_p50_ns        to the first order alone
    inside_ns           packet received to send called, every order, from the engine's own histogram
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from engine.bench import shared_memory
from engine.bench.contestants import SET, Asyncio, Contestant, EngineProcess, Floor
from engine.bench.harness import Harness
from engine.bench.market import Market, Pairs, choose_pairs, make_market
from engine.bench.rehearsal import BLOCK, Rehearsal, rehearsed
from engine.bench.responder import Responder
from engine.bench.table import NO_COMPILER
from engine.config import WARM_DECISIONS_US
from engine.messages.control import StartStrategy

SOURCE = Path(__file__).with_name("floor.c")
COMPILERS = ("cc", "gcc", "clang")
INSTRUMENTS = 500
MESSAGES_PER_PACKET = 2.0
WARM_UP_PACKETS = 50_000
WARM_UP_GAP_NS = 20_000
SETTLE_S = 0.05
STYLE = Pairs(patience=3600.0, remembered=20_000)
QUANTILES = {"p50_ns": 50, "p99_ns": 99, "p999_ns": 99.9}


def compile_floor(directory: Path) -> Path | None:
    """The C program, or None when there is no compiler or it fails. `CC` may be a command with arguments."""
    named = shlex.split(os.environ.get("CC", ""))
    compiler = named or [found for name in COMPILERS if (found := shutil.which(name))][:1]
    if not compiler or shutil.which(compiler[0]) is None:
        return None
    target = directory / "floor"
    ran = subprocess.run([*compiler, "-O3", "-march=native", "-o", str(target), str(SOURCE)], capture_output=True)
    return target if ran.returncode == 0 else None


def summary(first: np.ndarray[Any, Any], last: np.ndarray[Any, Any], expected: int) -> dict[str, Any]:
    """Quantiles of one burst, or of all together."""
    if not len(last):
        return {"n": 0, "missing": expected}
    found: dict[str, Any] = {name: int(np.percentile(last, at)) for name, at in QUANTILES.items()}
    found |= {"max_ns": int(last.max()), "first_p50_ns": int(np.percentile(first, 50))}
    found |= {"first_p99_ns": int(np.percentile(first, 99)), "n": len(last), "missing": expected - len(last)}
    return found


def over_rounds(bursts: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians of the rounds' quantiles; the largest of all; samples of all."""
    heard = [burst for burst in bursts if burst["n"]]
    if not heard:
        return {"n": 0, "missing": sum(burst["missing"] for burst in bursts)}
    names = (*QUANTILES, "first_p50_ns", "first_p99_ns")
    found: dict[str, Any] = {name: round(statistics.median(burst[name] for burst in heard)) for name in names}
    found["max_ns"] = max(burst["max_ns"] for burst in heard)
    return found | {name: sum(burst[name] for burst in bursts) for name in ("n", "missing")}


def setting_ratios(found: dict[str, Any]) -> dict[str, float]:
    """The engine with the settings against the engine without them: below 1 they gained something."""
    made = {}
    for name, key in (("setting_ratio_p50", "p50_ns"), ("setting_ratio_p99", "p99_ns")):
        if found["engine"].get(key) and found[SET].get(key):
            made[name] = round(found[SET][key] / found["engine"][key], 3)
    return made


class Race:
    """Contestants and their harnesses."""

    def __init__(self, market: Market, rehearsal: Rehearsal, contestants: list[Contestant]) -> None:
        self.market, self.contestants = market, contestants
        self.harnesses = {
            each.name: Harness(
                market,
                rehearsal if isinstance(each, EngineProcess) else rehearsal.compact(),
                Responder(rest_every=0),
                each.feed,
                each.orders,
            )
            for each in contestants
        }
        self.bursts: dict[str, list[dict[str, Any]]] = {each.name: [] for each in contestants}

    def turn(self, contestant: Contestant, first: int, last: int, gap_ns: int, together: int = 1) -> dict[str, Any]:
        """One burst for one contestant."""
        harness = self.harnesses[contestant.name]
        contestant.go_on()
        contestant.pin()
        time.sleep(SETTLE_S)
        harness.burst(first, last, gap_ns, together)
        contestant.pause()
        return summary(*harness.latencies(first, last), harness.expected(first, last))

    def run(self, warm: int, rounds: int, packets: int, gap_ns: int, together: int) -> None:
        """A burst to fill the books, then `rounds` measured ones for each in turn."""
        for each in self.contestants:
            each.pause()
        for each in self.contestants:
            self.turn(each, 0, warm, WARM_UP_GAP_NS)
        for number in range(rounds):
            first = warm + number * packets
            for each in self.contestants:
                found = self.turn(each, first, first + packets, gap_ns, together)
                self.bursts[each.name].append(found)
                if found["n"]:
                    told = f"p50 {found['p50_ns']} p99 {found['p99_ns']} ns of {found['n']}"
                    print(f"round {number + 1} {each.name}: {told}, {found['missing']} missing", file=sys.stderr)

    def report(self) -> dict[str, Any]:
        """By contestant, and ratios against the engine."""
        found: dict[str, Any] = {}
        for each in self.contestants:
            harness = self.harnesses[each.name]
            row = over_rounds(self.bursts[each.name])
            row["as_rehearsed"] = row["missing"] == 0 and harness.right_bytes() == int(
                harness.state[0]["received_used"]
            )
            each.go_on()
            found[each.name] = row | each.details()
        return found


def ratios(found: dict[str, Any], floor: str) -> dict[str, float]:
    """The engine against the floor, and asyncio against the engine: ratios of the medians over the rounds."""
    engine, made = found["engine"], {}
    for name, key in (("ratio_p50", "p50_ns"), ("ratio_p99", "p99_ns"), ("ratio_first_p50", "first_p50_ns")):
        if engine.get(key) and found[floor].get(key):
            made[name] = round(engine[key] / found[floor][key], 3)
    if engine.get("p50_ns") and found["asyncio"].get("p50_ns"):
        made["asyncio_ratio_p50"] = round(found["asyncio"]["p50_ns"] / engine["p50_ns"], 2)
    return made


def race(options: argparse.Namespace, directory: Path) -> dict[str, Any]:
    """Everything, from the market to the report."""
    blocks = max(1, round(options.seconds * 1e6 * options.together / options.gap_us / BLOCK))
    packets, warm_up = blocks * BLOCK, -(-options.warm_up // BLOCK) * BLOCK
    total = warm_up + options.rounds * packets
    print("generating the market and rehearsing it", file=sys.stderr)
    market = make_market(int(total * MESSAGES_PER_PACKET * 1.02) + 1000, INSTRUMENTS)
    pairs: list[StartStrategy] = choose_pairs(market, options.pairs, STYLE)
    rehearsal = rehearsed(market, pairs)
    script = directory / "script"
    rehearsal.compact().write(script, market.sequences)
    processors = sorted(os.sched_getaffinity(0))
    cpu = processors[0] if len(processors) > 1 else None
    program = None if options.no_compiler else compile_floor(directory)
    contestants: list[Contestant]
    with contextlib.ExitStack() as stack:
        contestants = [
            EngineProcess(cpu, market, pairs, directory, options.warm_us, options.warm_decisions_us),
            Floor(cpu, script, program),
            Asyncio(cpu, script),
        ]
        if options.setting:
            state = directory / SET
            state.mkdir()
            contestants.append(
                EngineProcess(cpu, market, pairs, state, options.warm_us, options.warm_decisions_us, options.setting)
            )
        for each in contestants:
            stack.callback(each.stop)
            each.begin()
        if cpu is not None:
            os.sched_setaffinity(0, {processors[-1]})
            stack.callback(os.sched_setaffinity, 0, set(processors))
        gc.disable()
        stack.callback(gc.enable)
        the_race = Race(market, rehearsal, contestants)
        the_race.run(warm_up, options.rounds, packets, round(options.gap_us * 1000), options.together)
        found = the_race.report()
    floor = contestants[1].name
    inside = found["engine"].pop("inside")
    found |= {"inside_ns": inside, "floor": floor} | ratios(found, floor)
    if options.setting:
        found |= {"setting": options.setting} | setting_ratios(found)
    found |= {"pairs": options.pairs, "gap_us": options.gap_us, "rounds": options.rounds}
    found |= {"together": options.together, "warm_us": options.warm_us, "warm_decisions_us": options.warm_decisions_us}
    return found


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m engine bench tick-to-order",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="length of each burst")
    parser.add_argument("--gap-us", type=float, default=20.0, help="microseconds between packets; 5000 is cold")
    parser.add_argument("--together", type=int, default=1, metavar="N", help="packets that come back to back")
    parser.add_argument("--warm-us", type=int, default=0, metavar="US", help="idle sends of the engine; 0: none")
    parser.add_argument(
        "--warm-decisions-us",
        type=int,
        default=WARM_DECISIONS_US,
        metavar="US",
        help="warm decisions of the engine; 0: none",
    )
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--warm-up", type=int, default=WARM_UP_PACKETS, help="packets that fill the books before")
    parser.add_argument(
        "--setting",
        action="append",
        default=[],
        metavar="LINE",
        help="a line of engine.toml, like 'huge_pages = \"never\"'; an engine with it runs beside the usual one",
    )
    parser.add_argument("--no-compiler", action="store_true", help="compare with native code, as without cc")
    parser.add_argument(
        "--transport",
        choices=("sockets", "shared-memory"),
        default="sockets",
        help="what packets and orders go through",
    )
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args(arguments)
    if options.rounds < 1 or options.seconds <= 0 or options.gap_us <= 0 or options.pairs < 1 or options.warm_up < 1:
        parser.error("rounds, seconds, gap, pairs and warm-up are above 0")
    if options.warm_decisions_us and options.warm_decisions_us < 10:
        parser.error("--warm-decisions-us is 0 or starts at 10")
    if not 1 <= options.together <= BLOCK or (options.warm_us and options.warm_us < 20):
        parser.error(f"--together goes from 1 to {BLOCK}, --warm-us is 0 or starts at 20")
    return options


def main(arguments: list[str]) -> int:
    """The command. 1 when somebody did not come up, or did not send what was rehearsed."""
    options = _parse(arguments)
    if options.transport == "shared-memory":
        return shared_memory.run(options, INSTRUMENTS, MESSAGES_PER_PACKET)
    with tempfile.TemporaryDirectory(prefix="bench-tick-") as directory:
        try:
            found = race(options, Path(directory))
        except RuntimeError as wrong:
            print(f"engine bench tick-to-order: {wrong}", file=sys.stderr)
            return 1
    names = ["engine", found["floor"], "asyncio", *([SET] if options.setting else [])]
    for name in names:
        row = found[name]
        if row["n"]:
            print(
                f"{name:12} p50 {row['p50_ns']:>8}  p99 {row['p99_ns']:>9}  p99.9 {row['p999_ns']:>9}  "
                f"max {row['max_ns']:>10} ns  first order p50 {row['first_p50_ns']:>8} ns  n {row['n']}"
            )
    if found["floor"] == "floor_native":
        print(NO_COMPILER)
    print(f"engine / {found['floor']}: p50 {found.get('ratio_p50')}, p99 {found.get('ratio_p99')}")
    print(f"asyncio / engine: p50 {found.get('asyncio_ratio_p50')}")
    print(f"inside the engine, received to send called: {found['inside_ns']}")
    if options.setting:
        told = f"p50 {found.get('setting_ratio_p50')}, p99 {found.get('setting_ratio_p99')}"
        print(f"with {', '.join(options.setting)} / without: {told}")
    if options.json:
        print(json.dumps(found))
    return 0 if all(found[name]["as_rehearsed"] for name in names) else 1
