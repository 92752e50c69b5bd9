"""Parts of a sweep leave so that they arrive together: by hand, against every way in which one may not be sent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.hotpath.entries import pass_time
from engine.hotpath.router_delays import DELAYED_ROWS
from engine.messages import control
from engine.messages.codes import OrderAction, ParentState, RecordKind, ReportKind, Scope, TimeInForce
from engine.messages.records import BodyRecord
from tests.engine.algorithms.trading_floor import Floor
from tests.engine.control.test_replay import Lived, replayed
from tests.engine.hotpath.test_router_orders import ASK, asked, quoted_loop, smart
from tests.engine.loop_builder import ALPHA, BUY, OTHER_VENUE, SECOND_NS, VENUE, Loop

MS_NS = 1_000_000
DAY, IOC = int(TimeInForce.DAY), int(TimeInForce.IOC)
K = ReportKind
NEAR, FAR = (VENUE, 500, ASK, IOC), (OTHER_VENUE, 500, ASK, IOC)


def know(loop: Loop, near_ms: float, far_ms: float) -> Loop:
    """What was learned of how long the two venues take to answer."""
    for venue, ms in ((VENUE, near_ms), (OTHER_VENUE, far_ms)):
        loop.memory.learned[loop.memory.listing(venue, ALPHA)]["latency_ns"] = round(ms * MS_NS)
    return loop


def later(loop: Loop, ns: int) -> None:
    """The loop's timer, when it is due."""
    loop.pass_time(ns)
    if 0 < int(loop.core["timer_ns"]) <= int(loop.core["clock_ns"]):
        pass_time(loop.address)


def test_the_nearer_venue_gets_its_part_when_the_other_is_half_the_difference_further() -> None:
    """Answers take 4 and 10 ms, so the ways take 2 and 5: the near venue's part leaves 3 ms later, both arrive at 5."""
    loop = know(quoted_loop(), 4, 10)
    loop.applied(smart(BUY, 1000, ASK, IOC))
    assert asked(loop) == [FAR]
    later(loop, 3 * MS_NS - 1)
    assert asked(loop) == []
    later(loop, 1)
    records = [record for record in loop.taken() if isinstance(record, BodyRecord)]
    kinds = [RecordKind(record.kind) for record in records]
    assert kinds == [RecordKind.TIMER, RecordKind.ORDER_REQUEST, RecordKind.ROUTE]
    request, route = records[1].body, records[2].body
    assert (request["venue"], request["quantity"], request["price"]) == (VENUE, 500, ASK)
    assert (route["venue"], route["take_order_id"]) == (VENUE, request["order_id"])
    assert int(loop.core["timer_ns"]) == int(loop.core["sweep_due_ns"]) == 0


@pytest.mark.parametrize(("near_ms", "far_ms"), [(0, 10), (10, 10), (9.7, 10), (4, 0)])
def test_nothing_waits_where_nothing_is_known_or_the_ways_are_alike(near_ms: float, far_ms: float) -> None:
    loop = know(quoted_loop(), near_ms, far_ms)
    loop.applied(smart(BUY, 1000, ASK, IOC))
    assert sorted(asked(loop)) == [NEAR, FAR]


def test_prices_do_not_wait_longer_than_five_milliseconds_and_only_what_is_swept_waits() -> None:
    loop = know(quoted_loop(), 4, 400)
    loop.applied(smart(BUY, 1000, ASK, IOC))
    assert asked(loop) == [FAR]
    later(loop, 5 * MS_NS)
    assert asked(loop) == [NEAR]
    alone = know(quoted_loop(), 4, 400)
    alone.memory.venues[VENUE]["taker_fee"] = -50
    alone.applied(smart(BUY, 300, ASK, IOC))
    assert asked(alone) == [(VENUE, 300, ASK, IOC)]


