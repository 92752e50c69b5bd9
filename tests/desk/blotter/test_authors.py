"""Every order names its strategy, the version that decided, the trader behind it, the team and the limits it passed."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from desk.accounts.models import User
from desk.blotter.authors import Author, authors_of
from desk.blotter.models import Order, OrderEntry
from desk.blotter.services import OrderTicket, enter_order
from desk.link.projector import project
from desk.runs.models import Run
from desk.strategies.models import Strategy
from engine.messages.codes import Mode, OrderAction, RecordKind, Side
from tests.desk.fake_engine import FakeEngine
from tests.desk.journal_records import Journal

pytestmark = pytest.mark.django_db


def run(strategy: Strategy, trader: User, version: int, sequence: int) -> None:
    """A run that began with this journal record."""
    Run.objects.create(
        strategy=strategy,
        mode=Mode.PAPER,
        definition={},
        strategy_version=version,
        engine_epoch=1,
        started_by=trader,
        started_at=timezone.now(),
        started_sequence=sequence,
    )


def entered(trader: User, engine: FakeEngine, name: str, order_id: int) -> OrderEntry:
    engine.orders[name] = order_id
    return enter_order(trader, OrderTicket(name, 1, 1, Side.BUY, 100, Decimal(100), 1)).entry


@pytest.fixture
def orders(strategy: Strategy, alice: User, gina: User, engine: FakeEngine) -> list[Order]:
    """In the order of the journal: by a strategy before and after another start, a child of a parent order that people
    gave, one by hand, its replacement, both parts of one that the router split, and one that nobody here entered."""
    own, manual = Journal(strategy.pk, strategy.team_id), Journal(0, strategy.team_id)
    own.enter(1)
    own.enter(2)
    manual.records = own.records
    manual.parent(3, trader=gina.pk)
    manual.enter(4, parent_id=3)
    manual.enter(5)
    manual.change(OrderAction.REPLACE, 5, 6, 50)
    manual.enter(7)
    manual.enter(8)
    for order_id in (7, 8):
        manual.append(RecordKind.ROUTE, route_id=90, round=1, venue=order_id - 6, take_order_id=order_id)
    manual.enter(9)
    project(manual.data)
    run(strategy, alice, 1, 0)
    run(strategy, gina, 2, 2)
    for trader, name, order_id in ((alice, "by-hand", 5), (gina, "routed", 8)):
        assert entered(trader, engine, name, order_id).order_id == order_id
    return list(Order.objects.order_by("sequence"))


def test_the_person_behind_every_order_and_the_version_of_its_strategy(orders: list[Order]) -> None:
    assert authors_of(orders) == {
        1: Author("alice", 1),
        2: Author("gina", 2),
        4: Author("gina"),
        5: Author("alice"),
        6: Author("alice"),
        7: Author("gina"),
        8: Author("gina"),
        9: Author(),
    }


def test_pages_files_and_the_api_say_so(orders: list[Order], alice: User, client: Client) -> None:
    client.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    rows = {row["order_id"]: row for row in client.get("/api/v1/orders").json()["items"]}
    named = {number: (row["trader"], row["strategy_version"], row["limits_version"]) for number, row in rows.items()}
    assert (named["2"], named["4"], named["9"]) == (("gina", "2", "2"), ("gina", None, "2"), (None, None, "2"))
    (child,) = client.get("/api/v1/parents/3/orders").json()["items"]
    assert (child["order_id"], child["trader"], child["team"]) == ("4", "gina", "Pairs")
    assert client.get("/api/v1/orders/1").json()["strategy_version"] == "1"
    page = client.get("/blotter/orders/2/").content.decode()
    assert "AAA / BBB</a>, version 2" in page
    assert "gina, Pairs" in page
    file = b"".join(client.get("/blotter/orders.csv").streaming_content).decode()  # type: ignore[attr-defined]
    found = {row["order_id"]: (row["trader"], row["strategy_version"]) for row in csv.DictReader(io.StringIO(file))}
    assert (found["1"], found["6"], found["9"]) == (("alice", "1"), ("alice", ""), ("", ""))


def test_many_orders_take_a_few_queries(orders: list[Order], django_assert_max_num_queries: Any) -> None:
    expected = authors_of(orders)
    with django_assert_max_num_queries(6):
        assert authors_of(orders * 50) == expected
