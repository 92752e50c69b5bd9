"""Every algorithm on markets that move and answer: exactly the quantity, never past the limit, a child a venue."""

from __future__ import annotations

from typing import Any

import pytest

from engine.algorithms import ALGORITHMS
from engine.algorithms.children import SMALLEST
from engine.messages.codes import OrderAction, ParentState, ReportKind, RouteReason, Scope, TimeInForce
from tests.engine.algorithms.trading_floor import MIDDLE, TICK, Floor
from tests.engine.loop_builder import BUY, DOWN, OTHER_VENUE, SECOND_NS, SELL, START_NS, VENUE

QUANTITY = 3_000
ONE_INSTRUMENT = [
    name for name, (_, module) in ALGORITHMS.items() if name != "legs" and not hasattr(module, "EMULATES")
]
LIMITS = {BUY: MIDDLE + 3 * TICK, SELL: MIDDLE - 3 * TICK}


def by_slice(floor: Floor, seconds: int, slices: int) -> list[int]:
    """Shares done in each slice of the time."""
    done = [0] * slices
    for at_ns, _, _, quantity in floor.fills:
        done[(at_ns - START_NS) // (seconds * SECOND_NS // slices)] += quantity
    return done


def check_children(floor: Floor, side: int, price: int) -> None:
    """What holds of every request whatever the market did."""
    entered = [row for row in floor.requests if row["action"] == OrderAction.ENTER]
    assert all(row["side"] == side and row["parent_id"] == floor.parents[0]["parent_id"] for row in entered)
    assert all(row["price"] <= price if side == BUY else row["price"] >= price for row in entered)
    assert {int(row["kind"]) for row in entered} <= {number for number, _ in ALGORITHMS.values()}
    assert not floor.resting
    assert not floor.denials


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", ONE_INSTRUMENT)
def test_a_market_that_moves_never_makes_it_trade_too_much_or_too_dear(name: str, seed: int) -> None:
    side = BUY if seed % 2 else SELL
    floor = Floor(seed, venues=(VENUE, OTHER_VENUE), passive=0.1 * seed, moves=True)
    number = floor.enter(name, QUANTITY, 20, side, price=LIMITS[side])

    for _ in range(101):
        before = len(floor.requests)
        floor.step()
        assert len(floor.requests) - before <= 40  # no venue is asked in circles
        floor.trade(floor.dice.randrange(100, 1_000), floor.dice.choice(floor.venues))
        assert floor.done <= QUANTITY
        assert len(floor.resting) <= 2  # one on each venue
        assert floor.done + sum(child.leaves for child in floor.resting.values()) <= QUANTITY

    check_children(floor, side, LIMITS[side])
    ended = floor.ended(number)
    assert ended["filled"] == floor.done
    assert ended["value"] == sum(price * quantity for *_, price, quantity in floor.fills)
    assert ended["state"] == (ParentState.DONE if floor.done == QUANTITY else ParentState.EXPIRED)


@pytest.mark.parametrize("side", [BUY, SELL])
@pytest.mark.parametrize("name", [name for name in ONE_INSTRUMENT if name not in ("pegged", "stop")])
def test_a_market_that_allows_it_gets_all_of_it_done_in_time(name: str, side: int) -> None:
    floor = Floor()
    floor.enter(name, QUANTITY, 20, side, price=LIMITS[side])

    floor.run(20.2)

    check_children(floor, side, LIMITS[side])
    assert floor.done == QUANTITY
    assert floor.parents[-1]["state"] == ParentState.DONE


@pytest.mark.parametrize("name", ONE_INSTRUMENT)
def test_a_market_beyond_the_limit_gets_nothing(name: str) -> None:
    floor = Floor()
    number = floor.enter(name, QUANTITY, 10, BUY, price=MIDDLE - 2 * TICK)

    floor.run(10.4)

    check_children(floor, BUY, MIDDLE - 2 * TICK)
    assert (floor.ended(number)["state"], floor.ended(number)["filled"]) == (ParentState.EXPIRED, 0)


def test_twap_does_each_slice_within_its_time_and_none_before() -> None:
    floor = Floor()
    floor.enter("twap", 1_000, 50, given={"slices": 5, "patience": 2.0})

    floor.run(50)

    assert by_slice(floor, 50, 5) == [200] * 5
    times = [row["time_in_force"] for row in floor.requests if row["action"] == OrderAction.ENTER]
    assert times == [TimeInForce.DAY, TimeInForce.IOC] * 5  # first at the touch, then across


def test_what_is_filled_at_the_touch_does_not_cross() -> None:
    floor = Floor(passive=1.0)
    floor.enter("twap", 1_000, 50, given={"slices": 5, "patience": 2.0})

    floor.run(50)

    assert floor.done == 1_000
    assert {price for *_, price, _ in floor.fills} == {MIDDLE - TICK}


def test_a_child_moves_along_with_the_best_touch_of_all_venues() -> None:
    floor = Floor(venues=(VENUE, OTHER_VENUE))
    floor.enter("twap", 1_000, 50, given={"slices": 1, "patience": 30.0})
    floor.step()
    floor.quote(OTHER_VENUE, MIDDLE + TICK)
    floor.step()

    [child] = floor.resting.values()

    assert child.price == MIDDLE
    assert len(floor.requests) == 3  # entered, canceled, entered


@pytest.mark.parametrize("name", ["twap", "iceberg", "pegged"])
def test_a_child_that_rests_goes_where_the_router_expects_it_to_cost_least(name: str) -> None:
    floor = Floor(venues=(VENUE, OTHER_VENUE))
    floor.loop.define_venue(VENUE, maker_fee="30")
    floor.loop.define_venue(OTHER_VENUE, maker_fee="-30")
    given = {"slices": 1, "patience": 30.0} if name == "twap" else {}
    floor.enter(name, 1_000, 50, given=given)
    floor.step()

    [child] = floor.resting.values()

    assert (child.venue, child.price) == (OTHER_VENUE, MIDDLE - TICK)
    explained = [(row["venue"], row["round"], row["reason"], row["rest_order_id"]) for row in floor.routes]
    assert sorted(explained) == [
        (VENUE, 1, RouteReason.COSTS_MORE, 0),
        (OTHER_VENUE, 1, RouteReason.RESTED, child.order_id),
    ]


def test_a_child_that_rests_is_not_sent_where_one_is_open_and_a_refusal_is_tried_again_in_a_quiet_market() -> None:
    floor = Floor(venues=(VENUE, OTHER_VENUE))
    floor.loop.define_venue(OTHER_VENUE, maker_fee="-30")
    floor.loop.kill(Scope.VENUE, OTHER_VENUE)
    number = floor.enter("twap", 1_000, 50, given={"slices": 1, "patience": 30.0})
    floor.step()
    assert [child.venue for child in floor.resting.values()] == [VENUE]

    floor.loop.kill(Scope.VENUE, VENUE)
    floor.run(10)  # nothing is quoted meanwhile, market time stands
    refused = [row["venue"] for row in floor.denials if row["parent_id"] == number]
    assert {venue: refused.count(venue) for venue in floor.venues} == {VENUE: 4, OTHER_VENUE: 4}  # after 1, 2, 4 s


def test_a_post_only_part_that_a_venue_cancels_by_itself_is_asked_for_again_a_second_later() -> None:
    floor = Floor()
    floor.enter("pegged", 1_000, 50)
    floor.step()
    [part] = floor.resting.values()
    floor.resting.clear()
    floor.loop.report(ReportKind.CANCELED, part.order_id, part.leaves)
    floor.run(0.8)
    assert len(floor.requests) == 1
    floor.run(0.4)
    assert [row["time_in_force"] for row in floor.requests] == [TimeInForce.POST_ONLY] * 2


def test_a_child_that_crosses_sweeps_every_venue_of_the_best_price_at_once() -> None:
    floor = Floor(venues=(VENUE, OTHER_VENUE))
    number = floor.enter("twap", 1_000, 50, given={"slices": 1, "patience": 0.0})
    floor.step()

    children = [row for row in floor.requests if row["parent_id"] == number and row["action"] == OrderAction.ENTER]

    assert sorted((row["venue"], row["quantity"], row["price"]) for row in children[:2]) == [
        (VENUE, 500, MIDDLE + TICK),
        (OTHER_VENUE, 500, MIDDLE + TICK),
    ]
    assert floor.done == 1_000


def test_children_are_not_crumbs_of_the_order() -> None:
    floor = Floor()
    floor.enter("vwap", 10_000, 1_000, given={"patience": 0.0})

    floor.run(1_000)

    sizes = [row["quantity"] for row in floor.requests]
    assert (min(sizes[:-1]), len(sizes) <= 251, floor.done) == (40, True, 10_000)


def test_vwap_follows_the_curve() -> None:
    floor = Floor()
    floor.enter("vwap", 10_000, 100, given={"patience": 0.0})

    floor.run(100)

    waits = 10_000 / SMALLEST  # what is too small for a child of its own comes with the next one
    curve = [1600, 1100, 900, 700, 700, 700, 700, 900, 1100, 1600]
    assert by_slice(floor, 100, 10) == pytest.approx(curve, abs=40 + waits)
    assert floor.done == 10_000


def test_participation_keeps_its_share_of_what_is_traded() -> None:
    floor = Floor(shown=10_000)
    number = floor.enter("participation", 5_000, 100, given={"rate": 10.0, "patience": 0.0, "complete": 0})

    traded = 0
    for _ in range(30):
        floor.trade(730)
        traded += 730
        floor.step()
        assert floor.done == traded // 10  # the venues of this floor do not print our own trades

    assert floor.state(number)["volume"] == traded


def test_an_iceberg_shows_no_more_than_its_display_and_rests_at_its_limit() -> None:
    floor = Floor(passive=1.0)
    floor.enter("iceberg", 1_000, 100, price=MIDDLE - 5 * TICK, given={"display": 300, "complete": 0})

    floor.run(20)

    asked = [(row["price"], row["quantity"]) for row in floor.requests]
    assert max(quantity for _, quantity in asked) == 300
    assert {price for price, _ in asked} == {MIDDLE - 5 * TICK}
    assert floor.done == 1_000


def test_an_iceberg_that_may_trade_at_once_asks_for_no_more_than_the_market_wants() -> None:
    floor = Floor(shown=100, passive=0.2)
    floor.enter("iceberg", 1_000, 100, price=MIDDLE * 2, given={"display": 300, "complete": 0})
    floor.run(1)
    first = [(row["price"], row["quantity"]) for row in floor.requests]

    floor.quote(VENUE, MIDDLE + 5 * TICK)
    floor.run(90)

    assert first == [(MIDDLE + TICK, 300)]
    assert {row["price"] for row in floor.requests} == {MIDDLE + TICK, MIDDLE + 6 * TICK}
    assert (floor.done, floor.denials) == (1_000, [])


def test_a_sniper_shows_nothing_until_its_price_is_there_and_takes_no_more_than_is_offered() -> None:
    floor = Floor()
    floor.enter("sniper", 800, 100, price=MIDDLE, given={"least": 1})
    floor.run(2)
    shown_before = list(floor.requests)

    floor.quote(VENUE, MIDDLE - TICK)

    asked = [(row["price"], row["quantity"], row["time_in_force"]) for row in floor.requests]
    assert shown_before == []
    assert asked == [(MIDDLE, 500, TimeInForce.IOC), (MIDDLE, 300, TimeInForce.IOC)]


def test_close_does_most_of_it_late() -> None:
    floor = Floor()
    floor.enter("close", 8_000, 40, given={"lateness": 3.0, "patience": 0.0})

    floor.run(40)

    assert by_slice(floor, 40, 2) == pytest.approx([1_000, 7_000], abs=60)


def test_progress_says_what_is_scheduled_and_what_is_done() -> None:
    floor = Floor()
    number = floor.enter("twap", 1_000, 50, given={"slices": 5, "patience": 1.0})
    floor.run(12)

    state: Any = floor.state(number)

    assert (int(state["scheduled"]), int(state["filled"])) == (400, 400)


@pytest.mark.parametrize("name", ["twap", "vwap", "shortfall", "close", "sniper"])
def test_a_venue_that_is_lost_keeps_its_child_and_the_rest_goes_on_elsewhere(name: str) -> None:
    floor = Floor(venues=(VENUE, OTHER_VENUE))
    floor.quote(VENUE, MIDDLE, spread=TICK)
    number = floor.enter(name, QUANTITY, 20, BUY, price=LIMITS[BUY])
    floor.unanswered = {VENUE}
    floor.run(2)
    floor.loop.session(VENUE, DOWN)
    floor.run(17.9)

    [*silent] = [child for child in floor.resting.values() if child.venue == VENUE]
    assert len(silent) <= 1
    held = sum(child.leaves for child in silent)
    assert floor.done == QUANTITY - held
    floor.run(1)
    if held:  # its outcome is unknown: the parent order does not end before the venue has told
        assert floor.state(number) is not None
        floor.loop.session(VENUE, next_reference=silent[0].order_id)  # the venue never saw it
        floor.answer()
    assert floor.ended(number)["filled"] == QUANTITY - held


def test_a_venue_that_shows_no_book_is_offered_a_part_and_what_it_does_not_take_crosses() -> None:
    floor = Floor(venues=(VENUE, OTHER_VENUE), hidden={OTHER_VENUE})
    number = floor.enter("twap", 800, 30, given={"slices": 1, "patience": 5.0})
    floor.run(1)

    floor.trade(900)
    assert int(floor.state(number)["volume"]) == 900  # both venues are priced by one listing
    shown, hidden = sorted(floor.resting.values(), key=lambda child: child.venue)
    assert (shown.price, shown.leaves, hidden.price, hidden.leaves) == (MIDDLE - TICK, 600, MIDDLE + TICK, 200)

    floor.fill(hidden, 150, MIDDLE)  # in the middle, better than it might have paid
    floor.run(10)

    assert not floor.resting
    assert floor.done == 800
    assert {venue for _, venue, *_ in floor.fills} == {VENUE, OTHER_VENUE}


def test_a_hidden_venue_is_paid_no_more_than_the_limit() -> None:
    floor = Floor(venues=(VENUE, OTHER_VENUE), hidden={OTHER_VENUE})
    floor.enter("twap", 800, 30, price=MIDDLE, given={"slices": 1, "patience": 5.0})
    floor.run(1)

    assert sorted((child.venue, child.price) for child in floor.resting.values()) == [
        (VENUE, MIDDLE - TICK),
        (OTHER_VENUE, MIDDLE),
    ]


def test_a_hidden_venue_alone_is_offered_all_of_it() -> None:
    floor = Floor(venues=(VENUE, OTHER_VENUE), hidden={OTHER_VENUE})
    floor.enter("twap", 800, 10, venues=[OTHER_VENUE], given={"slices": 1, "patience": 5.0})
    floor.run(1)

    [child] = floor.resting.values()

    assert (child.venue, child.leaves, child.price) == (OTHER_VENUE, 800, MIDDLE + TICK)


@pytest.mark.parametrize(("side", "away"), [(BUY, 1), (SELL, -1)])
def test_a_stop_waits_for_its_trigger_and_then_crosses(side: int, away: int) -> None:
    floor = Floor()
    trigger = MIDDLE + away * 5 * TICK
    number = floor.enter("stop", 700, 60, side, given={"trigger": trigger / 10_000})
    floor.quote(VENUE, MIDDLE + away * 3 * TICK)
    floor.run(2)
    assert floor.requests == []

    floor.quote(VENUE, MIDDLE + away * 4 * TICK)
    floor.run(1)

    assert {(price, side) for *_, price, _ in floor.fills} == {(trigger, side)}
    assert floor.ended(number)["filled"] == 700


def test_a_stop_limit_rests_at_its_limit_after_the_trigger_and_stays_triggered() -> None:
    floor = Floor()
    limit = MIDDLE + 5 * TICK
    floor.enter("stop", 700, 60, BUY, price=limit, given={"trigger": (MIDDLE + 5 * TICK) / 10_000})
    floor.quote(VENUE, MIDDLE + 6 * TICK)  # beyond the trigger and the limit
    floor.quote(VENUE, MIDDLE)

    [child] = floor.resting.values()

    assert (child.price, child.leaves, floor.done) == (limit, 700, 0)
    assert [row["time_in_force"] for row in floor.requests] == [TimeInForce.DAY]


def test_a_pegged_order_moves_with_the_touch_and_never_crosses() -> None:
    floor = Floor()
    floor.enter("pegged", 700, 10, BUY, price=MIDDLE + TICK, given={"offset": 0.01, "display": 300})
    prices = []
    for middle in (MIDDLE, MIDDLE + TICK, MIDDLE - TICK, MIDDLE + 9 * TICK):
        floor.quote(VENUE, middle)
        floor.step()
        [child] = floor.resting.values()
        prices.append((child.price, child.leaves))
    floor.run(10)

    assert prices == [(MIDDLE - 2 * TICK, 300), (MIDDLE - TICK, 300), (MIDDLE - 3 * TICK, 300), (MIDDLE, 300)]
    assert floor.done == 0
    assert floor.parents[-1]["state"] == ParentState.EXPIRED
