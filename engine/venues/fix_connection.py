"""A FIX connection while the loop does not have it: logged on, gaps filled, every open order asked for.

Everything here may wait, so it runs in a helper thread (`FixAttempt`); the loop's thread looks at `outcome` between
batches and then takes in what came: the answers that were missed, and what the venue says of each order.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass

from engine.messages.codes import Side
from engine.protocols import fix
from engine.protocols.fix import FixMessage
from engine.protocols.fix44 import (
    BUSINESS_MESSAGE_REJECT,
    CL_ORD_ID,
    EXEC_TYPE,
    EXECUTION_REPORT,
    MSG_SEQ_NUM,
    ORDER_CANCEL_REJECT,
    ORDER_STATUS_REQUEST,
    REF_SEQ_NUM,
    SIDE,
    SIDES,
    SYMBOL,
    TEST_REQ_ID,
    TEXT,
)
from engine.protocols.fix_sender import TEST_REQUEST, FixSettings
from engine.protocols.fix_session import FixSession
from engine.transport.fix_store import FixNumbers
from engine.venues.fields import Address
from engine.venues.session_log import SessionLog
from engine.venues.soupbin_session import LoginFailed, outcome_of

ASK_AGAIN_NS = 2_000_000_000
TIMEOUT_S = 20.0
READ_S = 0.02
READ_BYTES = 1 << 16
EXEC_TRANS_TYPE = 20


@dataclass(frozen=True)
class Question:
    """An order that may be working at the venue."""

    order_id: int
    symbol: str
    side: int


@dataclass(frozen=True)
class HandedOver:
    """A connection that the loop gave away, with the bytes that it had read and not taken, and those not sent."""

    connection: socket.socket
    received: bytes
    unsent: bytes


@dataclass(frozen=True)
class FixEstablished:
    """A session, ready for the loop.

    `frames` are the venue's answers that the loop has not seen, in order; `answers` what it says of each order that was
    asked for, None when it refused to say; `rest` the beginning of its next message. `reset`: numbers began at 1.
    """

    connection: socket.socket
    frames: tuple[bytes, ...]
    answers: dict[int, FixMessage | None]
    rest: bytes
    next_inbound: int
    reset: bool
    said: tuple[str, ...]


class _Conversation:
    def __init__(
        self, settings: FixSettings, numbers: FixNumbers, questions: Iterable[Question], log: SessionLog
    ) -> None:
        self.session = FixSession(settings, numbers, lambda _session, message, _now: self._message(message))
        self.frames: list[bytes] = []
        self.answers: dict[int, FixMessage | None] = {}
        self.said: list[str] = []
        self._questions = {question.order_id: question for question in questions}
        self._asked: dict[int, int] = {}  # MsgSeqNum of a question: its order
        self._barrier = ""
        self._asked_ns = 0
        self._log, self._heard = log, fix.Splitter()

    def output(self) -> bytes:
        """What is to be sent now."""
        made = self.session.take_output()
        for frame in fix.Splitter().feed(made):
            self._log.sent(frame)
        return made

    def receive(self, raw: bytes) -> None:
        """Bytes of the venue's."""
        for frame in self._heard.feed(raw):
            self._log.received(frame)
        self.session.receive(raw, time.time_ns())

    @property
    def settled(self) -> bool:
        """Everything that the venue had to say has come, and it spoke of every order."""
        passed = bool(self._barrier) and self._barrier in self.session.answered
        return passed and self.session.complete and not self._open()

    def unanswered(self) -> str:
        """The orders that the venue has not spoken of."""
        return ", ".join(str(order_id) for order_id in self._open()) or "none"

    def step(self, now_ns: int) -> None:
        """Ask what is not answered, now and again: a gap fill may have swallowed a question."""
        for message in self.session.rejected:
            self._refused(message)
        self.session.rejected.clear()
        self.session.tick(now_ns)
        if self.session.complete and not self.settled and now_ns - self._asked_ns >= ASK_AGAIN_NS:
            self._asked_ns = now_ns
            for order_id in self._open():
                question = self._questions[order_id]
                self._asked[self.session.store.next_outbound] = order_id
                fields = [(CL_ORD_ID, str(order_id)), (SYMBOL, question.symbol), (SIDE, SIDES[Side(question.side)])]
                self.session.send(ORDER_STATUS_REQUEST, fields, now_ns)
            self._barrier = f"desk {now_ns}"
            self.session.send(TEST_REQUEST, [(TEST_REQ_ID, self._barrier)], now_ns)

    def _open(self) -> list[int]:
        return [order_id for order_id in self._questions if order_id not in self.answers]

    def _message(self, message: FixMessage) -> None:
        if message.type == EXECUTION_REPORT and (message.get(EXEC_TYPE) == "I" or message.get(EXEC_TRANS_TYPE) == "3"):
            name = message.get(CL_ORD_ID)
            if name.isascii() and name.isdecimal() and int(name) in self._questions:
                self.answers[int(name)] = message
        elif message.type in (EXECUTION_REPORT, ORDER_CANCEL_REJECT):
            self.frames.append(fix.encode(message.begin_string, message.fields))
        elif message.type == BUSINESS_MESSAGE_REJECT:
            self._refused(message)
        else:
            self.said.append(f"a message {message.type} of the venue was ignored")

    def _refused(self, message: FixMessage) -> None:
        number = message.get(REF_SEQ_NUM)
        order_id = self._asked.get(int(number)) if number.isascii() and number.isdecimal() else None
        if order_id is not None:
            self.answers.setdefault(order_id, None)
        else:
            self.said.append(f"the venue refused our message {number}: {message.get(TEXT) or 'without a reason'}")


