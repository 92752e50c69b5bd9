"""The ticket: filled in, looked at, sent once; parent orders on their pages."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from desk.accounts.models import User
from desk.blotter.ticket import read_ticket
from desk.link.projector import project
from desk.markets.models import Instrument, Venue
from desk.refusals import Invalid
from engine.messages.codes import OrderState, ParentState, ReportKind, Side, TimeInForce
from engine.messages.control import ENTER_ORDER, ENTER_PARENT, PREVIEW, REPLACE_ORDER
from tests.desk.fake_engine import FakeEngine
from tests.desk.journal_records import PRICE, Journal

pytestmark = pytest.mark.usefixtures("market")

ORDER = {
    "method": "limit", "instrument": "1", "side": "buy", "quantity": "300", "price": "100.00", "venue": "1",
    "time_in_force": "day",
}  # fmt: skip
PARENT = {
    "method": "twap", "instrument": "1", "side": "sell", "quantity": "3,000", "price": "", "venues": "1",
    "minutes": "30", "begins": "", "ends": "", "slices": "6",
}  # fmt: skip
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    def signed_in(user: User) -> Client:
        client = Client()
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


def hidden(page: str) -> dict[str, str]:
    """What the form sends back beside what people typed."""
    found = dict(re.findall(r'name="(client_order_id|looked_at)" value="([^"]*)"', page))
    return {name: value for name, value in found.items() if value}


def looked_at(client: Client, typed: dict[str, str]) -> tuple[str, dict[str, str]]:
    """The preview page, and everything that its send button sends."""
    first = hidden(client.get("/blotter/ticket/").content.decode())
    page = client.post("/blotter/ticket/", typed | first | {"action": "preview"})
    assert page.status_code == 200, page.content.decode()
    text = page.content.decode()
    return text, typed | hidden(text) | {"action": "send"}


def test_an_order_is_looked_at_and_then_sent_once(engine: FakeEngine, alice: User, client_of: Any) -> None:
    client = client_of(alice)
    page, typed = looked_at(client, ORDER)
    assert engine.kinds() == [PREVIEW]
    assert "30,000.00" in page  # notional
    assert "1.0 basis points away: it waits" in page
    assert "Send order" in page

    answers = [client.post("/blotter/ticket/", typed) for _ in range(2)]  # the double click

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, "/blotter/orders/")] * 2
    assert engine.kinds().count(ENTER_ORDER) == 1
    sent = engine.last(ENTER_ORDER)
    assert (sent["side"], sent["quantity"], sent["price"], sent["venue"]) == (Side.BUY, 300, PRICE, 1)


@pytest.mark.parametrize(
    ("in_force", "away", "through"),
    [
        (TimeInForce.DAY, "it waits", "trades at once"),
        (TimeInForce.IOC, "nothing trades, it is canceled", "trades at once"),
        (TimeInForce.FOK, "nothing trades, it is canceled", "trades at once"),
        (TimeInForce.POST_ONLY, "it waits", "would trade at once, which post-only forbids"),
        (TimeInForce.AT_OPEN, "waits for the auction", "waits for the auction"),
        (TimeInForce.AT_CLOSE, "waits for the auction", "waits for the auction"),
    ],
)
def test_what_becomes_of_the_limit_depends_on_the_time_in_force(
    engine: FakeEngine, alice: User, client_of: Any, in_force: TimeInForce, away: str, through: str
) -> None:
    client = client_of(alice)
    page, _ = looked_at(client, ORDER | {"time_in_force": in_force.name.lower()})
    assert f"1.0 basis points away: {away}</dd>" in page
    page, _ = looked_at(client, ORDER | {"time_in_force": in_force.name.lower(), "price": "100.01"})
    assert f'<dd class="text">{through}</dd>' in page
    assert [engine.last(PREVIEW)[name] for name in ("time_in_force", "price")] == [in_force, PRICE + 100]


def test_a_smart_order_is_previewed_over_all_venues(engine: FakeEngine, alice: User, client_of: Any) -> None:
    client = client_of(alice)
    _, typed = looked_at(client, ORDER | {"venue": "0"})
    client.post("/blotter/ticket/", typed)
    assert engine.last(PREVIEW)["venues"] == list(Venue.objects.values_list("number", flat=True))
    assert engine.last(ENTER_ORDER)["venue"] == 0


def test_limits_are_told_as_they_would_be_after_it(engine: FakeEngine, alice: User, client_of: Any) -> None:
    engine.gate = {"denial": "ORDER_QUANTITY", "measured": 4_900, "bound": 1_000, "limit_name": "ORDER_QUANTITY",
                   "scope": "TEAM", "scope_id": alice.team_id}  # fmt: skip

    page, _ = looked_at(client_of(alice), ORDER | {"quantity": "4900"})

    rows = re.findall(
        r"<th scope=\"row\">(.*?)</th>\s*<td class=\"number\">(.*?)</td>.*?class=\"number\">(\d+) %", page, re.S
    )
    assert rows[:5] == [
        ("Team: order quantity", "4,900", "490"),
        ("Team: order value", "490,000.00", "490"),
        ("Team: position", "5,200", "104"),  # 100 held and 200 working
        ("Team: price collar", "0", "0"),
        ("Team: daily loss", "50.00", "1"),
    ]
    assert "The risk gate would refuse it now." in page


def test_a_parent_order_is_entered_with_its_parameters(engine: FakeEngine, alice: User, client_of: Any) -> None:
    Instrument.objects.filter(pk=1).update(hourly_volume=60_000)
    client = client_of(alice)
    page, typed = looked_at(client, PARENT)
    assert "Share of the average volume in that time</dt><dd>10.00 %" in page
    assert "Enter parent order" in page

    answer = client.post("/blotter/ticket/", typed)

    assert (answer.status_code, answer["Location"]) == (302, "/blotter/parents/")
    sent = engine.last(ENTER_PARENT)
    assert (sent["algorithm"], sent["parameters"], sent["price"], sent["quantity"]) == ("twap", {"slices": 6}, 0, 3_000)
    assert sent["end_ns"] - sent["start_ns"] == 1_800_000_000_000


def test_what_was_changed_after_the_preview_is_not_sent(engine: FakeEngine, alice: User, client_of: Any) -> None:
    client = client_of(alice)
    _, typed = looked_at(client, ORDER)

    page = client.post("/blotter/ticket/", typed | {"quantity": "900"}).content.decode()

    assert "The ticket was changed: look again" in page
    assert ENTER_ORDER not in engine.kinds()
    again = typed | hidden(page) | {"quantity": "900"}
    assert client.post("/blotter/ticket/", again).status_code == 302
    assert engine.last(ENTER_ORDER)["quantity"] == 900


def test_a_refused_order_keeps_the_form_and_gets_a_new_number(engine: FakeEngine, alice: User, client_of: Any) -> None:
    client = client_of(alice)
    _, typed = looked_at(client, ORDER)
    engine.deny_with = {"denial": "ORDER_QUANTITY", "measured": 300, "bound": 100, "limit_name": "ORDER_QUANTITY"}

    answer = client.post("/blotter/ticket/", typed)
    page = answer.content.decode()

    assert answer.status_code == 409
    assert "The engine refused it:" in page
    assert 'value="300"' in page
    assert hidden(page)["client_order_id"] != typed["client_order_id"]


@pytest.mark.parametrize(
    ("typed", "sentences"),
    [
        (ORDER | {"quantity": "many"}, ["The quantity is a whole number of shares."]),
        (ORDER | {"instrument": "", "side": ""}, ["Choose the instrument.", "Choose the side."]),
        (ORDER | {"price": "100.001"}, ["The price must be a positive multiple of the tick size."]),
        (ORDER | {"price": ""}, ["The limit price is missing."]),
        (ORDER | {"price": "NaN"}, ["The limit price is a number."]),
        (ORDER | {"venue": "9"}, ["There is no venue 9."]),
        (ORDER | {"venue": "\u00b2", "instrument": "\u00b2"}, ["Choose a venue.", "Choose the instrument."]),
        (ORDER | {"venue": "1" * 5_000, "instrument": "1" * 5_000}, ["Choose a venue.", "Choose the instrument."]),
        (ORDER | {"venue": "1" * 12, "instrument": "1" * 12}, ["There is no venue 111", "There is no instrument 111"]),
        (PARENT | {"venues": "1" * 12}, ["There is no venue 111"]),
        (ORDER | {"price": "1e999999"}, ["1E+999999 is too large."]),
        (PARENT | {"price": "1e999990"}, ["1E+999990 is too large."]),
        (PARENT | {"slices": "0"}, ["Slices must be from 1 to 100, not 0."]),
        (PARENT | {"minutes": ""}, ["Say how many minutes it lasts"]),
        (PARENT | {"minutes": "99999"}, ["at most seven days"]),
        (PARENT | {"begins": "half past"}, ["A time of day is written as 14:30"]),
        (PARENT | {"method": "sniper"}, ["The limit price is missing."]),
        (PARENT | {"method": "magic"}, ["The running engine knows no algorithm &#x27;magic&#x27;."]),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    engine: FakeEngine, alice: User, client_of: Any, typed: dict[str, str], sentences: list[str]
) -> None:
    answer = client_of(alice).post("/blotter/ticket/", typed | {"action": "preview"})
    page = answer.content.decode()

    assert answer.status_code == 422
    for sentence in sentences:
        assert sentence in page
    assert engine.kinds() == []


def test_the_form_is_made_from_the_catalogue(engine: FakeEngine, alice: User, client_of: Any) -> None:
    client = client_of(alice)
    Venue.objects.create(number=2, name="XTWO", protocol="ouch50")

    plain = client.get("/blotter/ticket/").content.decode()
    twap = client.get("/blotter/ticket/method/?method=twap&quantity=70").content.decode()

    assert all(f'<option value="{name}"' in plain for name in ("limit", "twap", "sniper"))
    assert 'name="slices" type="text" value="10"' in twap
    assert 'value="70"' in twap
    assert "Best of all venues" in twap
    assert "time_in_force" in plain
    assert "time_in_force" not in twap


def test_a_time_of_day_that_has_passed_is_tomorrows(engine: FakeEngine) -> None:
    announced = engine.catalogue()
    named = PARENT | {"client_order_id": "a"}

    today: Any = read_ticket(announced, named | {"begins": "13:30", "ends": "14:00:30"}, NOON)
    tomorrow: Any = read_ticket(announced, named | {"ends": "09:00"}, NOON)

    noon_ns = int(NOON.timestamp()) * 1_000_000_000
    assert (today.start_ns - noon_ns, today.end_ns - noon_ns, today.seconds) == (5_400 * 10**9, 7_230 * 10**9, 0)
    assert tomorrow.end_ns - noon_ns == 21 * 3_600 * 10**9
    with pytest.raises(Invalid):
        read_ticket(announced, named | {"quantity": "-3"}, NOON)


def test_an_engine_that_is_not_there_is_said_so(engine_state: object, alice: User, client_of: Any) -> None:
    assert client_of(alice).get("/blotter/ticket/").status_code == 503


def test_a_parent_order_has_a_page_with_its_children_and_fills(engine: FakeEngine, alice: User, client_of: Any) -> None:
    journal = Journal(0, alice.team_id)
    journal.parent(2, trader=alice.pk)
    journal.enter(3, Side.BUY, 250, parent_id=2)
    journal.report(3, ReportKind.ACCEPTED, OrderState.ACCEPTED, 250)
    journal.fill(3, OrderState.FILLED, 0, 250)
    project(journal.data)
    client = client_of(alice)

    page = client.get("/blotter/parents/2/").content.decode()

    assert "25 % done" in page
    assert '<a href="/blotter/orders/3/">3</a>' in page
    assert "Cancel parent order" in page
    assert '<a href="/blotter/parents/2/">2</a>' in client.get("/blotter/orders/3/").content.decode()

    refused = "The last child was refused.</strong> 5,000 shares are over the team"
    journal.deny(4, parent_id=2)
    project(journal.data)
    assert refused in client.get("/blotter/parents/2/").content.decode()
    journal.enter(5, Side.BUY, 100, parent_id=2)
    project(journal.data)
    assert refused not in client.get("/blotter/parents/2/").content.decode()

    journal.parent(2, ParentState.DONE, filled=250)
    project(journal.data)
    assert "Cancel parent order" not in client.get("/blotter/parents/2/").content.decode()
    ended = client.get("/blotter/parents/").content.decode()
    assert re.search(r'/blotter/parents/2/">2</a>.*TWAP.*1,000.*250.*100.00.*Done', ended, re.S)


def test_the_page_of_a_parent_order_says_what_it_got_in_the_auction(
    engine: FakeEngine, alice: User, client_of: Any
) -> None:
    journal = Journal(0, alice.team_id)
    journal.parent(2, trader=alice.pk)
    journal.enter(3, Side.BUY, 500, parent_id=2, time_in_force=TimeInForce.AT_CLOSE)
    journal.report(3, ReportKind.ACCEPTED, OrderState.ACCEPTED, 500)
    project(journal.data)
    client = client_of(alice)
    assert "500 shares wait for the auction." in client.get("/blotter/parents/2/").content.decode()
    journal.fill(3, OrderState.PARTIALLY_FILLED, 200, 300)
    journal.report(3, ReportKind.CANCELED, OrderState.CANCELED, 0, quantity=200)
    project(journal.data)
    page = client.get("/blotter/parents/2/").content.decode()
    assert "300 of 500 shares were filled in the auction. 200 were not: they came back to the order." in page
    assert "AT CLOSE" in page


def test_an_order_at_the_close_is_for_a_venue_and_not_for_the_router(
    engine: FakeEngine, alice: User, client_of: Any
) -> None:
    client, at_close = client_of(alice), ORDER | {"time_in_force": "at_close"}
    _, typed = looked_at(client, at_close)
    client.post("/blotter/ticket/", typed)
    assert engine.last(ENTER_ORDER)["time_in_force"] == TimeInForce.AT_CLOSE
    first = hidden(client.get("/blotter/ticket/").content.decode())
    answer = client.post("/blotter/ticket/", at_close | {"venue": "0"} | first | {"action": "preview"})
    assert answer.status_code == 422
    assert "Each venue has auctions of its own; name one" in answer.content.decode()


def test_a_working_order_is_changed_on_its_page(engine: FakeEngine, alice: User, client_of: Any) -> None:
    journal = Journal(0, alice.team_id)
    journal.enter(7)
    journal.report(7, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    project(journal.data)
    client = client_of(alice)
    assert "Change order" in client.get("/blotter/orders/7/").content.decode()

    terms = {"order_id": "7", "price": "100.10", "quantity": "40"}
    answer = client.post("/blotter/orders/replace/", terms, follow=True)
    wrong = client.post("/blotter/orders/replace/", terms | {"price": "dear"}, follow=True)

    assert "it goes on as 8" in answer.content.decode()
    assert "The price is a number." in wrong.content.decode()
    assert engine.kinds() == [REPLACE_ORDER]
