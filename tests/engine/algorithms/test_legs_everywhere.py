"""Legs that go to the best of all venues: what holds of a leg holds over all its children, wherever they are."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from engine.messages import control
from engine.messages.codes import OrderAction, ParentState, RouteReason, Scope, TimeInForce
from tests.engine.algorithms.leg_floor import BUY, LISTED, MIDDLE, PAIR, SELL, TICK, Leg, LegFloor
from tests.engine.algorithms.trading_floor import Child, Floor
from tests.engine.loop_builder import ALPHA, BRAVO, OPEN_NS, START_NS


class Everywhere(LegFloor):
    """Two venues that both list both instruments, at the same prices; a leg is known by its instrument."""

    def __init__(self, legs: list[Leg] = PAIR, **settings: Any) -> None:
        self.instruments: dict[int, int] = {}
        super().__init__(legs, **settings)

    def quote(self, venue: int, middle: int | None = None, spread: int = TICK, shown: int = 500) -> None:
        if middle is not None:
            self.middle[venue] = middle
        at, time_ns = self.middle[venue], OPEN_NS + self.now_ns - START_NS
        for instrument in (ALPHA, BRAVO):
            self.loop.quote(instrument, at - spread, at + spread, time_ns, venue)
        self.answer()

    def take(self, request: dict[str, Any]) -> None:
        self.instruments[request["order_id"]] = request["instrument"]
        super().take(request)

    def fill(self, child: Child, quantity: int, price: int) -> None:
        instrument = self.instruments[child.order_id]
        side = next(side for at, side, *_ in self.legs if LISTED[at] == instrument)
        self.traded[instrument] += quantity if child.side == side else -quantity
        Floor.fill(self, child, quantity, price)
        parts = [Fraction(self.traded[LISTED[at]], whole) for at, _, whole, _ in self.legs]
        self.worst = max(self.worst, (max(parts) - min(parts)) * self.legs[0][2])

    def body(self, seconds: float = 20, strategy: int = 0, **given: float) -> control.EnterParent:
        body = super().body(seconds, strategy, **given)
        return replace(body, legs=[leg | {"venue": control.SMART} for leg in body.legs])


def entered(floor: Everywhere, instrument: int) -> list[tuple[int, int, int, int]]:
    """Venue, price, quantity and time in force of every child of a leg."""
    asked = [row for row in floor.requests if (row["action"], row["instrument"]) == (OrderAction.ENTER, instrument)]
    return [(row["venue"], row["price"], row["quantity"], row["time_in_force"]) for row in asked]


@pytest.mark.parametrize("rule", [0.0, 1.0, 2.0])
def test_whatever_the_markets_do_no_leg_is_too_far_before_the_other(rule: float) -> None:
    limit = {BUY: MIDDLE + 4 * TICK, SELL: MIDDLE - 4 * TICK}
    legs = [(*leg[:3], limit[leg[1]]) for leg in PAIR]
    floor = Everywhere(legs, seed=4, passive=0.15, moves=True, shown=70)
    number = floor.give(20, unhedged=100, rule=rule, patience=1.0, time_out=2.0)

    for _ in range(102):
        before = len(floor.requests)
        floor.step()
        assert len(floor.requests) - before <= 40  # no venue is asked in circles

    assert floor.worst <= 100
    for at, side, _, price in legs:
        children = entered(floor, LISTED[at])
        assert all(asked <= price if side == BUY else asked >= price for _, asked, *_ in children)
    assert {row["venue"] for row in floor.requests} == {1, 2}
    ended = floor.ended(number)
    assert (ended["filled"], ended["legs"], ended["venues"]) == (sum(floor.done_of_legs), 2, 0b11)
    whole = [quantity for _, _, quantity, _ in legs]
    assert ended["state"] == (ParentState.DONE if floor.done_of_legs == whole else ParentState.EXPIRED)
    assert not floor.resting


def test_a_leg_that_crosses_sweeps_both_venues_and_the_other_leg_follows_all_of_it() -> None:
    floor = Everywhere()
    number = floor.give(unhedged=1_000, patience=0)
    floor.until(lambda: floor.state(number) is None)
    assert sorted(entered(floor, ALPHA)[:2]) == [(venue, MIDDLE + TICK, 500, TimeInForce.IOC) for venue in (1, 2)]
    assert floor.done_of_legs == [1_000, 600]
    assert floor.ended(number)["state"] == ParentState.DONE


def test_a_leg_that_rests_is_one_child_where_it_is_expected_to_cost_least_and_is_explained() -> None:
    floor = Everywhere()
    floor.loop.define_venue(1, maker_fee="30")
    floor.loop.define_venue(2, maker_fee="-30")
    floor.give(unhedged=100, patience=60)
    floor.step()
    [child] = floor.resting.values()
    assert entered(floor, ALPHA) == [(2, MIDDLE - TICK, 100, TimeInForce.DAY)]
    explained = [(row["venue"], row["reason"], row["rest_order_id"]) for row in floor.routes]
    assert sorted(explained) == [(1, RouteReason.COSTS_MORE, 0), (2, RouteReason.RESTED, child.order_id)]


def test_a_leg_sees_the_best_price_of_any_venue_and_follows_there() -> None:
    floor = Everywhere()
    floor.quote(2, MIDDLE + TICK)
    floor.give(unhedged=100, patience=60)
    floor.step()
    floor.fill(next(iter(floor.resting.values())), 100, MIDDLE)
    floor.answer()
    assert [(venue, quantity, force) for venue, _, quantity, force in entered(floor, BRAVO)] == [
        (2, 60, TimeInForce.IOC)
    ]
    assert floor.fills[-1][1:] == (2, MIDDLE, 60)


def test_a_killed_venue_is_left_out() -> None:
    floor = Everywhere()
    floor.loop.kill(Scope.VENUE, 1)
    number = floor.give(unhedged=100, patience=0)
    floor.until(lambda: floor.state(number) is None)
    assert floor.done_of_legs == [1_000, 600]
    assert {row["venue"] for row in floor.requests if row["action"] == OrderAction.ENTER} == {2}


def test_what_is_given_back_is_given_back_anywhere() -> None:
    floor = Everywhere([PAIR[0], (2, SELL, 600, MIDDLE + 50 * TICK)])  # nobody pays that
    number = floor.give(unhedged=100, patience=0, time_out=2.0, unwind=1)
    floor.until(lambda: floor.state(number) is None, 6)
    assert floor.done_of_legs == [0, 0]
    assert (floor.ended(number)["state"], floor.worst) == (ParentState.CANCELED, 100)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"venues": [1, 4]}, "venue 4 is not defined"),
        ({"venues": []}, "a parent order names 1 to 8 different venues"),
        ({"venues": [1, 1]}, "a parent order names 1 to 8 different venues"),
        ({"venues": [3]}, "none of its venues shows a book"),
    ],
)
def test_what_is_wrong_with_it_is_said(changes: dict[str, Any], sentence: str) -> None:
    floor = Everywhere()
    floor.loop.define_venue(3, priced_by="1", feed_line_a="")
    status = floor.loop.command(replace(floor.body(), **changes))
    assert (status.applied, status.reason) == (False, sentence)
