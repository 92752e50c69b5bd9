"""Market orders leave as limit orders within a band of the touch, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.hotpath.market_orders import protected_price
from engine.hotpath.tables import ENTER_MARKET
from engine.messages import control
from engine.messages.codes import DenialReason, RecordKind, Scope, TimeInForce
from engine.messages.control import SMART
from engine.messages.prices import LARGEST_PROTECTION
from engine.strategies import STRATEGIES, compiled_kind
from tests.engine.hotpath import told
from tests.engine.loop_builder import ALPHA, BUY, CHARLIE, DOWN, OTHER_VENUE, SELL, STRATEGY, TEAM, VENUE, Loop

IOC, DAY = int(TimeInForce.IOC), int(TimeInForce.DAY)
BID, ASK = 999_900, 1_000_100
REQUEST, DENIAL = RecordKind.ORDER_REQUEST, RecordKind.DENIAL


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits()
    made.quote(ALPHA, BID, ASK)
    made.quote(ALPHA, BID - 100, ASK - 100, venue=OTHER_VENUE)
    made.taken()
    return made


def market(**changes: Any) -> control.EnterOrder:
    fields: dict[str, Any] = {"client_order_id": "m-1", "team": TEAM, "instrument": ALPHA, "venue": VENUE, "side": BUY}
    fields |= {"quantity": 300, "price": 0, "time_in_force": IOC, "protection": 50}
    return control.EnterOrder(**fields | changes)


@given(
    st.sampled_from([BUY, SELL]),
    st.integers(1, 200_000),
    st.integers(1, LARGEST_PROTECTION),
    st.sampled_from([1, 50, 100, 2_500]),
)
def test_the_limit_is_the_farthest_tick_inside_the_band(side: int, ticks: int, protection: int, tick: int) -> None:
    touch, sign = ticks * tick, 1 if side == BUY else -1
    band = touch * (1 + sign * Fraction(protection, 10_000))
    price = protected_price(side, touch, protection, tick)
    assert price % tick == 0
    assert sign * (price - touch) >= 0  # it reaches the touch
    assert sign * (price - band) <= 0 < sign * (price + sign * tick - band)  # and one tick more would be outside


@pytest.mark.parametrize(("side", "price"), [(BUY, 1_005_100), (SELL, 995_000)])
def test_it_leaves_as_a_limit_order_beyond_the_touch(loop: Loop, side: int, price: int) -> None:
    answer = loop.applied(market(side=side))
    (sent,) = loop.bodies(REQUEST)
    assert answer == {"order_id": sent["order_id"], "price": price}
    assert [sent[name] for name in ("price", "protection", "time_in_force", "quantity")] == [price, 50, IOC, 300]


def test_a_limit_order_after_it_has_no_protection(loop: Loop) -> None:
    loop.applied(market())
    loop.enter(BUY, price=BID)
    assert [row["protection"] for row in loop.bodies(REQUEST)] == [50, 0]


def test_a_venue_without_a_book_takes_the_touch_of_the_one_that_prices_it(loop: Loop) -> None:
    loop.define_venue(OTHER_VENUE, priced_by=str(VENUE))
    assert loop.applied(market(venue=OTHER_VENUE))["price"] == 1_005_100


def test_the_router_starts_from_the_best_touch_of_all_venues(loop: Loop) -> None:
    answer = loop.applied(market(venue=SMART, quantity=700))
    assert answer["price"] == 1_005_000  # from 100.00 of the other venue
    sent = loop.bodies(REQUEST)
    assert {(row["venue"], row["quantity"], row["protection"]) for row in sent} == {
        (OTHER_VENUE, 500, 50),
        (VENUE, 200, 50),
    }
    assert max(row["price"] for row in sent) <= 1_005_000


def test_without_a_live_reference_it_is_denied(loop: Loop) -> None:
    status = loop.command(market(instrument=CHARLIE))
    assert (status.reason, status.body["denial"]) == ("denied: reference missing", "REFERENCE_MISSING")
    status = loop.command(market(instrument=CHARLIE, venue=SMART))
    assert status.body["denial"] == "REFERENCE_MISSING"
    loop.memory.venues[VENUE]["dirty"] = 1
    assert loop.command(market()).body["denial"] == "BOOK_DIRTY"
    assert [(row["reason"], row["price"]) for row in loop.bodies(DENIAL)] == [
        (DenialReason.REFERENCE_MISSING, 0),
        (DenialReason.REFERENCE_MISSING, 0),
        (DenialReason.BOOK_DIRTY, 0),
    ]


def test_books_that_are_not_whole_price_no_order_that_closes_a_position(loop: Loop) -> None:
    loop.cell(loop.configuration.team_account(TEAM))["position"] = -300
    loop.memory.venues[VENUE]["dirty"] = 1
    assert loop.command(market()).body["denial"] == "BOOK_DIRTY"


def test_a_kill_and_a_session_that_is_down_are_named_first(loop: Loop) -> None:
    loop.session(VENUE, DOWN)
    assert loop.command(market(instrument=CHARLIE)).body["denial"] == "VENUE_DOWN"
    loop.kill(Scope.TEAM, TEAM)
    assert loop.command(market(instrument=CHARLIE)).body["denial"] == "KILL_ACTIVE"


def test_the_limits_hold_at_the_price_that_was_made(loop: Loop) -> None:
    loop.wide_limits(team={"order_value": 300 * 1_005_100 - 1})
    status = loop.command(market())
    assert (status.body["denial"], status.body["measured"]) == ("ORDER_VALUE", 300 * 1_005_100)
    loop.wide_limits(team={"collar_basis_points": 40})
    assert loop.command(market()).body["denial"] == "PRICE_COLLAR"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"protection": LARGEST_PROTECTION + 1}, "the protection of a market order is 1 to 1000 basis points"),
        ({"price": 1}, "a market order has no price of its own; its protection makes its limit"),
        ({"side": 3}, "a market order needs a side and a quantity"),
        ({"quantity": 0}, "a market order needs a side and a quantity"),
        ({"time_in_force": int(TimeInForce.POST_ONLY)}, "a market order takes; post-only forbids that"),
    ],
)
def test_what_is_no_market_order_is_refused_in_a_sentence(loop: Loop, changes: dict[str, int], sentence: str) -> None:
    status = loop.command(market(**changes))
    assert (status.applied, status.reason) == (False, sentence)
    assert loop.taken() == []


def test_a_preview_tells_the_limit_and_what_the_gate_says_to_it(loop: Loop) -> None:
    asked = control.Preview(TEAM, ALPHA, [VENUE], SELL, 300, 0, IOC, protection=50)
    loop.configuration.team_account(TEAM)
    told_now = loop.applied(asked)
    assert (told_now["price"], told_now["gate"]) == (995_000, {})
    loop.wide_limits(team={"collar_basis_points": 40})
    assert loop.applied(asked)["gate"]["denial"] == "PRICE_COLLAR"
    empty = control.Preview(TEAM, CHARLIE, [VENUE, OTHER_VENUE], SELL, 10, 0, IOC, protection=50)
    told_now = loop.applied(empty)
    assert (told_now["price"], told_now["gate"]["denial"]) == (0, "REFERENCE_MISSING")


@pytest.fixture
def strategy(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setitem(STRATEGIES, "told", (99, told))
    start = loop.start_pairs(kind="told", kind_hash=compiled_kind("told").hash, parameters={})
    assert start.applied, start.reason
    loop.taken()
    yield loop.memory.rows[loop.configuration.strategy_rows[STRATEGY]][0]
    compiled_kind.cache_clear()


def test_a_strategy_asks_for_one_at_its_legs_venue(loop: Loop, strategy: Any) -> None:
    for name, value in {"action": ENTER_MARKET, "side": SELL, "quantity": 100, "order_id": 30}.items():
        strategy[name] = value
    strategy["asks"] = 1
    loop.packet([loop.add(ALPHA, BUY, BID + 100)])
    strategy["asks"] = 1
    strategy["leg"] = 7
    loop.packet([loop.add(ALPHA, BUY, BID + 200)])
    rows = loop.taken()
    kept = [(r.body["price"], r.body["protection"]) for r in rows if r.kind == REQUEST]
    assert kept == [(BID + 100 - 3_000, 30)]
    assert [r.body["reason"] for r in rows if r.kind == DENIAL] == [DenialReason.UNKNOWN_INSTRUMENT]
