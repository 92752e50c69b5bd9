"""What one side of a FIX session sends: numbers and header, session messages, and the answer to a ResendRequest(2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from engine.protocols import fix
from engine.protocols.fix import FixMessage
from engine.protocols.fix44 import time_text
from engine.protocols.fix_bounds import BEGIN_STRINGS
from engine.protocols.fix_dictionary import Dictionary
from engine.protocols.fix_validation import Fault, ordered

HEARTBEAT, TEST_REQUEST, RESEND_REQUEST, REJECT, SEQUENCE_RESET, LOGOUT, LOGON = "0", "1", "2", "3", "4", "5", "A"
ADMINISTRATIVE = frozenset({HEARTBEAT, TEST_REQUEST, RESEND_REQUEST, REJECT, SEQUENCE_RESET, LOGOUT, LOGON})
BUSINESS_MESSAGE_REJECT = "j"

BEGIN_SEQ_NO, END_SEQ_NO, MSG_SEQ_NUM, NEW_SEQ_NO, POSS_DUP_FLAG, REF_SEQ_NUM = 7, 16, 34, 36, 43, 45
SENDER_COMP_ID, SENDING_TIME, TARGET_COMP_ID, TEXT = 49, 52, 56, 58
ENCRYPT_METHOD, HEART_BT_INT, TEST_REQ_ID, ORIG_SENDING_TIME, GAP_FILL_FLAG, RESET_SEQ_NUM_FLAG = (
    98, 108, 112, 122, 123, 141,
)  # fmt: skip
REF_TAG_ID, REF_MSG_TYPE, SESSION_REJECT_REASON, BUSINESS_REJECT_REASON, DEFAULT_APPL_VER_ID = 371, 372, 373, 380, 1137
FIX_50_SP2 = "9"  # DefaultApplVerID(1137)
ROUTES = {115: 128, 116: 129, 144: 145, 128: 115, 129: 116, 145: 144}
ROUTED = frozenset({*ROUTES, 97})
LARGEST_REASON_OF_42 = 11
IDENTITY = frozenset({8, 9, 10, 35, MSG_SEQ_NUM, POSS_DUP_FLAG, SENDER_COMP_ID, SENDING_TIME, TARGET_COMP_ID,
                      ORIG_SENDING_TIME})  # fmt: skip


@dataclass(frozen=True)
class FixSettings:
    """One session. `sender` and `target` are CompIDs as we send them.

    `resends`: application messages are sent again when asked for; otherwise their numbers are filled, because an order
    is sent once or never. `dictionary`: what incoming messages are checked against, None for nothing. `credentials`:
    further fields of our Logon(A). `resets`: numbers begin at 1 with every connection.
    """

    version: str
    sender: str
    target: str
    heartbeat_seconds: int
    initiator: bool
    dictionary: Dictionary | None = None
    resends: bool = False
    resets: bool = False
    asks_reset: bool = False
    credentials: tuple[tuple[int, str], ...] = field(default=(), repr=False)

    @property
    def begin_string(self) -> str:
        """BeginString(8)."""
        return BEGIN_STRINGS[self.version]


class FixStore(Protocol):
    """Where a session's numbers outlive it. Setting a number makes it durable."""

    next_inbound: int
    next_outbound: int

    def save(self, number: int, raw: bytes) -> None:
        """Keep a sent message for resending."""

    def saved(self, number: int) -> bytes:
        """A sent message, empty when it was not kept."""

    def reset(self) -> None:
        """Both numbers are 1 and nothing was sent."""