def test_a_wait_is_not_learned_as_the_venues_own() -> None:
    loop = know(quoted_loop(), 4, 10)
    loop.applied(smart(BUY, 1000, ASK, IOC))
    later(loop, 3 * MS_NS)
    (part,) = [row for row in loop.bodies(RecordKind.ORDER_REQUEST) if row["venue"] == VENUE]
    loop.pass_time(4 * MS_NS)
    loop.report(ReportKind.ACCEPTED, part["order_id"], venue=VENUE)
    assert int(loop.memory.learned[loop.memory.listing(VENUE, ALPHA)]["latency_ns"]) == 4 * MS_NS


def test_what_did_not_come_is_routed_again_only_after_the_last_part() -> None:
    loop = know(quoted_loop(), 4, 10)
    loop.applied(smart(BUY, 1000, ASK, IOC))
    (far,) = loop.bodies(RecordKind.ORDER_REQUEST)
    loop.report(ReportKind.CANCELED, far["order_id"], 500, venue=OTHER_VENUE)
    assert asked(loop) == []
    later(loop, 3 * MS_NS)
    (near,) = loop.bodies(RecordKind.ORDER_REQUEST)
    loop.quote(ALPHA, 999_900, ASK + 100, venue=VENUE)
    loop.report(ReportKind.EXECUTED, near["order_id"], 500, ASK, venue=VENUE)
    assert asked(loop) == [(OTHER_VENUE, 500, ASK, IOC)]


def test_a_part_that_the_gate_refuses_in_the_end_leaves_the_rest_to_the_others() -> None:
    loop = know(quoted_loop(), 4, 10)
    loop.applied(smart(BUY, 1000, ASK, IOC))
    (far,) = loop.bodies(RecordKind.ORDER_REQUEST)
    loop.kill(Scope.VENUE, VENUE)
    later(loop, 3 * MS_NS)
    assert len(loop.bodies(RecordKind.DENIAL)) == 1
    loop.report(ReportKind.EXECUTED, far["order_id"], 500, ASK, venue=OTHER_VENUE)
    assert not loop.memory.routed["number"].any()


def test_what_was_decided_before_the_engine_was_away_is_not_sent() -> None:
    loop = know(quoted_loop(), 4, 10)
    loop.applied(smart(BUY, 1000, ASK, IOC))
    (far,) = loop.bodies(RecordKind.ORDER_REQUEST)
    later(loop, 2 * SECOND_NS)
    assert asked(loop) == []
    loop.report(ReportKind.CANCELED, far["order_id"], 500, venue=OTHER_VENUE)
    sent = asked(loop)
    later(loop, 5 * MS_NS)
    assert sum(quantity for _, quantity, *_ in sent + asked(loop)) == 500  # those of the far part alone
    assert not loop.memory.delayed["number"].any()


def test_with_no_room_to_wait_a_part_leaves_at_once() -> None:
    loop = know(quoted_loop(), 4, 10)
    loop.memory.delayed["number"], loop.memory.delayed["due_ns"] = 1 << 40, 1 << 60
    loop.applied(smart(BUY, 1000, ASK, IOC))
    assert asked(loop) == [FAR, NEAR]
    assert len(loop.memory.delayed) == DELAYED_ROWS


