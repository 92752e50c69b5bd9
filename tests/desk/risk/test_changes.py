"""Loosening takes two people, tightening one."""

from datetime import timedelta

import pytest
from django.utils import timezone

from desk.accounts.models import Team, User
from desk.audit.models import AuditEntry
from desk.refusals import Conflict, Invalid, NotFound, NotPermitted
from desk.risk.models import ChangeRequest, Limit, LimitsVersion
from desk.risk.services import approve_change, expire_changes, propose_limits, reject_change, visible_limits
from desk.strategies.models import Strategy
from engine.messages.codes import Scope
from engine.messages.control import APPLY_LIMITS
from tests.desk.fake_engine import FakeEngine

State = ChangeRequest.State


def widen(user: User, strategy: Strategy, quantity: int = 2_000) -> ChangeRequest:
    return propose_limits(user, Scope.STRATEGY, strategy.pk, {"order_quantity": quantity}, "more flow")[0]


def quantity_of(strategy: Strategy) -> int | None:
    return Limit.objects.get(scope=Scope.STRATEGY, scope_id=strategy.pk).order_quantity


def test_a_wider_limit_waits_for_a_risk_manager_and_then_reaches_the_engine(
    engine: FakeEngine, strategy: Strategy, alice: User, charlie: User
) -> None:
    change = widen(alice, strategy)
    assert (change.state, quantity_of(strategy)) == (State.PROPOSED, 1_000)
    version_before = engine.limits_version

    change = approve_change(charlie, change.pk, change.diff_hash)

    assert (change.state, change.approver, change.limits_version) == (State.APPLIED, charlie, version_before + 1)
    assert quantity_of(strategy) == 2_000
    row = next(row for row in engine.limits if row.scope == Scope.STRATEGY)
    assert (row.scope_id, row.order_quantity, row.order_value) == (strategy.pk, 2_000, 1_000_000_000)
    assert LimitsVersion.objects.filter(number=engine.limits_version).count() == 1
    actions = list(AuditEntry.objects.filter(action__startswith="limits.").values_list("actor_name", "action"))
    assert list(reversed(actions))[-3:] == [
        ("alice", "limits.proposed"),
        ("charlie", "limits.approved"),
        ("system", "limits.applied"),
    ]


def test_nobody_approves_what_they_proposed(engine: FakeEngine, strategy: Strategy, charlie: User) -> None:
    change = widen(charlie, strategy)
    with pytest.raises(NotPermitted, match="second person"):
        approve_change(charlie, change.pk, change.diff_hash)
    assert quantity_of(strategy) == 1_000


@pytest.mark.parametrize("name", ["alice", "erin", "frank"])
def test_only_a_risk_manager_approves(
    engine: FakeEngine, strategy: Strategy, charlie: User, name: str, request: pytest.FixtureRequest
) -> None:
    change = widen(charlie, strategy)
    with pytest.raises(NotPermitted):
        approve_change(request.getfixturevalue(name), change.pk, change.diff_hash)


def test_the_approver_signs_what_was_shown(strategy: Strategy, alice: User, charlie: User) -> None:
    change = widen(alice, strategy)
    with pytest.raises(Conflict) as refused:
        approve_change(charlie, change.pk, "0" * 64)
    assert refused.value.code == "diff_differs"


def test_tightening_is_immediate_and_voids_a_pending_loosening_of_the_same_limit(
    engine: FakeEngine, strategy: Strategy, alice: User, charlie: User
) -> None:
    wider = widen(alice, strategy)
    other = propose_limits(alice, Scope.STRATEGY, strategy.pk, {"position": 9_000}, "more room")[0]

    narrower = propose_limits(alice, Scope.STRATEGY, strategy.pk, {"order_quantity": 10}, "calm down")[0]

    wider.refresh_from_db()
    other.refresh_from_db()
    assert (narrower.state, wider.state, other.state) == (State.APPLIED, State.VOID, State.PROPOSED)
    assert quantity_of(strategy) == 10
    with pytest.raises(Conflict):
        approve_change(charlie, wider.pk, wider.diff_hash)


def test_a_mixture_becomes_two_changes(strategy: Strategy, alice: User) -> None:
    values = {"order_quantity": 10, "position": 9_000, "daily_loss": "10000"}
    narrower, wider = propose_limits(alice, Scope.STRATEGY, strategy.pk, values, "both")
    assert (narrower.after, narrower.state) == ({"order_quantity": "10"}, State.APPLIED)
    assert (wider.after, wider.state) == ({"position": "9000"}, State.PROPOSED)


