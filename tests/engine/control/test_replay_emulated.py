"""An order that the engine emulates outlives the engine: it is there after a replay, and ends at its time."""

from __future__ import annotations

import pytest

from engine.hotpath.entries import pass_time
from engine.messages.codes import ParentState, ReportKind, TimeInForce
from tests.engine.control.test_replay import MIDDLE, Lived, long_lived, replayed
from tests.engine.loop_builder import SECOND_NS


@pytest.mark.parametrize("build", ["", "0" * 16])
def test_an_order_good_till_a_time_goes_on_after_a_replay_and_ends_then(
    build: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived = Lived(build=build)
    number = lived.applied(long_lived(lived, TimeInForce.GTD, 200))["parent_id"]
    pass_time(lived.address)
    [order_id] = [int(row["order_id"]) for row in lived.memory.orders if row["parent"] == number]
    lived.report(ReportKind.ACCEPTED, order_id)
    lived.report(ReportKind.EXECUTED, order_id, 50, MIDDLE)
    end_ns = int(lived.core["clock_ns"]) + 4 * SECOND_NS

    made = replayed(lived, monkeypatch)  # as after a kill

    [row] = made.commands.parents.working()
    own, order = made.memory.rows[row][0], made.memory.orders[order_id]
    assert (int(own["parent"]), int(own["state"]), int(own["filled"])) == (number, ParentState.WORKING, 50)
    assert (int(order["leaves"]), int(order["canceling"])) == (150, 0)
    made.memory.core["clock_ns"], made.memory.core["replaying"] = end_ns, 1  # there is nobody to send to
    pass_time(made.memory.address)
    assert (int(own["state"]), int(order["canceling"])) == (ParentState.EXPIRING, 1)
