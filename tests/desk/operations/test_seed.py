"""`manage.py seed`: people, reference data and limits of the demo, once."""

import io
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import RequestFactory

from desk.accounts.models import Role, User
from desk.audit.models import AuditEntry
from desk.markets.models import Instrument, Pair
from desk.operations.demo import Market
from desk.operations.seeding.strategies import parameters_of, round_lots
from desk.risk.models import Limit
from engine.messages.catalogue import Parameter, StrategyKind
from engine.messages.codes import Scope
from engine.messages.instruments import Instrument as InstrumentRecord
from engine.messages.instruments import write_instruments

pytestmark = pytest.mark.django_db
PAIR = {
    "first": "BNKA",
    "second": "BNKB",
    "hedge_ratio": 0.8,
    "centre": 1.5,
    "spread_deviation": 0.05,
    "half_life": 45.0,
    "engle_granger_t": -6.5,
    "johansen_trace": 40.0,
}


@pytest.fixture
def market(tmp_path: Path, settings: pytest.FixtureRequest) -> Market:
    settings.STATE = tmp_path  # type: ignore[attr-defined]
    made = Market(tmp_path)
    made.earlier_session.mkdir(parents=True)
    names = ["BNKA", "BNKB", "OILA"]
    records = [InstrumentRecord(number, name, open_price=250_000) for number, name in enumerate(names, start=1)]
    write_instruments(made.instruments, records)
    made.pairs.write_text(json.dumps({"pairs": [PAIR]}))
    return made


def seed(*arguments: str) -> str:
    screen = io.StringIO()
    call_command("seed", *arguments, stdout=screen, stderr=io.StringIO())
    return screen.getvalue()


def passwords_in(text: str) -> dict[str, str]:
    return dict(re.findall(r"^    (\w+) +(\S+)$", text, flags=re.MULTILINE))


def test_instruments_know_what_was_traded_in_an_hour_of_the_earlier_session(market: Market) -> None:
    market.volumes.write_text(json.dumps({"seconds": 1_800, "volumes": {"BNKA": 2_000, "OILA": 0, "GONE": 5}}))

    seed()

    assert dict(Instrument.objects.values_list("name", "hourly_volume")) == {"BNKA": 4_000, "BNKB": None, "OILA": 0}


def test_there_is_one_user_for_each_role_and_its_password_works(market: Market) -> None:
    shown = passwords_in(seed())
    assert set(shown) == {role.value for role in Role}
    for username, password in shown.items():
        user = authenticate(RequestFactory().post("/"), username=username, password=password)
        assert isinstance(user, User)
        assert user.role == username
    staff = {user.username: (user.is_staff, user.is_superuser) for user in User.objects.all()}
    assert staff == {
        "viewer": (False, False),
        "trader": (False, False),
        "risk": (True, False),
        "admin": (True, True),
    }


def test_passwords_are_shown_once_and_kept_nowhere_in_clear(market: Market) -> None:
    shown = passwords_in(seed())
    again = seed()
    assert passwords_in(again) == {}
    assert again.startswith("Sign in as viewer, trader, risk, admin.")
    kept = "".join(f"{user.password}" for user in User.objects.all()) + str(list(AuditEntry.objects.values()))
    assert not any(password in kept for password in shown.values())


def test_new_passwords_replace_the_old_ones(market: Market) -> None:
    old = passwords_in(seed())
    new = passwords_in(seed("--new-passwords"))
    assert set(new) == set(old)
    assert User.objects.get(username="trader").check_password(new["trader"])
    assert not User.objects.get(username="trader").check_password(old["trader"])


def test_the_market_and_its_limits_are_loaded_once(market: Market) -> None:
    seed()
    seed()
    assert list(Instrument.objects.values_list("id", "name", "tick_size", "open_price")) == [
        (1, "BNKA", Decimal("0.01"), Decimal(25)),
        (2, "BNKB", Decimal("0.01"), Decimal(25)),
        (3, "OILA", Decimal("0.01"), Decimal(25)),
    ]
    assert [(str(pair), pair.hedge_ratio, pair.source) for pair in Pair.objects.all()] == [
        ("BNKA/BNKB", 0.8, "earlier")
    ]
    team = User.objects.get(username="trader").team
    assert team is not None
    assert {(limit.scope, limit.scope_id) for limit in Limit.objects.all()} == {
        (Scope.FIRM, 0),
        (Scope.TEAM, team.pk),
    }


def test_limits_that_people_changed_are_kept(market: Market) -> None:
    seed()
    Limit.objects.filter(scope=Scope.FIRM).update(order_quantity=7)
    seed()
    assert Limit.objects.get(scope=Scope.FIRM).order_quantity == 7


def test_every_seeded_user_and_limit_is_in_the_audit_trail(market: Market) -> None:
    seed()
    actions = list(AuditEntry.objects.values_list("action", flat=True))
    assert actions.count("user.created") == 4
    assert actions.count("limits.installed") == 2


def test_without_a_market_it_says_how_to_make_one(tmp_path: Path, settings: pytest.FixtureRequest) -> None:
    settings.STATE = tmp_path  # type: ignore[attr-defined]
    with pytest.raises(CommandError) as refused:
        seed()
    assert str(refused.value) == f"There is no demo market in {tmp_path}/market; make one with `manage.py demo`."


def test_a_strategy_gets_its_kinds_defaults_with_what_is_known_about_the_pair() -> None:
    first = Instrument(id=1, name="BNKA", open_price=Decimal(25), lot_size=10)
    pair = Pair(first=first, hedge_ratio=0.8, centre=1.5, spread_deviation=0.05)
    kind = StrategyKind(
        name="pairs",
        label="Pairs",
        summary="",
        instrument_labels=["First", "Second"],
        parameters=[
            Parameter("hedge_ratio", "Hedge ratio", "", 0.01, 100, 1),
            Parameter("deviation", "Deviation", "", 0.001, 10, 1),
            Parameter("entry", "Entry", "", 0.1, 20, 2),
            Parameter("quantity", "Quantity", "", 1, 1000, 100, step=1),
            Parameter("routing", "Orders go to", "0 the strategy's venue, 1 best of all venues", 0, 1, 0, step=1),
        ],
        hash="0" * 16,
    )
    known = {"hedge_ratio": 0.8, "deviation": 0.05, "entry": 1.5, "quantity": 400}
    assert parameters_of(kind, pair) == known | {"routing": 0}
    assert parameters_of(kind, pair, routed=True) == known | {"routing": 1}


def test_an_instrument_that_costs_more_than_the_demo_wants_to_spend_is_bought_by_the_lot() -> None:
    assert round_lots(Instrument(open_price=Decimal(600_000), lot_size=1), 10_000) == 1
