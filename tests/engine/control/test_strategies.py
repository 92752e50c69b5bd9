"""Starting strategies: what a form may ask for, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from engine.control.configuration import Refusal, check_parameters
from engine.hotpath import tables
from engine.messages import control
from engine.messages.catalogue import Parameter
from engine.messages.codes import ReportKind, Scope, StrategyState
from engine.strategies import compiled_kind, kind_name
from tests.engine.loop_builder import ALPHA, BRAVO, CHARLIE, OTHER_TEAM, PARAMETERS, STRATEGY, TEAM, VENUE, Loop


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits()
    made.quote(ALPHA, 999_900, 1_000_100)
    return made


def test_a_started_strategy_runs_with_its_parameters_and_sees_the_books_as_they_are(loop: Loop) -> None:
    status = loop.start_pairs()
    assert status.body == {"kind_hash": compiled_kind("pairs").hash}
    row = loop.configuration.strategy_rows[STRATEGY]
    strategy = loop.memory.strategies[row]
    assert (int(strategy["id"]), int(strategy["state"]), int(strategy["leg_count"])) == (
        STRATEGY,
        StrategyState.RUNNING,
        2,
    )
    assert {name: float(loop.memory.rows[row][name][0]) for name in PARAMETERS} == PARAMETERS
    first, second = loop.leg(0), loop.leg(1)
    seen = [tuple(int(leg[name]) for name in ("instrument", "venue", "bid", "ask")) for leg in (first, second)]
    assert seen == [(ALPHA, VENUE, 999_900, 1_000_100), (BRAVO, VENUE, 0, 0)]
    assert kind_name(int(strategy["kind"])) == "pairs"


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"kind": "momentum"}, "this engine has no strategy kind 'momentum'"),
    ({"kind_hash": "0" * 16}, "pairs of this engine is"),
    ({"strategy": 0}, "a strategy has a positive number"),
    ({"strategy": 1 << 40}, "a strategy and its team have positive numbers below 2^31"),
    ({"team": 0}, "a strategy and its team have positive numbers below 2^31"),
    ({"venue": 3}, "venue 3 is not defined"),
    ({"instruments": [ALPHA]}, "pairs needs 2 different instruments"),
    ({"instruments": [ALPHA, ALPHA]}, "pairs needs 2 different instruments"),
    ({"instruments": [ALPHA, BRAVO, CHARLIE]}, "pairs needs 2 different instruments"),
    ({"instruments": [ALPHA, 99]}, "instrument 99 is not known"),
    ({"instruments": [ALPHA, True]}, "start_strategy: instruments must be list[int]"),
    ({"instruments": [ALPHA, [BRAVO]]}, "start_strategy: instruments must be list[int]"),
    ({"instruments": [ALPHA, 2.0]}, "start_strategy: instruments must be list[int]"),
    ({"parameters": PARAMETERS | {"quantity": 0}}, "Quantity is 0; it must be from 1 to 100000"),
    ({"parameters": PARAMETERS | {"quantity": 1.5}}, "Quantity must be a whole number"),
    ({"parameters": PARAMETERS | {"entry": math.nan}}, "start_strategy: parameters must be dict[str, float]"),
    ({"parameters": PARAMETERS | {"entry": math.inf}}, "start_strategy: parameters must be dict[str, float]"),
    ({"parameters": PARAMETERS | {"entry": 10**400}}, "start_strategy: parameters must be dict[str, float]"),
    ({"parameters": PARAMETERS | {"entry": "2"}}, "start_strategy: parameters must be dict[str, float]"),
    ({"parameters": PARAMETERS | {"entry": True}}, "start_strategy: parameters must be dict[str, float]"),
    ({"parameters": PARAMETERS | {"exi": 1.0}}, "there is no parameter 'exi'"),
    ({"parameters": {"entry": 2.0}}, "Hedge ratio must be a number"),
]


@pytest.mark.parametrize(("changes", "sentence"), REFUSED)
def test_what_cannot_be_started_is_refused_in_a_sentence(loop: Loop, changes: dict[str, Any], sentence: str) -> None:
    loop.taken()
    status = loop.start_pairs(**changes)
    assert status.outcome == "refused"
    assert status.reason.startswith(sentence)
    assert loop.taken() == []
    assert not loop.memory.strategies["id"].any()


LOW_AND_HIGH = [Parameter("entry", "Entry", "deviations", 0.5, 20.0, 2.0)]


@pytest.mark.parametrize(("value", "allowed"), [(0.49, False), (0.5, True), (20.0, True), (20.01, False), (20, True)])
def test_hard_bounds_are_inclusive(value: float, allowed: bool) -> None:
    if allowed:
        assert check_parameters(LOW_AND_HIGH, {"entry": value}) == {"entry": float(value)}
        return
    with pytest.raises(Refusal, match=r"it must be from 0\.5 to 20"):
        check_parameters(LOW_AND_HIGH, {"entry": value})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "1", None, [1], True])
def test_a_parameter_is_a_finite_number(value: Any) -> None:
    with pytest.raises(Refusal, match="Entry must be a number"):
        check_parameters(LOW_AND_HIGH, {"entry": value})


def test_a_running_strategy_is_not_started_again(loop: Loop) -> None:
    assert loop.start_pairs().body == {"kind_hash": compiled_kind("pairs").hash}
    row = loop.configuration.strategy_rows[STRATEGY]
    loop.memory.rows[row]["wanted"] = 1
    assert loop.start_pairs().body == {"kind_hash": compiled_kind("pairs").hash, "was_running": True}
    assert int(loop.memory.rows[row]["wanted"][0]) == 1
    other = loop.start_pairs(parameters=PARAMETERS | {"quantity": 50})
    assert other.reason == f"strategy {STRATEGY} is running with another definition; stop it first"
    loop.applied(control.StopStrategy(STRATEGY))
    assert loop.start_pairs(parameters=PARAMETERS | {"quantity": 50}).applied
    assert float(loop.memory.rows[row]["quantity"][0]) == 50


def test_exit_is_below_entry(loop: Loop) -> None:
    refused = loop.start_pairs(parameters=PARAMETERS | {"entry": 2.0, "exit": 2.0})
    assert refused.reason == "Exit (2) must be below Entry (2)"


def test_legs_and_team_stay_while_something_is_held(loop: Loop) -> None:
    assert loop.start_pairs().applied
    order_id = loop.enter_for_strategy()
    loop.report(ReportKind.EXECUTED, order_id, 100, 1_000_000)
    loop.applied(control.StopStrategy(STRATEGY))
    sentence = f"strategy {STRATEGY} still holds 100 ALPHA; close that first"
    assert loop.start_pairs(instruments=[BRAVO, ALPHA]).reason == sentence
    assert loop.start_pairs(instruments=[CHARLIE, BRAVO]).reason == sentence
    assert loop.start_pairs(team=OTHER_TEAM).reason == sentence
    assert loop.start_pairs(instruments=[ALPHA, CHARLIE]).applied
    assert int(loop.leg()["position"]) == 100


def test_legs_stay_while_an_order_is_open(loop: Loop) -> None:
    assert loop.start_pairs().applied
    order_id = loop.enter_for_strategy()
    loop.applied(control.StopStrategy(STRATEGY))
    assert loop.start_pairs(instruments=[CHARLIE, BRAVO]).reason.startswith(f"strategy {STRATEGY} still holds 0 ALPHA")
    loop.report(ReportKind.CANCELED, order_id)
    assert loop.start_pairs(instruments=[CHARLIE, BRAVO]).applied


def test_a_killed_strategy_is_started_only_after_rearming(loop: Loop) -> None:
    loop.kill(Scope.STRATEGY, STRATEGY)
    assert loop.start_pairs().reason == f"strategy {STRATEGY} was killed; somebody has to re-arm it first"
    loop.applied(control.Rearm(int(Scope.STRATEGY), STRATEGY, "over", "bob"))
    assert loop.start_pairs().applied


def test_there_is_room_for_so_many_strategies(loop: Loop) -> None:
    rows = len(loop.memory.strategies) - 1
    for number in range(1, rows + 1):
        assert loop.start_pairs(strategy=number).applied
    assert loop.start_pairs(strategy=rows + 1).reason == f"the engine has room for {rows} strategies and parent orders"
    loop.applied(control.StopStrategy(1))
    assert loop.start_pairs(strategy=1).applied


def test_there_is_room_for_so_many_teams(loop: Loop) -> None:
    loop = Loop(strategy_count=tables.TEAMS + 3)
    loop.wide_limits()
    for number in range(1, tables.TEAMS + 1):
        assert loop.start_pairs(strategy=number, team=number).applied
    assert loop.start_pairs(strategy=99, team=99).reason == f"the engine has room for {tables.TEAMS} teams"
    assert loop.start_pairs(strategy=99, team=TEAM).applied
