"""Every role on every address of the API: what is allowed, what is refused, what is not there."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from desk.accounts.models import Role, Team, User
from desk.api.urls import api as desk_api
from desk.blotter.models import Order
from desk.blotter.services import OrderTicket, enter_order
from desk.link.projector import project
from desk.risk.services import propose_limits
from desk.strategies.models import Strategy
from engine.messages.codes import OrderState, ReportKind, Scope, Side
from tests.desk.api.conftest import program
from tests.desk.fake_engine import FakeEngine, undone
from tests.desk.journal_records import Journal
from tests.desk.live.fake_follow import FakeFollow

TRADER, FOREIGN, RISK, ADMIN, VIEWER, NOBODY = "alice", "bob", "charlie", "erin", "frank", None
EVERYBODY = (TRADER, FOREIGN, RISK, ADMIN, VIEWER, NOBODY)
ORDER = {
    "client_order_id": "x-1",
    "instrument": "AAA",
    "venue": "XSIM",
    "side": "buy",
    "quantity": "100",
    "price": "100.00",
    "time_in_force": "day",
}
PARENT = {
    "client_order_id": "p-1",
    "algorithm": "twap",
    "instrument": "AAA",
    "venues": ["XSIM"],
    "side": "buy",
    "quantity": "5000",
    "parameters": {"slices": 5},
    "seconds": 600,
}
LEGS = {
    "client_order_id": "l-1",
    "legs": [
        {"instrument": "AAA", "venue": "XSIM", "side": "buy", "quantity": "100"},
        {"instrument": "BBB", "venue": "XSIM", "side": "sell", "quantity": "60", "price": "99.00"},
    ],
    "parameters": {"unhedged": 20},
    "seconds": 600,
}
VENUE = {"name": "XTWO", "protocol": "ouch50", "settings": {"orders": "127.0.0.1:9000", "username": "desk"}}
STRATEGY = {
    "name": "AAA / CCC",
    "kind": "pairs",
    "venue": "XSIM",
    "instruments": ["AAA", "CCC"],
    "parameters": {"hedge_ratio": 1, "quantity": 100},
}
READ = (200, 200, 200, 200, 200, 401)
OWN_TEAM = (200, 404, 200, 200, 200, 401)

# (method, path, body): statuses for the trader of the team, one of another team, risk, admin, viewer, nobody.
TABLE: dict[tuple[str, str], tuple[Any, tuple[int, ...]]] = {
    ("GET", "/strategies"): (None, READ),
    ("POST", "/strategies"): (STRATEGY, (201, 201, 403, 403, 403, 401)),
    ("GET", "/strategies/{strategy_id}"): (None, OWN_TEAM),
    ("PATCH", "/strategies/{strategy_id}"): ({"version": 1, "name": "Other"}, (200, 404, 403, 403, 403, 401)),
    ("POST", "/strategies/{strategy_id}/start"): ({}, (200, 404, 403, 403, 403, 401)),
    ("POST", "/strategies/{strategy_id}/stop"): ({}, (204, 404, 204, 204, 403, 401)),
    ("POST", "/strategies/{strategy_id}/archive"): ({}, (409, 404, 409, 409, 403, 401)),
    ("POST", "/strategies/{strategy_id}/restore"): (None, (200, 404, 200, 200, 403, 401)),
    ("GET", "/limits"): (None, READ),
    ("GET", "/limits/changes"): (None, READ),
    ("POST", "/limits/changes"): (
        {"scope": "team", "scope_id": "{team_id}", "bounds": {"position": "9000"}, "reason": "more"},
        (201, 403, 201, 403, 403, 401),
    ),
    ("GET", "/limits/changes/{change_id}"): (None, OWN_TEAM),
    ("POST", "/limits/changes/{change_id}/approve"): ({"diff_hash": "{diff_hash}"}, (403, 403, 403, 403, 403, 401)),
    ("POST", "/limits/changes/{change_id}/reject"): ({"note": "no"}, (200, 404, 200, 403, 403, 401)),
    ("GET", "/instruments"): (None, READ),
    ("GET", "/tops"): (None, READ),
    ("GET", "/latency"): (None, READ),
    ("GET", "/venues"): (None, READ),
    ("POST", "/venues"): (VENUE, (403, 403, 201, 201, 403, 401)),
    ("PUT", "/venues/{number}"): (VENUE, (403, 403, 200, 200, 403, 401)),
    ("DELETE", "/venues/{number}"): (None, (403, 403, 204, 204, 403, 401)),
    ("POST", "/orders"): (ORDER, (202, 202, 403, 403, 403, 401)),
    ("GET", "/orders"): (None, READ),
    ("GET", "/orders:by_client_order_id"): (None, (404, 404, 404, 404, 404, 401)),
    ("GET", "/orders/{order_id}"): (None, OWN_TEAM),
    ("DELETE", "/orders/{order_id}"): (None, (202, 404, 202, 202, 403, 401)),
    ("POST", "/orders/{order_id}/replace"): (
        {"price": "100.05", "quantity": "50"},
        (409, 404, 403, 403, 403, 401),  # a strategy works it
    ),
    ("POST", "/parents"): (PARENT, (202, 202, 403, 403, 403, 401)),
    ("POST", "/parents/legs"): (LEGS, (202, 202, 403, 403, 403, 401)),
    ("GET", "/parents/{parent_id}/legs"): (None, OWN_TEAM),
    ("GET", "/parents"): (None, READ),
    ("GET", "/parents/{parent_id}"): (None, OWN_TEAM),
    ("GET", "/parents/{parent_id}/orders"): (None, OWN_TEAM),
    ("DELETE", "/parents/{parent_id}"): (None, (202, 404, 202, 202, 403, 401)),
    ("GET", "/queue"): (None, READ),
    ("GET", "/queue/{waiting_id}"): (None, OWN_TEAM),
    ("POST", "/queue/{waiting_id}/release"): ({"diff_hash": "{waiting_hash}"}, (403, 403, 403, 403, 403, 401)),
    ("POST", "/queue/{waiting_id}/return"): ({"note": "too large"}, (200, 404, 200, 403, 403, 401)),
    ("POST", "/queue/{waiting_id}/ask"): (None, (403, 403, 403, 403, 403, 401)),
    ("GET", "/second-person"): (None, READ),
    ("POST", "/second-person"): (
        {"team_id": "{team_id}", "bounds": {"notional": "9000"}, "reason": "new"},
        (201, 403, 201, 403, 403, 401),
    ),
    ("GET", "/fills"): (None, READ),
    ("GET", "/denials"): (None, READ),
    ("GET", "/positions"): (None, READ),
    ("GET", "/catalogue"): (None, READ),
    ("GET", "/kill"): (None, READ),
    ("POST", "/kill"): ({"scope": "firm", "reason": "stop"}, (403, 403, 200, 200, 403, 401)),
    ("POST", "/kill/rearm"): ({"scope": "firm", "reason": "go"}, (403, 403, 409, 409, 403, 401)),
    ("GET", "/health"): (None, (200,) * 6),
    ("GET", "/status"): (None, READ),
}


@pytest.fixture
def things(engine: FakeEngine, seen: FakeFollow, strategy: Strategy, alice: User) -> dict[str, Any]:
    journal = Journal(strategy.pk, strategy.team_id)
    journal.enter(1)
    journal.report(1, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    journal.parent(2)
    project(journal.data)
    change = propose_limits(alice, Scope.STRATEGY, strategy.pk, {"position": 9_000}, "room")[0]
    care = OrderTicket("care-1", 1, 1, Side.BUY, 100, Decimal(100), care=True)
    waiting = enter_order(alice, care).entry.change
    assert waiting is not None
    return {
        "strategy_id": strategy.pk,
        "team_id": strategy.team_id,
        "change_id": change.pk,
        "diff_hash": change.diff_hash,
        "number": 1,
        "waiting_id": waiting.pk,
        "waiting_hash": waiting.diff_hash,
        "order_id": 1,
        "parent_id": 2,
    }


def filled_in(body: Any, things: dict[str, Any]) -> Any:
    if not isinstance(body, dict):
        return body
    filled = {key: value.format(**things) if isinstance(value, str) else value for key, value in body.items()}
    return filled | {name: int(filled[name]) for name in ("scope_id", "team_id") if name in filled}


@pytest.mark.parametrize("at", range(len(EVERYBODY)), ids=[str(name) for name in EVERYBODY])
def test_every_address(
    at: int, things: dict[str, Any], engine: FakeEngine, request: pytest.FixtureRequest, api: Any
) -> None:
    name = EVERYBODY[at]
    user = request.getfixturevalue(name) if name else None
    api(user, "GET", "/health")  # the key is made here, where nothing takes it back
    answers = {}
    for (method, path), (body, _) in TABLE.items():
        query = "?client_order_id=none" if path == "/orders:by_client_order_id" else ""
        with undone(engine):
            answer = api(user, method, path.format(**things) + query, filled_in(body, things))
        answers[method, path] = answer.status_code
        if answer.status_code >= 400:
            problem = {"type", "title", "status", "detail", "code", "outcome", "retryable", "trace_id"}
            assert (method, path, answer["Content-Type"]) == (method, path, "application/problem+json")
            assert (method, path, problem - set(answer.json())) == (method, path, set())
    assert answers == {address: statuses[at] for address, (_, statuses) in TABLE.items()}


def test_no_address_is_missing_from_the_table() -> None:
    described = desk_api.get_openapi_schema()["paths"]
    named = {(method, path.replace("waiting_id", "change_id")) for method, path in TABLE}
    known = {
        (method.upper(), path.removeprefix("/api/v1")) for path, methods in described.items() for method in methods
    }
    assert known == named


def test_another_team_is_not_in_the_lists(things: dict[str, Any], alice: User, bob: User, api: Any) -> None:
    for path, rows in (("/orders", "items"), ("/fills", "items"), ("/strategies", ""), ("/positions", "")):
        theirs = api(bob, "GET", path).json()
        assert (theirs[rows] if rows else theirs) == []
    assert len(api(alice, "GET", "/orders").json()["items"]) == Order.objects.count() == 1


@pytest.mark.parametrize("scope", ["strategies", "venues", "trade", "cancel", "kill", "limits:propose"])
def test_a_key_does_only_what_its_scopes_say(scope: str, things: dict[str, Any], alice: User) -> None:
    needs = {
        "strategies": ("POST", "/strategies", STRATEGY),
        "venues": ("POST", "/venues", VENUE),
        "trade": ("POST", "/orders", ORDER),
        "cancel": ("DELETE", "/orders/1", None),
        "kill": ("POST", "/kill", {"scope": "team", "scope_id": things["team_id"], "reason": "stop"}),
        "limits:propose": ("POST", "/limits/changes/1/reject", {"note": "no"}),
    }
    method, path, body = needs[scope]
    others = [other for other in (*needs, "read") if other != scope]
    answer = program(alice, others).generic(
        method, f"/api/v1{path}", str(body or "").replace("'", '"'), "application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def test_a_session_needs_the_csrf_token(things: dict[str, Any], charlie: User) -> None:
    page = Client(enforce_csrf_checks=True)
    page.force_login(charlie, "django.contrib.auth.backends.ModelBackend")
    assert page.get("/api/v1/limits").status_code == 200
    address = f"/api/v1/limits/changes/{things['change_id']}/approve"
    body = {"diff_hash": things["diff_hash"]}
    refused = page.post(address, body, content_type="application/json")
    assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")
    page.cookies["csrf"] = "a" * 32
    taken = page.post(address, body, content_type="application/json", headers={"X-CSRFToken": "a" * 32})
    assert (taken.status_code, taken.json()["state"], taken.json()["approver"]) == (200, "applied", "charlie")


def test_a_waiting_order_is_released_over_the_api_by_who_is_signed_in(
    things: dict[str, Any], engine: FakeEngine, charlie: User, api: Any
) -> None:
    page = Client()
    page.force_login(charlie, "django.contrib.auth.backends.ModelBackend")
    address = f"/api/v1/queue/{things['waiting_id']}"
    body = {"diff_hash": things["waiting_hash"], "order": ORDER | {"client_order_id": "care-1", "price": "99.50"}}
    both = page.post(f"{address}/release", body | {"parent": PARENT}, content_type="application/json")
    worse = body | {"order": body["order"] | {"price": "100.50"}}
    refused = page.post(f"{address}/release", worse, content_type="application/json")
    assert (both.status_code, refused.status_code, refused.json()["param"]) == (422, 422, "price")

    answer = page.post(f"{address}/release", body, content_type="application/json").json()

    assert (answer["outcome"], answer["order_id"], answer["change"]["approver"]) == ("sent", "1", "charlie")
    assert (answer["asked"]["price"], answer["released"]["price"]) == ("100", "99.50")
    assert engine.last("enter_order")["price"] == 995_000
    assert [row["change_id"] for row in api(charlie, "GET", "/queue").json()] == [str(things["waiting_id"])]


def test_a_trader_without_a_team_sees_and_does_nothing(things: dict[str, Any], api: Any) -> None:
    loner = User.objects.create(username="loner", role=Role.TRADER)
    assert api(loner, "GET", "/orders").json()["items"] == []
    assert api(loner, "POST", "/orders", ORDER).status_code == 403


def test_who_was_moved_to_another_team_loses_sight(
    things: dict[str, Any], alice: User, index_team: Team, api: Any
) -> None:
    assert api(alice, "GET", "/orders/1").status_code == 200
    User.objects.filter(pk=alice.pk).update(team=index_team)
    assert api(alice, "GET", "/orders/1").status_code == 404


def test_the_description_is_for_those_who_may_call(client: Client, frank: User) -> None:
    assert client.get("/api/v1/openapi.json").status_code == 401
    assert program(frank).get("/api/v1/openapi.json").status_code == 200
    client.force_login(frank, "django.contrib.auth.backends.ModelBackend")
    assert client.get("/api/v1/openapi.json").json()["openapi"].startswith("3.1")
