"""Order sessions that people run: disconnected, connected, their numbers set once, and looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.control.session_numbers import note_set, quickfix_numbers, set_quickfix_numbers, was_set
from engine.control.session_view import describe, read_tail, view_session
from engine.control.session_words import HIDDEN
from engine.control.sessions import DISCONNECTED, Sessions
from engine.messages import control
from engine.messages.control import DefineVenue
from engine.venues.fix44_config import session_directory
from tests.engine.loop_builder import VENUE, Loop

FIX = {"order_address": "127.0.0.1:1", "sender_comp_id": "DESK", "target_comp_id": "XBRK", "feed_line_a": "127.0.0.1:2"}
FIX_VENUE = 3
BODY = DefineVenue(FIX_VENUE, "XBRK", "fix44", FIX)
LOG = [
    "20261130-01:16:00.000000000 : 8=FIX.4.4|35=A|34=1|49=DESK|56=XBRK|554=secret|10=0|",
    "20261130-01:16:50.500000000 : 8=FIX.4.4|35=D|34=2|49=DESK|56=XBRK|11=17|10=0|",
    "20261130-01:16:51.000000000 : 8=FIX.4.4|35=8|34=2|49=XBRK|56=DESK|11=17|150=8|10=0|",
    "not a line of the log",
    "20261130-01:17:00.500000000 : 8=FIX.4.4|35=j|34=3|49=XBRK|56=DESK|9999=x|10=0|",
]


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.applied(BODY)
    return made


def reset(
    venue: int = FIX_VENUE, inbound: int = 5, outbound: int = 9, approver: str = "charlie"
) -> control.ResetSession:
    return control.ResetSession(venue, inbound, outbound, "agreed by telephone", approver)


def test_a_session_is_disconnected_until_somebody_connects_it(loop: Loop) -> None:
    loop.applied(control.DisconnectVenue(FIX_VENUE, "the venue asked for it"))
    assert loop.configuration.disconnected == {FIX_VENUE}
    loop.applied(control.ConnectVenue(FIX_VENUE))
    assert loop.configuration.disconnected == set()
    assert loop.command(control.ConnectVenue(4)).reason == "venue 4 is not defined"


REFUSED = [
    (reset(approver="alice"), "resetting sequence numbers takes a second person"),
    (reset(approver=""), "resetting sequence numbers takes a second person"),
    (reset(venue=VENUE), "the numbers of this session are the venue's; there is nothing to reset"),
    (reset(inbound=0), "a sequence number is 1 to 2147483648"),
    (reset(outbound=1 << 40), "a sequence number is 1 to 2147483648"),
]


@pytest.mark.parametrize(("body", "sentence"), REFUSED)
def test_numbers_that_cannot_be_are_refused(loop: Loop, body: control.ResetSession, sentence: str) -> None:
    loop.applied(control.DisconnectVenue(FIX_VENUE, "stop"))
    assert loop.command(body).reason == sentence
    assert loop.configuration.resets == {}


def test_numbers_are_set_only_while_the_session_is_disconnected(loop: Loop) -> None:
    assert loop.command(reset()).reason == "disconnect the session first: numbers do not change under it"
    loop.applied(control.DisconnectVenue(FIX_VENUE, "stop"))
    assert loop.command(reset(), command_id="reset-one").applied
    assert loop.configuration.resets == {FIX_VENUE: ("reset-one", 5, 9)}


def test_numbers_are_set_before_a_session_that_is_connected_at_once_logs_on(tmp_path: Path) -> None:
    loop = Loop(venues=())
    settings = {name: value for name, value in FIX.items() if name != "feed_line_a"} | {"priced_by": "1"}
    loop.applied(DefineVenue(FIX_VENUE, "XBRK", "fix44", settings))
    numbers: list[tuple[int, int] | None] = []

    def logs_on(body: DefineVenue) -> str:
        numbers.append(quickfix_numbers(tmp_path, body))
        return "not in a test"

    sessions = Sessions(loop.configuration, tmp_path, tmp_path, lambda _: None, logs_on)
    loop.applied(control.DisconnectVenue(FIX_VENUE, "stop"))
    sessions.care()
    loop.applied(reset())
    loop.applied(control.ConnectVenue(FIX_VENUE))
    sessions.care()
    sessions.care()
    assert numbers == [(5, 9)]
    assert loop.configuration.complaints[FIX_VENUE] == "not in a test"
    sessions.close_all()


def test_while_people_keep_it_away_the_reason_and_both_numbers_are_shown(tmp_path: Path) -> None:
    loop = Loop(venues=())
    settings = {name: value for name, value in FIX.items() if name != "feed_line_a"} | {"priced_by": "1"}
    loop.applied(DefineVenue(FIX_VENUE, "XBRK", "fix", settings))
    sessions = Sessions(loop.configuration, tmp_path, tmp_path, lambda _: None, lambda _: "")
    loop.applied(control.DisconnectVenue(FIX_VENUE, "stop"))
    loop.applied(reset())
    for _ in range(2):
        sessions.care()
    seen = view_session(loop.configuration, tmp_path, control.command(control.ViewSession(FIX_VENUE, 2), "alice")).body
    assert (seen["connected"], seen["next_inbound"], seen["next_outbound"]) == (False, 5, 9)
    assert seen["why"] == DISCONNECTED
    sessions.close_all()


def test_blanks_around_a_setting_are_not_part_of_the_sessions_name(loop: Loop, tmp_path: Path) -> None:
    settings = FIX | {"version": " 4.2 ", "sender_comp_id": " DESK ", "target_comp_id": "XBRK "}
    body = DefineVenue(FIX_VENUE, "XBRK", "fix44", settings)
    loop.applied(body)
    set_quickfix_numbers(tmp_path, body, 5, 9)
    assert (session_directory(tmp_path, FIX_VENUE) / "store" / "FIX.4.2-DESK-XBRK.seqnums").exists()
    status = view_session(loop.configuration, tmp_path, control.command(control.ViewSession(FIX_VENUE, 2), "alice"))
    assert (status.body["next_inbound"], status.body["next_outbound"]) == (5, 9)


def test_the_numbers_that_quickfix_reads_are_written_once_for_each_command(tmp_path: Path) -> None:
    assert quickfix_numbers(tmp_path, BODY) is None
    set_quickfix_numbers(tmp_path, BODY, 5, 9)
    path = session_directory(tmp_path, FIX_VENUE) / "store" / "FIX.4.4-DESK-XBRK.seqnums"
    assert (path.read_text(), quickfix_numbers(tmp_path, BODY)) == ("0000000009 : 0000000005", (5, 9))
    assert not was_set(tmp_path, FIX_VENUE, "one")
    note_set(tmp_path, FIX_VENUE, "one")
    assert (was_set(tmp_path, FIX_VENUE, "one"), was_set(tmp_path, FIX_VENUE, "two")) == (True, False)


def test_messages_have_their_names_and_no_passwords() -> None:
    seen = describe([line.replace("|", "\x01") for line in LOG], "DESK", "4.4", 3)
    assert [(m["time"], m["direction"], m["type"], m["name"]) for m in seen["messages"]] == [
        ("01:17:00.500", "in", "j", "BusinessMessageReject"),
        ("01:16:51.000", "in", "8", "ExecutionReport"),
        ("01:16:50.500", "out", "D", "NewOrderSingle"),
    ]
    assert [9999, "Tag9999", "x"] in seen["messages"][0]["fields"]
    assert [11, "ClOrdID", "17"] in seen["messages"][2]["fields"]
    assert seen["rates"] == {"sent_per_second": 0.1, "received_per_second": 0.2, "refused": 2, "of_messages": 4}
    logon = describe([LOG[0].replace("|", "\x01")], "DESK", "4.4", 5)["messages"][0]
    assert [554, "Password", HIDDEN] in logon["fields"]
    assert describe([], "DESK", "4.4", 5)["why_no_messages"] == "No message was exchanged yet."


def test_a_look_tells_numbers_and_messages_of_the_log(loop: Loop, tmp_path: Path) -> None:
    set_quickfix_numbers(tmp_path, BODY, 5, 9)
    log = session_directory(tmp_path, FIX_VENUE) / "log" / "FIX.4.4-DESK-XBRK.messages.current.log"
    log.parent.mkdir(parents=True)
    log.write_text("\n".join(line.replace("|", "\x01") for line in LOG) + "\nhalf a li")
    status = view_session(loop.configuration, tmp_path, control.command(control.ViewSession(FIX_VENUE, 2), "alice"))
    assert (status.body["next_inbound"], status.body["next_outbound"], status.body["session"]) == (5, 9, "DOWN")
    assert (len(status.body["messages"]), len(read_tail(log))) == (2, len(LOG))
    soup = view_session(loop.configuration, tmp_path, control.command(control.ViewSession(VENUE, 2), "alice")).body
    assert (soup["numbered"], soup["next_outbound"], soup["messages"]) == (False, None, [])
    unknown = view_session(loop.configuration, tmp_path, control.command(control.ViewSession(4, 2), "alice"))
    assert unknown.reason == "venue 4 is not defined"
    assert loop.command(control.ViewSession(FIX_VENUE, 2)).reason.startswith("a look at a session changes nothing")
