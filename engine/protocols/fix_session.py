"""One side of a FIX session, initiator or acceptor, without sockets: bytes and time in, bytes and messages out.

FIX Session Protocol (FIX 4.4 volume 2, FIXT 1.1): logon and logout, sequence numbers, resending and gap fill,
heartbeats and test requests, rejects. Feed it with `receive` and `tick`; send what `take_output` gives; close the
connection when `closed` is set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from engine.protocols import fix
from engine.protocols.fix import FixMessage
from engine.protocols.fix44 import read_time
from engine.protocols.fix_sender import (
    ADMINISTRATIVE,
    BEGIN_SEQ_NO,
    END_SEQ_NO,
    GAP_FILL_FLAG,
    HEART_BT_INT,
    HEARTBEAT,
    LOGON,
    LOGOUT,
    MSG_SEQ_NUM,
    NEW_SEQ_NO,
    ORIG_SENDING_TIME,
    POSS_DUP_FLAG,
    REJECT,
    RESEND_REQUEST,
    RESET_SEQ_NUM_FLAG,
    SENDER_COMP_ID,
    SENDING_TIME,
    SEQUENCE_RESET,
    TARGET_COMP_ID,
    TEST_REQ_ID,
    TEST_REQUEST,
    TEXT,
    FixSender,
    FixSettings,
    FixStore,
)
from engine.protocols.fix_validation import Fault, SessionRejectReason, find_fault
from engine.protocols.layouts import MalformedMessage

SECOND_NS = 1_000_000_000
CLOCKS_APART_NS = 120 * SECOND_NS
TEST_AFTER, GONE_AFTER = 1.2, 2.4  # of the heartbeat interval, in silence
LOGON_NS, LOGOUT_NS = 10 * SECOND_NS, 2 * SECOND_NS
LONGEST_QUEUE = 10_000


class Unsupported(Exception):
    """The application does not take messages of this type."""


Application = Callable[["FixSession", FixMessage, int], None]


class FixSession:
    """`application(session, message, now_ns)` gets every application message once, in order.

    `said` are sentences about what people should know; `rejects` are Reject(3) messages from the other side.
    """

    def __init__(self, settings: FixSettings, store: FixStore, application: Application) -> None:
        self.settings, self.store = settings, store
        self.logged_on = self.closed = False
        self.heartbeat_seconds = settings.heartbeat_seconds
        self.said: list[str] = []
        self.answered: set[str] = set()  # TestReqIDs that Heartbeats brought back
        self.rejected: list[FixMessage] = []
        self.resets_seen = 0
        self._application = application
        self._output: list[bytes] = []
        self.sender = FixSender(settings, store, self._output.append)
        self.splitter = fix.Splitter()
        self._queue: dict[int, FixMessage] = {}
        self._asked: tuple[int, int] | None = None  # the numbers that a ResendRequest of ours is about
        self._heard_ns = self._began_ns = self._logout_ns = 0
        self._tests = 0

    @property
    def complete(self) -> bool:
        """Logged on, and nothing is missing before the newest message that came."""
        return self.logged_on and not self._queue and self._asked is None

    def begin(self, now_ns: int) -> None:
        """The connection is there; the initiator logs on."""
        self._heard_ns = self._began_ns = now_ns
        if self.settings.initiator:
            if self.settings.asks_reset:
                self.store.reset()
            self.sender.logon(now_ns, self.heartbeat_seconds, reset=self.settings.asks_reset)

    def resume(self, now_ns: int) -> None:
        """Go on with a session that somebody else kept so far."""
        self._heard_ns = self._began_ns = self.sender.sent_ns = now_ns
        self.logged_on = True

    def take_output(self) -> bytes:
        """What is to be sent now."""
        made = b"".join(self._output)
        self._output.clear()
        return made

    def send(self, message_type: str, fields: Iterable[tuple[int, str]], now_ns: int) -> None:
        """Send a message of the application, or a session message that it wants."""
        self.sender.send(message_type, fields, now_ns)

    def receive(self, raw: bytes, now_ns: int) -> None:
        """Bytes from the other side. Garbled ones are ignored; before the logon they end the connection."""
        for frame in self.splitter.feed(raw):
            if self.closed:
                return
            try:
                message = fix.decode(frame)
            except MalformedMessage as wrong:
                self.said.append(f"a message was ignored: {wrong}")
                self.closed = self.closed or not self.logged_on
                continue
            self._heard_ns, self._tests = now_ns, 0
            self._take(message, now_ns)
            self._take_queued(now_ns)

    def tick(self, now_ns: int) -> None:
        """Whatever is due: a heartbeat, a test, an end."""
        if self.closed:
            return
        if self._logout_ns and now_ns - self._logout_ns >= LOGOUT_NS:
            self._close()
        elif not self.logged_on:
            if now_ns - self._began_ns >= LOGON_NS:
                self.said.append("the other side did not log on")
                self._close()
        elif self.heartbeat_seconds:
            self._keep_alive(now_ns, self.heartbeat_seconds * SECOND_NS)

    def _keep_alive(self, now_ns: int, interval_ns: int) -> None:
        silent_ns = now_ns - self._heard_ns
        if silent_ns >= GONE_AFTER * interval_ns:
            self.said.append("the other side is silent")
            self._close()
            return
        # What was due first comes first, however late this look is.
        test_due_ns = self._heard_ns + int(TEST_AFTER * (self._tests + 1) * interval_ns)
        heartbeat_due_ns = self.sender.sent_ns + interval_ns
        if not self._tests and heartbeat_due_ns <= min(now_ns, test_due_ns):
            self.send(HEARTBEAT, [], now_ns)
        elif test_due_ns <= now_ns:
            self._tests += 1
            self.send(TEST_REQUEST, [(TEST_REQ_ID, "TEST")], now_ns)

    def log_out(self, now_ns: int, sentence: str = "") -> None:
        """Say goodbye, and close when it is answered or after a while."""
        if not self._logout_ns:
            self.send(LOGOUT, [(TEXT, sentence)] if sentence else [], now_ns)
            self._logout_ns = now_ns
        if sentence:
            self.said.append(sentence)

    def _close(self) -> None:
        self.closed, self.logged_on = True, False
        if self.settings.resets:
            self.store.reset()

    def _take(self, message: FixMessage, now_ns: int) -> None:
        if message.begin_string != self.settings.begin_string or (not self.logged_on and message.type != LOGON):
            self._wrong_start(message, now_ns)
            return
        dictionary = self.settings.dictionary
        wrong = find_fault(message, dictionary) if dictionary is not None else None
        if wrong is None and message.type not in ADMINISTRATIVE and message.get(MSG_SEQ_NUM) == "":
            wrong = Fault(SessionRejectReason.REQUIRED_TAG_MISSING, MSG_SEQ_NUM)
        try:
            if wrong is not None:
                self._refuse(message, wrong, now_ns)
            else:
                self._handle(message, now_ns)
        except MalformedMessage as unreadable:
            self.log_out(now_ns, f"{message.type}: {unreadable}")

    def _wrong_start(self, message: FixMessage, now_ns: int) -> None:
        if not self.logged_on:
            self.said.append(f"the first message was {message.begin_string} {message.type}")
            self._close()
            return
        self.log_out(now_ns, "Incorrect BeginString")
        self.store.next_inbound += 1

    def _refuse(self, message: FixMessage, wrong: Fault, now_ns: int) -> None:
        if not self.logged_on:
            self.said.append(f"logon refused: {wrong.sentence} ({wrong.tag})")
            self._close()
            return
        self.sender.reject(message, wrong, now_ns)
        number = message.get(MSG_SEQ_NUM)
        if number == str(self.store.next_inbound) and message.type not in (LOGON, SEQUENCE_RESET):
            self.store.next_inbound += 1

    def _handle(self, message: FixMessage, now_ns: int) -> None:
        match message.type:
            case "A":
                self._logon(message, now_ns)
            case "2":
                self._resend_request(message, now_ns)
            case "4":
                self._sequence_reset(message, now_ns)
            case "5":
                self._logout(message, now_ns)
            case _:
                if self._verify(message, now_ns, high=message.type != REJECT, low=True):
                    self.store.next_inbound += 1
                    self._deliver(message, now_ns)

    def _deliver(self, message: FixMessage, now_ns: int) -> None:
        if message.type == TEST_REQUEST:
            self.send(HEARTBEAT, [(TEST_REQ_ID, message.get(TEST_REQ_ID))], now_ns)
        elif message.type == HEARTBEAT:
            self.answered.add(message.get(TEST_REQ_ID))
        elif message.type == REJECT:
            self.rejected.append(message)
        else:
            try:
                self._application(self, message, now_ns)
            except Unsupported:
                self.sender.refuse_business(message, 3, "Unsupported Message Type", now_ns)

    def _verify(self, message: FixMessage, now_ns: int, *, high: bool, low: bool) -> bool:
        """Whether a message is to be processed now; what is wrong with it is answered."""
        number = message.number(MSG_SEQ_NUM)
        if abs(now_ns - read_time(message.get(SENDING_TIME))) > CLOCKS_APART_NS:
            self._refuse_and_end(message, SessionRejectReason.SENDING_TIME_PROBLEM, now_ns)
            return False
        names = (message.get(SENDER_COMP_ID), message.get(TARGET_COMP_ID))
        if names != (self.settings.target, self.settings.sender):
            self._refuse_and_end(message, SessionRejectReason.COMP_ID_PROBLEM, now_ns)
            return False
        if high and number > self.store.next_inbound:
            self._too_high(message, number, now_ns)
            return False
        if low and number < self.store.next_inbound:
            self._too_low(message, number, now_ns)
            return False
        if (high or low) and self._asked is not None and number >= self._asked[1]:
            self._asked = None
        return True

    def _refuse_and_end(self, message: FixMessage, reason: SessionRejectReason, now_ns: int) -> None:
        self._refuse(message, Fault(reason), now_ns)
        if not self.closed:
            self.log_out(now_ns)

    def _too_high(self, message: FixMessage, number: int, now_ns: int) -> None:
        if len(self._queue) < LONGEST_QUEUE:
            self._queue[number] = message
        if self._asked is not None and number >= self._asked[0]:
            return
        expected = self.store.next_inbound
        self._asked = (expected, number - 1)
        self.send(RESEND_REQUEST, [(BEGIN_SEQ_NO, str(expected)), (END_SEQ_NO, "0")], now_ns)

    def _too_low(self, message: FixMessage, number: int, now_ns: int) -> None:
        if message.get(POSS_DUP_FLAG) != "Y":
            expected = self.store.next_inbound
            sentence = f"MsgSeqNum too low, expecting {expected} but received {number}"
            self.log_out(now_ns, sentence)
            self._close()
        elif message.type != SEQUENCE_RESET:
            original = message.get(ORIG_SENDING_TIME)
            if not original:
                self._refuse(message, Fault(SessionRejectReason.REQUIRED_TAG_MISSING, ORIG_SENDING_TIME), now_ns)
            elif read_time(original) > read_time(message.get(SENDING_TIME)):
                self._refuse_and_end(message, SessionRejectReason.SENDING_TIME_PROBLEM, now_ns)

    def _logon(self, message: FixMessage, now_ns: int) -> None:
        reset = message.get(RESET_SEQ_NUM_FLAG) == "Y"
        if reset and not (self.settings.initiator and self.settings.asks_reset):
            self._reset(now_ns)
        if not self._verify(message, now_ns, high=False, low=True):
            return
        self.logged_on = True
        if not self.settings.initiator:
            self.heartbeat_seconds = message.number(HEART_BT_INT)
            self.sender.logon(now_ns, self.heartbeat_seconds, reset=reset)
        if message.number(MSG_SEQ_NUM) > self.store.next_inbound:
            self._too_high(message, message.number(MSG_SEQ_NUM), now_ns)
        else:
            self.store.next_inbound += 1

    def _reset(self, now_ns: int) -> None:
        """The other side begins again at 1; a Logon that we sent was our number 1."""
        self.store.reset()
        self.resets_seen += 1
        if self.settings.initiator:
            self.store.next_outbound = 2
        self._queue.clear()
        self._asked = None
        self._heard_ns = now_ns

    def _resend_request(self, message: FixMessage, now_ns: int) -> None:
        if not self._verify(message, now_ns, high=False, low=False):
            return
        self.sender.resend(message.number(BEGIN_SEQ_NO), message.number(END_SEQ_NO), now_ns)
        number = message.number(MSG_SEQ_NUM)
        if number == self.store.next_inbound:
            self.store.next_inbound += 1
        elif number > self.store.next_inbound:
            self._too_high(message, number, now_ns)

    def _sequence_reset(self, message: FixMessage, now_ns: int) -> None:
        fills = message.get(GAP_FILL_FLAG) == "Y"
        if not self._verify(message, now_ns, high=fills, low=fills):
            return
        new_number = message.number(NEW_SEQ_NO)
        if new_number > self.store.next_inbound:
            self.store.next_inbound = new_number
            if self._asked is not None and new_number > self._asked[1]:
                self._asked = None
        elif new_number < self.store.next_inbound:
            self._refuse(message, Fault(SessionRejectReason.INCORRECT_VALUE), now_ns)

    def _logout(self, message: FixMessage, now_ns: int) -> None:
        if not self._verify(message, now_ns, high=False, low=False):
            return
        if message.get(TEXT):
            self.said.append(f"the other side logged out: {message.get(TEXT)}")
        if not self._logout_ns:
            self.send(LOGOUT, [], now_ns)
        if message.number(MSG_SEQ_NUM) == self.store.next_inbound:
            self.store.next_inbound += 1
        self._close()

    def _take_queued(self, now_ns: int) -> None:
        while not self.closed and self.store.next_inbound in self._queue:
            message = self._queue.pop(self.store.next_inbound)
            if message.type in (LOGON, RESEND_REQUEST):
                self.store.next_inbound += 1
            else:
                self._take(message, now_ns)
        for number in [n for n in self._queue if n < self.store.next_inbound]:
            del self._queue[number]
