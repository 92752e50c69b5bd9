"""A short backtest as processes, compiled and interpreted: the same journal, byte for byte, and results that agree."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.messages.backtest import BacktestConfig, write_backtest
from engine.messages.codes import OPEN_STATES, RecordKind, ReportKind, Scope
from engine.messages.control import DefineVenue, StartStrategy
from engine.messages.records import TextRecord, bodies, runs
from engine.messages.risk import LimitsRow
from engine.messages.tca import COSTS, MONEY_SCALE
from engine.strategies import pairs, source_hash
from tests.conftest import PROJECT_ROOT
from tests.engine.loop_builder import PARAMETERS, STRATEGY, TEAM, WIDE

EXCHANGE = """
out = "out"
session = "SHORT"
instruments = "instruments.json"
[[venues]]
name = "XSIM"
id = 1
users = [{ name = "desk", password = "x" }]
[market]
seed = 7
rate = 60.0
group_size = 2
depth = 10
"""
INSTRUMENTS = [
    {"id": 1, "name": "ALPHA", "tick_size": 100, "open_price": 1_000_000},
    {"id": 2, "name": "BRAVO", "tick_size": 100, "open_price": 1_000_000},
]
EAGER = PARAMETERS | {"deviation": 0.01, "entry": 1.0, "exit": 0.5, "patience": 0.2, "quantity": 30, "memory": 5.0}


def run(backend: str, *arguments: str) -> dict[str, Any]:
    """`python -m engine ... --json` in that backend."""
    done = subprocess.run(
        [sys.executable, "-m", "engine", *arguments, "--json"],
        cwd=PROJECT_ROOT,
        env=os.environ | {"ENGINE_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a minute of two instruments."""
    directory = tmp_path_factory.mktemp("recorded")
    (directory / "exchange.toml").write_text(EXCHANGE)
    (directory / "instruments.json").write_text(json.dumps(INSTRUMENTS))
    made = directory / "session"
    run("plain", "exchange", str(directory / "exchange.toml"), "--record", str(made), "--seconds", "30")
    return made


def config(recording: Path, path: Path, **limits: int) -> Path:
    scopes = ((Scope.FIRM, 0), (Scope.TEAM, TEAM), (Scope.STRATEGY, STRATEGY))
    strategy = StartStrategy(STRATEGY, "pair", TEAM, "pairs", source_hash(pairs), 1, [1, 2], EAGER)
    venue = DefineVenue(
        1,
        "XSIM",
        "ouch50",
        {
            "order_address": "127.0.0.1:1",
            "user": "desk",
            "password": "x",
            "feed_line_a": "127.0.0.1:2",
            "taker_fee": "30",
            "maker_fee": "-20",
        },
    )
    rows = [LimitsRow(int(scope), number, **WIDE | limits) for scope, number in scopes]
    write_backtest(path, BacktestConfig(str(recording), [venue], [strategy], rows))
    return path


