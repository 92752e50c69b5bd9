"""A venue behind a session process: its records come and go through shared-memory rings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.hotpath import tables
from engine.hotpath.entries import poll_ring
from engine.journal.scratch import ScratchJournal
from engine.messages.codes import DenialReason, OrderAction, OrderState, RecordKind, ReportKind, Scope
from engine.messages.journal import ORDER_REPORT, ORDER_REQUEST, SESSION_EVENT
from engine.transport.ring_file import RingFile, open_ring
from tests.engine.loop_builder import ALPHA, BUY, DOWN, UP, VENUE, Loop, reason

MIDDLE = 1_000_000
ROOM = 8


class Process:
    """The session process's end of both rings."""

    def __init__(self, loop: Loop, directory: Path) -> None:
        self.loop = loop
        self.requests: RingFile = open_ring(directory / "requests", ROOM)
        self.reports: RingFile = open_ring(directory / "reports", 64)
        self.row = loop.memory.venues[VENUE]
        self.row["protocol"] = tables.RING
        self.row["request_ring"], self.row["report_ring"] = self.requests.address, self.reports.address
        self.sequence = int(self.row["next_inbound"]) - 1

    def report(self, kind: ReportKind, order_id: int, quantity: int = 0, sequence: int = 0, fee: int = 0) -> None:
        if not sequence:
            self.sequence += 1
        body = np.zeros(1, ORDER_REPORT)
        body["kind"], body["venue_reference"], body["quantity"], body["price"] = kind, order_id, quantity, MIDDLE
        body["venue_sequence"], body["fee"] = sequence or self.sequence, fee
        self.reports.push(int(RecordKind.ORDER_REPORT), body.tobytes())

    def session(self, state: int, next_reference: int = 0, fresh: int = 0) -> None:
        body = np.zeros(1, SESSION_EVENT)
        body["state"], body["next_reference"], body["fresh"] = state, next_reference, fresh
        self.reports.push(int(RecordKind.SESSION_EVENT), body.tobytes())

    def sent(self) -> list[tuple[str, int, int]]:
        """Requests that the loop pushed: action, order, target."""
        found = []
        while (record := self.requests.peek()) is not None:
            _, kind, raw = record
            assert kind == RecordKind.ORDER_REQUEST
            body = np.frombuffer(raw, ORDER_REQUEST)[0]
            action = OrderAction(int(body["action"])).name
            found.append((action, int(body["order_id"]), int(body["target_order_id"])))
            self.requests.advance()
        return found

    def poll(self) -> int:
        return int(poll_ring(self.loop.address, VENUE))


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits()
    made.quote(ALPHA, MIDDLE - 100, MIDDLE + 100)
    return made


@pytest.fixture
def process(loop: Loop, tmp_path: Path) -> Iterator[Process]:
    made = Process(loop, tmp_path)
    yield made
    made.row["protocol"] = tables.IN_MEMORY


def state(loop: Loop, order_id: int) -> tuple[OrderState, int]:
    return OrderState(int(loop.order(order_id)["state"])), int(loop.order(order_id)["leaves"])


def test_requests_go_into_the_ring_as_they_stand_in_the_journal(loop: Loop, process: Process) -> None:
    order_id = loop.enter(BUY, 100)
    loop.kill(Scope.FIRM)
    assert process.sent() == [("ENTER", order_id, 0), ("CANCEL", order_id, order_id)]
    requests = [row for row in loop.bodies(RecordKind.ORDER_REQUEST) if row["order_id"] == order_id]
    assert [request["action"] for request in requests] == [OrderAction.ENTER, OrderAction.CANCEL]


