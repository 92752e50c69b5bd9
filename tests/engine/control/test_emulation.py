"""Orders with a time in force that their venue does not have: what the engine does in its place."""

from __future__ import annotations

from typing import Any

import pytest

from engine.algorithms import compiled_algorithm
from engine.control.emulation import LONGEST_GOOD_TILL_NS
from engine.hotpath.entries import pass_time
from engine.messages import control
from engine.messages.codes import DenialReason, OrderAction, ParentState, RecordKind, ReportKind, Scope, TimeInForce
from engine.messages.control import SMART
from engine.messages.prices import FOREVER_NS
from engine.protocols import itch50
from tests.engine.loop_builder import (
    ALPHA,
    BUY,
    DOWN,
    OPEN_NS,
    SECOND_NS,
    START_NS,
    TEAM,
    UP,
    VENUE,
    Loop,
)

DAY, GTC, GTD = int(TimeInForce.DAY), int(TimeInForce.GTC), int(TimeInForce.GTD)
BID, ASK = 999_900, 1_000_100
REQUEST, DENIAL, PARENT = RecordKind.ORDER_REQUEST, RecordKind.DENIAL, RecordKind.PARENT
TRADER = 42
END_NS = START_NS + 100 * SECOND_NS


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits()
    made.quote(ALPHA, BID, ASK)
    made.taken()
    return made


def order(**changes: Any) -> control.EnterOrder:
    fields: dict[str, Any] = {"client_order_id": "g-1", "team": TEAM, "instrument": ALPHA, "venue": VENUE, "side": BUY}
    fields |= {"quantity": 300, "price": BID, "time_in_force": GTC, "trader": TRADER}
    return control.EnterOrder(**fields | changes)


def later(loop: Loop, seconds: float = 1.0) -> list[dict[str, Any]]:
    """Some time passes. What was asked of the venue meanwhile."""
    loop.pass_time(round(seconds * SECOND_NS))
    if 0 < int(loop.core["timer_ns"]) <= int(loop.core["clock_ns"]):
        pass_time(loop.address)
    return loop.bodies(REQUEST)


def event(loop: Loop, letter: str) -> None:
    loop.packet([itch50.encode("system_event", timestamp_ns=OPEN_NS, event=letter)])


def child_of(loop: Loop) -> dict[str, Any]:
    """The one order that was asked for."""
    (asked,) = later(loop)
    assert (asked["action"], asked["time_in_force"], asked["price"]) == (OrderAction.ENTER, DAY, BID)
    loop.report(ReportKind.ACCEPTED, asked["order_id"])
    return asked


def test_good_till_canceled_is_one_order_of_the_traders_whose_child_is_a_day_order(loop: Loop) -> None:
    answer = loop.applied(order())
    (entered,) = loop.bodies(PARENT)
    assert answer == {"parent_id": entered["parent_id"], "emulated": "good_till"}
    told = {name: entered[name] for name in ("trader", "quantity", "price", "end_ns", "state", "kind")}
    assert told == {
        "trader": TRADER, "quantity": 300, "price": BID, "end_ns": FOREVER_NS, "state": ParentState.WORKING,
        "kind": compiled_algorithm("good_till").number,
    }  # fmt: skip
    child = child_of(loop)
    assert (child["quantity"], child["parent_id"]) == (300, entered["parent_id"])
    assert later(loop, 3600) == []  # it rests


def test_what_the_venue_ends_with_its_session_is_entered_anew_in_the_next(loop: Loop) -> None:
    loop.applied(order())
    loop.taken()
    child = child_of(loop)
    loop.report(ReportKind.EXECUTED, child["order_id"], 100, BID)

    event(loop, "M")
    event(loop, "C")
    loop.session(VENUE, DOWN)
    loop.session(VENUE, UP, next_reference=1, fresh=1)  # another session: what was working is gone
    assert int(loop.order(child["order_id"])["leaves"]) == 0
    assert later(loop, 3600) == []  # outside its hours it is not asked, and nothing is denied
    assert loop.bodies(DENIAL) == []

    event(loop, "Q")
    (again,) = later(loop)
    assert (again["quantity"], again["price"], again["time_in_force"]) == (200, BID, DAY)


def test_good_till_a_time_ends_then_and_is_expired(loop: Loop) -> None:
    number = loop.applied(order(time_in_force=GTD, good_till_ns=END_NS))["parent_id"]
    loop.taken()
    child = child_of(loop)
    assert later(loop, 98.9) == []
    (asked,) = later(loop, 1.5)
    assert (asked["action"], asked["order_id"]) == (OrderAction.CANCEL, child["order_id"])
    loop.report(ReportKind.CANCELED, child["order_id"], 300)
    (ended,) = loop.bodies(PARENT)
    assert (ended["parent_id"], ended["state"], ended["end_ns"]) == (number, ParentState.EXPIRED, END_NS)


def test_a_time_that_comes_while_the_venue_is_away_still_ends_it(loop: Loop) -> None:
    loop.applied(order(time_in_force=GTD, good_till_ns=END_NS))
    loop.taken()
    child = child_of(loop)
    loop.session(VENUE, DOWN)
    later(loop, 200)
    loop.session(VENUE, UP, next_reference=int(loop.core["next_order_id"]))
    asked = later(loop)
    assert {row["action"] for row in asked} == {OrderAction.CANCEL}
    loop.report(ReportKind.CANCELED, child["order_id"], 300)
    assert [row["state"] for row in loop.bodies(PARENT)] == [ParentState.EXPIRED]


