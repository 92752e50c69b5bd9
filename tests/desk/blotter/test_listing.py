import csv
import io
from typing import Any

import pytest
from django.test import Client

from desk.accounts.models import User
from desk.blotter import filters
from desk.blotter.csv_rows import text_cell
from desk.link.projector import project
from desk.strategies.models import Strategy
from engine.messages.codes import OrderState, ReportKind, Side
from tests.desk.journal_records import PRICE, Journal

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def journal(strategy: Strategy) -> Journal:
    """Five orders of alice's strategy: bought and filled, resting, sold and canceled, denied, rejected."""
    made = Journal(strategy.pk, strategy.team_id)
    made.enter(1)
    made.fill(1, OrderState.FILLED, 0, 100)
    made.enter(2)
    made.report(2, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    made.enter(3, Side.SELL)
    made.report(3, ReportKind.CANCELED, OrderState.CANCELED, 0, side=Side.SELL)
    made.deny(4)
    made.enter(5)
    made.report(5, ReportKind.REJECTED, OrderState.REJECTED, 0, reason=3)
    project(made.data)
    return made


@pytest.fixture
def browser(alice: User, journal: Journal) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def orders_on(page: Any) -> list[int]:
    return [row.order_id for row in page.context["page"].rows]


@pytest.mark.parametrize(
    ("query", "orders"),
    [
        ("", [5, 4, 3, 2, 1]),
        ("?side=sell", [4, 3]),
        ("?state=working", [2]),
        ("?state=denied", [4]),
        ("?state=nonsense", []),
        ("?strategy=manual", []),
        ("?instrument=1&state=filled", [1]),
        ("?instrument=²", []),
    ],
)
def test_orders_are_filtered_by_the_server(browser: Client, query: str, orders: list[int]) -> None:
    assert orders_on(browser.get(f"/blotter/orders/{query}")) == orders


def test_pages_follow_the_journal_sequence(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "PAGE_SIZE", 2)
    first = browser.get("/blotter/orders/")
    second = browser.get(f"/blotter/orders/?before={first.context['page'].next_before}")
    third = browser.get(f"/blotter/orders/?before={second.context['page'].next_before}")
    assert [orders_on(page) for page in (first, second, third)] == [[5, 4], [3, 2], [1]]
    assert third.context["page"].next_before is None


def test_a_filter_that_changes_asks_for_the_rows_alone(browser: Client) -> None:
    page = browser.get("/blotter/orders/?side=buy", headers={"HX-Request": "true", "HX-Target": "rows"})
    assert b"<html" not in page.content
    assert b"/blotter/orders/1/" in page.content
    assert "HX-Request" in page.headers["Vary"]


def test_refused_orders_are_listed_with_who_and_why(browser: Client) -> None:
    rows = browser.get("/blotter/refused/").context["denials"]
    assert [(row.by, row.sentence) for row in rows] == [
        ("XSIM", "The venue rejected it with reason 3."),
        ("Risk gate", "5,000 shares are over the team's limit of shares per order of 1,000."),
    ]


def test_an_order_is_shown_from_request_to_end(browser: Client) -> None:
    text = browser.get("/blotter/orders/1/").content.decode()
    assert all(words in text for words in ("We asked: enter", "Venue: executed", "Filled", "AAA / BBB"))


def test_an_unknown_order_is_a_page_that_says_so(browser: Client) -> None:
    page = browser.get("/blotter/orders/999/")
    assert (page.status_code, "There is no such order." in page.content.decode()) == (404, True)


def test_fills_are_exported_with_every_digit(browser: Client) -> None:
    answer = browser.get("/blotter/fills.csv")
    (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))  # type: ignore[attr-defined]
    assert {name: row[name] for name in ("sequence", "order_id", "strategy", "side", "quantity", "price", "fee")} == {
        "sequence": "2",
        "order_id": "1",
        "strategy": "AAA / BBB",
        "side": "buy",
        "quantity": "100",
        "price": "100.0000",
        "fee": "0.3000",
    }


def test_a_fill_that_the_venue_took_back_says_so_wherever_fills_are_shown(
    browser: Client, strategy: Strategy, journal: Journal
) -> None:
    journal.report(1, ReportKind.BROKEN, OrderState.FILLED, 0, quantity=100, price=PRICE, fee=-3_000, match_number=10)
    project(journal.data)
    for address in ("/blotter/fills/", "/blotter/orders/1/"):
        assert ("undone" in (text := browser.get(address).content.decode()), "Taken back" in text) == (True, True)
    assert 'class="undone" title="The venue took it back"' in browser.get("/").content.decode()
    answer = browser.get("/blotter/fills.csv")
    (row,) = csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode()))  # type: ignore[attr-defined]
    assert (row["quantity"], row["broken"]) == ("100", "yes")
    assert "Taken back" not in browser.get("/blotter/orders/2/").content.decode()


def test_the_export_has_the_filter_of_the_page(browser: Client) -> None:
    answer = browser.get("/blotter/orders.csv?state=canceled")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]
    assert [(row["order_id"], row["state"]) for row in rows] == [("3", "canceled")]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx"])
def test_no_cell_is_a_formula(text: str) -> None:
    assert text_cell(text) == f"'{text}"
