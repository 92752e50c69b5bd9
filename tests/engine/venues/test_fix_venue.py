"""FIX spoken by the loop, over a real socket, with a QuickFIX acceptor on the other side."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.messages import control
from engine.messages.codes import OrderState, SessionState, TimeInForce
from engine.protocols import fix44
from engine.venues.fix import read_settings
from tests.engine.loop_builder import ALPHA, BUY, TEAM
from tests.engine.venues.fix44_venue import VenueManager
from tests.engine.venues.fix_loop import VENUE_ID, FixLoop

DOUBT = ["UP", "RECONCILING", "UP"]
SETTINGS = {
    "order_address": "127.0.0.1:1", "sender_comp_id": "DESK", "target_comp_id": "X", "feed_line_a": "127.0.0.1:2",
}  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path, venue: Any) -> Iterator[FixLoop]:
    made = FixLoop(tmp_path / "desk", *venue.address())
    made.up()
    yield made
    made.close()


@pytest.mark.parametrize(("version", "handling"), [("4.2", {21: "1"}), ("4.4", {}), ("5.0SP2", {})])
def test_an_order_is_accepted_filled_and_canceled_in_every_version(
    tmp_path: Path, venues: VenueManager, version: str, handling: dict[int, str]
) -> None:
    venue = venues.Venue(tmp_path / "venue", version)  # type: ignore[attr-defined]  # registered by name
    desk = FixLoop(tmp_path / "desk", *venue.address(), version=version)
    desk.up()
    resting = desk.order()
    desk.order(quantity=200, price=1_000_100, time_in_force=int(TimeInForce.IOC))
    desk.reported(4)
    desk.cancel(resting)
    assert desk.reported(5) == [
        ("ACCEPTED", 1, 100, 100), ("ACCEPTED", 2, 200, 200), ("EXECUTED", 2, 100, 100), ("EXECUTED", 2, 100, 0),
        ("CANCELED", 1, 100, 0),
    ]  # fmt: skip
    sent = {tag: value for tag, value in venue.received()[1].items() if tag not in (8, 9, 10, 52, 60)}
    assert sent == handling | {
        35: "D", 34: "4", 49: "DESK", 56: venue.address()[0], 1: "A1", 11: "2", 38: "200", 40: "2", 44: "100.0100",
        54: "1", 55: "ALPHA", 59: "3",
    }  # fmt: skip
    canceled = venue.received("F")[0]
    assert [canceled[tag] for tag in (11, 41, 38, 55)] == ["1C5", "1", "100", "ALPHA"]
    assert (venue.errors(), desk.events, desk.said) == ([], ["RECONCILING", "UP"], ["XFIX: the FIX session is up"])
    desk.close()


@pytest.mark.parametrize("knows", ["1", "0"])
def test_post_only_is_said_to_a_venue_that_knows_it_and_checked_for_one_that_does_not(
    tmp_path: Path, venue: Any, knows: str
) -> None:
    desk = FixLoop(tmp_path / "desk", *venue.address(), post_only=knows)
    desk.up()
    desk.order(price=1_000_900, time_in_force=int(TimeInForce.POST_ONLY))
    taking = desk.enter(price=1_001_000, venue=VENUE_ID, time_in_force=int(TimeInForce.POST_ONLY))
    assert (taking > 0) == (knows == "1")
    desk.reported(1)
    said = [(order[59], order.get(18)) for order in venue.received("D")]
    assert said[0] == ("0", "6" if knows == "1" else None)
    desk.close()


def test_an_order_good_till_a_time_is_kept_by_the_venue(desk: FixLoop, venue: Any) -> None:
    end_s = time.time_ns() // 10**9 + 3_600
    body = control.EnterOrder(
        "a-1", TEAM, ALPHA, VENUE_ID, BUY, 100, 1_000_000, int(TimeInForce.GTD), good_till_ns=end_s * 10**9
    )
    assert "order_id" in desk.applied(body)
    desk.reported(1)
    (said,) = venue.received("D")
    assert (said[59], said[126]) == ("6", fix44.time_text(end_s * 10**9)[:17])


def test_a_test_request_is_answered_by_the_loop_and_closes_nothing(desk: FixLoop, venue: Any) -> None:
    venue.send("TestRequest", {112: "are you there"})
    desk.until(lambda: [m for m in venue.admin("0") if m.get(112) == "are you there"], "the heartbeat")
    assert desk.events == ["RECONCILING", "UP"]


def test_silence_is_tested_by_the_loop(tmp_path: Path, venue: Any) -> None:
    desk = FixLoop(tmp_path / "desk", *venue.address(), heartbeat_seconds="300")
    desk.up()
    desk.row["heard_ns"] -= 370 * 1_000_000_000
    desk.until(lambda: len(venue.admin("1")) == 2, "a test request")
    desk.until(lambda: desk.row["tested"] == 0, "its answer")
    desk.row["heard_ns"] -= 730 * 1_000_000_000
    desk.until(lambda: desk.events[2:] == ["DOWN", "RECONCILING", "UP"], "another session")
    assert desk.said[1] == "XFIX: the session was lost; connecting again"
    desk.close()


def test_orders_that_the_venue_asks_for_again_are_filled_and_all_of_them_asked_about(desk: FixLoop, venue: Any) -> None:
    desk.order()
    desk.reported(1)
    venue.send("ResendRequest", {7: "1", 16: "0"})
    desk.until(lambda: desk.events[-3:] == DOUBT, "doubt begins and ends")
    desk.order()
    desk.reported(2)
    assert [fields[11] for fields in venue.received("D")] == ["1", "2"]
    assert [fields[11] for fields in venue.received("H")] == ["1"]


def test_an_order_whose_fate_is_open_when_the_connection_breaks_is_asked_for(desk: FixLoop, venue: Any) -> None:
    venue.hold(True)
    desk.order()
    desk.order()
    desk.until(lambda: len(venue.received("D")) == 2, "two orders")
    venue.answer(0)
    desk.reported(1)
    venue.hold(False)
    venue.drop()
    desk.until(lambda: desk.events[2:] == ["DOWN", "RECONCILING", "UP"], "another session")
    assert desk.reports == [("ACCEPTED", 1, 100, 100), ("NOT_SENT", 2, 0, 0)]
    assert (desk.state_of(1), desk.state_of(2)) == (OrderState.ACCEPTED, OrderState.DENIED)


def test_fills_that_happened_while_the_connection_was_down_come_once(desk: FixLoop, venue: Any) -> None:
    desk.order()
    desk.reported(1)
    venue.drop()
    venue.fill("1", 30)
    venue.fill("1", 20)
    desk.until(lambda: desk.events[2:] == ["DOWN", "RECONCILING", "UP"], "another session")
    venue.fill("1", 50)
    assert desk.reported(4) == [
        ("ACCEPTED", 1, 100, 100), ("EXECUTED", 1, 30, 70), ("EXECUTED", 1, 20, 50), ("EXECUTED", 1, 50, 0),
    ]  # fmt: skip


def test_a_refused_order_is_not_at_the_venue(desk: FixLoop, venue: Any) -> None:
    venue.hold(True)
    desk.order()
    desk.until(lambda: len(venue.received("D")) == 1, "the order")
    venue.hold(False)
    venue.send("Reject", {45: venue.received("D")[0][34], 373: "5", 58: "bad value"})
    desk.until(lambda: desk.events[-3:] == DOUBT, "doubt begins and ends")
    assert desk.reports == [("NOT_SENT", 1, 0, 0)]


def test_a_report_that_cannot_be_read_closes_the_session_until_all_orders_agree(desk: FixLoop, venue: Any) -> None:
    desk.order()
    desk.reported(1)
    venue.report("1", "F", {31: "100", 32: "0.5"})
    desk.until(lambda: desk.events[-3:] == DOUBT, "doubt begins and ends")
    assert (desk.reports, int(desk.row["malformed"])) == ([("ACCEPTED", 1, 100, 100)], 1)
    assert desk.said[1].startswith("XFIX: message ")
    assert desk.said[1].endswith(" of the venue cannot be read")


def test_the_session_stays_closed_while_the_venue_says_more_was_executed_than_it_reported(
    desk: FixLoop, venue: Any
) -> None:
    desk.order()
    desk.reported(1)
    venue.change("1", executed=10)
    venue.drop()
    sentence = "XFIX: order 1: the venue says 10 executed, we know of 0"
    desk.until(lambda: sentence in desk.said, "the sentence")
    assert desk.row["session"] == SessionState.DOWN
    venue.report("1", "F", {31: "100", 32: "10"})
    desk.until(lambda: desk.row["session"] == SessionState.UP, "the session is up")
    assert desk.reports == [("ACCEPTED", 1, 100, 100), ("EXECUTED", 1, 10, 90)]


def test_what_is_asked_before_the_first_logon_is_not_written_and_takes_no_number(tmp_path: Path, venue: Any) -> None:
    desk = FixLoop(tmp_path / "desk", *venue.address())
    order = desk.replayed_order()
    desk.cancel(order)
    assert (int(desk.row["outbound_used"]), desk.sessions.next_outbound(VENUE_ID)) == (0, 0)
    desk.up()
    assert [message[34] for message in venue.received()] == ["2"]
    assert (desk.reports, desk.state_of(order)) == ([("NOT_SENT", 1, 0, 0)], OrderState.DENIED)
    desk.close()


def test_numbers_begin_again_with_the_first_logon_of_a_day(desk: FixLoop, venue: Any) -> None:
    desk.order()
    desk.reported(1)
    numbers = desk.sessions._sessions[VENUE_ID].numbers
    numbers.day -= 1
    venue.reset()
    desk.until(lambda: desk.events[-3:] == ["CONNECTING", "RECONCILING", "UP"], "the session of today")
    assert [logon[34] for logon in venue.admin("A")] == ["1", "1"]
    desk.cancel(1)
    assert desk.reported(2)[1] == ("CANCELED", 1, 100, 0)


def test_a_venue_under_another_name_has_numbers_of_its_own(
    desk: FixLoop, venue: Any, venues: VenueManager, tmp_path: Path
) -> None:
    desk.cancel(desk.order())
    desk.reported(2)
    other = venues.Venue(tmp_path / "other")  # type: ignore[attr-defined]  # registered by name
    desk.redefine(*other.address())
    desk.until(lambda: desk.events[2:] == ["DOWN", "CONNECTING", "RECONCILING", "UP"], "the other session")
    assert [logon[34] for logon in other.admin("A")] == ["1"]
    desk.redefine(*venue.address())
    desk.until(lambda: desk.events[6:] == ["DOWN", "CONNECTING", "RECONCILING", "UP"], "the first session again")
    assert int(venue.admin("A")[1][34]) > 1
    assert [report[0] for report in desk.reports] == ["ACCEPTED", "CANCELED"]


def test_a_venue_that_logs_out_is_asked_to_come_back(desk: FixLoop, venue: Any) -> None:
    venue.close()
    desk.until(lambda: desk.events[-1] == "DOWN", "the session is down")
    venue.open()
    desk.until(lambda: desk.events[-1] == "UP", "the session is up")
    assert desk.order() == 1


def test_what_a_restatement_and_a_bust_take_away_is_taken_away(desk: FixLoop, venue: Any) -> None:
    desk.order()
    desk.reported(1)
    execution = venue.fill("1", 40)
    desk.reported(2)
    venue.report("1", "D", {151: "25"})
    desk.reported(3)
    venue.report("1", "H", {19: execution})
    filled, restated, (kind, order_id, _, leaves) = desk.reported(4)[1:]
    assert (filled, restated) == (("EXECUTED", 1, 40, 60), ("CANCELED", 1, 35, 25))
    assert (kind, order_id, leaves) == ("BROKEN", 1, 25)


@pytest.mark.parametrize(("changed", "sentence"), [
    ({"version": "4.3"}, "Version is 4.2, 4.4, 5.0SP2, not '4.3'"),
    ({"heartbeat_seconds": "0"}, "Heartbeat is 1 to 300 seconds"),
    ({"sender_comp_id": "D" * 25}, "sender_comp_id has at most 24 ASCII characters"),
    ({"target_comp_id": ""}, "Venue's name is missing"),
])  # fmt: skip
def test_a_wrong_setting_is_named(changed: dict[str, str], sentence: str) -> None:
    with pytest.raises(ValueError) as refused:
        read_settings(SETTINGS | changed)
    assert str(refused.value) == sentence


def test_the_password_of_a_logon_is_where_the_version_has_it() -> None:
    both = {"username": "me", "password": "secret"}
    assert read_settings(SETTINGS | both).session.credentials == ((553, "me"), (554, "secret"))
    assert read_settings(SETTINGS | both | {"version": "4.2"}).session.credentials == ((95, "6"), (96, "secret"))


def test_an_attempt_that_breaks_off_is_told_and_made_again(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        desk = FixLoop(tmp_path, "XFIX", listener.getsockname()[1], password="5 €")
        desk.until(lambda: "broke off: UnicodeEncodeError" in desk.complaint(), "it is told")
        listener.settimeout(20)
        connections = [listener.accept()[0]]
        desk.until(lambda: readable(listener) and connections.append(listener.accept()[0]) is None, "it is made again")
        for connection in connections:
            connection.settimeout(20)
            assert connection.recv(1) == b""
            connection.close()
        desk.close()


def readable(listener: socket.socket) -> bool:
    return bool(select.select([listener], [], [], 0)[0])
