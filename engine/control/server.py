"""The door for commands: a thread that takes them off the wire and hands them to the loop's thread, which answers
between batches. It never touches the loop's memory but for the word that wakes the loop.
"""

from __future__ import annotations

import queue
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import zmq

from engine.messages.control import ALARM, REFUSED, VIEW_SESSION, Command, Status, decode_command

ANSWER_WITHIN_S = 5.0
POLL_MS = 200
LARGEST_FRAME = 1 << 20


@dataclass
class Pending:
    """A command on its way to the loop's thread; `answer` is set when `done` is."""

    command: Command
    done: threading.Event = field(default_factory=threading.Event)
    answer: Status | None = None

    def reply(self, status: Status) -> None:
        """Answer it."""
        self.answer = status
        self.done.set()


class ControlServer:
    """Binds the control endpoint; `wake` makes the loop come back, `watch` is called a few times a second in this
    thread."""

    def __init__(
        self,
        endpoint: str,
        wake: Callable[[], None],
        watch: Callable[[], None],
        look: Callable[[Command], Status] | None = None,
    ) -> None:
        """`look` answers VIEW_SESSION, here in this thread: it only reads."""
        self._look = look
        self.pending: queue.SimpleQueue[Pending] = queue.SimpleQueue()
        self._wake, self._watch = wake, watch
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.MAXMSGSIZE, LARGEST_FRAME)
        self._socket.bind(endpoint)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)

    def start(self) -> None:
        """Begin to take commands."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more."""
        self._stop.set()
        self._thread.join()

    def submit(self, command: Command) -> Status:
        """Hand one command to the loop's thread and wait for its answer."""
        pending = Pending(command)
        self.pending.put(pending)
        self._wake()
        if not pending.done.wait(ANSWER_WITHIN_S) or pending.answer is None:
            return Status(command.id, REFUSED, "the engine is busy; ask again with the same id")
        return pending.answer

    def _serve(self) -> None:
        try:
            while not self._stop.is_set():
                if self._socket.poll(POLL_MS):
                    self._answer(self._socket.recv_multipart())
                self._watch()
        finally:
            self._socket.close()

    def _seen(self, command: Command) -> Status:
        assert self._look is not None
        try:
            return self._look(command)
        except Exception as error:  # noqa: BLE001 - without this thread nobody could command the engine any more
            traceback.print_exc()
            sentence = f"the look failed: {type(error).__name__}; the engine's log says where"
            return Status(command.id, REFUSED, sentence)

    def _answer(self, parts: list[Any]) -> None:
        peer, *rest = parts
        frame = rest[-1] if rest else b""
        try:
            command = decode_command(frame)
            if command.kind == ALARM:
                raise ValueError("only the engine itself raises an alarm")
            status = self._seen(command) if self._look and command.kind == VIEW_SESSION else self.submit(command)
        except (ValueError, TypeError) as error:
            status = Status("", REFUSED, str(error))
        self._socket.send_multipart([peer, *rest[:-1], status.encode()])
