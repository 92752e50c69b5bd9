"""The gate asks the limits of strategy, team and firm, each on its own; a limit that nobody set blocks."""

from __future__ import annotations

import pytest

from engine.messages import control
from engine.messages.codes import DenialReason, LimitName, RecordKind, ReportKind, Scope
from engine.messages.risk import LimitsRow
from tests.engine.loop_builder import (
    ALPHA,
    BRAVO,
    OTHER_TEAM,
    OTHER_VENUE,
    STRATEGY,
    TEAM,
    VENUE,
    WIDE,
    Loop,
    reason,
)

R = DenialReason
MIDDLE = 1_000_000
LEVELS = [("firm", Scope.FIRM, 0), ("team", Scope.TEAM, TEAM), ("strategy", Scope.STRATEGY, STRATEGY)]


@pytest.fixture
def loop() -> Loop:
    """A running strategy that wants nothing, and a second venue."""
    made = Loop()
    made.wide_limits()
    made.quote(ALPHA, 999_900, 1_000_100)
    made.quote(ALPHA, 999_900, 1_000_100, venue=OTHER_VENUE)
    assert made.start_pairs(instruments=[ALPHA, BRAVO]).applied
    return made


def denied_by(loop: Loop) -> tuple[DenialReason, Scope, int]:
    denial = loop.bodies(RecordKind.DENIAL)[-1]
    return DenialReason(denial["reason"]), Scope(denial["scope"]), denial["scope_id"]


NARROW = [
    ({"order_quantity": 100}, {"quantity": 101}, R.ORDER_QUANTITY),
    ({"order_value": 100 * MIDDLE}, {"quantity": 101}, R.ORDER_VALUE),
    ({"collar_basis_points": 1}, {"price": MIDDLE + 200}, R.PRICE_COLLAR),
    ({"position": 100}, {"quantity": 101}, R.POSITION),
    ({"orders_per_second": 0}, {}, R.ORDER_RATE),
]


@pytest.mark.parametrize(("level", "scope", "number"), LEVELS)
@pytest.mark.parametrize(("bound", "order", "expected"), NARROW)
def test_each_level_refuses_by_its_own_bound(
    loop: Loop,
    level: str,
    scope: Scope,
    number: int,
    bound: dict[str, int],
    order: dict[str, int],
    expected: DenialReason,
) -> None:
    loop.wide_limits(**{level: bound})
    assert reason(loop.enter_for_strategy(**order)) == expected
    assert denied_by(loop) == (expected, scope, number)


@pytest.mark.parametrize(("level", "scope", "number"), LEVELS)
def test_each_level_counts_its_own_position(loop: Loop, level: str, scope: Scope, number: int) -> None:
    loop.wide_limits(**{level: {"position": 100}})
    order_id = loop.enter_for_strategy(quantity=100)
    loop.report(ReportKind.EXECUTED, order_id, 60, MIDDLE)
    assert reason(loop.enter_for_strategy(quantity=1)) == R.POSITION
    assert denied_by(loop) == (R.POSITION, scope, number)


@pytest.mark.parametrize(("level", "scope", "number"), LEVELS)
def test_each_level_loses_its_own_money(loop: Loop, level: str, scope: Scope, number: int) -> None:
    loop.wide_limits(**{level: {"daily_loss": 999_999}})
    order_id = loop.enter_for_strategy(quantity=100, price=MIDDLE + 10_000)
    loop.report(ReportKind.EXECUTED, order_id, 100, MIDDLE + 10_000)
    loop.market_time(loop.core["market_time_ns"] + 1_000_000_000)
    assert reason(loop.enter_for_strategy(quantity=1)) == R.DAILY_LOSS
    assert denied_by(loop) == (R.DAILY_LOSS, scope, number)


@pytest.mark.parametrize("name", list(LimitName))
@pytest.mark.parametrize(("level", "scope", "number"), LEVELS)
def test_a_limit_that_nobody_set_blocks_and_is_named(
    loop: Loop, level: str, scope: Scope, number: int, name: LimitName
) -> None:
    loop.wide_limits(**{level: {name.name.lower(): -1}})
    assert reason(loop.enter_for_strategy()) == R.LIMIT_UNSET
    denial = loop.bodies(RecordKind.DENIAL)[-1]
    assert {key: denial[key] for key in ("limit_name", "scope", "scope_id", "measured", "bound")} == {
        "limit_name": name,
        "scope": scope,
        "scope_id": number,
        "measured": 0,
        "bound": -1,
    }


def test_without_any_limits_nothing_leaves() -> None:
    loop = Loop()
    loop.quote(ALPHA, 999_900, 1_000_100)
    assert reason(loop.enter()) == R.LIMIT_UNSET
    assert denied_by(loop) == (R.LIMIT_UNSET, Scope.TEAM, TEAM)


