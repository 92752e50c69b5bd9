"""Limits: a whole snapshot, applied only on top of the version that its proposer saw."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from engine.hotpath import tables
from engine.messages.codes import Scope
from engine.messages.control import ApplyLimits
from engine.messages.risk import LimitsRow, content_hash
from tests.engine.loop_builder import ALPHA, STRATEGY, TEAM, WIDE, Loop

FIRM = LimitsRow(int(Scope.FIRM), 0, **WIDE)


@pytest.fixture
def loop() -> Loop:
    return Loop()


def bound(loop: Loop, account: int) -> dict[str, int]:
    return {name: int(loop.memory.accounts[account][name]) for name in WIDE}


UNSET = dict.fromkeys(WIDE, -1)


def test_limits_are_numbered_by_the_engine_and_known_by_their_content(loop: Loop) -> None:
    assert (loop.configuration.limits_version, loop.configuration.limits_hash) == (0, content_hash([]))
    answer = loop.applied(ApplyLimits(0, [asdict(FIRM)]))
    assert answer == {"version": 1, "hash": content_hash([FIRM])}
    assert loop.applied(ApplyLimits(1, [asdict(FIRM)]))["version"] == 2
    assert loop.configuration.limits_hash == content_hash([FIRM])


@pytest.mark.parametrize("based_on", [0, 2, -1])
def test_a_proposal_on_another_version_is_refused(loop: Loop, based_on: int) -> None:
    loop.limits(FIRM)
    status = loop.command(ApplyLimits(based_on, []))
    assert status.reason == f"limits version 1 is in force, not {based_on}; look at it and propose again"
    assert loop.configuration.limits == [FIRM]


def test_of_two_proposals_on_one_version_the_first_wins(loop: Loop) -> None:
    proposals = [ApplyLimits(0, [asdict(FIRM)]), ApplyLimits(0, [])]
    assert [loop.command(proposal).applied for proposal in proposals] == [True, False]


def test_a_snapshot_replaces_everything_before_it(loop: Loop) -> None:
    loop.limits(FIRM, LimitsRow(int(Scope.TEAM), TEAM, **WIDE))
    loop.enter()
    team = loop.configuration.team_account(TEAM)
    assert bound(loop, team) == WIDE
    loop.limits(FIRM)
    assert bound(loop, team) == UNSET
    assert bound(loop, tables.FIRM_ACCOUNT) == WIDE


def test_limits_of_a_team_or_strategy_wait_for_its_first_use(loop: Loop) -> None:
    narrow = WIDE | {"position": 7}
    loop.limits(FIRM, LimitsRow(int(Scope.TEAM), TEAM, **WIDE), LimitsRow(int(Scope.STRATEGY), STRATEGY, **narrow))
    loop.quote(ALPHA, 999_900, 1_000_100)
    assert loop.start_pairs().applied
    row = loop.configuration.strategy_rows[STRATEGY]
    assert bound(loop, tables.FIRST_STRATEGY_ACCOUNT + row) == narrow
    assert bound(loop, loop.configuration.team_account(TEAM)) == WIDE


ROWS: list[tuple[Any, str]] = [
    ({"scope": 1}, "a limits row has an unknown or missing field"),
    ({"scope": 1, "scope_id": 0, "colour": 3}, "a limits row has an unknown or missing field"),
    ({"scope": 4, "scope_id": 1}, "a limits row has scope 4; it must be firm, team or strategy"),
    ({"scope": 0, "scope_id": 1}, "a limits row has scope 0; it must be firm, team or strategy"),
    ({"scope": 1, "scope_id": 0, "position": -2}, "position of firm 0 is negative"),
    ({"scope": 1, "scope_id": 0, "collar_basis_points": 10**6 + 1}, "collar_basis_points is at most 1000000"),
    ({"scope": 1, "scope_id": 0, "position": 1.5}, "apply_limits: rows must be list[dict[str, int]]"),
    ({"scope": 1, "scope_id": 0, "position": True}, "apply_limits: rows must be list[dict[str, int]]"),
    ({"scope": 1, "scope_id": 0, "position": 1 << 70}, "apply_limits: rows must be list[dict[str, int]]"),
    (7, "apply_limits: rows must be list[dict[str, int]]"),
]


@pytest.mark.parametrize(("row", "sentence"), ROWS)
def test_a_row_that_no_engine_should_accept_is_refused(loop: Loop, row: Any, sentence: str) -> None:
    status = loop.command(ApplyLimits(0, [row]))
    assert status.reason == sentence
    assert loop.configuration.limits_version == 0


def test_the_same_scope_twice_is_refused(loop: Loop) -> None:
    status = loop.command(ApplyLimits(0, [asdict(FIRM), asdict(FIRM)]))
    assert status.reason == "limits of firm 0 appear twice"


def test_the_content_hash_does_not_depend_on_the_order_of_rows() -> None:
    team = LimitsRow(int(Scope.TEAM), TEAM, **WIDE)
    assert content_hash([FIRM, team]) == content_hash([team, FIRM])
    assert content_hash([FIRM]) != content_hash([LimitsRow(int(Scope.FIRM), 0, **WIDE | {"position": 1})])
