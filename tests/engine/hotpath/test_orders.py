"""Reports that fit no open order: unknown, late, beyond what was asked. The others are in test_order_lifecycle."""

from __future__ import annotations

import pytest

from engine.messages.codes import OrderState, RecordKind, ReportKind
from tests.engine.loop_builder import ALPHA, BRAVO, Loop

PRICE = 1_000_000
K = ReportKind


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
    order = loop.order(order_id)
    assert (int(order["state"]), int(order["leaves"]), int(order["filled"])) == (OrderState.FILLED, 0, 130)
    assert (int(loop.leg()["position"]), int(loop.leg()["working_buy"])) == (position + 130, 0)
