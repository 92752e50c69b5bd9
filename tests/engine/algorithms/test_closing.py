"""The algorithm close and its part for the closing cross: what waits there, what the rest does, what comes back."""

from __future__ import annotations

from typing import Any

import pytest

from engine.messages.codes import DenialReason, OrderAction, ParentState, TimeInForce
from tests.engine.algorithms.trading_floor import MIDDLE, TICK, Floor
from tests.engine.loop_builder import BUY, OTHER_VENUE, SELL, VENUE

HALF = {"auction": 50.0, "lateness": 1.0, "patience": 0.0}


def entered(floor: Floor) -> list[dict[str, Any]]:
    return [row for row in floor.requests if row["action"] == OrderAction.ENTER]


def at_close(floor: Floor) -> list[tuple[int, int, int]]:
    """Venue, shares and limit of each child at the close."""
    rows = [row for row in entered(floor) if row["time_in_force"] == TimeInForce.AT_CLOSE]
    return [(row["venue"], row["quantity"], row["price"]) for row in rows]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_half_of_it_waits_for_the_cross_and_the_other_half_is_worked_as_if_it_were_alone(side: int) -> None:
    floor = Floor()
    number = floor.enter("close", 2_000, 40, side, price=MIDDLE + 3 * TICK if side == BUY else MIDDLE - 3 * TICK,
                         given=HALF)  # fmt: skip
    floor.run(20)
    state: Any = floor.state(number)
    limit = MIDDLE + 3 * TICK if side == BUY else MIDDLE - 3 * TICK
    assert at_close(floor) == [(VENUE, 1_000, limit)]
    assert (floor.done, int(state["scheduled"]), int(state["quantity"])) == (500, 500, 2_000)
    assert (int(state["auction_working"]), int(state["auction_filled"])) == (1_000, 0)
    floor.run(16)
    floor.cross(1_000)
    floor.run(5)
    assert (floor.ended(number)["state"], floor.done) == (ParentState.DONE, 2_000)


def test_what_the_cross_does_not_fill_is_worked_before_the_end() -> None:
    floor = Floor()
    number = floor.enter("close", 2_000, 40, given=HALF)
    floor.run(30)
    floor.cross(300)
    state: Any = floor.state(number)
    assert (int(state["auction_working"]), int(state["auction_filled"])) == (0, 300)
    floor.run(11)
    assert (floor.ended(number)["state"], floor.done) == (ParentState.DONE, 2_000)
    assert len(at_close(floor)) == 1


def test_an_order_that_ends_before_the_cross_takes_its_child_back() -> None:
    floor = Floor()
    number = floor.enter("close", 1_000, 10, given={"auction": 100.0})
    floor.run(10.4)
    assert (floor.ended(number)["state"], floor.done, floor.resting) == (ParentState.EXPIRED, 0, {})
    assert [row["quantity"] for row in entered(floor)] == [1_000]


def test_without_a_limit_price_the_child_is_protected_in_whole_ticks_past_the_touch() -> None:
    for side, price in ((BUY, 1_005_100), (SELL, 995_000)):
        floor = Floor()
        floor.enter("close", 1_000, 10, side, given={"auction": 100.0, "protection": 50.0})
        floor.step()
        assert at_close(floor) == [(VENUE, 1_000, price)]


def test_the_first_venue_with_a_cross_gets_it_and_one_without_a_book_is_not_asked() -> None:
    floor = Floor(venues=(OTHER_VENUE, VENUE), hidden={OTHER_VENUE})
    floor.enter("close", 1_000, 10, given=HALF)
    floor.step()
    assert [venue for venue, *_ in at_close(floor)] == [VENUE]
    assert floor.denials == []


def test_where_the_auction_is_over_the_whole_order_is_worked_in_the_book() -> None:
    floor = Floor(venues=(VENUE, OTHER_VENUE))
    for venue in floor.venues:
        floor.loop.memory.venues[venue]["auctions"] = 0
    number = floor.enter("close", 2_000, 40, given=HALF)
    floor.run(40.4)
    assert {row["reason"] for row in floor.denials} == {DenialReason.AUCTION_MISSING}
    assert 2 <= len(floor.denials) <= 4
    assert (floor.ended(number)["state"], floor.done, at_close(floor)) == (ParentState.DONE, 2_000, [])


def test_a_canceled_order_takes_both_parts_back() -> None:
    floor = Floor()
    number = floor.enter("close", 2_000, 40, given=HALF | {"patience": 30.0})
    floor.run(20)
    assert len(floor.resting) == 2
    floor.loop.commands.parents.cancel(floor.loop.commands.parents.row_of(number))
    floor.answer()
    assert (floor.ended(number)["state"], floor.resting) == (ParentState.CANCELED, {})
