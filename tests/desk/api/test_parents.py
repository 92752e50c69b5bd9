"""Parent orders and replacements over the API."""

from typing import Any

import pytest

from desk.accounts.models import User
from desk.blotter.models import OrderEntry
from desk.link.projector import project
from desk.markets.models import Venue
from engine.messages.codes import OrderState, ParentState, ReportKind, Side
from engine.messages.control import CANCEL_PARENT, ENTER_PARENT, REPLACE_ORDER
from tests.desk.api.test_permissions import PARENT
from tests.desk.fake_engine import TWAP, FakeEngine
from tests.desk.journal_records import PRICE, START_NS, Journal

pytestmark = pytest.mark.usefixtures("market")


def test_a_parent_order_reaches_the_engine_in_its_units(engine: FakeEngine, alice: User, api: Any) -> None:
    answer = api(alice, "POST", "/parents", PARENT | {"price": "101.00"})

    assert (answer.status_code, answer.json()["parent_id"], answer.json()["order_id"]) == (202, "1", None)
    sent = engine.last(ENTER_PARENT)
    entered_ns = int(OrderEntry.objects.get().entered_at.timestamp() * 1000) * 1_000_000
    assert 0 < sent.pop("expires_ns") - entered_ns < 501_000_000
    assert sent == {
        "client_order_id": "p-1",
        "strategy": 0,
        "team": alice.team_id,
        "trader": alice.pk,
        "algorithm": "twap",
        "kind_hash": TWAP.hash,
        "instrument": 1,
        "venues": [1],
        "side": Side.BUY,
        "quantity": 5_000,
        "price": 1_010_000,
        "start_ns": entered_ns,
        "end_ns": entered_ns + 600_000_000_000,
        "parameters": {"slices": 5.0},
        "legs": [],
    }


def test_the_catalogue_has_the_algorithms_with_their_parameters(engine: FakeEngine, alice: User, api: Any) -> None:
    [twap] = [kind for kind in api(alice, "GET", "/catalogue").json()["algorithm_kinds"] if kind["name"] == "twap"]
    assert (twap["hash"], [parameter["name"] for parameter in twap["parameters"]]) == (TWAP.hash, ["slices"])


def test_the_same_body_again_sends_nothing_and_another_is_a_conflict(engine: FakeEngine, alice: User, api: Any) -> None:
    first = api(alice, "POST", "/parents", PARENT)
    again = api(alice, "POST", "/parents", PARENT)
    other = api(alice, "POST", "/parents", PARENT | {"quantity": "100"})

    assert (again.status_code, again["Idempotent-Replayed"], again.json()) == (200, "true", first.json())
    assert (other.status_code, other.json()["code"]) == (409, "client_order_id_reused")
    assert engine.kinds() == [ENTER_PARENT]


def test_an_answer_that_was_lost_is_asked_for_with_the_same_command(
    engine: FakeEngine, alice: User, api: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("desk.link.client.send.__defaults__", (0.2,))
    engine.silent_about = {ENTER_PARENT}
    assert api(alice, "POST", "/parents", PARENT).json()["code"] == "outcome_unknown"

    engine.silent_about = set()
    again = api(alice, "POST", "/parents", PARENT)

    assert (again.status_code, again.json()["parent_id"]) == (200, "1")
    sent = [command for command in engine.received if command.kind == ENTER_PARENT]
    assert len({command.id for command in sent}) == 1
    assert all(command.body == sent[0].body for command in sent)


@pytest.mark.parametrize(
    ("wrong", "code", "parameter"),
    [
        ({"algorithm": "magic"}, "invalid", "algorithm"),
        ({"algorithm": "sniper", "parameters": {}}, "invalid", "price"),
        ({"parameters": {}}, "invalid", "slices"),
        ({"parameters": {"slices": 0}}, "invalid", "slices"),
        ({"parameters": {"slices": 5, "speed": 1}}, "invalid", "speed"),
        ({"venues": []}, "invalid", "venues"),
        ({"venues": ["XSIM", "XSIM"]}, "invalid", "venues"),
        ({"venues": ["XNONE"]}, "unknown_venue", "venue"),
        ({"instrument": "ZZZ"}, "unknown_instrument", "instrument"),
        ({"quantity": "0"}, "invalid", "quantity"),
        ({"quantity": "99999999"}, "invalid", "quantity"),
        ({"price": "100.005"}, "bad_tick", "price"),
        ({"seconds": 0}, "invalid", "seconds"),
        ({"end_ns": "1"}, "invalid", "seconds"),
        ({"seconds": 0, "start_ns": "5", "end_ns": "4"}, "invalid", "end"),
        ({"side": "short"}, "invalid", "side"),
        ({"urgency": 1}, "invalid", "urgency"),
    ],
)
def test_nothing_is_guessed(
    engine: FakeEngine, alice: User, api: Any, wrong: dict[str, Any], code: str, parameter: str
) -> None:
    answer = api(alice, "POST", "/parents", PARENT | wrong)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["param"]) == (422, code, parameter)
    assert (engine.kinds(), OrderEntry.objects.count()) == ([], 0)


