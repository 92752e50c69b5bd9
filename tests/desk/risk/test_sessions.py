"""Sessions that people run: who may, what is audited, and numbers that two people set."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from desk.accounts.models import Team, User
from desk.audit.models import AuditEntry
from desk.blotter.models import Order
from desk.markets.models import Venue
from desk.refusals import Conflict, EngineRefused, Invalid, NotPermitted
from desk.risk import services, sessions
from desk.risk.models import ChangeRequest
from engine.messages import control
from engine.messages.codes import Side
from tests.desk.fake_engine import FakeEngine

pytestmark = pytest.mark.django_db


@pytest.fixture
def venue(engine: FakeEngine) -> Venue:
    return Venue.objects.update_or_create(number=1, defaults={"name": "XBRK", "protocol": "fix44", "enabled": True})[0]


def propose(user: User, **changes: str) -> ChangeRequest:
    typed = {"next_inbound": "5", "next_outbound": "1,009", "reason": "agreed by telephone"} | changes
    return sessions.propose_reset(user, 1, **typed)


def actions() -> list[str]:
    return list(AuditEntry.objects.filter(action__startswith="session.").values_list("action", flat=True))[::-1]


@pytest.mark.django_db(transaction=True)
def test_a_risk_manager_disconnects_and_connects_with_a_reason(engine: FakeEngine, venue: Venue, charlie: User) -> None:
    with pytest.raises(Invalid, match="Say why"):
        sessions.disconnect(charlie, 1, " ")
    sessions.disconnect(charlie, 1, "maintenance")
    sessions.connect(charlie, 1)
    assert engine.kinds() == [control.DISCONNECT_VENUE, control.CONNECT_VENUE]
    assert engine.last(control.DISCONNECT_VENUE) == {"venue": 1, "reason": "maintenance"}
    assert sorted(actions()) == ["session.connected", "session.disconnected"]


def test_a_trader_looks_and_does_nothing_and_a_viewer_sees_the_state(
    engine: FakeEngine, venue: Venue, alice: User, frank: User
) -> None:
    assert [message["name"] for message in sessions.view_session(alice, 1)["messages"]] == ["Logon"]
    assert set(sessions.view_session(frank, 1)) == {"session", "connected", "why", "protocol"}
    for act in (lambda: sessions.connect(alice, 1), lambda: sessions.disconnect(alice, 1, "x"), lambda: propose(alice)):
        with pytest.raises(NotPermitted):
            act()
    assert engine.kinds() == []


def order_of(team: Team, order_id: int) -> Order:
    fields = {"side": Side.BUY, "price": 100, "quantity": 100, "time_in_force": 1, "state": 2, "limits_version": 1}
    return Order.objects.create(
        order_id=order_id, sequence=order_id, last_sequence=order_id, team=team, time_ns=0, **fields
    )


def test_a_trader_sees_the_messages_of_the_session_and_of_the_own_teams_orders(
    engine: FakeEngine,
    venue: Venue,
    pairs_team: Team,
    index_team: Team,
    alice: User,
    bob: User,
    charlie: User,
    erin: User,
) -> None:
    order_of(pairs_team, 17)

    def names(user: User) -> list[str]:
        return [message["name"] for message in sessions.view_session(user, 1)["messages"]]

    whole = ["ExecutionReport", "Logon", "Reject"]
    assert {user.username: names(user) for user in (alice, bob, charlie, erin)} == {
        "alice": ["ExecutionReport", "Logon"], "bob": ["Logon"], "charlie": whole, "erin": whole,
    }  # fmt: skip


def test_numbers_are_set_when_a_second_person_agrees_to_what_was_shown(
    engine: FakeEngine, venue: Venue, charlie: User, erin: User
) -> None:
    change = propose(erin)
    assert (change.before, change.after) == (
        {"next_inbound": "7", "next_outbound": "12"},
        {"next_inbound": "5", "next_outbound": "1009"},
    )
    with pytest.raises(Conflict, match="wait for approval already"):
        propose(erin)
    with pytest.raises(Conflict, match="not the change that was shown"):
        services.APPROVALS[change.kind](charlie, change.pk, "another")
    done = services.APPROVALS[change.kind](charlie, change.pk, change.diff_hash)
    assert done.state == ChangeRequest.State.APPLIED
    assert engine.last(control.RESET_SESSION) == {
        "venue": 1, "next_inbound": 5, "next_outbound": 1009, "reason": "agreed by telephone", "approver": "charlie",
    }  # fmt: skip
    assert sorted(actions()) == ["session.applied", "session.approved", "session.proposed"]


def test_the_proposer_does_not_approve_and_what_the_engine_refuses_is_closed(
    engine: FakeEngine, venue: Venue, charlie: User, erin: User
) -> None:
    change = propose(charlie)
    with pytest.raises(NotPermitted, match="second person"):
        sessions.approve_session(charlie, change.pk, change.diff_hash)
    services.reject_change(charlie, change.pk, "")
    change = propose(erin)
    engine.refuse_with = "disconnect the session first: numbers do not change under it"
    with pytest.raises(EngineRefused, match="disconnect the session first"):
        sessions.approve_session(charlie, change.pk, change.diff_hash)
    change.refresh_from_db()
    assert (change.state, change.note) == (ChangeRequest.State.REJECTED, engine.refuse_with)


def test_a_proposal_that_nobody_decided_in_time_is_in_nobodys_way(
    engine: FakeEngine, venue: Venue, charlie: User, erin: User
) -> None:
    late = propose(charlie)
    ChangeRequest.objects.filter(pk=late.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    change = propose(erin)
    done = sessions.approve_session(charlie, change.pk, change.diff_hash)
    assert done.state == ChangeRequest.State.APPLIED


@pytest.mark.parametrize("typed", ["", "0", "-1", "1.5", "x", "99999999999", "9" * 5_000])
def test_a_number_that_is_none_is_refused(engine: FakeEngine, venue: Venue, erin: User, typed: str) -> None:
    with pytest.raises(Invalid, match="whole number from 1"):
        propose(erin, next_inbound=typed)


def page(client: Client, user: User) -> str:
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    answer: Any = client.get("/markets/venues/1/session/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_the_page_shows_each_role_what_it_may_see(
    engine: FakeEngine, venue: Venue, client: Client, alice: User, charlie: User, erin: User, frank: User
) -> None:
    change = propose(erin)
    seen = page(client, charlie)
    for text in ("ExecutionReport", "Next number expected", "Disconnect", f"Approve change {change.pk}", "1,009"):
        assert text in seen
    trader = page(client, alice)
    assert ("Logon" in trader, "ExecutionReport" in trader, "Disconnect</button>" in trader) == (True, False, False)
    assert "You see those of the session and of your team" in trader
    viewer = page(client, frank)
    assert ("ExecutionReport" in viewer, "Numbers and messages are not shown" in viewer) == (False, True)
