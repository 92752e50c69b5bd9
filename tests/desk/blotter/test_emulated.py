"""Orders good till canceled or till a time, from the ticket to the page that says who keeps them."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from desk.accounts.models import User
from desk.blotter.emulated import end_sentence, end_words
from desk.blotter.models import OrderEntry, Parent
from desk.blotter.terms import in_words
from desk.blotter.waiting import check_within
from desk.link.projector import project
from desk.refusals import Invalid
from engine.messages.codes import ParentState, TimeInForce
from engine.messages.control import ENTER_ORDER, PREVIEW
from engine.messages.prices import FOREVER_NS
from tests.desk.api.conftest import program
from tests.desk.fake_engine import FakeEngine
from tests.desk.journal_records import START_NS, Journal

pytestmark = pytest.mark.usefixtures("market")

ORDER = {"method": "limit", "instrument": "1", "side": "buy", "quantity": "300", "price": "100.00", "venue": "1"}
GTC, GTD = int(TimeInForce.GTC), int(TimeInForce.GTD)
SAID = "Emulated at XSIM: it has day orders only. Kept by the desk, entered anew each session."
FAR_NS = 4_070_912_400 * 10**9  # 2099-01-01 01:00


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


@pytest.mark.parametrize(
    ("in_force", "good_till", "end_ns", "words"),
    [
        ("gtc", "", 0, "GTC"),
        ("gtd", "2099-01-01 01:00", FAR_NS, "GTD, till 2099-01-01 01:00:00 UTC"),
        ("gtd", " 2099-01-01T01:00:00 ", FAR_NS, "GTD, till 2099-01-01 01:00:00 UTC"),
    ],
)
def test_the_ticket_says_who_keeps_it_and_hands_its_end_over(
    engine: FakeEngine, alice: User, client_of: Any, in_force: str, good_till: str, end_ns: int, words: str
) -> None:
    client = client_of(alice)
    page, typed = previewed(client, ORDER | {"time_in_force": in_force, "good_till": good_till})
    assert SAID in page
    assert "1.0 basis points away: it waits" in page

    answer = client.post("/blotter/ticket/", typed, follow=True)

    assert "The order is kept by the desk as parent order 1." in answer.content.decode()
    sent = engine.last(ENTER_ORDER)
    assert (sent["good_till_ns"], sent["trader"]) == (end_ns, alice.pk)
    entry = OrderEntry.objects.get()
    assert (entry.outcome, entry.order_id, entry.parent_id) == ("sent", None, 1)
    assert dict(in_words(entry.body))["Time in force"] == words


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"time_in_force": "gtd", "good_till": ""}, "Say till when it is good"),
        ({"time_in_force": "gtd", "good_till": "tomorrow"}, "Say till when it is good"),
        ({"time_in_force": "gtd", "good_till": "9999-12-31 23:59"}, "Say till when it is good"),
        ({"time_in_force": "gtd", "good_till": "2020-01-01 00:00"}, "a time that has not passed yet"),
        ({"time_in_force": "gtd", "good_till": "0001-01-01 00:00"}, "a time that has not passed yet"),
        ({"time_in_force": "day", "good_till": "2099-01-01 01:00"}, "Only an order good till a time (GTD) has one."),
        ({"time_in_force": "gtc", "good_till": "2099-01-01 01:00"}, "Only an order good till a time (GTD) has one."),
        ({"time_in_force": "gtc", "venue": "0"}, "stays at one venue; name it."),
        ({"method": "market", "time_in_force": "gtc"}, "A market order does not rest; choose IOC, FOK or DAY."),
    ],
)
def test_an_end_that_makes_no_sense_is_refused_beside_its_field(
    engine: FakeEngine, alice: User, client_of: Any, typed: dict[str, str], sentence: str
) -> None:
    answer = client_of(alice).post("/blotter/ticket/", ORDER | typed | {"action": "preview"})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert engine.kinds() == []


def test_over_the_api_it_is_answered_with_a_parent_id(engine: FakeEngine, alice: User) -> None:
    body = {"client_order_id": "x-1", "instrument": "AAA", "venue": "XSIM", "side": "buy", "quantity": "100"}
    body |= {"price": "100.00", "time_in_force": "gtd", "good_till_ns": str(FAR_NS)}
    api = program(alice)
    answer = api.post("/api/v1/orders", body, content_type="application/json")
    assert (answer.status_code, answer.json()["order_id"], answer.json()["parent_id"]) == (202, None, "1")
    assert engine.last(ENTER_ORDER)["good_till_ns"] == FAR_NS
    late = body | {"client_order_id": "x-2", "good_till_ns": str(time.time_ns() - 10**9)}
    answer = api.post("/api/v1/orders", late, content_type="application/json")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["good_till"])


def test_the_page_says_how_it_is_kept_and_why_it_ended(engine: FakeEngine, alice: User, client_of: Any) -> None:
    journal = Journal(0, alice.team_id or 0)
    journal.parent(2, trader=alice.pk, kind=111, end_ns=FOREVER_NS)
    journal.parent(3, trader=alice.pk, kind=111, end_ns=START_NS)
    journal.parent(3, ParentState.EXPIRED, trader=alice.pk, kind=111, end_ns=START_NS)
    project(journal.data)
    client = client_of(alice)
    client.get("/blotter/ticket/")  # the engine has announced what it knows

    page = client.get("/blotter/parents/2/").content.decode()
    assert SAID in page
    assert "when it is canceled" in page
    page = client.get("/blotter/parents/3/").content.decode()
    assert f"{SAID} Expired: its time was over at 2023-11-14 22:13:20 UTC." in page


@pytest.mark.parametrize(
    ("went_out", "sentence"),
    [
        (True, "It went out; what was not filled then is over."),
        (False, "Expired: it could not go out in its time."),
    ],
)
def test_one_for_the_session_says_whether_it_went_out(went_out: bool, sentence: str) -> None:
    ended = Parent(state=ParentState.EXPIRED, start_ns=START_NS, end_ns=START_NS + 86_400 * 10**9)
    working = Parent(state=ParentState.WORKING, start_ns=START_NS, end_ns=START_NS + 86_400 * 10**9)
    assert end_sentence(ended, "at_session", went_out) == sentence
    assert end_sentence(working, "at_session", went_out) == ""
    assert end_words(ended, "at_session") == "once it went out"


@pytest.mark.parametrize(
    ("seconds", "words"), [(5, "22:13:25"), (86_400, "2023-11-15 22:13:20"), (None, "when it is canceled")]
)
def test_an_end_on_another_day_has_its_day(seconds: int | None, words: str) -> None:
    end_ns = FOREVER_NS if seconds is None else START_NS + seconds * 10**9
    assert end_words(Parent(start_ns=START_NS, end_ns=end_ns), "twap") == words


def test_one_that_its_venue_keeps_says_till_when(alice: User, client_of: Any) -> None:
    journal = Journal(0, alice.team_id or 0)
    journal.enter(3, time_in_force=TimeInForce.GTD, good_till_s=FAR_NS // 10**9)
    project(journal.data)
    page = client_of(alice).get("/blotter/orders/3/").content.decode()
    assert '<dt>Good till</dt><dd class="text">2099-01-01 01:00:00 UTC</dd>' in page
    assert "<dt>Time in force</dt><dd>GTD</dd>" in page


def test_nobody_chooses_the_algorithm_that_emulates(engine: FakeEngine, alice: User, client_of: Any) -> None:
    client = client_of(alice)
    assert 'value="good_till"' not in client.get("/blotter/ticket/").content.decode()
    answer = client.get("/blotter/ticket/method/?method=good_till")
    assert answer.status_code == 422
    assert PREVIEW not in engine.kinds()


def test_a_waiting_one_is_released_for_no_longer_than_was_asked_for() -> None:
    terms = {"client_order_id": "a", "instrument": 1, "side": 1, "quantity": 100, "price": "100", "venue": 1}
    asked = terms | {"time_in_force": TimeInForce.GTD, "good_till_ns": FAR_NS}
    check_within(asked, asked | {"good_till_ns": FAR_NS - 1})
    check_within(terms | {"time_in_force": TimeInForce.GTC}, asked)
    check_within(asked, terms | {"time_in_force": TimeInForce.DAY})
    for longer in (asked | {"good_till_ns": FAR_NS + 1}, terms | {"time_in_force": TimeInForce.GTC}):
        with pytest.raises(Invalid, match="longer"):
            check_within(asked, longer)