@pytest.mark.parametrize("canceled", [False, True])
def test_a_child_that_waits_counts_as_working_and_is_not_sent_for_a_parent_that_stopped(canceled: bool) -> None:
    floor = Floor(venues=(VENUE, OTHER_VENUE), unanswered={VENUE, OTHER_VENUE})
    know(floor.loop, 4, 10)
    parent = floor.enter("twap", 900, 60, given={"slices": 1, "patience": 0.0})
    for _ in range(3):
        floor.step(MS_NS // 2)
    entered = [row for row in floor.requests if row["action"] == OrderAction.ENTER]
    assert [row["venue"] for row in entered] == [OTHER_VENUE]
    waiting = floor.loop.memory.delayed_rows[0]
    assert entered[0]["quantity"] + int(waiting["take_quantity"]) == 900
    if canceled:
        floor.loop.applied(control.CancelParent(parent))
    floor.step(4 * MS_NS)
    entered = [row for row in floor.requests if row["action"] == OrderAction.ENTER]
    assert sum(row["quantity"] for row in entered) == (entered[0]["quantity"] if canceled else 900)
    for row in entered:
        floor.loop.report(K.CANCELED, row["order_id"], row["quantity"], venue=row["venue"])
    if canceled:
        floor.step(MS_NS)
        assert floor.ended(parent)["state"] == ParentState.CANCELED
    assert not floor.loop.memory.delayed["number"].any()


def committed(loop: Loop) -> int:
    """Shares that traded, that are asked for and that wait to be."""
    waiting = loop.memory.delayed_rows[loop.memory.delayed["number"] != 0]
    orders = loop.memory.orders
    asked_for = orders["filled"].sum() + orders["leaves"].sum()
    return int(asked_for + waiting["take_quantity"].sum() + waiting["rest_quantity"].sum())


EVENTS = st.tuples(st.sampled_from(["wait", "accept", "fill", "cancel"]), st.integers(0, 7), st.integers(1, 600))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from([DAY, IOC]), st.lists(EVENTS, max_size=20))
def test_whatever_happens_no_share_is_asked_for_twice_and_nothing_is_left_behind(
    time_in_force: int, events: list[tuple[str, int, int]]
) -> None:
    loop = know(quoted_loop(), 4, 10)
    loop.applied(smart(BUY, 1200, ASK, time_in_force))
    for what, which, amount in [*events, *[("cancel", at, 1) for at in range(4)] * 6]:
        working = [order for order in loop.memory.orders if order["leaves"] > 0]
        if what == "wait" or not working:
            later(loop, amount * 10_000)
            continue
        order = working[which % len(working)]
        number, venue, leaves = (int(order[name]) for name in ("order_id", "venue", "leaves"))
        kind = {"accept": K.ACCEPTED, "fill": K.EXECUTED, "cancel": K.CANCELED}[what]
        loop.report(kind, number, {"accept": 0, "fill": min(amount, leaves), "cancel": leaves}[what], ASK, venue)
        assert committed(loop) <= 1200
    for _ in range(8):
        later(loop, 5 * MS_NS)
        for order in [order for order in loop.memory.orders if order["leaves"] > 0]:
            loop.report(K.CANCELED, int(order["order_id"]), int(order["leaves"]), venue=int(order["venue"]))
    assert not loop.memory.delayed["number"].any()
    assert not loop.memory.routed["number"].any()
    assert committed(loop) == int(loop.memory.orders["filled"].sum())


def test_a_replay_lets_parts_go_at_the_same_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    lived = Lived()
    for round_ in range(3):
        lived.swing(0)
        for venue in (VENUE, OTHER_VENUE):
            lived.quote(ALPHA, 999_900, ASK, lived.now, venue)
        status = lived.command(control.EnterOrder(f"c{round_}", 5, ALPHA, control.SMART, BUY, 1000, ASK, IOC))
        assert status.applied, status.reason
        later(lived, 6 * MS_NS)
        for order in [o for o in lived.memory.orders if o["route"] and o["leaves"] > 0]:
            number, venue = int(order["order_id"]), int(order["venue"])
            lived.pass_time((2 if venue == VENUE else 12) * MS_NS)
            lived.report(ReportKind.ACCEPTED, number, venue=venue)
            lived.report(ReportKind.EXECUTED, number, int(order["leaves"]), ASK, venue)
    learned = [lived.memory.learned[lived.memory.listing(venue, ALPHA)].copy() for venue in (VENUE, OTHER_VENUE)]
    assert 0 < learned[0]["latency_ns"] < learned[1]["latency_ns"]
    again = replayed(lived, monkeypatch)
    for venue, expected in zip((VENUE, OTHER_VENUE), learned, strict=True):
        assert again.memory.learned[again.memory.listing(venue, ALPHA)] == expected
