"""Who hears of what, and what a strategy that asks for nonsense gets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.hotpath.tables import LEGS_PER_STRATEGY, MAX_REQUESTS, ORDER_REPORTED, TOP_CHANGED
from engine.messages import control
from engine.messages.codes import DenialReason, OrderAction, RecordKind, ReportKind
from engine.strategies import STRATEGIES, compiled_kind
from tests.engine.hotpath import told
from tests.engine.loop_builder import ALPHA, BRAVO, BUY, CHARLIE, OPEN_NS, OTHER_VENUE, SELL, STRATEGY, VENUE, Loop

MIDDLE = 1_000_000
ENTER, CANCEL = int(OrderAction.ENTER), int(OrderAction.CANCEL)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    monkeypatch.setitem(STRATEGIES, "told", (99, told))
    made = Loop()
    made.wide_limits()
    for instrument in (ALPHA, BRAVO, CHARLIE):
        made.quote(instrument, MIDDLE - 100, MIDDLE + 100)
    start = made.start_pairs(kind="told", kind_hash=compiled_kind("told").hash, parameters={})
    assert start.applied, start.reason
    made.taken()
    yield made
    compiled_kind.cache_clear()


def state(loop: Loop) -> Any:
    return loop.memory.rows[loop.configuration.strategy_rows[STRATEGY]][0]


def calls(loop: Loop) -> int:
    """Calls since the last look."""
    row = state(loop)
    count, row["calls"] = int(row["calls"]), 0
    return count


def tell(loop: Loop, asks: int = 1, **request: Any) -> None:
    """What the strategy asks for at its next call, and that call."""
    row = state(loop)
    fields = {"action": ENTER, "leg": 0, "side": BUY, "price": MIDDLE, "quantity": 10, "order_id": 0, "signal": 1.5}
    for name, value in (fields | request).items():
        row[name] = value
    row["asks"] = asks
    improve(loop, ALPHA)


def improve(loop: Loop, instrument: int, venue: int = VENUE) -> None:
    """A better bid, taken away again: the top changed twice, in one packet."""
    reference = loop.next_reference
    loop.packet([loop.add(instrument, BUY, MIDDLE), loop.delete(reference, instrument=instrument)], venue)


def test_a_strategy_is_called_once_for_all_that_a_packet_changed(loop: Loop) -> None:
    improve(loop, ALPHA)
    assert (calls(loop), int(state(loop)["event"]), int(state(loop)["time_ns"])) == (1, TOP_CHANGED, OPEN_NS)
    loop.packet([loop.add(ALPHA, BUY, MIDDLE), loop.add(BRAVO, BUY, MIDDLE), loop.add(CHARLIE, BUY, MIDDLE)])
    legs = loop.memory.legs[loop.configuration.strategy_rows[STRATEGY] * LEGS_PER_STRATEGY :][:2]
    assert legs["bid"].tolist() == [MIDDLE, MIDDLE]
    assert calls(loop) == 1


@pytest.mark.parametrize("what", ["another instrument", "another venue", "behind the top"])
def test_what_it_does_not_watch_does_not_reach_it(loop: Loop, what: str) -> None:
    if what == "another instrument":
        improve(loop, CHARLIE)
    elif what == "another venue":
        improve(loop, ALPHA, OTHER_VENUE)
    else:
        loop.packet([loop.add(ALPHA, BUY, MIDDLE - 500), loop.add(ALPHA, SELL, MIDDLE + 500)])
    assert calls(loop) == 0


def test_its_legs_show_the_tops_of_their_books(loop: Loop) -> None:
    loop.packet([loop.add(ALPHA, BUY, MIDDLE, 30), loop.add(BRAVO, SELL, MIDDLE, 40)])
    seen = [
        tuple(int(leg[n]) for n in ("bid", "bid_quantity", "ask", "ask_quantity")) for leg in (loop.leg(0), loop.leg(1))
    ]
    assert seen == [(MIDDLE, 30, MIDDLE + 100, 500), (MIDDLE - 100, 500, MIDDLE, 40)]


def test_it_hears_of_its_own_orders_only(loop: Loop) -> None:
    mine, manual = loop.enter_for_strategy(), loop.enter()
    loop.report(ReportKind.ACCEPTED, manual)
    assert calls(loop) == 0
    loop.report(ReportKind.ACCEPTED, mine)
    assert (calls(loop), int(state(loop)["event"])) == (1, ORDER_REPORTED)


def test_a_stopped_strategy_and_one_whose_feed_has_a_gap_are_not_called(loop: Loop) -> None:
    loop.memory.venues[VENUE]["dirty"] = 1
    improve(loop, ALPHA)
    assert calls(loop) == 0
    loop.memory.venues[VENUE]["dirty"] = 0
    loop.applied(control.StopStrategy(STRATEGY))
    improve(loop, ALPHA)
    assert calls(loop) == 0


def test_what_it_asks_for_is_journalled_with_its_signal(loop: Loop) -> None:
    tell(loop, leg=1, side=SELL, quantity=70)
    (request,) = loop.bodies(RecordKind.ORDER_REQUEST)
    names = ("strategy", "instrument", "side", "price", "quantity", "kind", "signal", "feed_sequence", "position")
    expected = loop.next_sequence[VENUE] - 1
    position = int(loop.core["position"])
    assert tuple(request[name] for name in names) == (STRATEGY, BRAVO, SELL, MIDDLE, 70, 99, 1.5, expected, position)


@pytest.mark.parametrize("leg", [-1, 2, 3, 4, 1 << 40, -(1 << 40)])
def test_an_order_for_a_leg_that_it_does_not_have_is_denied(loop: Loop, leg: int) -> None:
    tell(loop, leg=leg)
    (denial,) = loop.bodies(RecordKind.DENIAL)
    assert (denial["reason"], denial["strategy"], denial["instrument"]) == (
        DenialReason.UNKNOWN_INSTRUMENT,
        STRATEGY,
        0,
    )
    assert int(loop.core["orders_entered"]) == 0


@pytest.mark.parametrize(
    ("request_of", "expected"),
    [
        ({"price": -(1 << 63)}, DenialReason.INVALID_FIELD),
        ({"price": (1 << 63) - 1}, DenialReason.NOTIONAL_OVERFLOW),
        ({"quantity": (1 << 63) - 1}, DenialReason.NOTIONAL_OVERFLOW),
        ({"side": 77}, DenialReason.INVALID_FIELD),
        ({"price": MIDDLE + 1}, DenialReason.TICK_SIZE),
        ({"quantity": 0}, DenialReason.INVALID_FIELD),
    ],
)
def test_nonsense_is_denied_and_journalled(loop: Loop, request_of: dict[str, int], expected: DenialReason) -> None:
    tell(loop, **request_of)
    (denial,) = loop.bodies(RecordKind.DENIAL)
    assert denial["reason"] == expected


@pytest.mark.parametrize(
    ("asks", "made"), [(0, 0), (-5, 0), (3, 3), (MAX_REQUESTS, MAX_REQUESTS), (1 << 40, MAX_REQUESTS)]
)
def test_no_more_than_the_table_holds_is_taken(loop: Loop, asks: int, made: int) -> None:
    tell(loop, asks)
    assert int(loop.core["orders_entered"]) == made


def test_it_cancels_its_own_orders_and_nobody_elses(loop: Loop) -> None:
    mine, manual = loop.enter_for_strategy(), loop.enter()
    for order_id in (mine, manual, 4711, 0, -1):
        tell(loop, action=CANCEL, order_id=order_id)
    assert [int(loop.order(order_id)["canceling"]) for order_id in (mine, manual)] == [1, 0]


def test_many_strategies_watch_one_listing(loop: Loop) -> None:
    assert loop.start_pairs(
        strategy=71, kind="told", kind_hash=compiled_kind("told").hash, parameters={}, instruments=[BRAVO, ALPHA]
    ).applied
    improve(loop, ALPHA)
    other = loop.memory.rows[loop.configuration.strategy_rows[71]][0]
    assert (calls(loop), int(other["calls"])) == (1, 1)
