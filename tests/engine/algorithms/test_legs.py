"""Multi-leg orders: the ratio is kept, no leg is ever too far before another, a fill is followed as the rule says."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from engine.algorithms import compiled_algorithm
from engine.control.state_frame import StateFrame
from engine.hotpath.market_orders import protected_price
from engine.messages import control
from engine.messages.codes import OrderAction, ParentState, ReportKind, Scope, TimeInForce
from engine.messages.records import runs
from engine.studies.tca.orders import Book
from tests.engine.algorithms.leg_floor import BUY, MIDDLE, PAIR, SELL, TICK, Leg, LegFloor
from tests.engine.loop_builder import ALPHA, BRAVO, SECOND_NS, START_NS, STRATEGY

BASKET: list[Leg] = [(1, BUY, 900, 0), (2, SELL, 300, 0), (3, BUY, 1_200, 0)]  # the third trades in lots of 10
CHASE, JOIN, AT_LIMIT = 0.0, 1.0, 2.0


def entered(floor: LegFloor, venue: int) -> list[tuple[int, int, int, int]]:
    """Side, price, quantity and time in force of every child at a venue."""
    asked = [row for row in floor.requests if row["action"] == OrderAction.ENTER and row["venue"] == venue]
    return [(row["side"], row["price"], row["quantity"], row["time_in_force"]) for row in asked]


@pytest.mark.parametrize("rule", [CHASE, JOIN, AT_LIMIT])
@pytest.mark.parametrize(("legs", "seed"), [(PAIR, 1), (BASKET, 3)])
def test_whatever_the_market_does_no_leg_is_too_far_before_another(legs: list[Leg], seed: int, rule: float) -> None:
    limit = {BUY: MIDDLE + 4 * TICK, SELL: MIDDLE - 4 * TICK}
    floor = LegFloor([(*leg[:3], limit[leg[1]]) for leg in legs], seed=seed, passive=0.15, moves=True, shown=70)
    number = floor.give(20, unhedged=100, rule=rule, patience=float(seed), time_out=2.0)
    limits = {venue: (side, price) for venue, side, _, price in floor.legs}

    for _ in range(102):
        before = len(floor.requests)
        floor.step()
        assert len(floor.requests) - before <= 40  # no venue is asked in circles

    assert floor.worst <= 100
    for venue, (side, price) in limits.items():
        for asked_side, asked_price, *_ in entered(floor, venue):
            assert asked_side == side
            assert asked_price <= price if side == BUY else asked_price >= price
    ended = floor.ended(number)
    assert (ended["filled"], ended["legs"]) == (sum(floor.done_of_legs), len(legs))
    whole = [quantity for _, _, quantity, _ in legs]
    assert ended["state"] == (ParentState.DONE if floor.done_of_legs == whole else ParentState.EXPIRED)
    assert not floor.resting


@pytest.mark.parametrize("legs", [PAIR, BASKET])
def test_a_market_that_allows_it_gets_all_of_it_done_in_the_ratio(legs: list[Leg]) -> None:
    floor = LegFloor(legs)
    number = floor.give(unhedged=100, patience=0)
    floor.until(lambda: floor.state(number) is None)
    assert floor.done_of_legs == [quantity for _, _, quantity, _ in legs]
    assert 0 < floor.worst <= 100
    ended = floor.ended(number)
    assert (ended["state"], ended["quantity"], ended["filled"]) == (ParentState.DONE, *[sum(floor.done_of_legs)] * 2)
    assert (ended["instrument"], ended["side"], ended["venues"]) == (ALPHA, BUY, 0b11 if legs is PAIR else 0b111)


def test_the_value_bounds_what_is_unhedged_too() -> None:
    floor = LegFloor()
    floor.give(unhedged=500, unhedged_value=5_001.0, patience=0)  # 50 shares at 100.01
    floor.run(2)
    assert max(quantity for _, _, quantity, _ in entered(floor, 1)) == 50
    assert 0 < floor.worst <= 50


def test_the_first_leg_waits_for_the_second_and_nothing_follows_what_did_not_fill() -> None:
    floor = LegFloor()
    floor.give(unhedged=100, patience=60)
    floor.run(3)
    assert entered(floor, 1) == [(BUY, MIDDLE - TICK, 100, TimeInForce.DAY)]
    assert entered(floor, 2) == []


@pytest.mark.parametrize("filled", [50, 100])
def test_a_partial_fill_is_chased_with_protection(filled: int) -> None:
    floor = LegFloor()
    floor.give(unhedged=100, patience=60, protection=20)
    floor.step()
    floor.fill(next(iter(floor.resting.values())), filled, MIDDLE - TICK)
    floor.answer()
    price = protected_price(SELL, MIDDLE - TICK, 20.0, 100)
    assert price == 997_902 - 2 + 100  # 20 basis points below the bid of 99.99, on a tick
    assert entered(floor, 2) == [(SELL, price, filled * 6 // 10, TimeInForce.IOC)]
    assert floor.done_of_legs == [filled, filled * 6 // 10]


def test_a_second_leg_that_joins_moves_along_and_is_chased_after_the_time_out() -> None:
    floor = LegFloor()
    floor.give(unhedged=100, patience=60, rule=JOIN, time_out=2.0)
    floor.step()
    floor.fill(next(iter(floor.resting.values())), 100, MIDDLE - TICK)
    floor.answer()
    floor.quote(2, MIDDLE - TICK)  # its touch moves down to where it would wait now
    floor.step()
    joined = entered(floor, 2)
    assert joined == [(SELL, MIDDLE + TICK, 60, TimeInForce.DAY), (SELL, MIDDLE, 60, TimeInForce.DAY)]
    assert floor.done_of_legs == [100, 0]
    floor.run(2.4)
    assert floor.done_of_legs == [100, 60]
    assert entered(floor, 2)[2][3] == TimeInForce.IOC


def test_a_second_leg_that_crosses_at_its_limit_rests_there() -> None:
    floor = LegFloor([PAIR[0], (2, SELL, 600, MIDDLE)])
    floor.give(unhedged=100, patience=60, rule=AT_LIMIT, time_out=60)
    floor.step()
    floor.fill(next(iter(floor.resting.values())), 100, MIDDLE - TICK)
    floor.answer()
    floor.run(1)
    assert entered(floor, 2) == [(SELL, MIDDLE, 60, TimeInForce.DAY)]
    floor.quote(2, MIDDLE + 2 * TICK)
    [resting] = [child for child in floor.resting.values() if child.venue == 2]
    floor.fill(resting, 60, MIDDLE)
    floor.answer()
    assert floor.done_of_legs == [100, 60]


def test_after_the_time_out_what_is_unhedged_is_given_back_and_the_order_ends() -> None:
    floor = LegFloor([PAIR[0], (2, SELL, 600, MIDDLE + 50 * TICK)])  # nobody pays that
    number = floor.give(unhedged=100, patience=0, time_out=2.0, unwind=1)
    floor.run(1)
    assert floor.done_of_legs == [100, 0]
    floor.until(lambda: floor.state(number) is None, 4)
    assert floor.done_of_legs == [0, 0]
    assert entered(floor, 1)[-1][0] == SELL
    ended = floor.ended(number)
    assert (ended["state"], ended["filled"]) == (ParentState.CANCELED, 0)
    assert int(floor.loop.cell(0)["position"]) == 0
    assert floor.worst == 100


def test_unwinding_keeps_what_matches() -> None:
    floor = LegFloor([PAIR[0], (2, SELL, 600, MIDDLE - TICK)])
    number = floor.give(unhedged=100, patience=60, time_out=1.0, unwind=1)
    floor.step()
    for expected in ([100, 60], [200, 60]):
        floor.fill(next(iter(floor.resting.values())), 100, MIDDLE - TICK)
        floor.answer()
        assert floor.done_of_legs == expected
        floor.quote(2, MIDDLE - 5 * TICK)  # beyond the second leg's limit from now on
        floor.step()
    floor.until(lambda: floor.state(number) is None, 3)
    assert floor.done_of_legs == [100, 60]
    assert (floor.ended(number)["state"], floor.ended(number)["filled"]) == (ParentState.CANCELED, 160)


def test_a_refused_second_leg_stops_the_first() -> None:
    floor = LegFloor()
    floor.loop.kill(Scope.VENUE, 2)
    floor.give(unhedged=80, patience=0)
    floor.run(5)
    assert floor.done_of_legs == [80, 0]
    assert {row["venue"] for row in floor.denials} == {2}
    assert floor.worst == 80


def test_a_leg_that_the_venue_rejects_is_asked_for_again() -> None:
    floor = LegFloor()
    floor.unanswered.add(2)
    floor.give(unhedged=100, patience=0)
    floor.step()
    [child] = [child for child in floor.resting.values() if child.venue == 2]
    assert floor.done_of_legs == [100, 0]
    floor.unanswered.clear()
    floor.resting.pop(child.order_id)
    floor.loop.report(ReportKind.REJECTED, child.order_id, venue=2)
    floor.answer()
    floor.run(5)
    assert floor.done_of_legs == [1_000, 600]
    assert floor.worst <= 100


def test_a_venue_that_does_not_answer_keeps_its_shares_and_the_first_leg_waits() -> None:
    floor = LegFloor()
    floor.unanswered.add(2)
    number = floor.give(10, unhedged=100, patience=0, time_out=1.0, unwind=1)
    floor.run(11)
    assert floor.done_of_legs == [100, 0]  # what is open there may have been traded: nothing is given back
    assert len(entered(floor, 2)) == 1
    assert int(floor.state(number)["state"]) == ParentState.EXPIRING


def test_canceled_it_stays_as_it_is() -> None:
    floor = LegFloor(passive=0.3, seed=5)
    number = floor.give(unhedged=100, patience=60, rule=JOIN, time_out=60)
    floor.until(lambda: floor.done_of_legs[0] > 0)
    floor.loop.applied(control.CancelParent(number))
    floor.answer()
    assert not floor.resting
    assert floor.ended(number)["state"] == ParentState.CANCELED
    assert floor.worst <= 100


def test_a_fill_that_is_taken_back_is_followed_again() -> None:
    floor = LegFloor()
    number = floor.give(unhedged=100, patience=60)
    floor.step()
    floor.fill(next(iter(floor.resting.values())), 50, MIDDLE - TICK)
    floor.answer()
    [second] = [row["order_id"] for row in floor.requests if row["venue"] == 2]
    assert (int(floor.state(number)["filled"]), floor.done_of_legs) == (80, [50, 30])

    floor.loop.report(ReportKind.BROKEN, second, venue=2)
    assert int(floor.state(number)["filled"]) == 50
    floor.step()

    assert [quantity for _, _, quantity, _ in entered(floor, 2)] == [30, 30]
    assert int(floor.state(number)["filled"]) == 80


def test_the_children_of_a_strategy_count_for_its_legs() -> None:
    floor = LegFloor()
    assert floor.loop.start_pairs(parameters={**_quiet()}).applied
    status = floor.loop.command(floor.body(20, STRATEGY, unhedged=100, patience=0))
    assert status.applied, status.reason
    floor.run(4)
    assert [int(floor.loop.leg(at)["position"]) for at in (0, 1)] == [1_000, -600]
    refused = floor.loop.command(LegFloor(BASKET).body(20, STRATEGY, unhedged=100))
    assert "does not trade CHARLIE" in refused.reason


def _quiet() -> dict[str, float]:
    """Parameters with which the pairs strategy itself does nothing."""
    return {
        "hedge_ratio": 1.0, "centre": 0.0, "deviation": 10_000.0, "entry": 20.0, "exit": 0.5, "quantity": 100,
        "patience": 2.0, "memory": 0.0, "routing": 0.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"legs": []}, "works an order of several legs"),
        ({"algorithm": "twap"}, "works one instrument"),
        ({"one": True}, "2 to 4 legs"),
        ({"twice": True}, "each leg is another instrument"),
        ({"quantity": 7}, "those of all its legs"),
        ({"side": SELL}, "those of its first leg"),
        ({"lots": 601, "quantity": 1_601}, ""),
        ({"unhedged": 2}, "an unhedged limit of at least 3 shares of leg 1"),
        ({"rule": AT_LIMIT}, "leg 2 needs a limit price"),
        ({"venue": 4}, "venue 4 is not defined"),
    ],
)
def test_what_is_wrong_with_it_is_said(changes: dict[str, Any], sentence: str) -> None:
    floor = LegFloor()
    given = {name: changes[name] for name in ("unhedged", "rule") if name in changes}
    body = floor.body(20, **given)
    fields = {name: changes[name] for name in ("legs", "quantity", "side") if name in changes}
    legs = [dict(leg) for leg in body.legs]
    if "one" in changes:
        fields["legs"] = legs[:1]
    if "twice" in changes:
        fields["legs"] = [legs[0], legs[1] | {"instrument": ALPHA}]
    if "lots" in changes:
        fields["legs"] = [legs[0], legs[1] | {"quantity": changes["lots"]}]
    if "venue" in changes:
        fields |= {"legs": [legs[0], legs[1] | {"venue": 4}], "venues": [1, 4]}
    if "algorithm" in changes:
        kind = compiled_algorithm("twap")
        values = {parameter.name: parameter.default for parameter in kind.module.PARAMETERS}
        fields |= {"algorithm": "twap", "kind_hash": kind.hash, "parameters": values}
    status = floor.loop.command(replace(body, **fields))
    assert status.applied == (not sentence), status.reason
    assert sentence in status.reason


def test_the_screens_see_each_leg() -> None:
    floor = LegFloor()
    floor.give(unhedged=100, patience=60)
    floor.step()
    [row] = StateFrame(floor.loop.configuration, 1, "paper").make()["parents"]
    assert row["legs"] == [
        {"instrument": ALPHA, "side": BUY, "quantity": 1_000, "filled": 0, "unwound": 0},
        {"instrument": BRAVO, "side": SELL, "quantity": 600, "filled": 0, "unwound": 0},
    ]
    assert (row["working"], row["average_price"]) == (100, None)
    assert row["end_ns"] == START_NS + 20 * SECOND_NS


def test_a_cost_report_has_a_parent_for_each_leg() -> None:
    floor = LegFloor()
    kept: list[bytes] = []
    take = floor.loop.journal.take
    floor.loop.journal.take = lambda: kept.append(take()) or kept[-1]  # type: ignore[func-returns-value,method-assign]
    number = floor.give(unhedged=100, patience=0)
    floor.until(lambda: floor.state(number) is None)

    book = Book(SimpleNamespace(journal=lambda: runs(b"".join(kept))))  # type: ignore[arg-type]

    rows = [(row.parent_id, row.instrument, row.side, row.quantity, row.filled) for row in book.parents]
    assert rows == [(number, ALPHA, BUY, 1_000, 1_000), (number, BRAVO, SELL, 600, 600)]
    assert all(row.ended_ns >= row.decided_ns for row in book.parents)
