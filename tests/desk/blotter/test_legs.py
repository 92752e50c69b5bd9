"""Multi-leg orders of people: the ticket with a line for each leg, what is sent, and how far each leg is."""

import re
from typing import Any

import pytest
from django.test import Client

from desk.accounts.models import User
from desk.blotter.legs import legs_done
from desk.blotter.models import OrderEntry, Parent
from desk.blotter.waiting import check_within
from desk.link.projector import project
from desk.markets.models import Venue
from desk.refusals import Invalid
from desk.risk.models import SecondPersonRule
from engine.messages.codes import OrderState, ReportKind, Side
from engine.messages.control import ENTER_PARENT, PREVIEW
from tests.desk.fake_engine import FakeEngine
from tests.desk.journal_records import Journal

pytestmark = pytest.mark.usefixtures("market")
TYPED = {
    "method": "legs", "minutes": "30", "unhedged": "50",
    "leg1_instrument": "1", "leg1_side": "buy", "leg1_quantity": "1,000", "leg1_price": "", "leg1_venue": "1",
    "leg2_instrument": "2", "leg2_side": "sell", "leg2_quantity": "600", "leg2_price": "99.50", "leg2_venue": "1",
    "leg3_instrument": "", "leg3_side": "", "leg3_quantity": "", "leg3_price": "", "leg3_venue": "1",
}  # fmt: skip


@pytest.fixture
def page(engine: FakeEngine, alice: User) -> Client:
    client = Client()
    client.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    return client


def send(page: Client, typed: dict[str, str]) -> Any:
    """Preview and send; the answer."""
    looked = page.post("/blotter/ticket/", typed | {"action": "preview"})
    assert looked.status_code == 200, looked.content.decode()
    hidden = dict(re.findall(r'name="(client_order_id|looked_at)" value="([^"]+)"', looked.content.decode()))
    return page.post("/blotter/ticket/", typed | hidden | {"action": "send"})


def test_a_pair_is_previewed_leg_by_leg_and_sent_as_one(engine: FakeEngine, page: Client) -> None:
    form = page.get("/blotter/ticket/method/?method=legs").content.decode()
    assert all(f'name="leg{at}_{name}"' in form for at in (1, 2, 3, 4) for name in ("instrument", "side", "price"))

    answer = send(page, TYPED)

    assert (answer.status_code, answer["Location"]) == (302, "/blotter/parents/")
    assert [command.body["instrument"] for command in engine.received if command.kind == PREVIEW] == [1, 2]
    sent = engine.last(ENTER_PARENT)
    assert sent["legs"] == [
        {"venue": 1, "instrument": 1, "side": Side.BUY, "quantity": 1_000, "price": 0},
        {"venue": 1, "instrument": 2, "side": Side.SELL, "quantity": 600, "price": 995_000},
    ]
    whole = {"algorithm": "legs", "instrument": 1, "venues": [1], "side": Side.BUY, "quantity": 1_600, "price": 0}
    assert {name: sent[name] for name in whole} == whole
    assert sent["parameters"] == {"unhedged": 50}


def test_a_leg_may_go_to_the_best_of_all_venues(engine: FakeEngine, page: Client) -> None:
    Venue.objects.create(number=2, name="XTWO", protocol="ouch50")
    Venue.objects.create(number=3, name="XGONE", protocol="ouch50", enabled=False)
    form = page.get("/blotter/ticket/method/?method=legs").content.decode()
    assert form.count("Best of all venues") == 4

    send(page, TYPED | {"leg1_venue": "0"})

    asked = [command.body["venues"] for command in engine.received if command.kind == PREVIEW]
    assert asked == [[1, 2], [1]]
    sent = engine.last(ENTER_PARENT)
    assert ([leg["venue"] for leg in sent["legs"]], sent["venues"]) == ([0, 1], [1, 2])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"leg2_instrument": ""}, "Choose the instrument."),
        ({"leg2_instrument": "1"}, "Each leg is another instrument."),
        ({"leg2_side": ""}, "Choose the side."),
        ({"leg2_quantity": "some"}, "The quantity is a whole number of shares."),
        ({"leg2_quantity": "0"}, "The quantity is whole lots"),
        ({"leg2_price": "99.505"}, "The price must be a positive multiple of the tick size"),
        ({"leg2_price": "NaN"}, "The limit price is a number"),
        ({"leg2_venue": "7"}, "There is no venue 7."),
        ({"leg3_quantity": "5"}, "Choose the instrument."),
        ({"minutes": ""}, "Say how many minutes it lasts"),
        ({"unhedged": "0"}, "Most unhedged must be from 1 to"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    engine: FakeEngine, page: Client, changes: dict[str, str], sentence: str
) -> None:
    answer = page.post("/blotter/ticket/", TYPED | changes | {"action": "preview"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in text
    assert 'value="1,000"' in text
    assert engine.kinds() == []


def test_a_pair_over_the_rule_waits_for_what_all_its_legs_are_worth(
    engine: FakeEngine, page: Client, alice: User
) -> None:
    assert alice.team_id is not None
    SecondPersonRule.objects.create(team_id=alice.team_id, notional=120_000)  # one leg alone is less
    answer = send(page, TYPED)
    entry = OrderEntry.objects.get()
    assert (entry.outcome, answer["Location"]) == ("waiting", f"/blotter/queue/{entry.change_id}/")
    assert entry.reason == ""
    assert entry.change is not None
    assert entry.change.reason.startswith("It is worth 160,016.00 USD")
    shown = page.get(answer["Location"]).content.decode()
    assert "Buy 1,000 AAA" in shown
    assert "Sell 600 BBB at 99.50" in shown
    with pytest.raises(Invalid, match="released as it was asked"):
        check_within(entry.body, entry.body)


def test_the_page_shows_how_far_each_leg_is(engine: FakeEngine, page: Client, alice: User) -> None:
    send(page, TYPED)
    entry = OrderEntry.objects.get()
    journal = Journal(0, alice.team_id or 0)
    journal.parent(entry.parent_id or 0, trader=alice.pk, quantity=1_600, legs=2)
    for number, side, quantity, instrument in ((11, Side.BUY, 300, 1), (12, Side.SELL, 180, 2), (13, Side.SELL, 50, 1)):
        journal.enter(number, side, quantity, parent_id=entry.parent_id, instrument=instrument)
        journal.report(number, ReportKind.ACCEPTED, OrderState.ACCEPTED, quantity)
        journal.fill(number, OrderState.FILLED, 0, quantity)
    project(journal.data)
    parent = Parent.objects.get()
    assert parent.legs == 2
    done = [(leg.instrument, leg.side, leg.quantity, leg.filled, leg.unwound) for leg in legs_done(parent)]
    assert done == [("AAA", Side.BUY, 1_000, 250, 50), ("BBB", Side.SELL, 600, 180, 0)]
    shown = page.get(f"/blotter/parents/{parent.pk}/").content.decode()
    assert re.search(r"Filled.*430.*Given back.*50.*AAA</th>.*1,000.*250.*50.*BBB</th>.*600.*180.*0", shown, re.S)
    body = page.get(f"/api/v1/parents/{parent.pk}/legs").json()
    assert [(leg["instrument"], leg["side"], leg["filled_quantity"]) for leg in body] == [
        ("AAA", "buy", "250"),
        ("BBB", "sell", "180"),
    ]
    whole = page.get(f"/api/v1/parents/{parent.pk}").json()
    told = {name: whole[name] for name in ("filled_quantity", "unwound_quantity", "average_price")}
    assert told == {"filled_quantity": "430", "unwound_quantity": "50", "average_price": None}
