from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from desk.accounts.models import User
from desk.markets.models import Pair, Venue
from desk.strategies.forms import parameter_field
from desk.strategies.models import Strategy
from engine.messages.catalogue import Parameter
from tests.desk.fake_engine import FakeEngine

pytestmark = pytest.mark.django_db(transaction=True)

TYPED = {
    "kind": "pairs",
    "name": "My <pair>",
    "venue": "1",
    "instrument_0": "1",
    "instrument_1": "3",
    "hedge_ratio": "1.25",
    "quantity": "200",
}


@pytest.fixture
def browser(alice: User, market: Venue, limits: None) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def fields_of(page: Any) -> dict[str, tuple[str, str]]:
    form = page.context["form"]
    shown = [*form.identity, *form.instruments, *form.parameters]
    return {field.name: (field.value, field.error) for field in shown}


def test_the_form_is_made_from_the_catalogue_of_the_running_engine(browser: Client, engine: FakeEngine) -> None:
    fields = fields_of(browser.get("/strategies/new/"))
    assert fields == {
        "name": ("", ""),
        "venue": ("1", ""),
        "instrument_0": ("", ""),
        "instrument_1": ("", ""),
        "hedge_ratio": ("1", ""),
        "quantity": ("100", ""),
    }


def test_without_an_engine_there_is_no_form_but_a_sentence(browser: Client, engine_state: object) -> None:
    page = browser.get("/strategies/new/")
    assert (page.status_code, "The engine is unreachable" in page.content.decode()) == (503, True)


def test_a_strategy_is_defined_and_shown(browser: Client, engine: FakeEngine, alice: User) -> None:
    page = browser.post("/strategies/new/", TYPED, follow=True)
    made = Strategy.objects.get()
    assert (made.name, made.instruments, made.parameters, made.team) == (
        "My <pair>",
        [1, 3],
        {"hedge_ratio": 1.25, "quantity": 200.0},
        alice.team,
    )
    assert page.redirect_chain == [(f"/strategies/{made.pk}/", 302)]
    assert "<h1>My &lt;pair&gt;</h1>" in page.content.decode()


@pytest.mark.parametrize(
    ("wrong", "where", "sentence"),
    [
        ({"hedge_ratio": "eleven"}, "hedge_ratio", "Hedge ratio is not a number: 'eleven'."),
        ({"hedge_ratio": "11"}, "hedge_ratio", "Hedge ratio must be from 0 to 10, not 11."),
        ({"quantity": "1.5"}, "quantity", "Quantity must be a whole number, not 1.5."),
        ({"instrument_1": ""}, "instrument_1", "Choose the instrument: second."),
        ({"instrument_1": "1"}, "instrument_0", "The instruments must differ."),
        ({"name": " "}, "name", "A name has 1 to 60 characters."),
        ({"venue": "7"}, "venue", "There is no venue 7."),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost(
    browser: Client, engine: FakeEngine, wrong: dict[str, str], where: str, sentence: str
) -> None:
    typed = TYPED | wrong
    page = browser.post("/strategies/new/", typed)
    fields = fields_of(page)
    assert (page.status_code, Strategy.objects.count()) == (422, 0)
    assert {name: error for name, (_, error) in fields.items() if error} == {where: sentence}
    assert {name: value for name, (value, _) in fields.items()} == {
        name: value for name, value in typed.items() if name != "kind"
    }


def test_choosing_a_pair_fills_in_its_instruments_and_estimates(browser: Client, engine: FakeEngine) -> None:
    pair = Pair.objects.create(
        first_id=2,
        second_id=3,
        hedge_ratio=1.75,
        centre=2.5,
        spread_deviation=0.05,
        half_life=30.0,
        engle_granger_t=-5.0,
        source="earlier",
    )
    page = browser.get("/strategies/new/definition/", {"kind": "pairs", "pair": pair.pk, "quantity": "300"})
    assert {name: value for name, (value, _) in fields_of(page).items()} == {
        "name": "BBB / CCC",
        "venue": "1",
        "instrument_0": "2",
        "instrument_1": "3",
        "hedge_ratio": "1.75",
        "quantity": "300",
    }
    assert b"<html" not in page.content


def test_a_change_that_somebody_made_meanwhile_is_shown_as_a_conflict(
    strategy: Strategy, alice: User, engine: FakeEngine
) -> None:
    browser = Client()
    browser.force_login(alice)
    Strategy.objects.filter(pk=strategy.pk).update(version=2)
    page = browser.post(f"/strategies/{strategy.pk}/change/", TYPED | {"version": "1"})
    assert (page.status_code, page.context["form"].errors) == (
        409,
        ["Somebody changed this strategy meanwhile; look at it again."],
    )


def test_starting_from_a_list_answers_with_its_buttons_and_a_sentence(
    strategy: Strategy, alice: User, engine: FakeEngine
) -> None:
    browser = Client()
    browser.force_login(alice)
    page = browser.post(f"/strategies/{strategy.pk}/start/", headers={"HX-Request": "true"})
    assert "AAA / BBB is started." in page.content.decode()
    assert engine.last("start_strategy")["parameters"] == {"hedge_ratio": 1.5, "quantity": 100.0}


def test_a_start_that_the_engine_refuses_says_why(strategy: Strategy, alice: User, engine: FakeEngine) -> None:
    browser = Client()
    browser.force_login(alice)
    engine.refuse_with = "the venue is not connected"
    page = browser.post(f"/strategies/{strategy.pk}/start/", follow=True)
    assert "the venue is not connected" in page.content.decode()


def test_bounds_are_decimals_to_people(strategy: Strategy, alice: User, engine: FakeEngine) -> None:
    browser = Client()
    browser.force_login(alice)
    page = browser.get(f"/strategies/{strategy.pk}/")
    assert ("order_value", Decimal("100000.0000")) in page.context["limits"]
    assert "100,000.00 USD" in page.content.decode()


def test_a_parameter_with_a_word_for_each_number_is_a_choice() -> None:
    rule = Parameter("rule", "When the first fills", "0 chase, 1 join, 2 cross at limit", 0, 2, 1, step=1, help="then")
    field = parameter_field(rule)
    assert (field.kind, field.value, field.help, field.unit) == ("select", "1", "Then.", "")
    assert field.choices == (("0", "Chase"), ("1", "Join"), ("2", "Cross at limit"))
    assert Parameter("entry", "Entry", "deviations", 0, 9, 2).choices == {}