def establish(
    settings: FixSettings,
    address: Address,
    numbers: FixNumbers,
    questions: Iterable[Question],
    taken: HandedOver | None = None,
    timeout_s: float = TIMEOUT_S,
    log: SessionLog | None = None,
) -> FixEstablished:
    """Log on at `address`, or go on with the connection that was handed over. LoginFailed with a sentence.

    `numbers` has the next one to send and, as far as the journal goes, the next one expected. `log` gets what is said.
    """
    talk = _Conversation(settings, numbers, questions, log or SessionLog())
    session, where = talk.session, f"{address.host}:{address.port}"
    try:
        connection = taken.connection if taken else socket.create_connection(address, timeout_s)
    except OSError as error:
        raise LoginFailed(f"cannot connect to {where}: {error.strerror or error}") from None
    deadline = time.monotonic() + timeout_s
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(timeout_s)
        if taken:
            connection.sendall(taken.unsent)
            session.resume(time.time_ns())
            talk.receive(taken.received)
        else:
            session.begin(time.time_ns())
        while not talk.settled:
            _exchange(connection, talk)
            if session.closed:
                raise LoginFailed(". ".join([f"{where} ended the session", *session.said]))
            if time.monotonic() > deadline:
                raise LoginFailed(_why_not(talk, where, timeout_s))
        connection.setblocking(False)
    except OSError as error:
        connection.close()
        raise LoginFailed(f"lost {where} during the logon: {error.strerror or error}") from None
    except BaseException:
        connection.close()
        raise
    reset = session.resets_seen > 0 or (settings.asks_reset and taken is None)
    return FixEstablished(
        connection, tuple(talk.frames), talk.answers, session.splitter.rest, numbers.next_inbound, reset,
        (*talk.said, *session.said),
    )  # fmt: skip


def _exchange(connection: socket.socket, talk: _Conversation) -> None:
    """Send what is due, read what is there."""
    talk.step(time.time_ns())
    output = talk.output()
    if output:
        connection.settimeout(TIMEOUT_S)
        connection.sendall(output)
    if talk.session.closed:
        return
    connection.settimeout(READ_S)
    try:
        raw = connection.recv(READ_BYTES)
    except TimeoutError:
        return
    if not raw:
        raise LoginFailed(". ".join(["the venue closed the connection", *talk.session.said]))
    talk.receive(raw)
    output = talk.output()
    if output:
        connection.settimeout(TIMEOUT_S)
        connection.sendall(output)


def _why_not(talk: _Conversation, where: str, timeout_s: float) -> str:
    if not talk.session.logged_on:
        return f"{where} did not answer the logon within {timeout_s:g} s"
    return f"{where} did not say within {timeout_s:g} s what became of our orders: {talk.unanswered()}"


class FixAttempt:
    """`establish` in a thread: `outcome` is None while it waits, then FixEstablished or LoginFailed."""

    def __init__(
        self,
        settings: FixSettings,
        address: Address,
        numbers: FixNumbers,
        questions: Iterable[Question],
        taken: HandedOver | None = None,
        log: SessionLog | None = None,
    ) -> None:
        self.outcome: FixEstablished | LoginFailed | None = None
        self._arguments = (settings, address, numbers, tuple(questions), taken, TIMEOUT_S, log)
        self._abandoned = False
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name=f"FIX {address.host}:{address.port}", daemon=True).start()

    def _run(self) -> None:
        outcome = outcome_of(lambda: establish(*self._arguments))
        with self._lock:
            if self._abandoned and isinstance(outcome, FixEstablished):
                outcome.connection.close()
            else:
                self.outcome = outcome

    def abandon(self) -> None:
        """Nobody wants the outcome any more: close the connection that came or will come."""
        with self._lock:
            self._abandoned = True
            if isinstance(self.outcome, FixEstablished):
                self.outcome.connection.close()
                self.outcome = None


def sequence_in(frame: bytes) -> int:
    """MsgSeqNum(34) of a frame that the session has checked."""
    return fix.decode(frame).number(MSG_SEQ_NUM)
