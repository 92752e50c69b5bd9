"""Orders at the open and at the close of a venue without auctions."""

from __future__ import annotations

from typing import Any

import pytest

from engine.hotpath.entries import pass_time
from engine.messages import control
from engine.messages.codes import DenialReason, OrderAction, ParentState, RecordKind, ReportKind, TimeInForce
from engine.protocols import itch50
from tests.engine.loop_builder import ALPHA, BUY, OPEN_NS, OTHER_VENUE, SECOND_NS, SELL, START_NS, TEAM, VENUE, Loop

R, DAY_SECONDS = DenialReason, 86_400
IOC, AT_OPEN, AT_CLOSE = int(TimeInForce.IOC), int(TimeInForce.AT_OPEN), int(TimeInForce.AT_CLOSE)
BID, ASK = 999_900, 1_000_100
NOW_SECONDS = START_NS // SECOND_NS % DAY_SECONDS  # 22:13:20


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits()
    define(made)
    event(made, "S")  # before market hours
    made.quote(ALPHA, BID, ASK)
    made.taken()
    return made


def define(loop: Loop, **settings: str) -> None:
    """The second venue has no book of its own, and so no auctions."""
    loop.define_venue(OTHER_VENUE, priced_by=str(VENUE), **settings)


def event(loop: Loop, letter: str) -> None:
    loop.packet([itch50.encode("system_event", timestamp_ns=OPEN_NS, event=letter)])


def order(time_in_force: int = AT_OPEN, **changes: Any) -> control.EnterOrder:
    fields: dict[str, Any] = {"client_order_id": "o-1", "team": TEAM, "instrument": ALPHA, "venue": OTHER_VENUE}
    fields |= {"side": BUY, "quantity": 300, "price": ASK, "time_in_force": time_in_force, "trader": 42}
    return control.EnterOrder(**fields | changes)


def later(loop: Loop, seconds: float = 1.0) -> None:
    loop.pass_time(round(seconds * SECOND_NS))
    if 0 < int(loop.core["timer_ns"]) <= int(loop.core["clock_ns"]):
        pass_time(loop.address)


def requests(loop: Loop) -> list[dict[str, Any]]:
    return loop.bodies(RecordKind.ORDER_REQUEST)


def test_at_the_open_it_waits_for_market_hours_and_goes_out_once(loop: Loop) -> None:
    answer = loop.applied(order())
    assert answer["emulated"] == "at_session"
    later(loop, 3600)
    assert requests(loop) == []

    event(loop, "Q")
    loop.quote(ALPHA, BID, ASK)
    (asked,) = requests(loop)
    terms = [asked[name] for name in ("venue", "action", "time_in_force", "price", "quantity", "parent_id")]
    assert terms == [OTHER_VENUE, OrderAction.ENTER, IOC, ASK, 300, answer["parent_id"]]

    loop.report(ReportKind.ACCEPTED, asked["order_id"], venue=OTHER_VENUE)
    loop.report(ReportKind.EXECUTED, asked["order_id"], 100, ASK, venue=OTHER_VENUE)
    loop.report(ReportKind.CANCELED, asked["order_id"], 200, venue=OTHER_VENUE)
    later(loop)
    rows = loop.taken()
    assert [row.body["order_id"] for row in rows if row.kind == RecordKind.ORDER_REQUEST] == []
    (ended,) = [row.body for row in rows if row.kind == RecordKind.PARENT]
    assert (ended["state"], ended["filled"]) == (ParentState.EXPIRED, 100)


def test_filled_whole_it_is_done(loop: Loop) -> None:
    loop.applied(order())
    event(loop, "Q")
    later(loop)
    (asked,) = requests(loop)
    loop.report(ReportKind.EXECUTED, asked["order_id"], 300, ASK, venue=OTHER_VENUE)
    assert [row["state"] for row in loop.bodies(RecordKind.PARENT)] == [ParentState.DONE]


@pytest.mark.parametrize(("side", "price"), [(BUY, 1_005_100), (SELL, 995_000)])
def test_a_market_order_gets_its_limit_when_it_goes_out(loop: Loop, side: int, price: int) -> None:
    loop.applied(order(price=0, protection=50, side=side))
    event(loop, "Q")
    later(loop)
    assert [(row["price"], row["time_in_force"]) for row in requests(loop)] == [(price, IOC)]


