"""A recorded session through real sockets, and the backtest of that recording: the same decisions, the same fills."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from engine.journal.places import existing_places
from engine.journal.reader import LogReader
from engine.messages.backtest import BacktestConfig, write_backtest
from engine.messages.codes import RecordKind, ReportKind
from engine.messages.control import DefineVenue, StartStrategy
from engine.messages.instruments import Instrument, read_instruments
from engine.messages.records import TextRecord, bodies, runs
from engine.messages.risk import LimitsRow
from engine.simulator.generator import default_instruments
from tests.system.engine_rig import Rig, running, wait_until

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("engine"), pytest.mark.timeout(900)]

REQUEST_FIELDS = (
    "order_id", "target_order_id", "strategy", "instrument", "side", "price", "quantity", "action", "feed_sequence",
    "signal",
)  # fmt: skip
FILL_FIELDS = ("order_id", "match_number", "instrument", "side", "price", "quantity", "fee", "liquidity")
LOCKSTEP = 'lockstep = true\nstart_on_login = true\nspeed = "flat"'


@dataclass
class Decisions:
    """What was asked for and what came of it, in order."""

    requests: list[tuple[Any, ...]]
    fills: list[tuple[Any, ...]]


def decisions_of(data: Any) -> Decisions:
    """From journal records back to back."""
    found = Decisions([], [])
    for run in runs(data):
        if isinstance(run, TextRecord):
            continue
        found.requests += bodies(run, RecordKind.ORDER_REQUEST)[1][list(REQUEST_FIELDS)].tolist()
        reports = bodies(run, RecordKind.ORDER_REPORT)[1]
        found.fills += reports[reports["kind"] == ReportKind.EXECUTED][list(FILL_FIELDS)].tolist()
    return found


def live_decisions(state: Path) -> Decisions:
    """From an engine's journal."""
    reader, found = LogReader(existing_places(state).journal), Decisions([], [])
    while (span := reader.next_span()) is not None:
        part = decisions_of(span.data)
        found.requests += part.requests
        found.fills += part.fills
    return found


def commands_of(state: Path) -> dict[str, list[dict[str, Any]]]:
    """Bodies of the journalled commands, by kind."""
    reader, found = LogReader(existing_places(state).journal), {}
    while (span := reader.next_span()) is not None:
        for run in runs(span.data):
            if isinstance(run, TextRecord) and run.kind == RecordKind.COMMAND:
                found.setdefault(run.document["kind"], []).append(run.document["body"])
    return found


def backtest_decisions(rig: Rig, recording: Path) -> tuple[Decisions, dict[str, Any]]:
    """The backtest of `recording` with the very commands that the live engine was given, and its totals."""
    given = commands_of(rig.state)
    config = BacktestConfig(
        str(recording),
        [DefineVenue(**body) for body in given["define_venue"]],
        [StartStrategy(**body) for body in given["start_strategy"]],
        [LimitsRow(**row) for row in given["apply_limits"][-1]["rows"]],
    )
    write_backtest(rig.directory / "backtest.toml", config)
    out = rig.directory / "backtest"
    totals = rig.door("backtest", str(rig.directory / "backtest.toml"), "--out", str(out))
    return decisions_of((out / "journal.bin").read_bytes()), totals


def trade_recorded(rig: Rig, head: str, start_pairs: Any) -> Decisions:
    """Paper trading in lockstep, the strategies running before the exchange is there, until its session is over."""
    rig.start_engine()
    rig.apply_limits([1, 2, 3])
    rig.define_ouch_venue(lockstep=True)
    start_pairs()
    rig.write_exchange(f"{LOCKSTEP}\n{head}", market="")
    rig.start_exchange()
    wait_until(rig.exchange_ended, f"the recorded session is over: {rig.said('exchange')}", 300)
    assert rig.stop_engine() == 0, rig.said("run")
    return live_decisions(rig.state)


def test_a_recorded_session_through_the_sockets_and_its_backtest_decide_alike(tmp_path: Path) -> None:
    with running(Rig(tmp_path, default_instruments())) as rig:
        recording = tmp_path / "recording"
        rig.write_exchange()
        rig.door("exchange", str(tmp_path / "exchange.toml"), "--record", str(recording), "--seconds", "20")

        def start_pairs() -> None:
            for strategy in (1, 2, 3):
                rig.start_pairs(strategy, 4 * strategy - 3, 4 * strategy - 2)

        live = trade_recorded(rig, f'flow = "{recording / "flow.npy"}"', start_pairs)
        tested, totals = backtest_decisions(rig, recording)
        assert len(live.fills) > 20
        assert (live.requests, live.fills) == (tested.requests, tested.fills)
        assert totals["fills"] == len(live.fills)


def test_real_quotes_through_the_sockets_and_their_backtest_decide_alike(tmp_path: Path, shared_data: Path) -> None:
    files = {name: shared_data / "equity_ticks" / name.lower() / "20131007_quote.zip" for name in ("BAC", "AIG")}
    if not all(file.exists() for file in files.values()):
        pytest.skip("no recorded quotes of BAC and AIG on 2013-10-07")
    instruments = [Instrument(1, "BAC"), Instrument(2, "AIG")]

    def replay(first: str, last: str) -> str:
        named = ", ".join(f'{name} = "{file}"' for name, file in files.items())
        return f'[replay]\nfirst_time = "{first}"\nlast_time = "{last}"\nfiles = {{ {named} }}'

    with running(Rig(tmp_path, instruments)) as rig:
        rig.write_exchange(replay("09:30:00", "09:50:00"), market="")
        earlier, recording = tmp_path / "earlier", tmp_path / "recording"
        rig.door("exchange", str(tmp_path / "exchange.toml"), "--record", str(earlier), "--seconds", "1200")
        (pair,) = rig.door("study", "pairs", str(earlier / "prices.csv"), "--format", "prices", "--every", "5")["pairs"]
        rig.write_exchange(replay("09:50:00", "10:00:00"), market="")
        rig.door("exchange", str(tmp_path / "exchange.toml"), "--record", str(recording), "--seconds", "600")
        names = {row.name: row.id for row in read_instruments(tmp_path / "instruments.json")}

        def start_pairs() -> None:
            estimated = {"hedge_ratio": pair["hedge_ratio"], "centre": pair["centre"]}
            estimated |= {"deviation": pair["spread_deviation"], "entry": 1.0, "exit": 0.2}
            legs = names[pair["first"]], names[pair["second"]]
            rig.start_pairs(1, *legs, **estimated, patience=2.0, memory=60.0)

        live = trade_recorded(rig, replay("09:50:00", "10:00:00"), start_pairs)
        tested, _ = backtest_decisions(rig, recording)
        print(json.dumps({"requests": len(live.requests), "fills": len(live.fills)}))
        assert len(live.fills) > 10
        assert (live.requests, live.fills) == (tested.requests, tested.fills)
