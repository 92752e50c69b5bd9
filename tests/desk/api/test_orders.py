"""Orders over the API: once, whatever the network does."""

from typing import Any

import pytest

from desk.accounts.models import User
from desk.blotter.models import OrderEntry
from desk.link.projector import project
from desk.markets.models import Venue
from engine.messages.codes import DenialReason, LimitName, OrderState, Side
from engine.messages.control import ENTER_ORDER
from tests.desk.api.test_permissions import ORDER
from tests.desk.fake_engine import FakeEngine
from tests.desk.journal_records import START_NS, Journal

pytestmark = pytest.mark.usefixtures("market")


def test_an_order_reaches_the_engine_in_its_units(engine: FakeEngine, alice: User, api: Any) -> None:
    answer = api(alice, "POST", "/orders", ORDER)
    assert (answer.status_code, answer.json()) == (
        202,
        {
            "client_order_id": "x-1",
            "outcome": "sent",
            "order_id": "1",
            "parent_id": None,
            "change_id": None,
            "journal_sequence": str(engine.sequence),
            "reason": "",
        },
    )
    sent = engine.last(ENTER_ORDER)
    expires_ns = sent.pop("expires_ns")
    entered_ns = int(OrderEntry.objects.get().entered_at.timestamp() * 1e9)
    assert 0 < expires_ns - entered_ns + 1_000_000 < 502_000_000
    assert sent == {
        "client_order_id": "x-1",
        "team": alice.team_id,
        "instrument": 1,
        "venue": 1,
        "side": Side.BUY,
        "quantity": 100,
        "price": 1_000_000,
        "time_in_force": 1,
        "protection": 0,
        "good_till_ns": 0,
        "trader": alice.pk,
    }


def test_an_order_for_no_venue_in_particular_is_the_routers(engine: FakeEngine, alice: User, api: Any) -> None:
    assert api(alice, "POST", "/orders", ORDER | {"venue": "smart"}).status_code == 202
    assert engine.last(ENTER_ORDER)["venue"] == 0


def test_the_same_body_again_is_the_first_answer_and_sends_nothing(engine: FakeEngine, alice: User, api: Any) -> None:
    first = api(alice, "POST", "/orders", ORDER)
    again = api(alice, "POST", "/orders", dict(reversed(ORDER.items())))
    assert (again.status_code, again["Idempotent-Replayed"], again.json()) == (200, "true", first.json())
    assert engine.kinds() == [ENTER_ORDER]


def test_another_body_under_the_same_id_is_a_conflict(engine: FakeEngine, alice: User, bob: User, api: Any) -> None:
    api(alice, "POST", "/orders", ORDER)
    for user, body in ((alice, ORDER | {"quantity": "200"}), (bob, ORDER)):
        answer = api(user, "POST", "/orders", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "client_order_id_reused")
    assert engine.kinds() == [ENTER_ORDER]


