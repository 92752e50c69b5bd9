"""The door for commands on a real socket: one frame in, one answer out, whatever the frame."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import zmq

from engine.control import server as server_module
from engine.control.server import ControlServer
from engine.messages import control
from engine.messages.control import Status, command, decode_status

ID = "0123456789abcdef"
WAIT_MS = 10_000


class Door:
    """A server whose loop's thread answers in this test, and a client."""

    def __init__(self, endpoint: str) -> None:
        self.wakes, self.looks = threading.Event(), threading.Event()
        self.server = ControlServer(endpoint, self.wakes.set, self.looks.set, self.look)
        self.server.start()
        self.client: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        self.client.setsockopt(zmq.LINGER, 0)
        self.client.connect(endpoint)

    def answer(self, outcome: str = control.APPLIED) -> control.Command:
        """Take the next command as the loop does, and answer it."""
        pending = self.server.pending.get(timeout=WAIT_MS / 1000)
        pending.reply(Status(pending.command.id, outcome, "", {"by": "loop"}))
        return pending.command

    def look(self, command: control.Command) -> Status:
        """As of an engine in whose session there is something that nobody foresaw."""
        raise KeyError(command.kind)

    def ask(self, *parts: bytes) -> None:
        self.client.send_multipart(parts)

    def heard(self) -> list[bytes]:
        assert self.client.poll(WAIT_MS), "no answer"
        return self.client.recv_multipart()

    def close(self) -> None:
        self.client.close()
        self.server.stop()


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(f"ipc://{tmp_path}/control.ipc")
    yield made
    made.close()


def test_a_command_wakes_the_loop_and_its_answer_goes_back_to_who_asked(door: Door) -> None:
    sent = command(control.StopStrategy(7), "alice", ID)
    door.ask(b"", sent.encode())
    assert door.answer() == sent
    assert door.wakes.is_set()
    empty, raw = door.heard()
    assert (empty, decode_status(raw)) == (b"", Status(ID, control.APPLIED, "", {"by": "loop"}))


def test_a_client_without_an_empty_part_is_answered_without_one(door: Door) -> None:
    door.ask(command(control.StopStrategy(7), "alice", ID).encode())
    door.answer()
    (raw,) = door.heard()
    assert decode_status(raw).applied


@pytest.mark.parametrize(
    "raw", [b"", b"garbage", b"\xff\xff", b"[" * 100_000, b'{"kind": []}', b'{"kind": "explode", "body": {}}']
)
def test_garbage_is_answered_with_a_sentence_and_the_door_stays_open(door: Door, raw: bytes) -> None:
    door.ask(b"", raw)
    status = decode_status(door.heard()[-1])
    assert (status.id, status.outcome) == ("", control.REFUSED)
    assert status.reason
    door.ask(b"", command(control.StopStrategy(7), "alice", ID).encode())
    door.answer()
    assert decode_status(door.heard()[-1]).id == ID


def test_a_look_that_fails_is_answered_and_the_door_stays_open(door: Door) -> None:
    door.ask(b"", command(control.ViewSession(3, 10), "alice", ID).encode())
    status = decode_status(door.heard()[-1])
    assert status == Status(ID, control.REFUSED, "the look failed: KeyError; the engine's log says where")
    door.ask(b"", command(control.StopStrategy(7), "alice", ID).encode())
    door.answer()
    assert decode_status(door.heard()[-1]).applied


def test_an_alarm_from_outside_is_refused(door: Door) -> None:
    door.ask(b"", command(control.Alarm("latency_p99", 1, "slow", 2, 1), "alice", ID).encode())
    status = decode_status(door.heard()[-1])
    assert (status.outcome, status.reason) == (control.REFUSED, "only the engine itself raises an alarm")
    assert door.server.pending.empty()


def test_a_loop_that_does_not_answer_in_time_is_busy(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "ANSWER_WITHIN_S", 0.05)
    door.ask(b"", command(control.StopStrategy(7), "alice", ID).encode())
    status = decode_status(door.heard()[-1])
    assert status == Status(ID, control.REFUSED, "the engine is busy; ask again with the same id")
    assert door.server.pending.qsize() == 1


def test_somebody_looks_in_a_few_times_a_second_without_commands(door: Door, eventually: Callable[..., None]) -> None:
    eventually(door.looks.is_set, "a look")
    door.looks.clear()
    eventually(door.looks.is_set, "another look")
    assert door.server.pending.empty()
