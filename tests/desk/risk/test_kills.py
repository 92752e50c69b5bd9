"""A kill is one step for one person; taking it back is two people."""

import pytest

from desk.accounts.models import Team, User
from desk.refusals import Conflict, EngineNotReached, NotPermitted
from desk.risk.models import ChangeRequest, KillState
from desk.risk.services import active_kills, approve_rearm, kill, propose_rearm
from desk.strategies.models import Strategy
from engine.messages.codes import Scope
from engine.messages.control import KILL, REARM
from tests.desk.fake_engine import FakeEngine


def test_risk_kills_the_firm(engine: FakeEngine, charlie: User) -> None:
    state = kill(charlie, Scope.FIRM, 0, "runaway")
    assert (state.active, state.confirmed, state.sequence) == (True, True, engine.sequence)
    assert engine.last(KILL) == {"scope": Scope.FIRM, "scope_id": 0, "reason": "runaway"}


def test_it_may_be_pressed_again(engine: FakeEngine, charlie: User) -> None:
    first, second = kill(charlie, Scope.FIRM), kill(charlie, Scope.FIRM)
    assert (first.pk, engine.kinds()) == (second.pk, [KILL, KILL])


@pytest.mark.parametrize(
    ("name", "scope", "allowed"),
    [
        ("alice", Scope.FIRM, False),
        ("alice", Scope.TEAM, True),
        ("alice", Scope.STRATEGY, True),
        ("alice", Scope.VENUE, False),
        ("bob", Scope.TEAM, False),
        ("bob", Scope.STRATEGY, False),
        ("erin", Scope.FIRM, True),
        ("erin", Scope.VENUE, True),
        ("charlie", Scope.STRATEGY, True),
        ("frank", Scope.TEAM, False),
    ],
)
def test_who_may_kill_what(
    strategy: Strategy,
    pairs_team: Team,
    name: str,
    scope: Scope,
    allowed: bool,
    request: pytest.FixtureRequest,
) -> None:
    user = request.getfixturevalue(name)
    scope_id = {Scope.FIRM: 0, Scope.TEAM: pairs_team.pk, Scope.STRATEGY: strategy.pk, Scope.VENUE: 1}[scope]
    if allowed:
        assert kill(user, scope, scope_id).active
    else:
        with pytest.raises(NotPermitted):
            kill(user, scope, scope_id)
        assert active_kills() == []


def test_a_kill_is_kept_when_the_engine_is_not_there(engine_state: object, charlie: User) -> None:
    with pytest.raises(EngineNotReached):
        kill(charlie, Scope.FIRM)
    assert [(state.scope, state.confirmed) for state in active_kills()] == [(Scope.FIRM, False)]


def test_re_arming_takes_a_second_person(engine: FakeEngine, charlie: User, dora: User) -> None:
    kill(charlie, Scope.FIRM, 0, "runaway")
    change = propose_rearm(charlie, Scope.FIRM, 0, "fixed")
    with pytest.raises(NotPermitted, match="second person"):
        approve_rearm(charlie, change.pk, change.diff_hash)
    assert REARM not in engine.kinds()

    change = approve_rearm(dora, change.pk, change.diff_hash)

    assert change.state == ChangeRequest.State.APPLIED
    assert engine.last(REARM) == {"scope": Scope.FIRM, "scope_id": 0, "reason": "fixed", "approver": "dora"}
    assert engine.received[-1].actor == "charlie"
    state = KillState.objects.get()
    assert (state.active, state.rearmed_by, state.rearmed_sequence) == (False, dora, engine.sequence)


def test_a_trader_asks_and_risk_re_arms_the_team(
    engine: FakeEngine, alice: User, charlie: User, pairs_team: Team
) -> None:
    kill(alice, Scope.TEAM, pairs_team.pk)
    change = propose_rearm(alice, Scope.TEAM, pairs_team.pk, "calm again")
    assert approve_rearm(charlie, change.pk, change.diff_hash).state == ChangeRequest.State.APPLIED


def test_nothing_to_re_arm(engine: FakeEngine, charlie: User) -> None:
    with pytest.raises(Conflict, match="Nothing is killed"):
        propose_rearm(charlie, Scope.FIRM, 0, "why not")
    kill(charlie, Scope.FIRM)
    propose_rearm(charlie, Scope.FIRM, 0, "why not")
    with pytest.raises(Conflict, match="waits for approval"):
        propose_rearm(charlie, Scope.FIRM, 0, "again")


def test_another_teams_kill_is_not_shown(alice: User, bob: User, frank: User, strategy: Strategy) -> None:
    kill(alice, Scope.STRATEGY, strategy.pk)
    assert [len(active_kills(user)) for user in (alice, bob, frank, None)] == [1, 0, 1, 1]
