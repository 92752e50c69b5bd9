"""`bench all`: every benchmark at a size that takes moments, each in its own process, and one table of what was found.

A line says what is measured, the target, what was found, whether it holds here, and what it was measured against in the
same run. A target that is missed is said and does not fail the command: machines differ; a benchmark that fails does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from engine.bench import memory_latency

Found = dict[str, Any]
NO_COMPILER = "no C compiler was used: the floor is a native loop that only receives and sends"

COLD = ["tick-to-order", "--gap-us", "5000", "--seconds", "5", "--rounds", "3", "--warm-up", "25000"]
RUNS: dict[str, list[str]] = {
    "tick-to-order": ["tick-to-order", "--rounds", "5", "--seconds", "0.5", "--warm-up", "25000"],
    "burst": ["tick-to-order", "--gap-us", "2", "--rounds", "3", "--seconds", "0.05", "--warm-up", "25000"],
    "cold": COLD,
    "cold, warmed": [*COLD, "--warm-us", "20"],
    "shared memory": ["tick-to-order", "--transport", "shared-memory", "--rounds", "5", "--seconds", "0.5"],
    "pipeline": ["pipeline", "--messages", "400000", "--rounds", "3"],
    "book": ["book", "--messages", "4000000", "--rounds", "3"],
    "journal": ["journal", "--seconds", "0.4"],
    "backtest": ["backtest", "--seconds", "20", "--rounds", "2"],
    "ready": ["ready", "--rounds", "3"],
    "fix": ["fix", "--rounds", "3", "--orders", "10000", "--trips", "500"],
}


@dataclass(frozen=True)
class Line:
    """One line of the table. `read` gives the value, `against` the words for what it stands beside."""

    run: str
    measure: str
    unit: str
    read: Callable[[Found], float | None]
    against: Callable[[Found], str]
    most: float | None = None
    least: float | None = None

    def target(self) -> str:
        """The target in words."""
        if self.most is not None:
            return f"at most {self.most:g} {self.unit}"
        return f"at least {self.least:g} {self.unit}" if self.least is not None else "-"

    def holds(self, value: float | None) -> str:
        """Whether the target is met here."""
        if value is None:
            return "not measured"
        if self.most is None and self.least is None:
            return "-"
        met = value <= self.most if self.most is not None else value >= (self.least or 0.0)
        return "yes" if met else "NO"


def _floor(found: Found, name: str) -> str:
    floor = found["floor"]
    return f"engine {found['engine'].get(name)} ns, {floor} {found[floor].get(name)} ns, n {found['engine']['n']}"


def _pairs(count: int) -> Callable[[Found], float | None]:
    return lambda found: found["by_pairs"][str(count)]["ns_per_message"]


def _tails(run: str, words: str) -> list[Line]:
    return [
        Line(
            run, f"{words}: engine, {name}", "ns", lambda f, key=f"{name}_ns": f["engine"].get(key),  # type: ignore[misc]
            lambda f, key=f"{name}_ns": _floor(f, key),  # type: ignore[misc]
        )
        for name in ("p50", "p99")
    ]  # fmt: skip


LINES = (
    Line(
        "tick-to-order", "packet to order, engine / floor, p50", "x", lambda f: f.get("ratio_p50"),
        lambda f: _floor(f, "p50_ns"), most=1.15,
    ),
    Line(
        "tick-to-order", "packet to order, engine / floor, p99", "x", lambda f: f.get("ratio_p99"),
        lambda f: _floor(f, "p99_ns"), most=1.25,
    ),
    Line(
        "tick-to-order", "packet to first order, engine / floor, p50", "x", lambda f: f.get("ratio_first_p50"),
        lambda f: _floor(f, "first_p50_ns"),
    ),
    Line(
        "tick-to-order", "asyncio / engine, p50", "x", lambda f: f.get("asyncio_ratio_p50"),
        lambda f: f"asyncio {f['asyncio'].get('p50_ns')} ns", least=3.5,
    ),
    Line(
        "tick-to-order", "received to send called, p50", "ns", lambda f: f["inside_ns"]["p50_ns"],
        lambda f: f"{f['inside_ns']['n']} orders", most=500,
    ),
    Line(
        "tick-to-order", "received to send called, p99", "ns", lambda f: f["inside_ns"]["p99_ns"],
        lambda f: f"{f['inside_ns']['n']} orders", most=1500,
    ),
    *_tails("burst", "10 x burst (2 us apart)"),
    *_tails("cold", "cold (5 ms apart)"),
    *_tails("cold, warmed", "cold, with idle sends"),
    Line(
        "shared memory", "packet to order over shared memory, p50", "ns", lambda f: f["engine"]["p50_ns"],
        lambda f: f"a ring and back {f['floor_native']['p50_ns']} ns, n {f['engine']['n']}", most=500,
    ),
    Line(
        "pipeline", "decision path in memory, 400 pairs", "ns a message", lambda f: f["ns_per_message"],
        lambda f: f"{f['orders']} orders in {f['messages']} messages", most=60,
    ),
    Line("pipeline", "the same, 100 pairs", "ns a message", _pairs(100), lambda f: "-"),
    Line("pipeline", "the same, 2,000 pairs", "ns a message", _pairs(2000), lambda f: "-"),
    Line("pipeline", "the same, 10,000 pairs", "ns a message", _pairs(10_000), lambda f: "-"),
    Line(
        "pipeline", "the same source interpreted / compiled", "x", lambda f: f["plain"]["ratio"],
        lambda f: f"interpreted {f['plain']['plain_ns_per_message']} ns; same journal: {f['plain']['same_journal']}",
        least=40,
    ),
    Line(
        "book", "ITCH messages into aggregate books", "ns a message", lambda f: f["ns_per_message"],
        lambda f: f"each as live: {f['ns_per_message_by_way']['aggregate_each']} ns",
    ),
    Line(
        "book", "with queue positions", "ns a message", lambda f: f["ns_per_message_by_way"]["queues_bulk"],
        lambda f: f"each as live: {f['ns_per_message_by_way']['queues_each']} ns",
    ),
    Line(
        "journal", "a record in the loop, mean", "ns", lambda f: f["ns_per_record"],
        lambda f: f"median burst {f['p50_burst_ns']} ns, copier syncing", most=30,
    ),
    Line(
        "journal", "a record in the loop, p99.9", "ns", lambda f: f["p999_ns"],
        lambda f: f"two stamps alone {f['stamp_ns']} ns", most=200,
    ),
    Line(
        "fix", "packet to order in memory, FIX / OUCH, p50", "x", lambda f: f["ratio"],
        lambda f: f"FIX {f['fix_ns']} ns, OUCH {f['ouch_ns']} ns", most=1.25,
    ),
    Line(
        "fix", "order and fill over loopback, QuickFIX from Python / ours, p50", "x", lambda f: f["round_trip_ratio"],
        lambda f: f"ours {f['round_trip_us']} us, QuickFIX {f['quickfix_round_trip_us']} us",
    ),
    Line(
        "backtest", "standard backtest", "events/s", lambda f: f["events_per_second"],
        lambda f: f"{f['events']} events, {f['orders']} orders",
    ),
    Line(
        "ready", "hot path ready, nothing compiled before", "s", lambda f: f["cold_seconds"],
        lambda f: f"{f['functions']} functions", most=60,
    ),
    Line(
        "ready", "hot path ready from a warm cache", "s", lambda f: f["warm_seconds"],
        lambda f: f"median of {len(f['warm_rounds'])} starts", most=3,
    ),
)  # fmt: skip


def machine() -> str:
    """What this ran on, in one line."""
    name = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        for row in information.read_text().splitlines():
            if row.startswith("model name"):
                name = row.partition(":")[2].strip()
                break
    load = os.getloadavg()[0]
    parts = [f"{len(os.sched_getaffinity(0))} x {name}", f"Linux {platform.release()}"]
    parts += [f"Python {platform.python_version()}", f"numba {version('numba')}", f"load {load:.1f}"]
    parts += [f"a load that no cache serves {memory_latency.measure():.0f} ns"]
    return ", ".join(parts)


def run_bench(name: str) -> tuple[int, Found | None]:
    """One run of RUNS in its own process: exit status and what it found, None when it printed no object."""
    print(f"bench {name}", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "engine", "bench", *RUNS[name], "--json"]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    last = (ran.stdout.strip().splitlines() or [""])[-1]
    try:
        return ran.returncode, dict(json.loads(last))
    except ValueError:
        return ran.returncode or 1, None


def rows_of(found: dict[str, Found | None]) -> list[list[str]]:
    """The table, without its head."""
    rows = []
    for line in LINES:
        results = found.get(line.run)
        value = line.read(results) if results else None
        shown = f"{value:,.6g} {line.unit}" if value is not None else "-"
        against = line.against(results) if results else "it failed"
        rows.append([line.measure, line.target(), shown, line.holds(value), against])
    return rows


def render(rows: list[list[str]]) -> str:
    """Columns of equal width, as a Markdown table."""
    table = [["measure", "target", "measured", "holds here", "beside it, same run"], *rows]
    widths = [max(len(row[at]) for row in table) for at in range(5)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in table
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run them all. 1 when one failed."""
    parser = argparse.ArgumentParser(
        prog="python -m engine bench all", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object: each benchmark's own")
    options = parser.parse_args(arguments)
    found: dict[str, Found | None] = {}
    worst = 0
    for name in RUNS:
        status, found[name] = run_bench(name)
        worst = max(worst, status)
    ran_on = machine()
    print(f"machine: {ran_on}")
    print(render(rows_of(found)))
    if (found["tick-to-order"] or {}).get("floor") == "floor_native":
        print(NO_COMPILER)
    if options.json:
        print(json.dumps({"machine": ran_on, **found}))
    return worst
