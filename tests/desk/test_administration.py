"""The administration pages: limits through the four-eyes service, everything else to look at."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client

from desk.accounts.models import Role, Team, User
from desk.api.models import ApiKey
from desk.audit.models import AuditEntry
from desk.link.projector import project
from desk.risk.models import ChangeRequest, Limit
from desk.risk.services import kill, propose_limits, propose_rearm
from desk.strategies.models import Strategy
from engine.messages.codes import OrderState, Scope
from tests.desk.fake_engine import FakeEngine
from tests.desk.journal_records import Journal

MODELS = sorted(f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry)
OURS = [name for name in MODELS if not name.startswith("axes/")]
READ_ONLY = [name for name in OURS if name not in ("accounts/user", "accounts/team", "risk/limit", "api/apikey")]
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def things(engine: FakeEngine, strategy: Strategy, alice: User, charlie: User) -> None:
    journal = Journal(strategy.pk, strategy.team_id)
    journal.enter(1)
    journal.fill(1, OrderState.FILLED, 0, 100)
    journal.deny(2)
    project(journal.data)
    propose_limits(alice, Scope.STRATEGY, strategy.pk, {"position": 9_000}, "room")
    kill(charlie, Scope.FIRM, 0, "drill")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, BACKEND)
    return client


@pytest.mark.parametrize("name", OURS)
def test_risk_and_administrators_look_at_everything(name: str, things: None, charlie: User, erin: User) -> None:
    for user in (charlie, erin):
        assert signed_in(user).get(f"/admin/{name}/").status_code == 200


@pytest.mark.parametrize("user", ["alice", "frank"])
def test_traders_and_viewers_are_sent_away(user: str, things: None, request: pytest.FixtureRequest) -> None:
    client = signed_in(request.getfixturevalue(user))
    assert {client.get(f"/admin/{name}/").status_code for name in OURS} == {302}
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "The administration pages are for risk managers and administrators." in answer.content.decode()


def test_who_is_not_signed_in_comes_to_the_desks_own_sign_in(erin: User) -> None:
    answer = Client().get("/admin/risk/limit/", follow=True)
    assert answer.redirect_chain[-1] == ("/accounts/sign-in/?next=/admin/risk/limit/", 302)
    again = signed_in(erin).get("/admin/login/?next=https://elsewhere.example/")
    assert (again.status_code, again.headers["Location"]) == (302, "/admin/")


@pytest.mark.parametrize("name", READ_ONLY)
def test_nothing_is_added_or_deleted_here(name: str, things: None, erin: User) -> None:
    client = signed_in(erin)
    assert client.get(f"/admin/{name}/add/").status_code == 403
    app, model = name.split("/")
    row = apps.get_model(app, model).objects.first()
    if row is not None:
        assert client.post(f"/admin/{name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert client.post(f"/admin/{name}/{row.pk}/change/", {}).status_code == 403


def test_saving_a_limit_proposes_it(things: None, strategy: Strategy, charlie: User) -> None:
    limit = Limit.objects.get(scope=Scope.FIRM)
    client = signed_in(charlie)
    page = client.get(f"/admin/risk/limit/{limit.pk}/change/")
    form = {
        "order_quantity": 2_000,
        "order_value": "100000",
        "collar_basis_points": 400,
        "position": 5_000,
        "orders_per_second": 50,
        "daily_loss": "10000",
        "reason": "a busy day",
    }
    answer = client.post(f"/admin/risk/limit/{limit.pk}/change/", form)
    limit.refresh_from_db()
    assert (page.status_code, answer.status_code) == (200, 302)
    assert (limit.order_quantity, limit.collar_basis_points) == (1_000, 400)
    made = ChangeRequest.objects.filter(scope=Scope.FIRM).order_by("pk").values_list("after", "state")
    assert list(made) == [
        ({"collar_basis_points": "400"}, ChangeRequest.State.APPLIED),
        ({"order_quantity": "2000"}, ChangeRequest.State.PROPOSED),
    ]


def test_an_administrator_looks_at_limits_and_proposes_none(things: None, erin: User) -> None:
    limit = Limit.objects.get(scope=Scope.FIRM)
    client = signed_in(erin)
    assert client.get(f"/admin/risk/limit/{limit.pk}/change/").status_code == 200
    assert client.post(f"/admin/risk/limit/{limit.pk}/change/", {"position": 1, "reason": "x"}).status_code == 403


def act(client: Client, action: str, *changes: ChangeRequest) -> Any:
    return client.post(
        "/admin/risk/changerequest/", {"action": action, "_selected_action": [change.pk for change in changes]}
    )


def test_a_second_person_approves_here_too(
    things: None, engine: FakeEngine, strategy: Strategy, charlie: User, dora: User
) -> None:
    wider = ChangeRequest.objects.get(kind=ChangeRequest.Kind.LIMITS)
    rearm = propose_rearm(charlie, Scope.FIRM, 0, "drill over")
    act(signed_in(charlie), "approve", rearm)
    rearm.refresh_from_db()
    assert rearm.state == ChangeRequest.State.PROPOSED
    act(signed_in(dora), "approve", wider, rearm)
    states = [ChangeRequest.objects.get(pk=change.pk).state for change in (wider, rearm)]
    assert states == [ChangeRequest.State.APPLIED, ChangeRequest.State.APPLIED]
    assert Limit.objects.get(scope=Scope.STRATEGY).position == 9_000


def test_an_administrator_does_not_approve(things: None, erin: User) -> None:
    wider = ChangeRequest.objects.get(kind=ChangeRequest.Kind.LIMITS)
    act(signed_in(erin), "approve", wider)
    wider.refresh_from_db()
    assert wider.state == ChangeRequest.State.PROPOSED


def test_an_administrator_makes_people_and_it_is_audited(erin: User, charlie: User, pairs_team: Team) -> None:
    form = {
        "username": "grace",
        "usable_password": "true",
        "password1": "a long enough pass-phrase",
        "password2": "a long enough pass-phrase",
        "role": Role.TRADER,
        "team": pairs_team.pk,
    }
    assert signed_in(charlie).post("/admin/accounts/user/add/", form).status_code == 403
    assert signed_in(erin).post("/admin/accounts/user/add/", form).status_code == 302
    grace = User.objects.get(username="grace")
    assert (grace.role, grace.team, grace.check_password("a long enough pass-phrase")) == (
        Role.TRADER,
        pairs_team,
        True,
    )
    entry = AuditEntry.objects.get(action="user.created")
    assert (entry.actor, "pass-phrase" in str(entry.after)) == (erin, False)


def test_a_new_password_is_audited_without_it(erin: User, alice: User) -> None:
    form = {"password1": "another long pass-phrase", "password2": "another long pass-phrase", "usable_password": "true"}
    assert signed_in(erin).post(f"/admin/accounts/user/{alice.pk}/password/", form).status_code == 302
    entry = AuditEntry.objects.get(action="user.password_changed")
    assert (entry.actor, entry.subject, entry.after) == (erin, "user alice", None)


def test_an_administrator_makes_a_key_that_is_shown_once(erin: User, alice: User, charlie: User) -> None:
    form = {"owner": alice.pk, "name": "bot", "scopes": ["read", "trade"], "days": 10}
    client = signed_in(erin)
    assert client.get("/admin/api/apikey/add/").status_code == 200
    shown = client.post("/admin/api/apikey/add/", form, follow=True).content.decode()
    key = ApiKey.objects.get()
    assert (key.owner, key.scopes, f"{key.key_id}." in shown) == (alice, ["read", "trade"], True)
    assert f"{key.key_id}." not in client.get(f"/admin/api/apikey/{key.pk}/change/").content.decode()
    client.post("/admin/api/apikey/", {"action": "revoke", "_selected_action": [key.pk]})
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert signed_in(charlie).post("/admin/api/apikey/add/", form).status_code == 403