def test_deleting_a_limit_counts_as_loosening(strategy: Strategy, alice: User) -> None:
    change = propose_limits(alice, Scope.STRATEGY, strategy.pk, {"daily_loss": None}, "not needed")[0]
    assert (change.state, change.before, change.after) == (
        State.PROPOSED,
        {"daily_loss": "10000"},
        {"daily_loss": None},
    )


def test_a_change_whose_ground_moved_is_void(strategy: Strategy, alice: User, charlie: User) -> None:
    change = widen(alice, strategy)
    Limit.objects.filter(scope=Scope.STRATEGY, scope_id=strategy.pk).update(order_quantity=1_500)
    with pytest.raises(Conflict, match="changed after"):
        approve_change(charlie, change.pk, change.diff_hash)
    change.refresh_from_db()
    assert (change.state, quantity_of(strategy)) == (State.VOID, 1_500)


def test_nobody_approved_in_time(strategy: Strategy, alice: User, charlie: User) -> None:
    change = widen(alice, strategy)
    ChangeRequest.objects.filter(pk=change.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(Conflict, match="in time"):
        approve_change(charlie, change.pk, change.diff_hash)
    assert expire_changes() == 0
    change.refresh_from_db()
    assert change.state == State.EXPIRED


def test_a_proposer_takes_it_back(strategy: Strategy, alice: User) -> None:
    change = reject_change(alice, widen(alice, strategy).pk, "a mistake")
    assert (change.state, change.note) == (State.REJECTED, "a mistake")


def test_an_approved_change_survives_an_engine_that_is_down(
    engine: FakeEngine, strategy: Strategy, alice: User, charlie: User
) -> None:
    change = widen(alice, strategy)
    engine.refuse_with = "the journal is full: the engine is halted"
    change = approve_change(charlie, change.pk, change.diff_hash)
    assert (change.state, change.note) == (State.APPROVED, "the journal is full: the engine is halted")
    assert quantity_of(strategy) == 2_000


def test_limits_that_this_desk_never_sent_are_not_overwritten(
    engine: FakeEngine, strategy: Strategy, alice: User, charlie: User
) -> None:
    engine.limits, engine.limits_version = [], 40
    change = widen(alice, strategy)
    change = approve_change(charlie, change.pk, change.diff_hash)
    assert change.state == State.APPROVED
    assert "version 40, which this desk never sent" in change.note
    assert engine.limits_version == 40


def test_a_new_strategy_has_its_teams_limits_in_the_engine(engine: FakeEngine, strategy: Strategy) -> None:
    rows = {(row.scope, row.scope_id): row for row in engine.limits}
    mine, team = rows[Scope.STRATEGY, strategy.pk], rows[Scope.TEAM, strategy.team_id]
    assert (mine.order_quantity, mine.daily_loss) == (team.order_quantity, team.daily_loss)
    assert engine.kinds().count(APPLY_LIMITS) == 1


def test_a_trader_proposes_for_the_own_team_only(strategy: Strategy, alice: User, bob: User) -> None:
    with pytest.raises(NotPermitted):
        widen(bob, strategy)
    with pytest.raises(NotPermitted):
        propose_limits(alice, Scope.FIRM, 0, {"position": 1}, "no")
    with pytest.raises(NotFound):
        propose_limits(alice, Scope.STRATEGY, 10**6, {"position": 1}, "no")


def test_a_trader_sees_the_firms_and_the_own_teams_limits(strategy: Strategy, bob: User, index_team: Team) -> None:
    assert [(row.scope, row.scope_id) for row in visible_limits(bob)] == [(Scope.FIRM, 0)]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"order_quantity": "1.5"}, "order_quantity"),
        ({"order_quantity": "-1"}, "order_quantity"),
        ({"order_value": "1.00001"}, "order_value"),
        ({"order_value": "NaN"}, "order_value"),
        ({"volume": "1"}, "volume"),
    ],
)
def test_nonsense_is_refused_by_name(strategy: Strategy, alice: User, values: dict[str, str], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        propose_limits(alice, Scope.STRATEGY, strategy.pk, values, "why not")
    assert list(refused.value.errors) == [field]


def test_nothing_differs(strategy: Strategy, alice: User) -> None:
    with pytest.raises(Conflict, match="Nothing differs"):
        widen(alice, strategy, 1_000)