def test_an_order_can_be_asked_for_and_canceled_before_the_tables_have_it(
    engine: FakeEngine, alice: User, bob: User, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(0, alice.team_id or 0)
    journal.enter(1)
    looks = []

    def projector_catches_up(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            project(journal.data)

    monkeypatch.setattr("desk.blotter.just_entered.time.sleep", projector_catches_up)
    assert api(alice, "POST", "/orders", ORDER).json()["order_id"] == "1"
    assert (api(bob, "GET", "/orders/1").status_code, looks) == (404, [])
    answer = api(alice, "GET", "/orders/1")
    assert (answer.status_code, answer.json()["order_id"], len(looks)) == (200, "1", 2)
    assert api(alice, "DELETE", "/orders/1").status_code == 202


def test_an_order_that_the_tables_do_not_get_is_not_waited_for_for_ever(
    engine: FakeEngine, alice: User, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.blotter.just_entered.PROJECTED_WITHIN_SECONDS", 0.1)
    api(alice, "POST", "/orders", ORDER)
    assert [api(alice, "GET", f"/orders/{order_id}").status_code for order_id in (1, 2)] == [404, 404]


def test_an_answer_that_was_lost_is_asked_for_with_the_same_command(
    engine: FakeEngine, alice: User, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.link.client.send.__defaults__", (0.2,))
    engine.silent = True
    lost = api(alice, "POST", "/orders", ORDER)
    problem = lost.json()
    assert (lost.status_code, problem["code"], problem["outcome"], problem["retryable"]) == (
        504,
        "outcome_unknown",
        "unknown",
        True,
    )
    looked = api(alice, "GET", "/orders:by_client_order_id?client_order_id=x-1").json()
    assert (looked["outcome"], looked["order_id"]) == ("unknown", None)

    engine.silent = False
    again = api(alice, "POST", "/orders", ORDER)

    assert (again.status_code, again.json()["outcome"], again.json()["order_id"]) == (200, "sent", "1")
    assert len({command.id for command in engine.received if command.kind == ENTER_ORDER}) == 1


def test_an_engine_that_is_not_there_got_nothing(engine_state: object, alice: User, api: Any) -> None:
    answer = api(alice, "POST", "/orders", ORDER)
    assert (answer.status_code, answer.json()["outcome"], answer.json()["retryable"]) == (503, "not_sent", True)


def test_what_the_engine_refused_stays_refused(engine: FakeEngine, alice: User, api: Any) -> None:
    engine.refuse_with = "denied: order quantity"
    for _ in range(2):
        answer = api(alice, "POST", "/orders", ORDER)
        problem = answer.json()
        assert (answer.status_code, problem["code"], problem["outcome"], problem["detail"]) == (
            409,
            "order_refused",
            "rejected",
            "denied: order quantity",
        )
    assert engine.kinds() == [ENTER_ORDER]


def test_a_denial_of_the_risk_gate_names_the_limit(engine: FakeEngine, alice: User, api: Any) -> None:
    engine.deny_with = {
        "denial": "ORDER_QUANTITY",
        "order_id": 7,
        "measured": 5_000,
        "bound": 1_000,
        "scope": "TEAM",
        "scope_id": alice.team_id,
        "limit_name": "ORDER_QUANTITY",
    }
    answer = api(alice, "POST", "/orders", ORDER)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["outcome"]) == (409, "order_quantity", "rejected")
    assert "5,000" in problem["detail"]
    assert OrderEntry.objects.get().order_id == 7


@pytest.mark.parametrize(
    ("wrong", "code", "parameter"),
    [
        ({"price": "100.005"}, "bad_tick", "price"),
        ({"price": "100.00001"}, "invalid", "price"),
        ({"price": "1e2"}, "invalid", "price"),
        ({"price": 100.0}, "invalid", "price"),
        ({"quantity": "0"}, "invalid", "quantity"),
        ({"quantity": "-5"}, "invalid", "quantity"),
        ({"side": "short"}, "invalid", "side"),
        ({"side": None}, "invalid", "side"),
        ({"instrument": "ZZZ"}, "unknown_instrument", "instrument"),
        ({"venue": "XNONE"}, "unknown_venue", "venue"),
        ({"venue": "smart", "time_in_force": "fok"}, "invalid", "time_in_force"),
        ({"client_order_id": "a b"}, "invalid", "client_order_id"),
        ({"time_in_force": "gtx"}, "invalid", "time_in_force"),
        ({"time_in_force": "gtd"}, "invalid", "good_till"),
        ({"good_till_ns": "4102448400000000000"}, "invalid", "good_till"),
        ({"stop_price": "1"}, "invalid", "stop_price"),
    ],
)
def test_nothing_is_guessed(
    engine: FakeEngine, alice: User, api: Any, wrong: dict[str, Any], code: str, parameter: str
) -> None:
    answer = api(alice, "POST", "/orders", ORDER | wrong)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["param"]) == (422, code, parameter)
    assert (engine.kinds(), OrderEntry.objects.count()) == ([], 0)


@pytest.mark.parametrize("name", [name for name in ORDER if name != "valid_milliseconds"])
def test_nothing_has_a_default(engine: FakeEngine, alice: User, api: Any, name: str) -> None:
    body = {key: value for key, value in ORDER.items() if key != name}
    assert api(alice, "POST", "/orders", body).status_code == 422


def test_fills_are_read_page_by_page_from_a_journal_sequence(alice: User, market: Venue, api: Any) -> None:
    journal = Journal(0, alice.team_id)
    for order_id in range(1, 6):
        journal.enter(order_id)
        journal.fill(order_id, OrderState.FILLED, 0, 100)
    project(journal.data)
    first = api(alice, "GET", "/fills?limit=2").json()
    assert [row["sequence"] for row in first["items"]] == ["2", "4"]
    assert first["next"] == "/api/v1/fills?after=4&limit=2"
    rest = api(alice, "GET", first["next"].removeprefix("/api/v1").replace("limit=2", "limit=10")).json()
    assert ([row["sequence"] for row in rest["items"]], rest["next"]) == (["6", "8", "10"], None)
    assert first["items"][0] == {
        "sequence": "2",
        "order_id": "1",
        "strategy": None,
        "team": "Pairs",
        "instrument": "AAA",
        "venue": "XSIM",
        "side": "buy",
        "price": "100.0000",
        "quantity": "100",
        "fee": "0.3000",
        "liquidity": "removed",
        "match_number": "10",
        "broken": False,
        "ts": "2023-11-14T22:13:20.000002123Z",
        "ts_ns": str(START_NS + 2_000),
    }


def test_every_answer_names_its_request(alice: User, api: Any) -> None:
    answer = api(alice, "GET", "/orders/5")
    assert (answer["X-Request-ID"], answer["Cache-Control"]) == (answer.json()["trace_id"], "no-store")


def test_a_denial_names_its_category_its_condition_what_was_measured_and_the_bound(alice: User, api: Any) -> None:
    journal = Journal(0, alice.team_id or 0)
    journal.deny(7)
    journal.deny(
        8, reason=DenialReason.DAILY_LOSS, limit_name=LimitName.DAILY_LOSS, measured=1_234_500, bound=1_000_000
    )
    journal.deny(9, reason=DenialReason.INSTRUMENT_BREAK, limit_name=0, scope=0, scope_id=0, measured=1, bound=0)
    project(journal.data)
    rows = api(alice, "GET", "/denials").json()["items"]
    names = ("order_id", "category", "reason", "measured", "bound", "limit", "scope")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("7", "limit", "order_quantity", "5000", "1000", "order_quantity", "team"),
        ("8", "limit", "daily_loss", "123.4500", "100.0000", "daily_loss", "team"),
        ("9", "break", "instrument_break", "1", "0", None, None),
    ]
    assert rows[0]["sentence"] == "5,000 shares are over the team's limit of shares per order of 1,000."
    assert (rows[0]["team"], rows[0]["scope_id"]) == ("Pairs", str(alice.team_id))
