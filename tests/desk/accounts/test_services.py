"""People and teams."""

import pytest
from django.test import Client

from desk.accounts.models import Role, Team, User
from desk.accounts.services import change_password, change_user, create_team, create_user
from desk.audit.models import AuditEntry
from desk.refusals import Invalid, NotPermitted

PASSWORD = "a long enough pass-phrase"


def test_an_administrator_makes_a_team_and_its_trader(erin: User) -> None:
    team = create_team(erin, "Carry")
    grace = create_user(erin, username="grace", password=PASSWORD, role=Role.TRADER, team=team)
    assert (grace.team, grace.is_staff, grace.check_password(PASSWORD)) == (team, False, True)
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == ["team.created", "user.created"]
    assert PASSWORD not in str(list(AuditEntry.objects.values()))


@pytest.mark.parametrize("name", ["alice", "charlie", "frank"])
def test_nobody_else_does(name: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotPermitted):
        create_team(request.getfixturevalue(name), "Carry")
    assert not Team.objects.filter(name="Carry").exists()


def test_another_role_is_another_door(erin: User, alice: User) -> None:
    changed = change_user(erin, alice, role=Role.RISK, team=None, is_active=True)
    assert (changed.is_staff, changed.team) == (True, None)


def test_a_weak_password_is_refused_with_the_reason(erin: User) -> None:
    with pytest.raises(Invalid, match="too short"):
        create_user(erin, username="grace", password="short", role=Role.VIEWER)
    with pytest.raises(Invalid, match="too short"):
        change_password(erin, "short")


def test_signing_in_and_failing_to_are_audited(erin: User, client: Client) -> None:
    create_user(erin, username="grace", password=PASSWORD, role=Role.RISK)
    for password in ("wrong", PASSWORD):
        client.post("/accounts/sign-in/", {"username": "grace", "password": password})
    actions = AuditEntry.objects.filter(subject="user grace").order_by("id").values_list("action", "address")
    assert list(actions) == [
        ("user.created", ""),
        ("user.sign_in_failed", "127.0.0.1"),
        ("user.signed_in", "127.0.0.1"),
    ]
