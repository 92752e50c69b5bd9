"""Defining, starting and stopping strategies."""

import pytest

from desk.accounts.models import Team, User
from desk.audit.models import AuditEntry
from desk.markets.models import Venue
from desk.refusals import Conflict, EngineNotReached, EngineRefused, Invalid, NotFound, NotPermitted, OutcomeUnknown
from desk.runs.models import Run
from desk.strategies.definitions import definition_of
from desk.strategies.models import Strategy
from desk.strategies.services import (
    change_strategy,
    create_strategy,
    find_strategy,
    start_strategy,
    stop_strategy,
    visible_strategies,
)
from engine.messages.codes import Mode, StrategyState
from engine.messages.control import APPLY_LIMITS, START_STRATEGY, STOP_STRATEGY
from tests.desk.fake_engine import FakeEngine

GOOD = {
    "name": "AAA / CCC",
    "kind": "pairs",
    "venue": 1,
    "instruments": [1, 3],
    "parameters": {"hedge_ratio": "1.5", "quantity": "100"},
}


def test_a_strategy_is_defined_as_the_engines_catalogue_says(strategy: Strategy, alice: User, pairs_team: Team) -> None:
    assert definition_of(strategy) == {
        "strategy": strategy.pk,
        "name": "AAA / BBB",
        "team": pairs_team.pk,
        "kind": "pairs",
        "kind_hash": "a" * 64,
        "venue": 1,
        "instruments": [1, 2],
        "parameters": {"hedge_ratio": 1.5, "quantity": 100.0},
    }
    assert (strategy.owner, strategy.version, strategy.running) == (alice, 1, False)


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"name": " "}, ["name"]),
        ({"name": "AAA / BBB"}, ["name"]),
        ({"name": "aaa / Bbb"}, ["name"]),
        ({"kind": "maker"}, ["kind"]),
        ({"venue": 5}, ["venue"]),
        ({"instruments": [1]}, ["instruments"]),
        ({"instruments": [1, 1]}, ["instruments"]),
        ({"instruments": [1, 99]}, ["instruments"]),
        ({"parameters": {"hedge_ratio": 11, "quantity": 1.5}}, ["hedge_ratio", "quantity"]),
        ({"parameters": {"hedge_ratio": "nan", "size": 1}}, ["size", "hedge_ratio", "quantity"]),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(
    strategy: Strategy, alice: User, wrong: dict[str, object], fields: list[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        create_strategy(alice, **GOOD | wrong)  # type: ignore[arg-type]
    assert list(refused.value.errors) == fields
    assert Strategy.objects.count() == 1


@pytest.mark.parametrize("name", ["charlie", "erin", "frank"])
def test_only_traders_define_strategies(
    engine: FakeEngine, market: Venue, name: str, request: pytest.FixtureRequest
) -> None:
    with pytest.raises(NotPermitted):
        create_strategy(request.getfixturevalue(name), **GOOD)  # type: ignore[arg-type]


def test_another_team_does_not_see_it(strategy: Strategy, alice: User, bob: User, frank: User) -> None:
    assert [list(visible_strategies(user)) for user in (alice, bob, frank)] == [[strategy], [], [strategy]]
    with pytest.raises(NotFound):
        find_strategy(bob, strategy.pk)


def test_a_start_opens_a_run_and_a_stop_closes_it(engine: FakeEngine, strategy: Strategy, alice: User) -> None:
    run = start_strategy(alice, strategy)
    assert engine.last(START_STRATEGY) == definition_of(strategy)
    assert (run.mode, run.definition, run.started_by) == (Mode.PAPER, definition_of(strategy), alice)
    assert (run.started_sequence, run.stopped_at) == (engine.sequence, None)

    stop_strategy(alice, strategy, "enough")

    run.refresh_from_db()
    strategy.refresh_from_db()
    assert (run.stopped_by, run.ending, run.stopped_sequence) == (alice, "enough", engine.sequence)
    assert strategy.desired_state == StrategyState.STOPPED
    assert engine.last(STOP_STRATEGY) == {"strategy": strategy.pk}
    actions = AuditEntry.objects.filter(chain=f"team:{strategy.team_id}").order_by("sequence")
    assert [entry.action for entry in actions] == [
        "strategy.defined",
        "strategy.start_asked",
        "strategy.started",
        "strategy.stop_asked",
        "strategy.stopped",
    ]


def test_a_start_brings_the_limits_first(engine: FakeEngine, strategy: Strategy, alice: User) -> None:
    engine.limits, engine.limits_version, engine.received = [], 0, []
    start_strategy(alice, strategy)
    assert engine.kinds() == [APPLY_LIMITS, START_STRATEGY]


def test_the_engines_refusal_is_what_the_person_reads(engine: FakeEngine, strategy: Strategy, alice: User) -> None:
    engine.refuse_with = "strategy 1 was killed; somebody has to re-arm it first"
    with pytest.raises(EngineRefused, match="somebody has to re-arm it"):
        start_strategy(alice, strategy)
    strategy.refresh_from_db()
    assert (strategy.desired_state, Run.objects.count()) == (StrategyState.STOPPED, 0)


def test_an_engine_that_is_not_there_gets_nothing(engine_state: object, alice: User, market: Venue) -> None:
    with pytest.raises(EngineNotReached):
        create_strategy(alice, **GOOD)  # type: ignore[arg-type]


def test_no_answer_is_an_unknown_outcome(
    engine: FakeEngine, strategy: Strategy, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.link.client.send.__defaults__", (0.2,))
    engine.silent = True
    with pytest.raises(OutcomeUnknown) as refused:
        stop_strategy(alice, strategy)
    assert refused.value.outcome == "unknown"
    ids = {command.id for command in engine.received if command.kind == STOP_STRATEGY}
    assert (engine.kinds().count(STOP_STRATEGY), len(ids)) == (2, 1)


@pytest.mark.parametrize(
    ("name", "starts", "stops"), [("bob", False, False), ("charlie", False, True), ("erin", False, True)]
)
def test_stopping_is_open_to_more_people_than_starting(
    strategy: Strategy, name: str, starts: bool, stops: bool, request: pytest.FixtureRequest
) -> None:
    user = request.getfixturevalue(name)
    with pytest.raises(NotPermitted):
        start_strategy(user, strategy)
    if stops:
        stop_strategy(user, strategy)
    else:
        with pytest.raises(NotPermitted):
            stop_strategy(user, strategy)


def test_a_start_whose_answer_was_lost_is_asked_for_again(
    engine: FakeEngine, strategy: Strategy, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.link.client.send.__defaults__", (0.2,))
    monkeypatch.setattr(engine, "silent_about", {START_STRATEGY})
    with pytest.raises(OutcomeUnknown):
        start_strategy(alice, strategy)
    engine.silent_about = set()
    run = start_strategy(alice, find_strategy(alice, strategy.pk))
    ids = {command.id for command in engine.received if command.kind == START_STRATEGY}
    assert (len(ids), run.stopped_at, find_strategy(alice, strategy.pk).start_command) == (1, None, "")


def test_a_change_moves_the_version_and_notices_another_change(strategy: Strategy, alice: User) -> None:
    changed = change_strategy(alice, strategy, version=1, parameters={"hedge_ratio": 2, "quantity": 10})
    assert (changed.version, changed.parameters) == (2, {"hedge_ratio": 2.0, "quantity": 10.0})
    with pytest.raises(Conflict, match="meanwhile"):
        change_strategy(alice, strategy, version=1, name="Other")


def test_a_running_strategy_is_not_changed(engine: FakeEngine, strategy: Strategy, alice: User) -> None:
    start_strategy(alice, strategy)
    with pytest.raises(Conflict, match="Stop the strategy"):
        change_strategy(alice, strategy, name="Other")