@pytest.mark.parametrize("missing", [Scope.FIRM, Scope.TEAM, Scope.STRATEGY])
def test_a_level_without_a_row_blocks(loop: Loop, missing: Scope) -> None:
    loop.limits(*(LimitsRow(int(scope), number, **WIDE) for _, scope, number in LEVELS if scope != missing))
    assert reason(loop.enter_for_strategy()) == R.LIMIT_UNSET
    assert denied_by(loop)[1] == missing


def test_a_team_has_no_room_for_what_another_team_may_do(loop: Loop) -> None:
    loop.limits(
        LimitsRow(int(Scope.FIRM), 0, **WIDE),
        LimitsRow(int(Scope.TEAM), TEAM, **WIDE | {"position": 100}),
        LimitsRow(int(Scope.TEAM), OTHER_TEAM, **WIDE),
    )
    assert reason(loop.enter(quantity=100)) == R.NONE
    assert reason(loop.enter(quantity=1)) == R.POSITION
    assert reason(loop.enter(quantity=100, team=OTHER_TEAM)) == R.NONE


def test_teams_together_stay_within_the_firm(loop: Loop) -> None:
    loop.limits(
        LimitsRow(int(Scope.FIRM), 0, **WIDE | {"position": 150}),
        LimitsRow(int(Scope.TEAM), TEAM, **WIDE),
        LimitsRow(int(Scope.TEAM), OTHER_TEAM, **WIDE),
    )
    assert reason(loop.enter(quantity=100)) == R.NONE
    assert reason(loop.enter(quantity=51, team=OTHER_TEAM)) == R.POSITION
    assert denied_by(loop) == (R.POSITION, Scope.FIRM, 0)
    assert reason(loop.enter(quantity=50, team=OTHER_TEAM)) == R.NONE


def test_venues_count_together(loop: Loop) -> None:
    loop.wide_limits(team={"position": 150})
    assert reason(loop.enter(quantity=100, venue=VENUE)) == R.NONE
    assert reason(loop.enter(quantity=51, venue=OTHER_VENUE)) == R.POSITION


def test_a_lower_limit_binds_the_next_order(loop: Loop) -> None:
    assert reason(loop.enter(quantity=100)) == R.NONE
    version = loop.wide_limits(team={"order_quantity": 99})
    assert reason(loop.enter(quantity=100)) == R.ORDER_QUANTITY
    loop.taken()
    loop.enter(quantity=99)
    (request,) = loop.bodies(RecordKind.ORDER_REQUEST)
    assert request["limits_version"] == version


KILLS = [(Scope.FIRM, 0), (Scope.TEAM, TEAM), (Scope.STRATEGY, STRATEGY), (Scope.VENUE, VENUE)]


@pytest.mark.parametrize(("scope", "number"), KILLS)
def test_a_kill_refuses_every_order_in_its_scope_until_somebody_rearms(loop: Loop, scope: Scope, number: int) -> None:
    loop.kill(scope, number)
    assert reason(loop.enter_for_strategy()) == R.KILL_ACTIVE
    assert denied_by(loop) == (R.KILL_ACTIVE, scope, number)
    loop.applied(control.Rearm(int(scope), number, "over", "bob"))
    loop.core["state"] = 3
    assert reason(loop.enter_for_strategy()) == R.NONE


@pytest.mark.parametrize(
    ("scope", "number", "passing"),
    [
        (Scope.TEAM, TEAM, {"other team"}),
        (Scope.STRATEGY, STRATEGY, {"manual", "other team", "elsewhere"}),
        (Scope.VENUE, OTHER_VENUE, {"manual", "other team", "strategy"}),
        (Scope.FIRM, 0, set()),
    ],
)
def test_a_kill_leaves_everybody_else_alone(loop: Loop, scope: Scope, number: int, passing: set[str]) -> None:
    rows = [LimitsRow(int(level), who, **WIDE) for _, level, who in LEVELS]
    loop.limits(*rows, LimitsRow(int(Scope.TEAM), OTHER_TEAM, **WIDE))
    loop.kill(scope, number)
    outcomes = {
        "manual": loop.enter(),
        "other team": loop.enter(team=OTHER_TEAM),
        "strategy": loop.enter_for_strategy(),
        "elsewhere": loop.enter(venue=OTHER_VENUE),
    }
    assert {name for name, outcome in outcomes.items() if outcome > 0} == passing


def test_a_kill_of_a_team_that_the_engine_has_not_met_waits_for_it(loop: Loop) -> None:
    loop.kill(Scope.TEAM, 33)
    rows = [LimitsRow(int(level), who, **WIDE) for _, level, who in LEVELS]
    loop.limits(*rows, LimitsRow(int(Scope.TEAM), 33, **WIDE))
    assert reason(loop.enter(team=33)) == R.KILL_ACTIVE
