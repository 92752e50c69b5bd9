"""Every reason to refuse an order: at the bound, one below, one above."""

from __future__ import annotations

import pytest

from engine.hotpath.mark import DAY_NS
from engine.messages.codes import DenialReason, EngineState, LimitName, RecordKind, ReportKind, Scope
from tests.engine.loop_builder import (
    ALPHA,
    BRAVO,
    BUY,
    CHARLIE,
    DOWN,
    OPEN_NS,
    SECOND_NS,
    SELL,
    STRATEGY,
    TEAM,
    VENUE,
    Loop,
    reason,
)

R = DenialReason
BID, ASK, MIDDLE = 999_900, 1_000_100, 1_000_000
LARGEST_PRICE, LARGEST_QUANTITY = 1 << 37, 1 << 24


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits()
    made.quote(ALPHA, BID, ASK)
    made.quote(CHARLIE, BID, ASK)
    return made


def last_denial(loop: Loop) -> dict[str, int]:
    return loop.bodies(RecordKind.DENIAL)[-1]


FIELDS = [
    ({"instrument": 3, "quantity": 10}, R.NONE),
    ({"instrument": 4}, R.UNKNOWN_INSTRUMENT),
    ({"instrument": 0}, R.UNKNOWN_INSTRUMENT),
    ({"instrument": -1}, R.UNKNOWN_INSTRUMENT),
    ({"venue": 0}, R.VENUE_DOWN),
    ({"venue": 5}, R.VENUE_DOWN),
    ({"side": 0}, R.INVALID_FIELD),
    ({"side": 1}, R.NONE),
    ({"side": 2}, R.NONE),
    ({"side": 3}, R.INVALID_FIELD),
    ({"time_in_force": 0}, R.INVALID_FIELD),
    ({"time_in_force": 1}, R.NONE),
    ({"time_in_force": 3}, R.NONE),
    ({"time_in_force": 4}, R.NONE),
    ({"time_in_force": 6}, R.NONE),
    ({"time_in_force": 7}, R.TIME_IN_FORCE),
    ({"time_in_force": 8}, R.TIME_IN_FORCE),
    ({"time_in_force": 9}, R.INVALID_FIELD),
    ({"price": 0}, R.INVALID_FIELD),
    ({"price": -100}, R.INVALID_FIELD),
    ({"quantity": 0}, R.INVALID_FIELD),
    ({"quantity": -1}, R.INVALID_FIELD),
    ({"quantity": 1}, R.NONE),
    ({"price": MIDDLE - 1}, R.TICK_SIZE),
    ({"price": MIDDLE + 1}, R.TICK_SIZE),
    ({"instrument": 3, "quantity": 10, "price": MIDDLE + 50}, R.NONE),
    ({"instrument": 3, "quantity": 9}, R.INVALID_FIELD),
    ({"instrument": 3, "quantity": 11}, R.INVALID_FIELD),
    ({"price": LARGEST_PRICE // 100 * 100, "quantity": 1}, R.ORDER_VALUE),
    ({"price": LARGEST_PRICE + 1, "quantity": 1}, R.NOTIONAL_OVERFLOW),
    ({"price": 1 << 62, "quantity": 1 << 62}, R.NOTIONAL_OVERFLOW),
    ({"quantity": LARGEST_QUANTITY}, R.ORDER_QUANTITY),
    ({"quantity": LARGEST_QUANTITY + 1}, R.NOTIONAL_OVERFLOW),
]


@pytest.mark.parametrize(("fields", "expected"), FIELDS)
def test_fields_of_an_order(loop: Loop, fields: dict[str, int], expected: DenialReason) -> None:
    assert reason(loop.enter(**fields)) == expected


def test_order_quantity(loop: Loop) -> None:
    loop.wide_limits(firm={"order_quantity": 100})
    assert [reason(loop.enter(quantity=q)) for q in (99, 100, 101)] == [R.NONE, R.NONE, R.ORDER_QUANTITY]


def test_order_value(loop: Loop) -> None:
    loop.wide_limits(firm={"order_value": 50 * MIDDLE})
    asked = [(49, MIDDLE), (50, MIDDLE), (50, MIDDLE + 100), (51, MIDDLE)]
    outcomes = [reason(loop.enter(quantity=quantity, price=price)) for quantity, price in asked]
    assert outcomes == [R.NONE, R.NONE, R.ORDER_VALUE, R.ORDER_VALUE]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_price_collar_on_both_sides_of_the_middle(loop: Loop, side: int) -> None:
    loop.wide_limits(firm={"collar_basis_points": 10})
    prices = [MIDDLE - 1_100, MIDDLE - 1_000, MIDDLE - 900, MIDDLE + 900, MIDDLE + 1_000, MIDDLE + 1_100]
    outcomes = [reason(loop.enter(side, 1, price)) for price in prices]
    assert outcomes == [R.PRICE_COLLAR, R.NONE, R.NONE, R.NONE, R.NONE, R.PRICE_COLLAR]


def test_a_collar_of_zero_allows_the_middle_alone(loop: Loop) -> None:
    loop.wide_limits(firm={"collar_basis_points": 0})
    outcomes = [reason(loop.enter(price=price)) for price in (MIDDLE - 100, MIDDLE, MIDDLE + 100)]
    assert outcomes == [R.PRICE_COLLAR, R.NONE, R.PRICE_COLLAR]


def test_without_a_live_reference_there_is_no_collar_and_no_order(loop: Loop) -> None:
    assert reason(loop.enter(instrument=BRAVO)) == R.REFERENCE_MISSING
    loop.packet([loop.add(BRAVO, BUY, BID)])
    assert reason(loop.enter(instrument=BRAVO)) == R.REFERENCE_MISSING
    loop.packet([loop.add(BRAVO, SELL, ASK)])
    assert reason(loop.enter(instrument=BRAVO)) == R.NONE


def test_a_book_that_lost_one_side_is_no_reference_any_more(loop: Loop) -> None:
    _, ask = loop.quoted[VENUE, ALPHA]
    loop.packet([loop.delete(ask)])
    assert reason(loop.enter()) == R.REFERENCE_MISSING


def test_the_reference_is_of_the_venue_that_the_order_goes_to(loop: Loop) -> None:
    assert reason(loop.enter(venue=2)) == R.REFERENCE_MISSING
    loop.quote(ALPHA, BID // 2, ASK // 2, venue=2)
    assert reason(loop.enter(venue=2)) == R.PRICE_COLLAR


def test_long_position_with_working_orders(loop: Loop) -> None:
    loop.wide_limits(firm={"position": 300})
    first = loop.enter(BUY, 200)
    assert [reason(loop.enter(BUY, q)) for q in (101, 100, 1)] == [R.POSITION, R.NONE, R.POSITION]
    loop.report(ReportKind.EXECUTED, first, 200, MIDDLE)
    assert reason(loop.enter(BUY, 1)) == R.POSITION
    assert reason(loop.enter(SELL, 500)) == R.NONE
    assert reason(loop.enter(SELL, 1)) == R.POSITION


def test_a_canceled_order_gives_its_room_back(loop: Loop) -> None:
    loop.wide_limits(firm={"position": 300})
    first = loop.enter(BUY, 300)
    assert reason(loop.enter(BUY, 1)) == R.POSITION
    loop.report(ReportKind.CANCELED, first)
    assert reason(loop.enter(BUY, 300)) == R.NONE


def test_short_position_with_working_orders(loop: Loop) -> None:
    loop.wide_limits(firm={"position": 300})
    assert [reason(loop.enter(SELL, q)) for q in (301, 300, 1)] == [R.POSITION, R.NONE, R.POSITION]


def test_daily_loss_at_the_mark(loop: Loop) -> None:
    bought = loop.enter(BUY, 100, ASK)
    loop.report(ReportKind.EXECUTED, bought, 100, ASK)
    for loss, expected in ((9_999, R.DAILY_LOSS), (10_000, R.NONE), (10_001, R.NONE)):
        loop.wide_limits(firm={"daily_loss": loss})
        loop.market_time(loop.core["market_time_ns"] + SECOND_NS)
        assert reason(loop.enter(BUY, 1)) == expected


def test_the_daily_loss_counts_from_midnight(loop: Loop) -> None:
    bought = loop.enter(BUY, 100, ASK)
    loop.report(ReportKind.EXECUTED, bought, 100, ASK)
    loop.wide_limits(firm={"daily_loss": 9_999})
    loop.market_time(loop.core["market_time_ns"] + SECOND_NS)
    loop.clock((int(loop.core["day"]) + 1) * DAY_NS - 1)
    loop.market_time(loop.core["market_time_ns"])
    assert reason(loop.enter(BUY, 1)) == R.DAILY_LOSS
    loop.clock((int(loop.core["day"]) + 1) * DAY_NS)
    loop.market_time(loop.core["market_time_ns"])
    assert reason(loop.enter(BUY, 1)) == R.NONE
    assert int(loop.memory.accounts[0]["day_start"]) == -10_000


def test_engine_states(loop: Loop) -> None:
    outcomes = {}
    for state in EngineState:
        loop.core["state"] = state
        outcomes[state.name] = reason(loop.enter())
    refused = dict.fromkeys(("STARTING", "RECONCILING", "REDUCE", "HALTED"), R.ENGINE_NOT_ACTIVE)
    assert outcomes == refused | {"ACTIVE": R.NONE}


def test_a_session_that_is_not_up(loop: Loop) -> None:
    loop.session(state=DOWN)
    assert reason(loop.enter()) == R.VENUE_DOWN
    loop.session()
    assert reason(loop.enter()) == R.NONE


def test_a_dirty_book(loop: Loop) -> None:
    loop.memory.venues[VENUE]["dirty"] = 1
    assert reason(loop.enter()) == R.BOOK_DIRTY


REDUCING = ["reduce", "dirty", "loss"]


@pytest.mark.parametrize("obstacle", REDUCING)
@pytest.mark.parametrize(("held", "out"), [(BUY, SELL), (SELL, BUY)])
def test_orders_that_only_reduce_pass_what_stops_new_risk(loop: Loop, obstacle: str, held: int, out: int) -> None:
    opened = loop.enter(held, 100)
    loop.report(ReportKind.EXECUTED, opened, 100, MIDDLE)
    if obstacle == "reduce":
        loop.core["state"] = EngineState.REDUCE
    elif obstacle == "dirty":
        loop.memory.venues[VENUE]["dirty"] = 1
    else:
        loop.memory.accounts[0]["cash"] -= 2_000_000_000
    refusal = {"reduce": R.ENGINE_NOT_ACTIVE, "dirty": R.BOOK_DIRTY, "loss": R.DAILY_LOSS}[obstacle]
    assert reason(loop.enter(held, 1)) == refusal
    assert reason(loop.enter(out, 101)) == refusal
    assert reason(loop.enter(out, 60)) == R.NONE
    assert reason(loop.enter(out, 41)) == refusal
    assert reason(loop.enter(out, 40)) == R.NONE
    assert reason(loop.enter(out, 1)) == refusal


def test_the_order_table_is_full_when_the_slot_is_still_open() -> None:
    loop = Loop(order_capacity=4)
    loop.wide_limits()
    loop.quote(ALPHA, BID, ASK)
    orders = [loop.enter() for _ in range(4)]
    assert orders == [1, 2, 3, 4]
    assert reason(loop.enter()) == R.CAPACITY
    denial = last_denial(loop)
    assert (denial["order_id"], denial["measured"], denial["bound"]) == (5, 4, 4)
    loop.report(ReportKind.CANCELED, 2)
    assert loop.enter() == 6


def test_a_denial_says_what_was_measured_against_what_in_whose_limits(loop: Loop) -> None:
    version = loop.wide_limits(team={"order_quantity": 50})
    loop.taken()
    order_id = int(loop.core["next_order_id"])
    assert reason(loop.enter(SELL, 60, MIDDLE)) == R.ORDER_QUANTITY
    assert loop.bodies(RecordKind.DENIAL) == [
        {
            "position": int(loop.core["position"]),
            "order_id": order_id,
            "price": MIDDLE,
            "quantity": 60,
            "limits_version": version,
            "measured": 60,
            "bound": 50,
            "strategy": 0,
            "team": TEAM,
            "instrument": ALPHA,
            "kind": 0,
            "venue": VENUE,
            "action": 1,
            "side": SELL,
            "time_in_force": 1,
            "reason": R.ORDER_QUANTITY,
            "scope": Scope.TEAM,
            "limit_name": LimitName.ORDER_QUANTITY,
            "scope_id": TEAM,
            "parent_id": 0,
            "signal": 0.0,
        }
    ]


MEASURED = [
    ("order_quantity", 10, {"quantity": 11}, R.ORDER_QUANTITY, 11, 10),
    ("order_value", 10 * MIDDLE, {"quantity": 11}, R.ORDER_VALUE, 11 * MIDDLE, 10 * MIDDLE),
    ("collar_basis_points", 5, {"price": MIDDLE + 1_000}, R.PRICE_COLLAR, 10, 5),
    ("position", 10, {"quantity": 11}, R.POSITION, 11, 10),
    ("orders_per_second", 0, {}, R.ORDER_RATE, 1, 0),
]


@pytest.mark.parametrize(("name", "bound", "order", "expected", "measured", "limit"), MEASURED)
def test_each_bound_is_reported_with_its_measure(
    loop: Loop, name: str, bound: int, order: dict[str, int], expected: DenialReason, measured: int, limit: int
) -> None:
    loop.wide_limits(firm={name: bound})
    assert reason(loop.enter(**order)) == expected
    denial = last_denial(loop)
    found = {key: denial[key] for key in ("measured", "bound", "limit_name", "scope", "scope_id")}
    assert found == {
        "measured": measured,
        "bound": limit,
        "limit_name": LimitName[name.upper()],
        "scope": Scope.FIRM,
        "scope_id": 0,
    }


def test_a_refused_order_reserves_nothing_and_spends_no_rate(loop: Loop) -> None:
    loop.configuration.team_account(TEAM)
    before = loop.memory.cells.tobytes(), loop.memory.accounts.tobytes(), loop.memory.orders.tobytes()
    for fields, expected in FIELDS:
        if expected != R.NONE:
            loop.enter(**fields)
    assert (loop.memory.cells.tobytes(), loop.memory.accounts.tobytes(), loop.memory.orders.tobytes()) == before


def test_a_strategy_order_is_denied_with_its_strategy_and_waits_a_second(loop: Loop) -> None:
    assert loop.start_pairs(instruments=[ALPHA, BRAVO]).applied
    loop.wide_limits(strategy={"order_quantity": 50})
    assert reason(loop.enter_for_strategy(quantity=51)) == R.ORDER_QUANTITY
    denial = last_denial(loop)
    assert (denial["strategy"], denial["scope"], denial["scope_id"]) == (STRATEGY, Scope.STRATEGY, STRATEGY)
    assert int(loop.leg()["retry_after_ns"]) == OPEN_NS + SECOND_NS
