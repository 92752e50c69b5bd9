"""Every short sequence of answers, requests and session changes, in every order, against the plain model."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from engine.hotpath.requests import cancel
from engine.messages.codes import OrderState, RecordKind, ReportKind
from tests.engine.hotpath.order_model import OrderModel
from tests.engine.loop_builder import ALPHA, BRAVO, BUY, DOWN, STRATEGY, UP, Loop

PRICE = 1_000_000
K = ReportKind
Event = tuple[Callable[[Loop, int], object], Callable[[OrderModel], None]]

EVENTS: dict[str, Event] = {
    "accepted": (lambda loop, n: loop.report(K.ACCEPTED, n, 100, PRICE), lambda m: m.accepted()),
    "executed part": (lambda loop, n: loop.report(K.EXECUTED, n, 40, PRICE), lambda m: m.executed(40)),
    "executed all": (lambda loop, n: loop.report(K.EXECUTED, n, 100, PRICE), lambda m: m.executed(100)),
    "canceled part": (lambda loop, n: loop.report(K.CANCELED, n, 30), lambda m: m.canceled(30)),
    "canceled": (lambda loop, n: loop.report(K.CANCELED, n), lambda m: m.canceled(0)),
    "rejected": (lambda loop, n: loop.report(K.REJECTED, n), lambda m: m.end(OrderState.REJECTED)),
    "expired": (lambda loop, n: loop.report(K.EXPIRED, n), lambda m: m.end(OrderState.EXPIRED)),
    "cancel rejected": (lambda loop, n: loop.report(K.CANCEL_REJECTED, n), lambda m: m.cancel_rejected()),
    "cancel pending": (lambda loop, n: loop.report(K.CANCEL_PENDING, n), lambda m: None),
    "not sent": (lambda loop, n: loop.report(K.NOT_SENT, n), lambda m: m.end(OrderState.DENIED)),
    "cancel asked": (lambda loop, n: cancel(loop.address, n), lambda m: m.ask_cancel()),
    "session down": (lambda loop, n: loop.session(state=DOWN), lambda m: m.session_down()),
}
EVENTS["session up, seen"] = (
    lambda loop, n: loop.session(state=UP, next_reference=n + 1),
    lambda m: m.session_up(m.order_id + 1),
)
EVENTS["session up, not seen"] = (
    lambda loop, n: loop.session(state=UP, next_reference=n),
    lambda m: m.session_up(m.order_id),
)


@pytest.fixture(scope="module")
def loop() -> Loop:
    """A running strategy that wants nothing: its second instrument has no book."""
    made = Loop()
    made.wide_limits(
        firm={"position": 1_000_000, "orders_per_second": 1_000_000},
        team={"position": 1_000_000, "orders_per_second": 1_000_000},
        strategy={"position": 1_000_000, "orders_per_second": 1_000_000},
    )
    made.quote(ALPHA, 999_900, 1_000_100)
    assert made.start_pairs(instruments=[ALPHA, BRAVO]).applied
    return made


def measured(loop: Loop, order_id: int) -> dict[str, int]:
    order, leg = loop.order(order_id), loop.leg()
    strategy = loop.memory.strategies[loop.configuration.strategy_rows[STRATEGY]]
    team = loop.configuration.team_account(5)
    return {
        "state": int(order["state"]),
        "leaves": int(order["leaves"]),
        "filled": int(order["filled"]),
        "working of the leg": int(leg["working_buy"]),
        "working of the team": int(loop.cell(team)["working_buy"]),
        "working of the firm": int(loop.cell(0)["working_buy"]),
        "position": int(leg["position"]),
        "open orders": int(leg["open_orders"]),
        "order of the leg": int(leg["order_id"]),
        "canceling": int(order["canceling"]) if leg["open_orders"] else 0,
        "leg is canceling": int(leg["canceling"]),
        "working": int(strategy["working"]),
    }


def expected(model: OrderModel, position: int) -> dict[str, int]:
    canceling = int(model.is_open and model.canceling)
    return {
        "state": int(model.state),
        "leaves": model.leaves,
        "filled": model.filled,
        "working of the leg": model.leaves,
        "working of the team": model.leaves,
        "working of the firm": model.leaves,
        "position": position + model.filled,
        "open orders": int(model.is_open),
        "order of the leg": model.order_id if model.is_open else 0,
        "canceling": canceling,
        "leg is canceling": canceling,
        "working": int(model.is_open),
    }


@pytest.mark.parametrize("first", EVENTS)
def test_every_three_events_leave_the_order_as_the_model_says(loop: Loop, first: str) -> None:
    for names in product([first], EVENTS, EVENTS):
        position = int(loop.leg()["position"])
        order_id = loop.enter_for_strategy(BUY, 100, PRICE)
        assert order_id > 0
        model = OrderModel(order_id, 100)
        for at, name in enumerate(names):
            happen, happen_to_model = EVENTS[name]
            happen(loop, order_id)
            happen_to_model(model)
            assert measured(loop, order_id) == expected(model, position), names[: at + 1]
        loop.session()
        loop.report(K.EXPIRED, order_id)
        assert int(loop.cell(0)["working_buy"]) == 0, names
        loop.journal.take()
        if position > 500_000:
            loop.leg()["position"] = loop.cell(0)["position"] = 0
            loop.cell(loop.configuration.team_account(5))["position"] = 0


def test_a_report_about_an_unknown_order_is_counted_and_changes_nothing(loop: Loop) -> None:
    before = loop.memory.cells.tobytes(), loop.memory.legs.tobytes(), loop.memory.orders.tobytes()
    unknown = int(loop.core["unknown_reports"])
    loop.taken()
    loop.report(K.EXECUTED, 999_999, 100, PRICE)
    assert int(loop.core["unknown_reports"]) == unknown + 1
    assert (loop.memory.cells.tobytes(), loop.memory.legs.tobytes(), loop.memory.orders.tobytes()) == before
    (report,) = loop.bodies(RecordKind.ORDER_REPORT)
    assert (report["order_id"], report["quantity"], report["strategy"], report["state"]) == (999_999, 100, 0, 0)


def test_an_answer_after_the_end_is_marked_as_a_duplicate(loop: Loop) -> None:
    order_id = loop.enter_for_strategy()
    loop.report(K.CANCELED, order_id)
    loop.taken()
    loop.report(K.CANCELED, order_id)
    (again,) = loop.bodies(RecordKind.ORDER_REPORT)
    assert (again["duplicate"], again["state"], again["leaves"]) == (1, OrderState.CANCELED, 0)


def test_a_fill_beyond_the_order_is_booked_whole_and_ends_it(loop: Loop) -> None:
    position = int(loop.leg()["position"])
    order_id = loop.enter_for_strategy(quantity=100)
    loop.report(K.EXECUTED, order_id, 130, PRICE)
    assert measured(loop, order_id) == expected(OrderModel(order_id, 0, OrderState.FILLED, 130), position)
