"""Market orders over the API: a type without a price, never an order whose price was forgotten."""

from typing import Any

import pytest

from desk.accounts.models import User
from desk.link.projector import project
from engine.messages.codes import Side
from engine.messages.control import ENTER_ORDER
from tests.desk.api.test_permissions import ORDER
from tests.desk.fake_engine import FakeEngine
from tests.desk.journal_records import Journal

pytestmark = pytest.mark.usefixtures("market")

IN_API = {name: value for name, value in ORDER.items() if name != "price"} | {"type": "market"}


def test_over_the_api_it_is_a_type_without_a_price(engine: FakeEngine, alice: User, api: Any) -> None:
    body = IN_API | {"time_in_force": "ioc", "protection": 20}
    assert api(alice, "POST", "/orders", body).status_code == 202
    assert (engine.last(ENTER_ORDER)["price"], engine.last(ENTER_ORDER)["protection"]) == (0, 20)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price": "100.00"}, "price"),  # a market order with a price
        ({"type": "limit"}, "price"),  # a limit order without one
        ({"type": "limit", "price": "100.00", "protection": 5}, "protection"),
        ({"time_in_force": "post_only"}, "time_in_force"),
        ({"protection": 1_001}, "protection"),
        ({"type": "stop"}, "type"),
    ],
)
def test_what_is_neither_a_limit_nor_a_market_order_is_refused(
    engine: FakeEngine, alice: User, api: Any, changes: dict[str, Any], field: str
) -> None:
    answer = api(alice, "POST", "/orders", IN_API | {"time_in_force": "ioc"} | changes)
    assert answer.status_code == 422
    assert field in str(answer.json()["errors"])
    assert engine.kinds() == []


def test_it_is_listed_with_its_protection_and_the_limit_that_it_made(alice: User, api: Any) -> None:
    journal = Journal(0, alice.team_id or 0)
    journal.enter(3, Side.BUY, 300, protection=50)
    journal.enter(4, Side.BUY, 300)
    project(journal.data)
    rows = api(alice, "GET", "/orders").json()["items"]
    assert [(row["type"], row["protection"], row["price"]) for row in rows] == [
        ("market", 50, "100.0000"),
        ("limit", None, "100.0000"),
    ]
