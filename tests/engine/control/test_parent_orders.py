"""The life of a parent order: entered or refused, journalled, canceled, killed, and whose its children are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine.control.state_frame import StateFrame
from engine.hotpath import tables
from engine.messages import control
from engine.messages.codes import DenialReason, OrderAction, ParentState, RecordKind, ReportKind, Scope
from tests.engine.algorithms.trading_floor import MIDDLE, TICK, TRADER, Floor
from tests.engine.loop_builder import (
    ALPHA,
    BRAVO,
    BUY,
    CHARLIE,
    OTHER_TEAM,
    OTHER_VENUE,
    SECOND_NS,
    SELL,
    START_NS,
    STRATEGY,
    TEAM,
    VENUE,
    Loop,
)


@pytest.fixture
def floor() -> Floor:
    return Floor(venues=(VENUE, OTHER_VENUE))


def cell(loop: Loop, account: int) -> int:
    return int(loop.cell(account)["position"])


def test_it_is_journalled_when_it_is_entered_and_when_it_has_ended(floor: Floor) -> None:
    number = floor.enter("twap", 600, 10, price=MIDDLE + TICK, given={"slices": 1, "patience": 0.0})
    floor.run(1)

    begun = {
        "position": 2, "parent_id": number, "quantity": 600, "price": MIDDLE + TICK, "start_ns": START_NS,
        "end_ns": START_NS + 10 * SECOND_NS, "filled": 0, "value": 0, "limits_version": 1, "strategy": 0, "team": TEAM,
        "trader": TRADER, "instrument": ALPHA, "kind": 101, "venues": 0b11, "side": BUY,
        "state": int(ParentState.WORKING), "legs": 0,
    }  # fmt: skip
    ended = {"filled": 600, "value": 600 * (MIDDLE + TICK), "state": int(ParentState.DONE)}
    assert floor.parents == [begun, begun | ended]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind_hash": "0" * 16}, "open the form again"),
        ({"instrument": 77}, "instrument 77 is not known"),
        ({"venues": []}, "1 to 4 different venues"),
        ({"venues": [1, 1]}, "1 to 4 different venues"),
        ({"venues": [3]}, "venue 3 is not defined"),
        ({"side": 3}, "a side is 1 (buy) or 2 (sell)"),
        ({"quantity": 0}, "a quantity is 1 to"),
        ({"instrument": CHARLIE, "quantity": 15}, "in lots of 10"),
        ({"price": 1}, "a multiple of the tick size, 0.01"),
        ({"price": -100}, "0 is no limit"),
        ({"end_ns": START_NS}, "ends after it begins"),
        ({"start_ns": START_NS + 10 * SECOND_NS, "end_ns": START_NS + 9 * SECOND_NS}, "ends after it begins"),
        ({"end_ns": START_NS + 8 * 86_400 * SECOND_NS}, "within seven days"),
        ({"given": {"slices": 0}}, "Slices is 0; it must be from 1 to 1000"),
        ({"given": {"slices": 1.5}}, "Slices must be a whole number"),
        ({"given": {"other": 1}}, "there is no parameter 'other'"),
        ({"parameters": {}}, "Slices must be a number"),
        ({"team": 0}, "positive numbers"),
        ({"trader": -1}, "a trader has a positive number"),
        ({"strategy": STRATEGY}, "strategy 70 is not running"),
        ({"expires_ns": START_NS - 1}, "later than its sender allowed"),
    ],
)
def test_what_cannot_be_worked_is_refused_in_a_sentence(floor: Floor, changes: dict[str, Any], sentence: str) -> None:
    status = floor.loop.command(floor.parent("twap", 600, 10, **changes))

    assert not status.applied
    assert sentence in status.reason
    assert floor.loop.taken() == []


def test_an_unknown_algorithm_and_a_sniper_without_a_price_are_refused(floor: Floor) -> None:
    assert "no algorithm 'magic'" in floor.loop.command(floor.parent("twap", 1, 1, algorithm="magic")).reason
    assert "Sniper needs a limit price" in floor.loop.command(floor.parent("sniper", 1, 1)).reason


def test_the_same_command_again_is_answered_alike_and_entered_once(floor: Floor) -> None:
    body = floor.parent("twap", 600, 10)
    first = floor.loop.command(body, command_id="0123456789abcdef")

    assert floor.loop.command(body, command_id="0123456789abcdef") == first
    assert len(floor.loop.commands.parents.working()) == 1


def test_a_persons_children_are_held_by_people_and_their_team(floor: Floor) -> None:
    floor.enter("twap", 600, 10, given={"slices": 1, "patience": 0.0})
    floor.run(1)

    loop = floor.loop
    team = loop.configuration.team_accounts[TEAM]
    held = [cell(loop, account) for account in (tables.FIRM_ACCOUNT, team, tables.FIRST_STRATEGY_ACCOUNT)]
    assert held == [600, 600, 600]
    assert int(loop.memory.strategies[0]["fills"]) == len(floor.fills)
    assert {row["strategy"] for row in floor.requests} == {0}


def test_a_strategys_children_are_held_by_its_leg_and_bound_by_its_limits(floor: Floor) -> None:
    floor.loop.wide_limits(strategy={"position": 250})
    floor.loop.quote(BRAVO, MIDDLE - TICK, MIDDLE + TICK)
    floor.loop.start_pairs()
    floor.enter("twap", 400, 10, strategy=STRATEGY, given={"slices": 4, "patience": 0.0})
    floor.run(9)

    assert floor.done == 200
    assert (int(floor.loop.leg()["position"]), cell(floor.loop, tables.FIRST_STRATEGY_ACCOUNT)) == (200, 0)
    [first, *_] = floor.denials
    assert (first["reason"], first["scope"], first["scope_id"]) == (DenialReason.POSITION, Scope.STRATEGY, STRATEGY)
    assert (first["parent_id"], first["strategy"], first["kind"]) == (floor.parents[0]["parent_id"], STRATEGY, 101)


def test_a_strategy_gives_only_for_what_it_trades_and_its_team(floor: Floor) -> None:
    floor.loop.start_pairs()

    other_instrument = floor.loop.command(floor.parent("twap", 10, 10, strategy=STRATEGY, instrument=CHARLIE))
    other_team = floor.loop.command(floor.parent("twap", 10, 10, strategy=STRATEGY, team=OTHER_TEAM))

    assert "does not trade CHARLIE" in other_instrument.reason
    assert "is not of team 6" in other_team.reason


def test_canceled_it_ends_when_its_child_has(floor: Floor) -> None:
    number = floor.enter("twap", 600, 10, given={"slices": 1, "patience": 60.0})
    floor.step()
    [child] = floor.resting.values()
    floor.fill(child, 100, child.price)

    assert floor.loop.command(control.CancelParent(number)).applied
    assert floor.loop.command(control.CancelParent(number)).applied  # not ended yet: its child is open
    floor.answer()

    assert (floor.ended(number)["state"], floor.ended(number)["filled"]) == (ParentState.CANCELED, 100)
    assert "is not working" in floor.loop.command(control.CancelParent(number)).reason
    assert [row["action"] for row in floor.requests] == [OrderAction.ENTER, OrderAction.CANCEL]


def test_a_fill_on_the_way_out_counts(floor: Floor) -> None:
    number = floor.enter("twap", 600, 10, given={"slices": 1, "patience": 60.0})
    floor.step()
    [child] = floor.resting.values()
    floor.loop.command(control.CancelParent(number))

    floor.fill(child, 600, child.price)
    floor.answer()

    assert (floor.ended(number)["state"], floor.ended(number)["filled"]) == (ParentState.DONE, 600)


@pytest.mark.parametrize(
    ("scope", "scope_id", "ends"),
    [
        (Scope.FIRM, 0, True),
        (Scope.TEAM, TEAM, True),
        (Scope.TEAM, OTHER_TEAM, False),
        (Scope.STRATEGY, 0, True),
        (Scope.STRATEGY, STRATEGY, False),
    ],
)
def test_a_kill_ends_what_is_in_its_scope(floor: Floor, scope: Scope, scope_id: int, ends: bool) -> None:
    number = floor.enter("twap", 600, 10, given={"slices": 1, "patience": 60.0})
    floor.step()

    floor.loop.kill(scope, scope_id)
    floor.answer()

    assert (floor.state(number) is None) == ends
    assert (not floor.resting) == ends
    refused = floor.loop.command(floor.parent("twap", 600, 10), command_id="another-order-0")
    assert ("holds; somebody has to re-arm it first" in refused.reason) == ends


def test_a_killed_venue_is_left_out_and_the_rest_goes_on_elsewhere(floor: Floor) -> None:
    floor.enter("twap", 600, 10, given={"slices": 1, "patience": 0.0})
    floor.loop.kill(Scope.VENUE, VENUE)

    floor.run(4)

    assert floor.done == 600
    assert {venue for _, venue, *_ in floor.fills} == {OTHER_VENUE}


def test_a_stopped_strategy_takes_its_parent_orders_with_it(floor: Floor) -> None:
    floor.loop.quote(BRAVO, MIDDLE - TICK, MIDDLE + TICK)
    floor.loop.start_pairs()
    number = floor.enter("twap", 400, 10, strategy=STRATEGY, given={"patience": 60.0})
    floor.step()

    floor.loop.command(control.StopStrategy(STRATEGY))
    floor.answer()

    assert floor.ended(number)["state"] == ParentState.CANCELED


def test_a_strategy_cannot_cancel_the_children_of_its_parent_order(floor: Floor) -> None:
    floor.loop.quote(BRAVO, MIDDLE - TICK, MIDDLE + TICK)
    floor.loop.start_pairs()
    floor.enter("twap", 400, 10, strategy=STRATEGY, given={"patience": 60.0})
    floor.step()
    [child] = floor.resting

    assert int(floor.loop.leg()["order_id"]) == 0  # what the strategy sees of its own orders
    assert int(floor.loop.order(child)["strategy"]) == floor.loop.configuration.strategy_rows[STRATEGY]


def test_a_fill_that_is_taken_back_is_traded_again(floor: Floor) -> None:
    number = floor.enter("twap", 600, 10, given={"slices": 1, "patience": 60.0})
    floor.step()
    [child] = floor.resting.values()
    floor.fill(child, 200, child.price)
    assert int(floor.state(number)["filled"]) == 200

    floor.loop.report(ReportKind.BROKEN, child.order_id)

    assert int(floor.state(number)["filled"]) == 0
    assert cell(floor.loop, tables.FIRST_STRATEGY_ACCOUNT) == 0


def test_children_are_no_larger_than_the_limits_allow(floor: Floor) -> None:
    floor.loop.wide_limits(team={"order_quantity": 250}, firm={"order_value": 120 * (MIDDLE + TICK)})
    floor.enter("twap", 600, 10, given={"slices": 1, "patience": 0.0})

    floor.run(2)

    assert {row["quantity"] for row in floor.requests} == {120}
    assert floor.denials == []
    assert floor.done == 600


def test_rows_are_given_back_and_taken_again(floor: Floor) -> None:
    room = len(floor.loop.memory.strategies) - 1
    numbers = [
        floor.loop.command(floor.parent("sniper", 10, 5, SELL, price=2 * MIDDLE)).body["parent_id"] for _ in range(room)
    ]
    full = floor.loop.command(floor.parent("sniper", 10, 5, SELL, price=2 * MIDDLE))
    no_strategy = floor.loop.start_pairs()

    floor.run(5.4)

    assert "every row for strategies and parent orders is taken" in full.reason
    assert "room for 7 strategies and parent orders" in no_strategy.reason
    assert [floor.ended(number)["state"] for number in numbers] == [ParentState.EXPIRED] * room
    assert floor.loop.start_pairs().applied
    assert int(floor.loop.core["timer_ns"]) == 0  # nobody waits for the time any more


def test_a_start_in_the_future_is_waited_for(floor: Floor) -> None:
    floor.enter("twap", 600, 10, start_ns=START_NS + 5 * SECOND_NS, given={"slices": 1, "patience": 0.0})
    floor.run(4.8)
    assert floor.requests == []

    floor.run(0.4)

    assert floor.done == 600


def test_time_is_journalled_only_while_there_is_a_parent_order(floor: Floor) -> None:
    floor.enter("twap", 600, 2, given={"slices": 1, "patience": 0.0})
    floor.loop.pass_time(SECOND_NS)
    floor.step()

    assert int(floor.loop.core["timer_ns"]) == 0
    assert [row for row in floor.loop.taken() if row.kind == RecordKind.TIMER] == []


def test_the_state_says_how_far_it_is(floor: Floor) -> None:
    number = floor.enter("twap", 600, 10, price=MIDDLE + TICK, given={"slices": 2, "patience": 60.0})
    floor.step()
    [child] = floor.resting.values()
    floor.fill(child, 100, child.price)
    floor.trade(700)

    state = StateFrame(floor.loop.configuration, 1, "paper").make()

    assert state["parents"] == [
        {
            "parent": number, "strategy": 0, "team": TEAM, "trader": TRADER, "algorithm": "TWAP", "instrument": ALPHA,
            "venues": [VENUE, OTHER_VENUE],
            "side": BUY, "quantity": 600, "price": MIDDLE + TICK, "start_ns": START_NS,
            "end_ns": START_NS + 10 * SECOND_NS, "state": "WORKING", "filled": 100, "scheduled": 300, "working": 200,
            "average_price": MIDDLE - TICK, "volume": 700, "refusing": 0, "legs": [],
            "auction_working": 0, "auction_filled": 0,
        }
    ]  # fmt: skip
    assert state["strategies"] == []


def test_a_preview_says_what_an_order_would_meet_and_changes_nothing(floor: Floor) -> None:
    loop = floor.loop
    loop.applied(control.EnterOrder("first-order", TEAM, ALPHA, VENUE, BUY, 100, MIDDLE - TICK, 1))
    floor.answer()
    before = [loop.memory.cells.tobytes(), loop.memory.accounts.tobytes(), int(loop.core["next_order_id"])]

    asked = loop.applied(control.Preview(TEAM, ALPHA, [VENUE, OTHER_VENUE], BUY, 9_950, 0))

    top = {"bid": MIDDLE - TICK, "bid_quantity": 500, "ask": MIDDLE + TICK, "ask_quantity": 500, "last_price": None}
    assert asked["tops"] == [{"venue": VENUE} | top, {"venue": OTHER_VENUE} | top]
    assert asked["gate"] == {
        "denial": "POSITION", "measured": 10_050, "bound": 10_000, "scope": "TEAM", "scope_id": TEAM,
        "limit_name": "POSITION",
    }  # fmt: skip
    team, firm = asked["accounts"]
    assert (team["scope"], team["scope_id"], team["working_buy"], team["bounds"]["position"]) == (
        "TEAM", TEAM, 100, 10_000,
    )  # fmt: skip
    assert (firm["scope"], firm["position"], firm["today"]) == ("FIRM", 0, 0)
    assert loop.taken() == []
    assert before == [loop.memory.cells.tobytes(), loop.memory.accounts.tobytes(), int(loop.core["next_order_id"])]
    assert loop.applied(control.Preview(TEAM, ALPHA, [VENUE], BUY, 100, MIDDLE))["gate"] == {}


def test_the_gate_of_a_preview_lets_pass_what_passes_at_one_of_the_venues(floor: Floor) -> None:
    loop = floor.loop
    priced = {"priced_by": str(OTHER_VENUE), "feed_line_a": ""}
    body = next(body for number, body in loop.configuration.venues.items() if number == VENUE)
    loop.applied(replace(body, settings=body.settings | priced))
    loop.applied(control.EnterOrder("first-order", TEAM, ALPHA, OTHER_VENUE, BUY, 100, MIDDLE - TICK, 1))
    assert loop.applied(control.Preview(TEAM, ALPHA, [VENUE], BUY, 100, 0))["gate"] == {}

    loop.applied(control.Kill(Scope.VENUE, VENUE, "enough"))

    denied = loop.applied(control.Preview(TEAM, ALPHA, [VENUE], BUY, 100, 0))["gate"]
    assert (denied["denial"], denied["scope"], denied["scope_id"]) == ("KILL_ACTIVE", "VENUE", VENUE)
    assert loop.applied(control.Preview(TEAM, ALPHA, [VENUE, OTHER_VENUE], BUY, 100, 0))["gate"] == {}
    both = loop.applied(control.Preview(TEAM, ALPHA, [OTHER_VENUE, VENUE], BUY, 9_950, 0))["gate"]
    assert both["denial"] == "POSITION"


def test_a_preview_of_a_team_without_limits_has_none(floor: Floor) -> None:
    asked = floor.loop.applied(control.Preview(OTHER_TEAM, ALPHA, [VENUE], SELL, 100, 0))

    assert set(asked["accounts"][0]["bounds"].values()) == {None}
    assert "instrument 99 is not known" in floor.loop.command(control.Preview(TEAM, 99, [VENUE], BUY, 1, 0)).reason
    assert "venue 3 is not defined" in floor.loop.command(control.Preview(TEAM, ALPHA, [3], BUY, 1, 0)).reason
    assert "a preview needs a venue" in floor.loop.command(control.Preview(TEAM, ALPHA, [], BUY, 1, 0)).reason


def test_a_venue_is_not_removed_under_a_parent_order(floor: Floor) -> None:
    number = floor.enter("sniper", 600, 10, price=MIDDLE - TICK)
    for venue in (VENUE, OTHER_VENUE):
        assert (
            floor.loop.command(control.RemoveVenue(venue)).reason
            == f"parent order {number} works there; cancel it first"
        )
    floor.loop.applied(control.CancelParent(number))
    floor.run(1)
    floor.loop.applied(control.RemoveVenue(OTHER_VENUE))