class FixSender:
    """`emit` gets the bytes of every message, in order."""

    def __init__(self, settings: FixSettings, store: FixStore, emit: Callable[[bytes], None]) -> None:
        self.settings, self.store = settings, store
        self._emit = emit
        self.sent_ns = 0

    def send(self, message_type: str, fields: Iterable[tuple[int, str]], now_ns: int) -> None:
        """One message with the next number. Fields of the header (routing, PossResend) may be among them."""
        number = self.store.next_outbound
        raw = self._encode(message_type, list(fields), number, now_ns)
        if self.settings.resends and message_type not in ADMINISTRATIVE:
            self.store.save(number, raw)
        self.store.next_outbound = number + 1
        self.sent_ns = now_ns
        self._emit(raw)

    def _encode(
        self, message_type: str, fields: list[tuple[int, str]], number: int, now_ns: int, original: str = ""
    ) -> bytes:
        header = [
            (MSG_SEQ_NUM, str(number)),
            (SENDER_COMP_ID, self.settings.sender),
            (SENDING_TIME, time_text(now_ns)),
            (TARGET_COMP_ID, self.settings.target),
            *(pair for pair in fields if pair[0] in ROUTED),
        ]
        if original:
            header += [(POSS_DUP_FLAG, "Y"), (ORIG_SENDING_TIME, original)]
        dictionary = self.settings.dictionary
        section = dictionary.messages.get(message_type) if dictionary else None
        body = ordered([pair for pair in fields if pair[0] not in ROUTED], section)
        return fix.encode(self.settings.begin_string, [(35, message_type), *sorted(header), *body])

    def logon(self, now_ns: int, heartbeat_seconds: int, *, reset: bool = False) -> None:
        """Logon(A)."""
        fields = [(ENCRYPT_METHOD, "0"), (HEART_BT_INT, str(heartbeat_seconds))]
        if reset:
            fields.append((RESET_SEQ_NUM_FLAG, "Y"))
        if self.settings.version == "5.0SP2":
            fields.append((DEFAULT_APPL_VER_ID, FIX_50_SP2))
        if self.settings.initiator:
            fields += self.settings.credentials
        self.send(LOGON, fields, now_ns)

    def reject(self, message: FixMessage, fault: Fault, now_ns: int) -> None:
        """Reject(3) of a message, sent back the way it was routed."""
        fields = [(REF_SEQ_NUM, message.get(MSG_SEQ_NUM, "0")), (TEXT, fault.sentence), *_way_back(message)]
        fields.append((REF_MSG_TYPE, message.type))
        if fault.tag is not None:
            fields.append((REF_TAG_ID, str(fault.tag)))
        if self.settings.version != "4.2" or fault.reason <= LARGEST_REASON_OF_42:
            fields.append((SESSION_REJECT_REASON, str(int(fault.reason))))
        self.send(REJECT, fields, now_ns)

    def refuse_business(self, message: FixMessage, reason: int, sentence: str, now_ns: int) -> None:
        """BusinessMessageReject(j) of a message."""
        fields = [
            *_way_back(message),
            (REF_SEQ_NUM, message.get(MSG_SEQ_NUM)),
            (TEXT, sentence),
            (REF_MSG_TYPE, message.type),
            (BUSINESS_REJECT_REASON, str(reason)),
        ]
        self.send(BUSINESS_MESSAGE_REJECT, fields, now_ns)

    def resend(self, begin: int, end: int, now_ns: int) -> None:
        """Answer a ResendRequest(2): kept messages again with PossDupFlag(43), everything else filled.

        `end` 0 means everything since `begin`.
        """
        last = self.store.next_outbound - 1
        end = last if end == 0 or end > last else end
        gap = 0
        for number in range(max(begin, 1), end + 1):
            raw = self.store.saved(number) if self.settings.resends else b""
            if not raw:
                gap = gap or number
                continue
            if gap:
                self._fill(gap, number, now_ns)
                gap = 0
            message = fix.decode(raw)
            body = [pair for pair in message.fields if pair[0] not in IDENTITY]
            self._emit(self._encode(message.type, body, number, now_ns, message.get(SENDING_TIME)))
        if gap:
            self._fill(gap, end + 1, now_ns)
        self.sent_ns = now_ns

    def _fill(self, number: int, new_number: int, now_ns: int) -> None:
        fields = [(NEW_SEQ_NO, str(new_number)), (GAP_FILL_FLAG, "Y")]
        self._emit(self._encode(SEQUENCE_RESET, fields, number, now_ns, time_text(now_ns)))


def _way_back(message: FixMessage) -> list[tuple[int, str]]:
    return [(ROUTES[tag], value) for tag, value in message.fields if tag in ROUTES and value]
