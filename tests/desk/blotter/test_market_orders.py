"""Market orders of the ticket: protected, previewed at their limit, and what became of their rest."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from desk.accounts.models import User
from desk.blotter.csv_rows import ORDER_COLUMNS, order_row
from desk.blotter.models import Order, OrderEntry
from desk.blotter.terms import in_words
from desk.blotter.waiting import check_within
from desk.link.projector import project
from desk.refusals import Invalid
from engine.messages.codes import OrderState, ReportKind, Side, TimeInForce
from engine.messages.control import ENTER_ORDER, PREVIEW
from tests.desk.fake_engine import FakeEngine
from tests.desk.journal_records import Journal

pytestmark = pytest.mark.usefixtures("market")

MARKET = {"method": "market", "instrument": "1", "side": "sell", "quantity": "300", "venue": "1"}
IOC = int(TimeInForce.IOC)


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


def previewed(client: Client, typed: dict[str, str]) -> tuple[str, dict[str, str]]:
    """The preview page, and what its send button sends."""
    text = client.post("/blotter/ticket/", typed | {"action": "preview"}).content.decode()
    hidden = dict(re.findall(r'name="(client_order_id|looked_at)" value="([^"]+)"', text))
    return text, typed | hidden | {"action": "send"}


def test_the_form_asks_for_a_protection_in_place_of_a_price(engine: FakeEngine, alice: User, client_of: Any) -> None:
    form = client_of(alice).get("/blotter/ticket/method/?method=market&time_in_force=day").content.decode()
    assert 'name="protection"' in form
    assert 'name="price"' not in form
    assert "Empty: 50." in form
    assert '<option value="ioc" selected>IOC</option>' in form
    assert "post_only" not in form


def test_it_is_previewed_at_its_limit_and_sent_with_the_desks_protection(
    engine: FakeEngine, alice: User, client_of: Any
) -> None:
    client = client_of(alice)
    page, typed = previewed(client, MARKET | {"protection": "", "time_in_force": "ioc"})
    assert "Leaves as a limit of</dt><dd>99.50</dd>" in page
    assert "50 basis points beyond the touch: what is not filled within it is canceled" in page
    assert "29,850.00" in page  # notional at that limit
    assert (engine.last(PREVIEW)["price"], engine.last(PREVIEW)["protection"]) == (0, 50)

    assert client.post("/blotter/ticket/", typed).status_code == 302

    sent = engine.last(ENTER_ORDER)
    assert [sent[name] for name in ("price", "protection", "time_in_force", "side")] == [0, 50, IOC, Side.SELL]
    assert dict(in_words(OrderEntry.objects.get().body))["Protection"] == "50 basis points beyond the touch"


@pytest.mark.parametrize("protection", ["0", "1001", "half", "\u00b2", "-5", "9" * 5_000])
def test_a_protection_that_makes_no_sense_is_refused(
    engine: FakeEngine, alice: User, client_of: Any, protection: str
) -> None:
    typed = MARKET | {"protection": protection, "time_in_force": "ioc", "action": "preview"}
    answer = client_of(alice).post("/blotter/ticket/", typed)
    assert answer.status_code == 422
    assert "whole number of basis points, 1 to 1,000." in answer.content.decode()
    assert engine.kinds() == []


def test_what_was_not_filled_within_it_is_said(engine: FakeEngine, alice: User, client_of: Any) -> None:
    journal = Journal(0, alice.team_id or 0)
    journal.enter(3, Side.BUY, 300, protection=50, time_in_force=TimeInForce.IOC)
    journal.report(3, ReportKind.ACCEPTED, OrderState.ACCEPTED, 300)
    journal.fill(3, OrderState.PARTIALLY_FILLED, 200, 100)
    project(journal.data)
    client = client_of(alice)
    assert "was canceled" not in client.get("/blotter/orders/3/").content.decode()

    journal.report(3, ReportKind.CANCELED, OrderState.CANCELED, 0, quantity=200)
    project(journal.data)

    page = client.get("/blotter/orders/3/").content.decode()
    assert "100 of 300 shares were filled; the rest, 200, was canceled" in page
    assert "Limit of the market order</dt><dd>100.00</dd>" in page
    row = dict(zip(ORDER_COLUMNS, order_row(Order.objects.get()), strict=True))
    assert row["protection"] == "50"


def test_a_waiting_one_is_released_with_no_more_protection_than_was_asked_for() -> None:
    terms = {"client_order_id": "a", "instrument": 1, "side": Side.BUY, "quantity": 100, "price": None, "venue": 1}
    asked = terms | {"time_in_force": TimeInForce.IOC, "protection": 50}
    check_within(asked, asked | {"protection": 20})
    for other in ({"protection": 51}, {"price": "100.00", "protection": None}):
        with pytest.raises(Invalid) as refused:
            check_within(asked, asked | other)
        assert refused.value.errors == {"protection": "It stays a market order, protected by at most 50 basis points."}
