"""The cold side of FIX sessions that the loop speaks itself: started, taken back when it needs more than the loop does,
settled, and handed over again."""

from __future__ import annotations

import base64
import ctypes
import hashlib
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.hotpath import tables
from engine.hotpath.entries import own_report, session_event, take_fix_message
from engine.hotpath.memory import EngineMemory
from engine.messages.codes import OPEN_STATES, OrderState, ReportKind, SessionState
from engine.messages.control import DefineVenue
from engine.native import address_of, touched
from engine.protocols.fix import FixMessage
from engine.protocols.fix44 import CUM_QTY, ORD_REJ_REASON, ORD_STATUS, UNKNOWN_ORDER
from engine.protocols.fix_bounds import LONGEST_FRAME
from engine.protocols.fix_sender import LOGOUT, FixSender
from engine.protocols.fix_wire import make_wire
from engine.transport.fix_store import FixNumbers
from engine.venues.fix import NativeFixSettings, read_settings
from engine.venues.fix44_reports import STATES
from engine.venues.fix_connection import FixAttempt, FixEstablished, HandedOver, Question, sequence_in
from engine.venues.secret_files import SecretFiles, secret_files
from engine.venues.session_log import SessionLog
from engine.venues.soupbin_session import LoginFailed

FIRST_RETRY_S, LONGEST_RETRY_S = 0.2, 5.0
SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
ENDINGS = {
    OrderState.CANCELED: ReportKind.CANCELED,
    OrderState.EXPIRED: ReportKind.EXPIRED,
    OrderState.REJECTED: ReportKind.REJECTED,
}
UNACKNOWLEDGED = (OrderState.PENDING_NEW, OrderState.UNKNOWN)
Say = Callable[[str], None]


def session_name(version: str, sender: str, target: str) -> str:
    """Ten letters that stand for a session's version and CompIDs."""
    digest = hashlib.blake2b(f"{version}\x01{sender}\x01{target}".encode(), digest_size=6).digest()
    return base64.b32encode(digest).decode()[:10]


def session_words(name: str) -> tuple[int, int]:
    """The name as the two words that records carry."""
    low, high = struct.unpack("<qq", name.encode().ljust(16, b"\0"))
    return low, high


@dataclass
class FixSession:
    """One venue's session: its numbers and the texts that the loop writes with, the connection and who has it."""

    body: DefineVenue
    settings: NativeFixSettings
    name_words: tuple[int, int]
    numbers: FixNumbers
    wire: np.ndarray
    connection: socket.socket | None = None
    attempt: FixAttempt | None = None
    retry_at: float = 0.0
    retry_s: float = FIRST_RETRY_S
    complaint: str = ""

    @property
    def name(self) -> str:
        """The venue's."""
        return self.body.name