def test_what_the_gate_would_never_pass_is_denied_at_once(loop: Loop) -> None:
    loop.wide_limits(team={"order_quantity": 299})
    status = loop.command(order())
    assert (status.reason, status.body["measured"], status.body["bound"]) == ("denied: order quantity", 300, 299)
    assert [row["reason"] for row in loop.bodies(DENIAL)] == [DenialReason.ORDER_QUANTITY]
    assert loop.commands.parents.working() == []


def test_it_is_taken_while_the_venue_is_away_and_goes_when_it_is_back(loop: Loop) -> None:
    loop.session(VENUE, DOWN)
    assert "parent_id" in loop.applied(order())
    loop.taken()
    assert later(loop) == []
    loop.session(VENUE, UP)
    assert child_of(loop)["quantity"] == 300


def test_a_venue_that_takes_none_is_asked_once_a_second(loop: Loop) -> None:
    loop.applied(order())
    loop.taken()
    for _ in range(3):
        child = child_of(loop)
        loop.report(ReportKind.CANCELED, child["order_id"], 300)
        loop.quote(ALPHA, BID, ASK + 100)
        assert loop.bodies(REQUEST) == []


def test_a_kill_ends_it(loop: Loop) -> None:
    loop.applied(order())
    loop.taken()
    child = child_of(loop)
    loop.kill(Scope.TEAM, TEAM)
    loop.report(ReportKind.CANCELED, child["order_id"], 300)
    assert [row["state"] for row in loop.bodies(PARENT)] == [ParentState.CANCELED]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"good_till_ns": END_NS}, "an order good till canceled has no end; good till a time is GTD"),
        ({"time_in_force": DAY, "good_till_ns": END_NS}, "only an order good till a time (GTD) has one"),
        ({"time_in_force": GTD}, "an order good till a time ends later than now, and within 366 days"),
        ({"time_in_force": GTD, "good_till_ns": START_NS}, "an order good till a time ends later than now"),
        (
            {"time_in_force": GTD, "good_till_ns": START_NS + LONGEST_GOOD_TILL_NS + 1},
            "an order good till a time ends later than now",
        ),
        ({"venue": SMART}, "the router works DAY, IOC and post-only orders"),
        ({"price": 0, "protection": 50}, "a market order does not rest; it is IOC, FOK or DAY"),
        ({"price": 0}, "an order needs a price; one without is a market order"),
        ({"price": BID + 1}, "a limit price is a multiple of the tick size"),
        ({"quantity": 0}, "a quantity is 1 to"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(loop: Loop, changes: dict[str, int], sentence: str) -> None:
    status = loop.command(order(**changes))
    assert (status.applied, status.reason[: len(sentence)]) == (False, sentence)
    assert loop.taken() == []


def test_nobody_asks_for_the_algorithm_itself(loop: Loop) -> None:
    kind = compiled_algorithm("good_till")
    status = loop.command(
        control.EnterParent(
            "p-1", 0, TEAM, TRADER, "good_till", kind.hash, ALPHA, [VENUE], BUY, 300, BID, 0, END_NS, {}
        )
    )
    assert status.reason == "Good till is not asked for; enter an order with that time in force"


def test_a_strategys_order_is_not_emulated(loop: Loop) -> None:
    assert loop.enter(time_in_force=GTC) == -DenialReason.TIME_IN_FORCE


def test_a_venue_that_keeps_such_orders_gets_the_order_itself(loop: Loop) -> None:
    loop.memory.venues[VENUE]["good_till"] = 1
    assert loop.applied(control.Preview(TEAM, ALPHA, [VENUE], BUY, 300, BID, GTD))["emulated"] == ""
    kept = loop.applied(order())["order_id"]
    ends = loop.applied(order(time_in_force=GTD, good_till_ns=END_NS))["order_id"]
    loop.report(ReportKind.ACCEPTED, ends)
    changed = loop.applied(control.ReplaceOrder(ends, BID - 100, 300))["order_id"]
    rows = {row["order_id"]: (row["time_in_force"], row["good_till_s"]) for row in loop.bodies(REQUEST)}
    assert rows == {kept: (GTC, 0), ends: (GTD, END_NS // SECOND_NS), changed: (GTD, END_NS // SECOND_NS)}
    assert loop.enter(time_in_force=GTD) == -DenialReason.TIME_IN_FORCE  # without an end
    loop.report(ReportKind.EXPIRED, kept, 300)
    assert int(loop.order(kept)["leaves"]) == 0


def test_the_preview_says_it_and_asks_the_gate_about_what_leaves(loop: Loop) -> None:
    loop.configuration.team_account(TEAM)
    told = loop.applied(control.Preview(TEAM, ALPHA, [VENUE], BUY, 300, BID, GTC))
    assert (told["emulated"], told["gate"]) == ("good_till", {})
    assert loop.applied(control.Preview(TEAM, ALPHA, [VENUE], BUY, 300, BID, DAY))["emulated"] == ""
