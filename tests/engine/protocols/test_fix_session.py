"""Two ends of a FIX session joined without sockets, under a clock of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.protocols import fix
from engine.protocols.fix import FixMessage
from engine.protocols.fix_sender import FixSettings
from engine.protocols.fix_session import FixSession, Unsupported
from engine.transport.fix_store import FixMessages, FixNumbers

SECOND = 1_000_000_000
START = 1_767_349_230_000_000_000


class Pair:
    """An initiator DESK and an acceptor VENUE. `lose` makes the bytes of one direction disappear."""

    def __init__(self, directory: Path, version: str = "4.4", *, heartbeat: int = 30, asks_reset: bool = False) -> None:
        self.now = START
        self.stores = (FixNumbers(directory / "desk"), FixMessages(directory / "venue"))
        self.delivered: tuple[list[str], list[str]] = ([], [])
        self.wire: tuple[list[str], list[str]] = ([], [])
        self.version, self.heartbeat, self.asks_reset = version, heartbeat, asks_reset
        self.lost: set[int] = set()
        self.connect()

    def connect(self) -> None:
        self.desk = FixSession(
            FixSettings(self.version, "DESK", "VENUE", self.heartbeat, initiator=True, asks_reset=self.asks_reset,
                        credentials=((553, "me"), (554, "secret"))),
            self.stores[0], lambda _s, message, _n: self._deliver(0, message),
        )  # fmt: skip
        self.venue = FixSession(
            FixSettings(self.version, "VENUE", "DESK", 30, initiator=False, resends=True),
            self.stores[1], lambda _s, message, _n: self._deliver(1, message),
        )  # fmt: skip
        self.desk.begin(self.now)
        self.venue.begin(self.now)
        self.run()

    def _deliver(self, side: int, message: FixMessage) -> None:
        if message.type == "b":
            raise Unsupported
        self.delivered[side].append(message.get(11))

    def run(self) -> None:
        """Carry bytes to and fro until there are none."""
        ends = (self.desk, self.venue)
        while True:
            output = [end.take_output() for end in ends]
            if not any(output):
                return
            for side, raw in enumerate(output):
                for frame in fix.Splitter().feed(raw):
                    self.wire[side].append(shown(frame))
                if side not in self.lost:
                    ends[1 - side].receive(raw, self.now)

    def order(self, side: int, identifier: str) -> None:
        (self.desk, self.venue)[side].send("D", [(11, identifier)], self.now)
        self.run()

    def after(self, seconds: float) -> None:
        """Time passes in steps of a tenth of a second."""
        for _ in range(round(seconds * 10)):
            self.now += SECOND // 10
            self.desk.tick(self.now)
            self.venue.tick(self.now)
            self.run()


def shown(frame: bytes) -> str:
    """Type, number, and the fields of the body."""
    message = fix.decode(frame)
    body = [f"{tag}={value}" for tag, value in message.fields if tag not in (34, 35, 49, 52, 56, 122)]
    return " ".join([message.type, message.get(34), *body])


@pytest.mark.parametrize(("version", "begin", "extra"), [
    ("4.2", "FIX.4.2", ""), ("4.4", "FIX.4.4", ""), ("5.0SP2", "FIXT.1.1", " 1137=9"),
])  # fmt: skip
def test_a_logon_is_answered_and_a_logout_ends_both_sides(tmp_path: Path, version: str, begin: str, extra: str) -> None:
    pair = Pair(tmp_path, version)
    pair.desk.log_out(pair.now)
    pair.run()
    assert pair.desk.settings.begin_string == begin
    assert pair.wire == (
        [f"A 1 98=0 108=30 553=me 554=secret{extra}", "5 2"],
        [f"A 1 98=0 108=30{extra}", "5 2"],
    )
    assert (pair.desk.closed, pair.venue.closed) == (True, True)


def test_orders_that_the_venue_missed_and_the_one_that_showed_it_are_filled_never_sent_again(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.lost.add(0)
    pair.order(0, "1")
    pair.order(0, "2")
    pair.lost.clear()
    pair.order(0, "3")
    pair.order(0, "4")
    assert pair.delivered == ([], ["4"])
    assert pair.wire[1][-1] == "2 2 7=2 16=0"
    assert pair.wire[0][-2:] == ["4 2 43=Y 36=5 123=Y", "D 5 11=4"]
    assert (pair.venue.complete, pair.stores[1].next_inbound) == (True, 6)


def test_what_we_missed_is_asked_for_and_comes_once_in_order(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.lost.add(1)
    pair.order(1, "1")
    pair.after(31)
    pair.order(1, "2")
    pair.lost.clear()
    pair.order(1, "3")
    assert pair.delivered == (["1", "2", "3"], [])
    assert pair.wire[1][-4:] == ["D 2 43=Y 11=1", "4 3 43=Y 36=4 123=Y", "D 4 43=Y 11=2", "D 5 43=Y 11=3"]
    assert pair.desk.complete


def test_numbers_survive_both_processes(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.order(1, "1")
    pair.order(0, "1")
    again = Pair(tmp_path)
    assert again.wire == (["A 3 98=0 108=30 553=me 554=secret"], ["A 3 98=0 108=30"])
    again.lost.add(1)
    again.order(1, "2")
    third = Pair(tmp_path)
    assert third.delivered == (["2"], [])
    assert (third.desk.complete, third.venue.complete) == (True, True)


def test_a_reset_begins_both_numbers_at_one(tmp_path: Path) -> None:
    Pair(tmp_path).order(0, "1")
    again = Pair(tmp_path, asks_reset=True)
    assert again.wire == (["A 1 98=0 108=30 141=Y 553=me 554=secret"], ["A 1 98=0 108=30 141=Y"])
    assert [(store.next_outbound, store.next_inbound) for store in again.stores] == [(2, 2), (2, 2)]


def test_silence_is_tested_and_then_ends_the_connection(tmp_path: Path) -> None:
    pair = Pair(tmp_path, heartbeat=5)
    pair.after(5.5)
    assert (pair.wire[0][-1], pair.wire[1][-1]) == ("0 2", "0 2")
    pair.lost.add(1)
    pair.after(7)
    assert pair.wire[0][-1] == "1 4 112=TEST"
    pair.after(6.5)
    assert (pair.desk.closed, pair.desk.said) == (True, ["the other side is silent"])


def test_a_test_request_is_answered_with_its_id(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.venue.send("1", [(112, "are you there")], pair.now)
    pair.run()
    assert pair.wire[0][-1] == "0 2 112=are you there"
    assert pair.venue.answered == {"are you there"}


def test_a_number_below_the_expected_one_ends_the_session_with_the_reason(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.stores[0].next_outbound = 1
    pair.order(0, "1")
    assert pair.wire[1][-1] == "5 2 58=MsgSeqNum too low, expecting 2 but received 1"
    assert pair.desk.said == ["the other side logged out: MsgSeqNum too low, expecting 2 but received 1"]
    assert (pair.desk.closed, pair.venue.closed) == (True, True)


def test_a_message_that_the_application_does_not_take_is_refused_by_name(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.desk.send("b", [(117, "q")], pair.now)
    pair.run()
    assert pair.wire[1][-1] == "j 2 45=2 58=Unsupported Message Type 372=b 380=3"


def test_a_field_that_is_no_number_ends_the_session_with_a_sentence(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.desk.send("2", [(7, "x"), (16, "0")], pair.now)
    pair.run()
    assert pair.wire[1][-1] == "5 2 58=2: field 7: 'x' is not a number"
    assert pair.desk.closed


def test_numbers_jump_ahead_after_the_machine_was_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Pair(tmp_path).order(0, "1")
    monkeypatch.setattr("engine.transport.fix_store.this_boot", lambda: b"another".ljust(36))
    numbers = FixNumbers(tmp_path / "desk")
    assert (numbers.next_outbound, numbers.next_inbound) == (100_003, 2)


def test_a_file_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "numbers").write_bytes(b"x" * 4096)
    with pytest.raises(ValueError, match="does not hold the numbers of a FIX session"):
        FixNumbers(tmp_path / "numbers")
