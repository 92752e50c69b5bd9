"""The FIX session process, real, against a QuickFIX acceptor: what is sent, what is reported, what a kill does."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from engine.messages.codes import Liquidity, OrderState, ReportKind, SessionState, Side, TimeInForce
from engine.venues.fix44_config import session_directory
from engine.venues.fix44_reports import number_of
from tests.engine.venues.fix44_engine import VENUE_ID, Engine, wait_for

DOUBT = [SessionState.UP, SessionState.RECONCILING, SessionState.UP]


def test_the_session_comes_up_and_logs_on_with_user_and_password(engine: Engine, venue: Any) -> None:
    assert engine.sessions == [SessionState.CONNECTING, SessionState.RECONCILING, SessionState.UP]
    logon = venue.admin("A")[0]
    assert (logon[108], logon[553], logon[554]) == ("30", "desk", "secret")


def test_an_order_is_accepted_and_filled_with_every_field_in_place(engine: Engine, venue: Any) -> None:
    engine.enter(11, instrument=2, side=Side.SELL, quantity=101, price=123_456, time_in_force=TimeInForce.IOC)
    engine.wait_reports(3)
    sent = venue.received()[0]
    assert {tag: sent[tag] for tag in (35, 1, 11, 55, 54, 38, 40, 44, 59)} == {
        35: "D", 1: "A1", 11: "11", 55: "XYZ", 54: "2", 38: "101", 40: "2", 44: "12.3456", 59: "3",
    }  # fmt: skip
    common = {
        "order_id": 11, "venue_reference": 11, "venue_time_ns": 1_767_349_230_123_000_000, "strategy": 7,
        "instrument": 2, "venue": VENUE_ID, "side": Side.SELL, "price": 123_456, "position": 0, "fee": 0, "reason": 0,
        "duplicate": 0,
    }  # fmt: skip
    fill = common | {"kind": ReportKind.EXECUTED, "liquidity": Liquidity.REMOVED}
    expected = [
        common | {"kind": ReportKind.ACCEPTED, "quantity": 101, "leaves": 101, "state": OrderState.ACCEPTED,
                  "venue_sequence": 1, "match_number": number_of("V11"), "liquidity": 0},
        fill | {"quantity": 50, "leaves": 51, "state": OrderState.PARTIALLY_FILLED, "venue_sequence": 2,
                "match_number": number_of("X2")},
        fill | {"quantity": 51, "leaves": 0, "state": OrderState.FILLED, "venue_sequence": 3,
                "match_number": number_of("X3")},
    ]  # fmt: skip
    assert [{name: int(report[name]) for name in report.dtype.names} for report in engine.journal] == expected


def test_cancel_and_replace_and_their_refusals(engine: Engine, venue: Any) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    engine.replace(2, 1, quantity=150, price=123_500)
    engine.wait_reports(2)
    engine.cancel(1)
    engine.wait_reports(3)
    engine.cancel(2)
    engine.wait_reports(4)
    engine.enter(3, time_in_force=TimeInForce.IOC)
    engine.wait_reports(7)
    assert engine.told() == [
        ("ACCEPTED", 1, 100, 100),
        ("REPLACED", 2, 150, 150),
        ("CANCEL_REJECTED", 1, 0, 0),
        ("CANCELED", 2, 150, 0),
        ("ACCEPTED", 3, 100, 100),
        ("EXECUTED", 3, 50, 50),
        ("EXECUTED", 3, 50, 0),
    ]
    replace, cancel = venue.received("G")[0], venue.received("F")[0]
    assert [replace[tag] for tag in (35, 11, 41, 38, 44)] == ["G", "2", "1", "150", "12.3500"]
    assert [cancel[tag] for tag in (35, 11, 41, 55, 54, 38)] == ["F", "2C1", "2", "ABC", "1", "150"]


def test_the_venue_refuses_a_cancel_and_a_replacement(engine: Engine, venue: Any) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    venue.change("1", status="2")
    engine.cancel(1)
    engine.wait_reports(2)
    engine.replace(2, 1)
    engine.wait_reports(3)
    assert engine.told()[1:] == [("CANCEL_REJECTED", 1, 0, 0), ("REJECTED", 2, 0, 0)]


def test_without_a_session_an_order_was_provably_not_sent_and_never_leaves_later(engine: Engine, venue: Any) -> None:
    venue.close()
    engine.wait_session(SessionState.DOWN)
    engine.enter(1)
    engine.wait_reports(1)
    assert engine.told() == [("NOT_SENT", 1, 0, 0)]
    venue.open()
    engine.wait_session(SessionState.UP)
    engine.enter(2)
    engine.wait_reports(2)
    assert [fields[11] for fields in venue.received("D")] == ["2"]


def test_a_resend_request_for_orders_is_gap_filled(engine: Engine, venue: Any) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    venue.send("ResendRequest", {7: "1", 16: "0"})
    messages = (
        session_directory(engine.state, VENUE_ID) / "log" / f"FIX.4.4-DESK-{venue.address()[0]}.messages.current.log"
    )
    wait_for(lambda: "\x0135=4\x01" in messages.read_text(), "a gap fill")
    assert "\x01123=Y\x01" in messages.read_text()
    wait_for(lambda: engine.drain() or engine.sessions[-3:] == DOUBT, "doubt begins and ends")
    engine.enter(2)
    engine.wait_reports(3)
    assert [fields[11] for fields in venue.received("D")] == ["1", "2"]


def test_an_order_whose_fate_is_open_when_the_connection_breaks_is_asked_for(engine: Engine, venue: Any) -> None:
    venue.hold(True)
    engine.enter(1)
    engine.enter(2)
    wait_for(lambda: len(venue.received("D")) == 2, "two orders")
    venue.answer(0)
    engine.wait_reports(1)
    venue.hold(False)
    venue.drop()
    engine.wait_session(SessionState.DOWN)
    engine.wait_session(SessionState.UP)
    assert engine.told() == [("ACCEPTED", 1, 100, 100), ("ACCEPTED", 1, 100, 100), ("NOT_SENT", 2, 0, 0)]
    assert [int(report["duplicate"]) for report in engine.journal] == [0, 1, 0]


def test_fills_that_happened_while_the_connection_was_down_are_resent_once(engine: Engine, venue: Any) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    venue.drop()
    venue.fill("1", 30)
    venue.fill("1", 20)
    engine.wait_session(SessionState.DOWN)
    engine.wait_session(SessionState.UP)
    assert engine.told() == [
        ("ACCEPTED", 1, 100, 100),
        ("EXECUTED", 1, 30, 70),
        ("EXECUTED", 1, 20, 50),
        ("ACCEPTED", 1, 50, 50),
    ]


def test_a_cancel_that_was_asked_for_while_the_session_was_down_is_sent_after_the_logon(
    engine: Engine, venue: Any
) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    venue.close()
    engine.wait_session(SessionState.DOWN)
    engine.cancel(1)
    wait_for(lambda: engine.fix.requests.peek() is None, "the cancel is taken")
    venue.open()
    # The first cancel of the round may be swallowed by a gap fill; the second is answered after the session is up.
    engine.wait_told(("CANCELED", 1, 100, 0))
    engine.wait_session(SessionState.UP)
    assert {kind for kind, *_ in engine.told()} == {"ACCEPTED", "CANCELED"}


def test_the_same_execution_again_is_not_a_second_fill(engine: Engine, venue: Any) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    execution = venue.fill("1", 40)
    venue.report("1", "F", {17: execution, 31: "12.34", 32: "40"})
    venue.fill("1", 60)
    engine.wait_reports(3)
    assert engine.told()[1:] == [("EXECUTED", 1, 40, 60), ("EXECUTED", 1, 60, 0)]


def test_a_fill_that_the_venue_takes_back_is_broken_with_what_it_was(engine: Engine, venue: Any) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    execution = venue.fill("1", 40)
    venue.change("1", executed=0)
    venue.report("1", "H", {19: execution})
    engine.wait_reports(3)
    broken = engine.journal[2]
    assert engine.told()[2] == ("BROKEN", 1, 40, 100)
    assert (broken["price"], broken["match_number"]) == (123_400, number_of(execution))


def test_a_session_reject_and_a_business_reject_end_the_order(engine: Engine, venue: Any) -> None:
    venue.hold(True)
    engine.enter(1)
    engine.enter(2)
    wait_for(lambda: len(venue.received("D")) == 2, "two orders")
    first, second = (fields[34] for fields in venue.received("D"))
    venue.send("Reject", {45: first, 373: "5", 58: "bad value"})
    venue.send("BusinessMessageReject", {45: second, 372: "D", 380: "4", 58: "not available"})
    engine.wait_reports(2)
    assert engine.told() == [("REJECTED", 1, 0, 0), ("REJECTED", 2, 0, 0)]
    assert [int(report["reason"]) for report in engine.journal] == [5, 4]


def test_a_report_that_cannot_be_read_closes_the_session_to_new_risk_until_all_orders_agree(
    engine: Engine, venue: Any
) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    venue.report("1", "F", {31: "12.34", 32: "0.5"})
    wait_for(lambda: engine.drain() or engine.sessions[-3:] == DOUBT, "doubt begins and ends")
    assert engine.told() == [("ACCEPTED", 1, 100, 100), ("ACCEPTED", 1, 100, 100)]


def test_the_session_stays_closed_while_the_venue_says_more_was_executed_than_it_reported(
    engine: Engine, venue: Any
) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    venue.change("1", executed=10)
    venue.drop()
    engine.wait_session(SessionState.RECONCILING)
    wait_for(lambda: len(venue.received("H")) == 1, "the question")
    venue.report("1", "F", {31: "12.34", 32: "10"})
    engine.wait_session(SessionState.UP)
    assert engine.told() == [("ACCEPTED", 1, 100, 100), ("EXECUTED", 1, 10, 90), ("ACCEPTED", 1, 90, 90)]


def test_a_question_about_an_order_is_always_answered(engine: Engine, venue: Any) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    engine.ask(1)
    engine.ask(99)
    engine.wait_reports(3)
    assert sorted(engine.told()[1:]) == [("ACCEPTED", 1, 100, 100), ("NOT_SENT", 99, 0, 0)]


def test_the_first_up_says_which_orders_never_came_and_what_was_left_in_the_ring_is_not_sent(
    engine: Engine, venue: Any
) -> None:
    engine.enter(5)
    engine.wait_reports(1)
    engine.kill()
    engine.enter(9)
    engine.start()
    engine.wait_session(SessionState.UP)
    engine.wait_reports(3)
    assert sorted(engine.told()[1:]) == [("ACCEPTED", 5, 100, 100), ("NOT_SENT", 9, 0, 0)]
    assert engine.next_references == [1, 10]
    assert [fields[11] for fields in venue.received("D")] == ["5"]


def test_killing_the_process_again_and_again_under_load_loses_and_doubles_nothing(engine: Engine, venue: Any) -> None:
    last = 0
    for _ in range(5):
        for order_id in range(last + 1, last + 41):
            engine.enter(order_id, time_in_force=TimeInForce.IOC)
        last += 40
        wait_for(lambda: len(venue.received("D")) > 10, "orders on the wire")
        engine.kill()
        engine.start()
        engine.wait_session(SessionState.UP)
    engine.wait_ended(last)
    sent = [fields[11] for fields in venue.received("D")]
    assert len(sent) == len(set(sent))
    executed = dict.fromkeys(range(1, last + 1), 0)
    for report in engine.journal:
        if report["kind"] == ReportKind.EXECUTED:
            executed[int(report["order_id"])] += int(report["quantity"])
    at_venue = {int(name): quantity for name, quantity in venue.executed().items()}
    assert executed == {order_id: at_venue.get(order_id, 0) for order_id in executed}
    not_sent = {int(report["order_id"]) for report in engine.journal if report["kind"] == ReportKind.NOT_SENT}
    assert not_sent == set(executed) - set(at_venue)
    matches = [int(report["match_number"]) for report in engine.journal if report["kind"] == ReportKind.EXECUTED]
    assert len(matches) == len(set(matches)) == 2 * len(at_venue)


def test_an_engine_that_lost_what_it_took_out_of_the_ring_gets_it_again(engine: Engine, venue: Any) -> None:
    for order_id in (1, 2, 3):
        engine.enter(order_id, time_in_force=TimeInForce.IOC)
    engine.wait_reports(9)
    whole = list(engine.journal)
    engine.kill()
    del engine.journal[4:]
    engine.start()
    engine.wait_reports(9)
    assert [report.tobytes() for report in engine.journal] == [report.tobytes() for report in whole]


def test_sequence_numbers_survive_a_kill_and_reset_nothing(engine: Engine, venue: Any) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    before = int(venue.received()[-1][34])
    engine.kill()
    engine.start()
    engine.wait_session(SessionState.UP)
    logon = venue.admin("A")[-1]
    assert int(logon[34]) == before + 1
    assert 141 not in logon


def test_the_process_ends_when_the_engine_is_gone_and_leaves_no_readable_password(engine: Engine, venue: Any) -> None:
    assert Path(f"/proc/{engine.fix.process.pid}/cmdline").read_bytes().find(b"secret") == -1
    directory = session_directory(engine.state, VENUE_ID)
    assert [path for path in directory.rglob("*") if path.is_file() and path.stat().st_mode & 0o077] == []
    os.kill(engine.fix.process.pid, signal.SIGTERM)
    assert engine.fix.process.wait(10) == 0
    assert venue.admin("5")


def test_numba_is_never_imported_beside_a_session() -> None:
    import subprocess
    import sys

    code = "import sys, engine.venues.fix44_process; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=False).returncode == 0
