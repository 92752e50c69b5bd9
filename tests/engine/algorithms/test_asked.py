"""Parent orders that strategies give: entered a moment later by the engine, live and in a backtest."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.algorithms import ALGORITHMS
from engine.backtest import Backtest
from engine.messages import control
from engine.messages.backtest import BacktestConfig
from engine.messages.codes import ParentState, RecordKind, Scope
from engine.messages.control import DefineVenue, StartStrategy
from engine.messages.records import BodyRecord, TextRecord, bodies, runs
from engine.messages.risk import LimitsRow
from engine.simulator.config import parse_config
from engine.simulator.recording import record
from engine.strategies import STRATEGIES, compiled_kind
from tests.engine.algorithms import giver
from tests.engine.algorithms.trading_floor import MIDDLE, TICK, Floor
from tests.engine.loop_builder import ALPHA, BRAVO, STRATEGY, TEAM, VENUE, WIDE


@pytest.fixture(autouse=True)
def giver_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STRATEGIES, "giver", (99, giver))


def start(**parameters: float) -> StartStrategy:
    values = {parameter.name: parameter.default for parameter in giver.PARAMETERS} | parameters
    return StartStrategy(STRATEGY, "giver", TEAM, "giver", compiled_kind("giver").hash, VENUE, [ALPHA], values)


def test_what_a_strategy_asks_for_is_entered_by_the_engine_and_worked() -> None:
    floor = Floor()
    floor.loop.applied(start(quantity=300))
    floor.quote(VENUE)
    assert floor.loop.commands.parents.working() == []

    floor.loop.commands.enter_asked()
    floor.loop.commands.enter_asked()  # nothing new
    floor.run(10.4)

    assert floor.done == 300
    assert int(floor.loop.leg()["position"]) == 300
    begun, ended = floor.parents
    assert (begun["strategy"], begun["trader"], begun["kind"], begun["quantity"]) == (STRATEGY, 0, 101, 300)
    assert ended["state"] == ParentState.DONE


def test_asked_for_twice_by_a_restart_it_is_entered_once_and_late_it_is_not_entered() -> None:
    floor = Floor()
    floor.loop.applied(start())
    floor.quote(VENUE)
    [asked] = floor.loop.commands.parents.take_asked()

    first = floor.loop.commands.execute(asked)
    again = floor.loop.commands.execute(asked)
    late = control.command(control.decode_body(asked), "engine", "another-command")
    floor.loop.pass_time(6_000_000_000)

    assert first.applied
    assert again == first
    assert "later than its sender allowed" in floor.loop.commands.execute(late).reason


def test_legs_that_are_asked_for_in_one_call_are_one_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giver, "INSTRUMENT_LABELS", ["First", "Second"])
    floor = Floor()
    floor.loop.applied(replace(start(quantity=300, algorithm=giver.LEGS, seconds=30), instruments=[ALPHA, BRAVO]))
    floor.loop.quote(BRAVO, MIDDLE - TICK, MIDDLE + TICK)
    floor.answer()
    [asked] = floor.loop.commands.parents.take_asked()

    assert floor.loop.commands.execute(asked).applied
    floor.run(15)

    assert [int(floor.loop.leg(at)["position"]) for at in (0, 1)] == [300, -150]
    begun, ended = floor.parents
    assert (begun["strategy"], begun["legs"], begun["quantity"], ended["filled"]) == (STRATEGY, 2, 450, 450)


def test_a_strategy_chooses_a_parameter_of_all_legs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giver, "INSTRUMENT_LABELS", ["First", "Second"])
    floor = Floor()
    chosen = start(quantity=300, algorithm=giver.LEGS, seconds=30, place=0, value=40)  # most unhedged
    floor.loop.applied(replace(chosen, instruments=[ALPHA, BRAVO]))
    floor.loop.quote(BRAVO, MIDDLE - TICK, MIDDLE + TICK)
    floor.answer()
    [asked] = floor.loop.commands.parents.take_asked()
    defaults = {parameter.name: parameter.default for parameter in ALGORITHMS["legs"][1].PARAMETERS}

    assert asked.body["parameters"] == defaults | {"unhedged": 40.0}
    assert floor.loop.commands.execute(asked).applied
    floor.step()
    assert [row["quantity"] for row in floor.requests] == [40]


def test_a_parent_order_for_no_venue_in_particular_is_worked_at_all_of_them() -> None:
    floor = Floor()
    floor.loop.applied(start(quantity=300, anywhere=1))
    floor.quote(VENUE)
    [asked] = floor.loop.commands.parents.take_asked()
    assert asked.body["venues"] == sorted(floor.loop.configuration.venues)


def test_a_leg_for_no_venue_in_particular_stands_beside_one_that_names_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giver, "INSTRUMENT_LABELS", ["First", "Second"])
    floor = Floor()
    roaming = start(quantity=300, algorithm=giver.LEGS, seconds=30, anywhere=1)
    floor.loop.applied(replace(roaming, instruments=[ALPHA, BRAVO]))
    floor.loop.quote(BRAVO, MIDDLE - TICK, MIDDLE + TICK)
    floor.answer()
    [asked] = floor.loop.commands.parents.take_asked()

    assert [leg["venue"] for leg in asked.body["legs"]] == [control.SMART, VENUE]
    assert floor.loop.commands.execute(asked).applied
    floor.run(15)
    assert [int(floor.loop.leg(at)["position"]) for at in (0, 1)] == [300, -150]


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [(0, 0.5, "Slices is 0.5; it must be from 1 to 1000"), (9, 1.0, "there is no parameter 'parameter 9'")],
)
def test_a_parameter_that_makes_no_sense_is_refused(place: int, value: float, sentence: str) -> None:
    floor = Floor()
    floor.loop.applied(start(place=place, value=value))
    floor.quote(VENUE)
    [asked] = floor.loop.commands.parents.take_asked()
    assert floor.loop.commands.execute(asked).reason == sentence


def test_an_algorithm_that_there_is_not_is_asked_for_in_vain() -> None:
    floor = Floor()
    floor.loop.applied(start(algorithm=5))
    floor.quote(VENUE)

    floor.loop.commands.enter_asked()

    assert floor.loop.commands.parents.working() == []
    assert [
        record for record in floor.loop.taken() if isinstance(record, BodyRecord) and record.kind == RecordKind.PARENT
    ] == []


def test_a_backtest_works_it_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    market = {"seed": 7, "rate": 60.0, "group_size": 2, "depth": 10}
    instruments = [{"id": number, "name": name, "tick_size": 100, "open_price": 1_000_000}
                   for number, name in ((1, "ALPHA"), (2, "BRAVO"))]  # fmt: skip
    (tmp_path / "instruments.json").write_text(json.dumps(instruments))
    described = {"out": "out", "instruments": "instruments.json", "market": market,
                 "venues": [{"name": "XSIM", "id": 1}]}  # fmt: skip
    record(parse_config(described, tmp_path), tmp_path / "session", 15.0, as_json=True)
    settings = {"order_address": "127.0.0.1:1", "user": "desk", "password": "x", "feed_line_a": "127.0.0.1:2"}
    scopes = ((Scope.FIRM, 0), (Scope.TEAM, TEAM), (Scope.STRATEGY, STRATEGY))
    limits = [LimitsRow(int(scope), number, **WIDE) for scope, number in scopes]
    venue = DefineVenue(1, "XSIM", "ouch50", settings)
    config = BacktestConfig(str(tmp_path / "session"), [venue], [start(quantity=200)], limits)

    journals = []
    for name in ("first", "second"):
        with (tmp_path / name).open("wb") as file:
            Backtest(config, tmp_path / "out").run(file)
        journals.append((tmp_path / name).read_bytes())

    assert journals[0] == journals[1]
    begun, ended = parents_of(journals[0])
    assert (begun["state"], ended["state"], ended["filled"]) == (ParentState.WORKING, ParentState.DONE, 200)


def parents_of(journal: bytes) -> Any:
    found = [bodies(part, RecordKind.PARENT)[1] for part in runs(journal) if not isinstance(part, TextRecord)]
    return np.concatenate(found)
