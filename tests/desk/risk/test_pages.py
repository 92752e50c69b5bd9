from decimal import Decimal

import pytest
from django.test import Client

from desk.accounts.models import Team, User
from desk.risk.models import ChangeRequest, KillState, Limit
from desk.strategies.models import Strategy
from engine.messages.codes import Scope
from tests.desk.conftest import BOUNDS
from tests.desk.fake_engine import FakeEngine

pytestmark = pytest.mark.django_db(transaction=True)


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def typed(**changes: str) -> dict[str, str]:
    return {name: str(value) for name, value in BOUNDS.items()} | {"reason": "more room"} | changes


def test_a_trader_widens_a_limit_and_a_risk_manager_approves_what_is_shown(
    engine: FakeEngine, limits: None, pairs_team: Team, alice: User, charlie: User
) -> None:
    page = browser_of(alice).post(f"/risk/limits/team.{pairs_team.pk}/", typed(position="6,000"), follow=True)
    assert "waits for a second person" in page.content.decode()
    change = ChangeRequest.objects.get()
    inbox = browser_of(charlie).get("/risk/approvals/").content.decode()
    assert all(words in inbox for words in ("5,000", "6,000", "more room", "alice", change.diff_hash))
    answer = browser_of(charlie).post(
        f"/risk/changes/{change.pk}/approve/", {"diff_hash": change.diff_hash}, follow=True
    )
    assert "is approved and applied" in answer.content.decode()
    team_row = next(row for row in engine.limits if row.scope == Scope.TEAM)
    assert (team_row.position, Limit.objects.get(scope=Scope.TEAM).position) == (6_000, 6_000)


def test_an_approval_of_another_diff_than_shown_is_refused(
    engine: FakeEngine, limits: None, pairs_team: Team, alice: User, charlie: User
) -> None:
    browser_of(alice).post(f"/risk/limits/team.{pairs_team.pk}/", typed(position="6000"))
    change = ChangeRequest.objects.get()
    page = browser_of(charlie).post(f"/risk/changes/{change.pk}/approve/", {"diff_hash": "0" * 64}, follow=True)
    assert "This is not the change that was shown to you" in page.content.decode()
    assert Limit.objects.get(scope=Scope.TEAM).position == 5_000


@pytest.mark.parametrize(
    ("changes", "status", "sentence"),
    [
        ({"position": "many"}, 422, "is not a number."),
        ({"position": "1.5"}, 422, "1.5 must be a whole number."),
        ({"position": "6000", "reason": " "}, 422, "Say why."),
        ({}, 409, "Nothing differs from the limits in force."),
    ],
)
def test_a_proposal_that_cannot_be_is_said_and_what_was_typed_stays(
    engine: FakeEngine,
    limits: None,
    pairs_team: Team,
    alice: User,
    changes: dict[str, str],
    status: int,
    sentence: str,
) -> None:
    page = browser_of(alice).post(f"/risk/limits/team.{pairs_team.pk}/", typed(**changes))
    text = page.content.decode()
    assert (page.status_code, sentence in text) == (status, True)
    assert {field.name: field.value for field in page.context["fields"]} == {
        name: value for name, value in typed(**changes).items() if name != "reason"
    }


def test_tightening_holds_at_once(engine: FakeEngine, limits: None, pairs_team: Team, alice: User) -> None:
    page = browser_of(alice).post(f"/risk/limits/team.{pairs_team.pk}/", typed(daily_loss="5000"), follow=True)
    assert "Tightened: the engine runs limits version" in page.content.decode()
    assert Limit.objects.get(scope=Scope.TEAM).daily_loss == Decimal(5_000)


def test_kill_is_one_plain_form_and_every_page_says_that_it_holds(
    engine: FakeEngine, alice: User, pairs_team: Team
) -> None:
    browser = browser_of(alice)
    bar = browser.get("/risk/kill/").content.decode()
    assert f'<input type="hidden" name="target" value="team.{pairs_team.pk}">' in bar
    page = browser.post("/risk/kill/", {"target": f"team.{pairs_team.pk}"}, follow=True)
    assert "Every working order is being canceled and no new one leaves." in page.content.decode()
    assert engine.last("kill") == {"scope": 2, "scope_id": pairs_team.pk, "reason": ""}
    assert "KILL holds on team Pairs." in browser.get("/strategies/").content.decode()


def test_one_strategy_is_killed_by_name(engine: FakeEngine, alice: User, strategy: Strategy) -> None:
    browser = browser_of(alice)
    assert f'<option value="strategy.{strategy.pk}">AAA / BBB</option>' in browser.get("/risk/kill/").content.decode()
    browser.post("/risk/kill/", {"target": "strategy", "strategy": f"strategy.{strategy.pk}", "reason": "wild"})
    assert engine.last("kill") == {"scope": 3, "scope_id": strategy.pk, "reason": "wild"}


def test_a_kill_that_the_engine_did_not_confirm_says_so(engine_state: object, charlie: User) -> None:
    page = browser_of(charlie).post("/risk/kill/", {"target": "firm.0", "reason": "smoke"}, follow=True)
    text = page.content.decode()
    assert "the engine has not confirmed it" in text
    assert "use the kill on the engine&#x27;s host" in text or "use the kill on the engine's host" in text
    assert KillState.objects.get().confirmed is False


def test_a_rearm_takes_two_people(engine: FakeEngine, charlie: User, dora: User) -> None:
    first, second = browser_of(charlie), browser_of(dora)
    first.post("/risk/kill/", {"target": "firm.0"})
    assert "Say why it is safe" in first.post("/risk/kill/rearm/", {"target": "firm.0"}, follow=True).content.decode()
    first.post("/risk/kill/rearm/", {"target": "firm.0", "reason": "fixed"})
    change = ChangeRequest.objects.get()
    own = first.post(f"/risk/changes/{change.pk}/approve/", {"diff_hash": change.diff_hash})
    other = second.post(f"/risk/changes/{change.pk}/approve/", {"diff_hash": change.diff_hash}, follow=True)
    assert (own.status_code, other.status_code) == (403, 200)
    assert engine.last("rearm")["approver"] == "dora"
    assert "KILL holds" not in second.get("/").content.decode()


@pytest.mark.parametrize("target", ["", "firm", "galaxy.1", "team.x", "venue.²"])
def test_a_scope_that_is_none_is_not_found(engine: FakeEngine, charlie: User, target: str) -> None:
    assert browser_of(charlie).post("/risk/kill/", {"target": target}).status_code == 404