def test_answers_are_journalled_applied_and_given_back(loop: Loop, process: Process) -> None:
    order_id = loop.enter(BUY, 100)
    loop.taken()
    process.report(ReportKind.ACCEPTED, order_id, 100)
    process.report(ReportKind.EXECUTED, order_id, 30)
    assert (process.poll(), process.poll()) == (1, 0)
    assert state(loop, order_id) == (OrderState.PARTIALLY_FILLED, 70)
    assert process.reports.peek() is None
    reports = loop.bodies(RecordKind.ORDER_REPORT)
    assert [(r["kind"], r["venue_sequence"], r["leaves"]) for r in reports] == [
        (ReportKind.ACCEPTED, 1, 100),
        (ReportKind.EXECUTED, 2, 70),
    ]


def test_a_fee_that_the_venue_states_counts_and_otherwise_the_venues_fee_for_each_share(
    loop: Loop, process: Process
) -> None:
    process.row["taker_fee"] = 3
    order_id = loop.enter(BUY, 100)
    process.report(ReportKind.EXECUTED, order_id, 10, fee=77)
    process.report(ReportKind.EXECUTED, order_id, 10)
    process.poll()
    assert [int(report["fee"]) for report in loop.bodies(RecordKind.ORDER_REPORT)] == [77, 30]


def test_a_record_that_was_journalled_before_a_crash_is_not_taken_twice(loop: Loop, process: Process) -> None:
    order_id = loop.enter(BUY, 100)
    process.report(ReportKind.EXECUTED, order_id, 30)
    process.report(ReportKind.EXECUTED, order_id, 30, sequence=1)
    process.report(ReportKind.EXECUTED, order_id, 20)
    process.poll()
    assert state(loop, order_id) == (OrderState.PARTIALLY_FILLED, 50)
    assert int(process.row["fills"]) == 2


def test_the_session_goes_down_and_up_with_the_process(loop: Loop, process: Process) -> None:
    seen, lost = loop.enter(), loop.enter()
    process.session(DOWN)
    process.poll()
    assert [state(loop, n)[0] for n in (seen, lost)] == [OrderState.UNKNOWN] * 2
    assert reason(loop.enter()) == DenialReason.VENUE_DOWN
    process.report(ReportKind.ACCEPTED, seen, 100)
    process.session(UP, next_reference=lost)
    process.poll()
    assert [state(loop, n)[0] for n in (seen, lost)] == [OrderState.ACCEPTED, OrderState.DENIED]
    assert reason(loop.enter()) == DenialReason.NONE


def test_a_kill_while_the_process_is_away_reaches_it_when_it_is_back(loop: Loop, process: Process) -> None:
    order_id = loop.enter()
    process.report(ReportKind.ACCEPTED, order_id, 100)
    process.session(DOWN)
    process.poll()
    process.sent()
    ring, process.row["request_ring"] = int(process.row["request_ring"]), 0
    loop.kill(Scope.FIRM)
    process.row["request_ring"] = ring
    process.session(UP)
    process.poll()
    assert process.sent() == [("CANCEL", order_id, order_id)]


def test_a_record_of_an_unknown_kind_is_counted(loop: Loop, process: Process) -> None:
    process.reports.push(77, bytes(96))
    assert process.poll() == 1
    assert int(process.row["malformed"]) == 1
    assert process.reports.peek() is None


def test_a_full_request_ring_loses_the_session(loop: Loop, process: Process) -> None:
    for _ in range(ROOM):
        loop.enter()
    assert int(process.row["lost"]) == 0
    loop.enter()
    assert int(process.row["lost"]) == 1
    assert int(loop.core["attention"]) == tables.SESSION_LOST


def test_an_answer_that_the_journal_has_no_room_for_stays_in_the_ring(loop: Loop, process: Process) -> None:
    order_id = loop.enter()
    full = ScratchJournal(1 << 8)
    loop.core["journal"] = full.writer
    process.report(ReportKind.EXECUTED, order_id, 30)
    process.poll()
    process.poll()
    assert process.reports.peek() is not None
    assert state(loop, order_id) == (OrderState.PENDING_NEW, 100)
    assert int(loop.core["attention"]) == tables.LOG_FULL