class Run:
    """Totals and files of one backtest."""

    def __init__(self, backend: str, recording: Path, directory: Path, **limits: int) -> None:
        made = config(recording, directory / "backtest.toml", **limits)
        self.totals = run(backend, "backtest", str(made), "--out", str(directory / "out"), "--recording")
        self.out = directory / "out"
        self.journal = (self.out / "journal.bin").read_bytes()

    def bodies(self, kind: RecordKind) -> np.ndarray[Any, Any]:
        found = [bodies(part, kind)[1] for part in runs(self.journal) if not isinstance(part, TextRecord)]
        return np.concatenate(found)

    def rows(self, name: str) -> list[dict[str, str]]:
        with (self.out / name).open() as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def plain(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run("plain", recording, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def native(recording: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run("native", recording, tmp_path_factory.mktemp("native"))


def test_compiled_and_interpreted_runs_write_the_same_journal(plain: Run, native: Run) -> None:
    assert plain.totals["fills"] > 20
    assert plain.totals["journal_sha256"] == native.totals["journal_sha256"]
    assert plain.journal == native.journal
    measured = ("seconds", "events_per_second")
    assert {n: v for n, v in plain.totals.items() if n not in measured} == {
        n: v for n, v in native.totals.items() if n not in measured
    }


def test_the_same_run_again_writes_the_same_journal(plain: Run, recording: Path, tmp_path: Path) -> None:
    assert Run("plain", recording, tmp_path).journal == plain.journal


def test_the_report_of_its_costs_has_every_fill_and_fee(plain: Run) -> None:
    report = run("plain", "study", "tca", str(plain.out))
    sums = report["totals"]
    assert (sums["fills"], sums["filled"]) == (plain.totals["fills"], plain.totals["volume"])
    assert Decimal(sums["fees"]) / MONEY_SCALE == Decimal(plain.totals["fees"])
    assert sums["shortfall"] == sum(sums[name] for name in COSTS)
    assert (sums["unpriced"], sums["parents"] > 20, sums["orders"]) == (0, True, plain.totals["orders"])


def test_other_limits_make_another_run_with_denials(recording: Path, tmp_path: Path) -> None:
    made = Run("plain", recording, tmp_path, position=20)
    assert made.totals["denials"] > 0
    fills = made.bodies(RecordKind.ORDER_REPORT)
    fills = fills[fills["kind"] == ReportKind.EXECUTED]
    for instrument in (1, 2):
        mine = fills[fills["instrument"] == instrument]
        signed = np.where(mine["side"] == 1, mine["quantity"], -mine["quantity"]).cumsum()
        assert np.abs(signed).max(initial=0) <= 20


def test_every_report_has_its_request_before_it(plain: Run) -> None:
    requested: set[int] = set()
    for part in runs(plain.journal):
        if isinstance(part, TextRecord):
            continue
        for record in part:
            body = np.frombuffer(record["body"].tobytes(), "<u8", 2)
            kind = int(record["header"]["kind"])
            if kind == RecordKind.ORDER_REQUEST:
                requested.add(int(body[1]))
            elif kind == RecordKind.ORDER_REPORT:
                assert int(body[1]) in requested
    assert len(requested) == plain.totals["orders"]


def test_totals_are_those_of_the_journal(plain: Run) -> None:
    reports = plain.bodies(RecordKind.ORDER_REPORT)
    fills = reports[reports["kind"] == ReportKind.EXECUTED]
    cash = np.where(fills["side"] == 1, -1, 1) * fills["price"] * fills["quantity"]
    assert plain.totals["fills"] == len(fills)
    assert plain.totals["volume"] == int(fills["quantity"].sum())
    assert Decimal(plain.totals["fees"]) == Decimal(int(fills["fee"].sum())) / 10_000
    last = plain.rows("equity.csv")[-1]
    assert last["net"] == plain.totals["pnl"]
    marked = Decimal(last["realised"]) + Decimal(last["unrealised"]) - Decimal(int(cash.sum())) / 10_000
    signed = np.where(fills["side"] == 1, fills["quantity"], -fills["quantity"])
    held = [int(signed[fills["instrument"] == instrument].sum()) for instrument in (1, 2)]
    assert (marked != 0) == any(held)
    ended = {int(row["order_id"]): int(row["state"]) for row in reports}
    assert sum(state in OPEN_STATES for state in ended.values()) <= 2


def test_fills_are_listed_as_journalled(plain: Run) -> None:
    reports = plain.bodies(RecordKind.ORDER_REPORT)
    fills = reports[reports["kind"] == ReportKind.EXECUTED]
    listed = [(int(r["order_id"]), Decimal(r["price"]), int(r["quantity"])) for r in plain.rows("fills.csv")]
    assert listed == [(int(f["order_id"]), Decimal(int(f["price"])) / 10_000, int(f["quantity"])) for f in fills]
