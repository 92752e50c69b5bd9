"""Latency stamps: which requests get a row, in which order its four times stand, and when a row may be read."""

from __future__ import annotations

from typing import Any

import pytest

from engine.control.stamps import StampReader
from engine.hotpath.calibration import cycles_per_us, read_cycles
from engine.hotpath.entries import cancel, enter, flush_unsent
from engine.hotpath.latency import STAMP_ROWS
from engine.messages.codes import OrderAction, RecordKind, StampCause
from engine.messages.control import EnterOrder
from engine.messages.latency import NEVER
from tests.engine.loop_builder import ALPHA, BRAVO, PARAMETERS, VENUE, Loop

MIDDLE = 1_000_000


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits()
    made.quote(ALPHA, MIDDLE - 100, MIDDLE + 100)
    made.core["cycles_per_us"] = cycles_per_us()
    made.taken()
    return made


def receive(loop: Loop) -> None:
    """What is processed from here on was received now, in a packet."""
    loop.core["received_cycles"] = int(read_cycles())
    loop.core["cause"] = StampCause.PACKET


def requests_of(loop: Loop) -> list[tuple[int, int, int]]:
    return [
        (record.sequence, int(record.body["order_id"]), int(record.body["action"]))
        for record in loop.taken()
        if record.kind == RecordKind.ORDER_REQUEST
    ]


def test_every_request_of_a_packet_has_a_row_of_its_journal_record_with_rising_times(loop: Loop) -> None:
    reader = StampReader(loop.memory)
    assert loop.start_pairs(parameters=PARAMETERS).applied
    loop.taken()
    receive(loop)
    loop.quote(ALPHA, MIDDLE + 1_900, MIDDLE + 2_100)
    loop.quote(BRAVO, MIDDLE - 100, MIDDLE + 100)
    rows = reader.take()
    assert [tuple(row[["sequence", "order_id", "action"]]) for row in rows] == requests_of(loop)
    assert len(rows) == 2
    assert set(rows["venue"]) == {VENUE}
    assert set(rows["cause"]) == {StampCause.PACKET}
    assert set(rows["received_ns"]) == {int(loop.core["clock_ns"])}
    assert (rows["decided_ns"] >= 0).all()
    assert (rows["decided_ns"] <= rows["journaled_ns"]).all()
    assert (rows["journaled_ns"] <= rows["sent_ns"]).all()
    assert len(reader.take()) == 0


def test_orders_that_leave_in_one_send_have_one_time_of_sending(loop: Loop) -> None:
    reader = StampReader(loop.memory)
    assert loop.start_pairs(parameters=PARAMETERS).applied
    receive(loop)
    loop.quote(ALPHA, MIDDLE + 1_900, MIDDLE + 2_100)
    loop.quote(BRAVO, MIDDLE - 100, MIDDLE + 100)
    rows = reader.take()
    assert len(set(rows["sent_ns"].tolist())) == 1
    assert rows["journaled_ns"][0] <= rows["journaled_ns"][1]


def test_what_has_no_time_of_receipt_is_not_stamped(loop: Loop) -> None:
    reader = StampReader(loop.memory)
    loop.core["received_cycles"] = 0
    assert loop.enter() > 0
    assert len(reader.take()) == 0


def test_a_denied_request_has_no_row(loop: Loop) -> None:
    reader = StampReader(loop.memory)
    receive(loop)
    assert loop.enter(quantity=1_000_000) < 0
    assert len(reader.take()) == 0


def test_a_cancel_has_a_row_of_its_own(loop: Loop) -> None:
    reader = StampReader(loop.memory)
    receive(loop)
    order = loop.enter()
    cancel(loop.address, order)
    flush_unsent(loop.address)
    rows = reader.take()
    assert rows["action"].tolist() == [OrderAction.ENTER, OrderAction.CANCEL]
    assert rows["order_id"].tolist() == [order, order]


def test_a_persons_command_is_its_orders_cause(loop: Loop) -> None:
    reader = StampReader(loop.memory)
    body = EnterOrder("a-1", 5, ALPHA, VENUE, 1, 100, MIDDLE, 1)
    order = loop.applied(body)["order_id"]
    assert int(loop.core["received_cycles"]) == 0
    flush_unsent(loop.address)
    rows = reader.take()
    assert rows[["order_id", "cause"]].tolist() == [(order, StampCause.COMMAND)]


def test_a_request_whose_session_is_lost_was_never_sent(loop: Loop) -> None:
    reader = StampReader(loop.memory)
    receive(loop)
    loop.memory.venues[VENUE]["lost"] = 1
    order = loop.enter()
    rows = reader.take()
    assert rows[["order_id", "sent_ns"]].tolist() == [(order, NEVER)]


def test_a_row_is_not_read_before_its_request_is_on_its_way(loop: Loop) -> None:
    reader = StampReader(loop.memory)
    receive(loop)
    entered: Any = enter_unsent(loop)
    assert len(reader.take()) == 0
    flush_unsent(loop.address)
    assert reader.take()["order_id"].tolist() == [entered]


def enter_unsent(loop: Loop) -> int:
    """As `Loop.enter`, without the send."""
    account = loop.configuration.team_account(5)
    return int(enter(loop.address, 0, account, -1, VENUE, ALPHA, 1, MIDDLE, 100, 1))


def test_stamps_that_were_overwritten_unread_are_counted_and_the_newest_are_kept(loop: Loop) -> None:
    reader = StampReader(loop.memory)
    receive(loop)
    loop.enter()
    extra = 10
    loop.memory.stamps[:] = loop.memory.stamps[0].copy()
    loop.memory.stamps["sequence"] = range(2, STAMP_ROWS + 2)
    loop.core["stamps_made"] = loop.core["stamps_settled"] = STAMP_ROWS + extra
    rows = reader.take()
    assert len(rows) == STAMP_ROWS - 1  # the place that the loop writes next is not trusted
    assert reader.lost == extra + 1
    assert rows["sequence"][-1] == loop.memory.stamps["sequence"][(STAMP_ROWS + extra - 1) % STAMP_ROWS]


def test_a_replay_stamps_nothing(loop: Loop) -> None:
    reader = StampReader(loop.memory)
    receive(loop)
    loop.core["replaying"] = 1
    assert loop.enter() > 0
    assert len(reader.take()) == 0
    assert int(loop.core["stamps_made"]) == 0


def test_the_calibration_is_a_rate_of_this_machine() -> None:
    assert 1 <= cycles_per_us() < 100_000


def test_counts_become_nanoseconds_by_the_calibration(loop: Loop) -> None:
    reader = StampReader(loop.memory)
    receive(loop)
    loop.enter()
    loop.core["cycles_per_us"] = 2_600
    row = loop.memory.stamps[0]
    row["received"], row["decided"], row["journaled"], row["sent"] = 1_000, 1_026, 1_260, 27_000
    rows = reader.take()
    assert rows[["decided_ns", "journaled_ns", "sent_ns"]].tolist() == [(10, 100, 10_000)]