class FixSessions:
    """All of them. Called by the loop's thread between batches only; `watch` is called when sockets changed.

    `complaints`: why a venue has no session, as a sentence, for people.
    """

    def __init__(
        self,
        memory: EngineMemory,
        complaints: dict[int, str],
        state: Path,
        say: Say,
        watch: Callable[[], None],
        logs: dict[int, SessionLog] | None = None,
        secrets: SecretFiles | None = None,
    ) -> None:
        """`logs` get what each venue's session says while the loop does not have it."""
        self._memory, self._complaints, self._state = memory, complaints, state
        self.logs = {} if logs is None else logs
        self._say, self._watch, self._secrets = say, watch, secrets or secret_files(state)
        self._sessions: dict[int, FixSession] = {}
        self._frame = touched(2 * LONGEST_FRAME, np.dtype("u1"))

    def care(self, venue: int, body: DefineVenue) -> None:
        """One look at a venue's session. Cheap when all is well."""
        session = self._sessions.get(venue)
        if session is None:
            session = self._sessions[venue] = self._open(venue, body)
        row = self._memory.venues[venue]
        if session.connection is not None:
            if row["lost"] == tables.HANDED_OVER:
                self._take_over(venue, session)
            elif row["lost"]:
                self._down(venue, session)
                self._say(f"{session.name}: the session was lost; connecting again")
            else:
                session.numbers.next_inbound = int(row["next_inbound"])
                return
        if session.attempt is None:
            if time.monotonic() >= session.retry_at:
                self._start(venue, session, None)
            return
        outcome = session.attempt.outcome
        if outcome is None:
            return
        session.attempt = None
        if isinstance(outcome, LoginFailed):
            self._down(venue, session)
            self._try_later(venue, session, str(outcome))
        else:
            self._install(venue, session, outcome)

    def close(self, venue: int) -> None:
        """Log out, as far as the connection takes it, and give everything back."""
        session = self._sessions.pop(venue, None)
        if session is None:
            return
        if session.attempt is not None:
            session.attempt.abandon()
        row = self._memory.venues[venue]
        if session.connection is not None:
            session.numbers.next_inbound = int(row["next_inbound"])
            if not row["lost"]:
                self._log_out(venue, session, session.connection)
        self._down(venue, session)
        row["wire"] = 0
        self._complaints.pop(venue, None)
        session.numbers.sync()

    def set_numbers(self, venue: int, body: DefineVenue, next_inbound: int, next_outbound: int) -> None:
        """Numbers that people set, while the session is closed. The journal has them before the next logon."""
        session = self._open(venue, body)
        row = self._memory.venues[venue]
        row["next_inbound"] = session.numbers.next_inbound = next_inbound
        session.numbers.next_outbound = next_outbound
        session.numbers.sync()
        self._event(venue, session, SessionState.CONNECTING)
        self._event(venue, session, SessionState.DOWN)
        row["wire"] = 0

    def next_outbound(self, venue: int) -> int:
        """MsgSeqNum(34) of the next message that is sent there; 0 while it is not known."""
        session = self._sessions.get(venue)
        return session.numbers.next_outbound if session is not None else 0

    def _open(self, venue: int, body: DefineVenue) -> FixSession:
        settings = read_settings(body.settings)
        names = (settings.session.sender, settings.session.target)
        session = session_name(settings.session.version, *names)
        numbers = FixNumbers(self._state / "engine" / "fix" / str(venue) / session / "numbers")
        wire = make_wire(numbers.outbound_address, settings.session.version, *names, settings.account)
        return FixSession(body, settings, session_words(session), numbers, wire)

    def _start(self, venue: int, session: FixSession, taken: HandedOver | None) -> None:
        logon = session.settings.session
        if taken is None:
            try:
                logon = read_settings(self._secrets.settings("fix", session.body.settings)).session
            except ValueError as error:
                self._try_later(venue, session, str(error))
                return
        self._begin_day(venue, session, renew=taken is None)
        session.numbers.next_inbound = int(self._memory.venues[venue]["next_inbound"])
        session.numbers.sync()
        address = session.settings.order_address
        questions = self._questions(venue)
        log = self.logs.setdefault(venue, SessionLog())
        session.attempt = FixAttempt(logon, address, session.numbers, questions, taken, log)

    def _begin_day(self, venue: int, session: FixSession, *, renew: bool) -> None:
        """Numbers that begin again each day do so with the first logon of the day, on both sides without a word.

        Those of a session with other names are not this one's.
        """
        row, today = self._memory.venues[venue], time.time_ns() // DAY_NS
        if not renew:
            return
        renamed = session.name_words != (int(row["session_low"]), int(row["session_high"]))
        over = session.numbers.day not in (0, today) and session.settings.daily_numbers
        expected = 1 if over else session.numbers.next_inbound if renamed else int(row["next_inbound"])
        if expected != row["next_inbound"]:
            row["next_inbound"] = expected
            self._event(venue, session, SessionState.CONNECTING)  # journalled first: a start in between does it again
        if over:
            session.numbers.reset()
        session.numbers.day = today

    def _questions(self, venue: int) -> list[Question]:
        orders = self._memory.orders
        mine = orders[(orders["order_id"] != 0) & (orders["venue"] == venue)]
        return [
            Question(int(order["order_id"]), self._symbol(int(order["instrument"])), int(order["side"]))
            for order in mine
            if int(order["state"]) in OPEN_STATES
        ]

    def _symbol(self, instrument: int) -> str:
        raw = int(self._memory.instruments[instrument]["symbol"]).to_bytes(8, "little", signed=True)
        return raw.decode("latin-1").strip()

    def _take_over(self, venue: int, session: FixSession) -> None:
        """The loop needs the cold path: the session is closed to new risk until everything agrees again."""
        row = self._memory.venues[venue]
        assert session.connection is not None
        inbound, outbound = int(row["inbound_used"]), int(row["outbound_used"])
        taken = HandedOver(
            session.connection,
            ctypes.string_at(int(row["inbound"]), inbound),
            ctypes.string_at(int(row["outbound"]), outbound),
        )
        session.connection = None
        row["fd"], row["inbound_used"], row["outbound_used"] = -1, 0, 0
        self._watch()
        self._event(venue, session, SessionState.RECONCILING)
        self._start(venue, session, taken)

    def _install(self, venue: int, session: FixSession, made: FixEstablished) -> None:
        row = self._memory.venues[venue]
        for sentence in made.said:
            self._say(f"{session.name}: {sentence}")
        row["lost"] = row["inbound_used"] = row["outbound_used"] = row["tested"] = 0
        row["wire"] = address_of(session.wire)
        row["interval_ns"] = session.settings.session.heartbeat_seconds * SECOND_NS
        if made.reset:
            row["next_inbound"] = 1
        if made.reset or row["session"] != SessionState.RECONCILING:
            self._event(venue, session, SessionState.RECONCILING)
        for frame in made.frames:
            self._take_frame(venue, session, frame)
        row["next_inbound"] = made.next_inbound
        doubts = [self._settle(venue, order_id, answer) for order_id, answer in made.answers.items()]
        session.connection = made.connection
        if any(doubts):
            self._down(venue, session)
            self._try_later(venue, session, "; ".join(doubt for doubt in doubts if doubt))
            return
        row["heard_ns"] = row["sent_ns"] = time.time_ns()
        ctypes.memmove(int(row["inbound"]), made.rest, len(made.rest))
        row["inbound_used"] = len(made.rest)
        row["fd"] = made.connection.fileno()
        session.retry_s, session.complaint = FIRST_RETRY_S, ""
        self._complaints.pop(venue, None)
        self._watch()
        self._event(venue, session, SessionState.UP)
        self._say(f"{session.name}: the FIX session is up")

    def _take_frame(self, venue: int, session: FixSession, frame: bytes) -> None:
        """An answer that came while the loop did not have the connection; one that it has journalled is not taken."""
        row = self._memory.venues[venue]
        sequence = sequence_in(frame)
        if sequence < row["next_inbound"]:
            return
        row["next_inbound"] = sequence
        self._frame[: len(frame)] = np.frombuffer(frame, np.uint8)
        if not take_fix_message(self._memory.address, venue, address_of(self._frame), len(frame)):
            row["malformed"] += 1
            row["next_inbound"] = sequence + 1
            self._say(f"{session.name}: message {sequence} of the venue cannot be read")

    def _settle(self, venue: int, order_id: int, answer: FixMessage | None) -> str:
        """What the venue says of an order becomes what we know. A sentence when the two cannot both be true."""
        orders = self._memory.orders
        order = orders[order_id & (len(orders) - 1)]
        if order["order_id"] != order_id or int(order["state"]) not in OPEN_STATES:
            return ""
        executed = int(order["chain"]) + int(order["filled"])
        acknowledged = int(order["state"]) not in UNACKNOWLEDGED or executed > 0
        if answer is None:
            return ""
        state = STATES.get(answer.get(ORD_STATUS))
        if state == OrderState.REJECTED and answer.get(ORD_REJ_REASON) == str(UNKNOWN_ORDER):
            self._end(venue, order_id, ReportKind.CANCELED if acknowledged else ReportKind.NOT_SENT)
            return ""
        whole, _, _ = answer.get(CUM_QTY, "0").partition(".")
        if state is None or not whole.isdecimal():
            return f"what the venue says of order {order_id} cannot be read"
        if int(whole) != executed:
            return f"order {order_id}: the venue says {whole} executed, we know of {executed}"
        if state in ENDINGS:
            self._end(venue, order_id, ENDINGS[state])
        elif state not in (OrderState.FILLED, OrderState.PENDING_NEW) and not acknowledged:
            self._end(venue, order_id, ReportKind.ACCEPTED)
        return ""

    def _end(self, venue: int, order_id: int, kind: ReportKind) -> None:
        own_report(self._memory.address, venue, order_id, int(kind))

    def _event(self, venue: int, session: FixSession, state: SessionState) -> None:
        session_event(self._memory.address, venue, int(state), 0, 0, *session.name_words)

    def _down(self, venue: int, session: FixSession) -> None:
        row = self._memory.venues[venue]
        row["fd"], row["outbound_used"] = -1, 0
        if row["session"] != SessionState.DOWN:
            self._event(venue, session, SessionState.DOWN)
        if session.connection is not None:
            session.connection.close()
            session.connection = None
        session.numbers.sync()
        self._watch()

    def _log_out(self, venue: int, session: FixSession, connection: socket.socket) -> None:
        made: list[bytes] = []
        FixSender(session.settings.session, session.numbers, made.append).send(LOGOUT, [], time.time_ns())
        self.logs.setdefault(venue, SessionLog()).sent(made[0])
        try:
            connection.send(made[0])
        except OSError:
            return

    def _try_later(self, venue: int, session: FixSession, sentence: str) -> None:
        self._complaints[venue] = sentence
        session.retry_at = time.monotonic() + session.retry_s
        session.retry_s = min(LONGEST_RETRY_S, session.retry_s * 2)
        if sentence != session.complaint:
            session.complaint = sentence
            self._say(f"{session.name}: {sentence}")
