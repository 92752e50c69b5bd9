"""Venues: defined by risk and administrators, sent to the running engine."""

from decimal import Decimal

import pytest
from django.test import Client

from desk.accounts.models import User
from desk.api.keys import create_key
from desk.audit.models import AuditEntry
from desk.markets.models import Instrument, Pair, Venue
from desk.markets.services import define_venue, install_instruments, install_pairs, remove_venue
from desk.refusals import Conflict, EngineNotReached, Invalid, NotPermitted
from desk.strategies.models import Strategy
from desk.strategies.services import start_strategy
from engine.messages.control import DEFINE_VENUE, REMOVE_VENUE
from engine.messages.instruments import Instrument as InstrumentRecord
from tests.desk.fake_engine import FakeEngine

SETTINGS = {"orders": "127.0.0.1:9000", "username": "desk", "password": "hush", "maker_fee": "-20"}


@pytest.fixture
def second(engine: FakeEngine, market: Venue, charlie: User) -> Venue:
    return define_venue(charlie, name="XTWO", protocol="ouch50", settings=SETTINGS)


def test_a_second_venue_gets_the_next_number_and_the_engine_connects(engine: FakeEngine, second: Venue) -> None:
    assert (second.number, second.version, second.answer) == (2, 1, Venue.Answer.APPLIED)
    assert engine.last(DEFINE_VENUE) == {
        "venue": 2,
        "name": "XTWO",
        "protocol": "ouch50",
        "settings": SETTINGS,
    }


def test_a_secret_is_not_in_the_audit_trail(second: Venue) -> None:
    entry = AuditEntry.objects.get(action="venue.defined")
    assert entry.after["settings"]["password"] == "•••"


@pytest.mark.parametrize(("password", "shown"), [("hush", None), ("file:xtwo", "file:xtwo")])
def test_a_password_is_on_no_page_and_in_no_answer_and_the_name_of_its_file_is(
    engine: FakeEngine, second: Venue, client: Client, alice: User, charlie: User, password: str, shown: str | None
) -> None:
    define_venue(charlie, number=2, name="XTWO", protocol="ouch50", settings=SETTINGS | {"password": password})
    token = create_key(charlie, "reader", ["read"]).token
    answers = [client.get("/api/v1/venues", headers={"authorization": f"Bearer {token}"})]
    for user in (alice, charlie):
        client.force_login(user, "django.contrib.auth.backends.ModelBackend")
        answers += [client.get(f"/markets/venues/2/{page}") for page in ("", "session/")]
    assert [answer.status_code for answer in answers] == [200] * 5
    texts = [answer.content.decode() for answer in answers]
    assert not [text for text in texts if "hush" in text]
    where = [place for place, text in zip(["api", "trader", "", "risk"], texts, strict=False) if "file:xtwo" in text]
    assert where == (["api", "trader", "risk"] if shown else [])


def test_a_change_moves_the_version(second: Venue, erin: User) -> None:
    changed = define_venue(erin, number=2, name="XTWO", protocol="ouch50", settings=SETTINGS | {"maker_fee": "0"})
    assert (changed.version, changed.settings["maker_fee"]) == (2, "0")


def test_what_the_engine_said_is_kept(engine: FakeEngine, market: Venue, charlie: User) -> None:
    engine.refuse_with = "127.0.0.1:9000 is taken"
    venue = define_venue(charlie, name="XTWO", protocol="ouch50", settings=SETTINGS | {"maker_fee": "0"})
    assert (venue.answer, venue.engine_answer) == (Venue.Answer.REFUSED, "127.0.0.1:9000 is taken")


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"orders": "nowhere"}, ["orders"]),
        ({"orders": "127.0.0.1:70000"}, ["orders"]),
        ({"username": ""}, ["username"]),
        ({"maker_fee": "1.5"}, ["maker_fee"]),
        ({"color": "blue"}, ["color"]),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(
    engine: FakeEngine, market: Venue, charlie: User, wrong: dict[str, str], fields: list[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        define_venue(charlie, name="XTWO", protocol="ouch50", settings=SETTINGS | wrong)
    assert list(refused.value.errors) == fields


def test_a_protocol_that_the_engine_does_not_speak(engine: FakeEngine, charlie: User) -> None:
    with pytest.raises(Invalid, match="does not speak"):
        define_venue(charlie, name="XTWO", protocol="fix99", settings={})


@pytest.mark.parametrize("name", ["alice", "frank"])
def test_others_do_not_define_venues(engine: FakeEngine, name: str, request: pytest.FixtureRequest) -> None:
    with pytest.raises(NotPermitted):
        define_venue(request.getfixturevalue(name), name="XTWO", protocol="ouch50", settings=SETTINGS)


def test_without_an_engine_there_is_nothing_to_check_against(engine_state: object, charlie: User) -> None:
    with pytest.raises(EngineNotReached):
        define_venue(charlie, name="XTWO", protocol="ouch50", settings=SETTINGS)


def test_a_venue_is_removed_when_nothing_trades_there(
    engine: FakeEngine, strategy: Strategy, alice: User, charlie: User, second: Venue
) -> None:
    start_strategy(alice, strategy)
    with pytest.raises(Conflict, match="Stop the strategies"):
        remove_venue(charlie, 1)
    removed = remove_venue(charlie, 2)
    assert (removed.enabled, engine.last(REMOVE_VENUE)) == (False, {"venue": 2})


def test_reference_data_is_brought_up_to_date(db: None) -> None:
    assert install_instruments([InstrumentRecord(1, "AAA", open_price=1_000_000), InstrumentRecord(2, "BBB")]) == 2
    install_instruments([InstrumentRecord(1, "AAA", tick_size=10_000)])
    assert list(Instrument.objects.values_list("name", "tick_size")) == [
        ("AAA", Decimal(1)),
        ("BBB", Decimal("0.01")),
    ]
    row = {"first": 1, "second": 2, "hedge_ratio": 1.0, "centre": 0.0, "spread_deviation": 0.1, "half_life": 60.0}
    install_pairs([row | {"engle_granger_t": -4.0, "source": "monday"}])
    install_pairs([row | {"engle_granger_t": -5.0, "source": "monday"}])
    assert [(str(pair), pair.engle_granger_t) for pair in Pair.objects.all()] == [("AAA/BBB", -5.0)]