def test_children_roll_up_and_the_end_is_told(engine: FakeEngine, alice: User, market: Venue, api: Any) -> None:
    journal = Journal(0, alice.team_id)
    journal.parent(2, trader=alice.pk, price=PRICE)
    for order_id, price in ((3, PRICE), (4, PRICE - 100)):
        journal.enter(order_id, Side.BUY, 100, parent_id=2)
        journal.report(order_id, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
        journal.fill(order_id, OrderState.FILLED, 0, 100, price=price)
    journal.enter(5)
    project(journal.data)

    found = api(alice, "GET", "/parents/2").json()

    assert found == {
        "parent_id": "2",
        "sequence": "1",
        "legs": 0,
        "algorithm": "twap",
        "strategy": None,
        "team": "Pairs",
        "trader": "alice",
        "instrument": "AAA",
        "venues": ["XSIM"],
        "side": "buy",
        "quantity": "1000",
        "price": "100.0000",
        "state": "working",
        "filled_quantity": "200",
        "unwound_quantity": "0",
        "average_price": "99.9950",
        "fees": "0.6000",
        "limits_version": "2",
        "start_ns": str(START_NS),
        "end_ns": str(START_NS + 600_000_000_000),
        "ts": "2023-11-14T22:13:20.000001123Z",
        "ts_ns": str(START_NS + 1_000),
    }
    children = api(alice, "GET", "/parents/2/orders").json()["items"]
    assert [(row["order_id"], row["parent_id"]) for row in children] == [("3", "2"), ("4", "2")]

    journal.parent(2, ParentState.CANCELED, filled=200)
    project(journal.data)

    assert api(alice, "GET", "/parents/2").json()["state"] == "canceled"
    assert api(alice, "GET", "/parents?working=true").json()["items"] == []
    late = api(alice, "DELETE", "/parents/2")
    assert (late.status_code, late.json()["code"]) == (409, "order_not_working")


def test_a_parent_order_is_canceled_by_its_number(engine: FakeEngine, alice: User, market: Venue, api: Any) -> None:
    journal = Journal(0, alice.team_id)
    journal.parent(2)
    project(journal.data)

    assert api(alice, "DELETE", "/parents/2").status_code == 202
    assert engine.last(CANCEL_PARENT) == {"parent": 2}


def test_a_manual_order_gets_other_terms(engine: FakeEngine, alice: User, market: Venue, api: Any) -> None:
    journal = Journal(0, alice.team_id)
    journal.enter(7)
    journal.report(7, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    journal.enter(8, parent_id=2)
    project(journal.data)

    answer = api(alice, "POST", "/orders/7/replace", {"price": "100.05", "quantity": "60"})
    assert (answer.status_code, answer.json()) == (202, {"order_id": "8"})
    assert engine.last(REPLACE_ORDER) == {"order_id": 7, "price": 1_000_500, "quantity": 60}

    child = api(alice, "POST", "/orders/8/replace", {"price": "100.05", "quantity": "60"})
    off = api(alice, "POST", "/orders/7/replace", {"price": "100.055", "quantity": "60"})
    engine.deny_with = {"denial": "ORDER_QUANTITY", "measured": 60, "bound": 50, "limit_name": "ORDER_QUANTITY"}
    denied = api(alice, "POST", "/orders/7/replace", {"price": "100.05", "quantity": "60"})
    assert [(a.status_code, a.json()["code"]) for a in (child, off, denied)] == [
        (409, "order_worked"),
        (422, "bad_tick"),
        (409, "order_quantity"),
    ]