def test_what_the_gate_refuses_at_the_open_is_asked_again_for_a_minute(loop: Loop) -> None:
    loop.applied(order())
    loop.wide_limits(team={"collar_basis_points": 0})
    event(loop, "Q")
    for _ in range(70):
        later(loop)
    denied = loop.bodies(RecordKind.DENIAL)
    assert {row["reason"] for row in denied} == {R.PRICE_COLLAR}
    assert len(denied) > 2
    assert loop.commands.parents.working() == []


@pytest.mark.parametrize("letter", ["Q", "M", "E", "C"])
def test_an_order_that_comes_after_the_open_is_denied(loop: Loop, letter: str) -> None:
    event(loop, letter)
    assert loop.command(order()).body["denial"] == "AUCTION_OVER"


def test_at_the_close_it_goes_out_so_many_seconds_before_the_end_of_trading(loop: Loop) -> None:
    define(loop, trading_end="22:15", before_end="20")
    event(loop, "Q")
    answer = loop.applied(order(AT_CLOSE))
    loop.taken()
    until = 22 * 3600 + 15 * 60 - 20 - NOW_SECONDS
    later(loop, until - 1)
    assert requests(loop) == []
    later(loop, 1.5)
    (asked,) = requests(loop)
    assert (asked["time_in_force"], asked["quantity"], asked["parent_id"]) == (IOC, 300, answer["parent_id"])


def test_one_that_nobody_can_send_before_the_end_expires_then(loop: Loop) -> None:
    define(loop, trading_end="22:15")
    loop.applied(order(AT_CLOSE))
    loop.session(OTHER_VENUE, 1)
    later(loop, 3600)
    rows = loop.taken()
    assert [row.body["state"] for row in rows if row.kind == RecordKind.PARENT][-1] == ParentState.EXPIRED
    assert [row for row in rows if row.kind == RecordKind.ORDER_REQUEST] == []


def test_without_an_end_of_trading_the_close_is_denied_and_after_it_refused(loop: Loop) -> None:
    assert loop.command(order(AT_CLOSE)).body["denial"] == "AUCTION_MISSING"
    define(loop, trading_end="22:13:00")
    assert loop.command(order(AT_CLOSE)).reason == "trading at X2 has ended for today (22:13:00 UTC)"


def test_a_venue_with_auctions_gets_the_order_itself(loop: Loop) -> None:
    assert "order_id" in loop.applied(order(venue=VENUE))
    assert [row["time_in_force"] for row in requests(loop)] == [AT_OPEN]


def test_without_a_price_or_a_protection_it_is_refused(loop: Loop) -> None:
    sentence = "an order needs a price; one without is a market order, with a protection"
    assert loop.command(order(price=0)).reason == sentence


def test_the_preview_says_that_it_is_emulated_and_when_it_goes_out(loop: Loop) -> None:
    define(loop, trading_end="22:15", before_end="20")
    asked = control.Preview(TEAM, ALPHA, [OTHER_VENUE], BUY, 300, ASK, AT_CLOSE)
    told = loop.applied(asked)
    assert (told["emulated"], told["emulated_ns"]) == ("at_session", START_NS + (80 + 20 - 20) * SECOND_NS)
    told = loop.applied(control.Preview(TEAM, ALPHA, [VENUE], BUY, 300, ASK, AT_CLOSE))
    assert told["emulated"] == ""


@pytest.mark.parametrize("text", ["24:00", "9:00", "12:60", "noon", "12", "12:00:00:00", "\u00b2\u00b2:00", "12:00:61"])
def test_an_end_of_trading_that_is_no_time_is_refused(loop: Loop, text: str) -> None:
    basic = {"order_address": "127.0.0.1:1", "user": "desk", "password": "secret", "feed_line_a": "127.0.0.1:2"}
    status = loop.command(control.DefineVenue(VENUE, "X1", "ouch50", basic | {"trading_end": text}))
    assert status.reason == "Trading ends: a time of day is written as 20:00 or 20:00:00, in UTC"
