"""QuickFIX's callbacks, each guarded: an exception that leaves one kills QuickFIX's thread, silently and for ever."""

from __future__ import annotations

import functools
import os
import traceback
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import quickfix

from engine.protocols.fix44 import (
    BUSINESS_MESSAGE_REJECT,
    BUSINESS_REJECT_REASON,
    CL_ORD_ID,
    EXECUTION_REPORT,
    HEARTBEAT,
    LOGON,
    LOGOUT,
    MSG_SEQ_NUM,
    MSG_TYPE,
    ORDER_CANCEL_REJECT,
    POSS_DUP_FLAG,
    REF_SEQ_NUM,
    REJECT,
    RESEND_REQUEST,
    SESSION_REJECT_REASON,
    TEST_REQ_ID,
    TEXT,
    Fields,
    read_fields,
)
from engine.protocols.layouts import MalformedMessage
from engine.venues.fix44_answers import Answers
from engine.venues.fix44_dialect import Dialect

REMEMBERED_MESSAGES = 10_000
CANNOT_REMEMBER = 74  # exit status EX_IOERR


def guarded(callback: Callable[..., None]) -> Callable[..., None]:
    """No exception gets out but DoNotSend. One that we do not know puts the session in doubt; when a report could not
    be remembered the process ends before QuickFIX counts the message as received, so the venue sends it again.
    """

    @functools.wraps(callback)
    def call(self: Application, *arguments: Any) -> None:
        try:
            callback(self, *arguments)
        except quickfix.DoNotSend:
            raise
        except MalformedMessage as error:
            self.answers.doubt(f"cannot read what the venue sent: {error}")
        except OSError:
            traceback.print_exc()
            os._exit(CANNOT_REMEMBER)
        except Exception:  # noqa: BLE001 - see above
            traceback.print_exc()
            self.answers.doubt("a message of the venue could not be handled")

    return call


class Application(quickfix.Application):
    """What QuickFIX calls, with the names that it wants. `answers` and `heard` are set before the initiator starts."""

    answers: Answers
    heard: Callable[[], None]
    spoken: Callable[[], None] = staticmethod(lambda: None)  # after a logon, and when a session ends

    def __init__(self, dialect: Dialect, credentials: Fields, say: Callable[[str], None]) -> None:
        super().__init__()
        self._dialect, self._credentials, self._say = dialect, credentials, say
        self._sent: OrderedDict[str, tuple[str, str]] = OrderedDict()

    @guarded
    def onCreate(self, session: Any) -> None:  # noqa: N802
        """Nothing to do."""

    @guarded
    def onLogon(self, session: Any) -> None:  # noqa: N802
        self.answers.logged_on()
        self.spoken()

    @guarded
    def onLogout(self, session: Any) -> None:  # noqa: N802
        self.answers.logged_out()
        self.spoken()

    @guarded
    def toAdmin(self, message: Any, session: Any) -> None:  # noqa: N802
        if message.getHeader().getField(MSG_TYPE) == LOGON:
            for tag, value in self._credentials.items():
                message.setField(tag, value)

    @guarded
    def toApp(self, message: Any, session: Any) -> None:  # noqa: N802
        header = message.getHeader()
        # A resend request for an order is answered by a gap fill: the order's moment has passed.
        if header.isSetField(POSS_DUP_FLAG) and header.getField(POSS_DUP_FLAG) == "Y":
            raise quickfix.DoNotSend
        # Otherwise QuickFIX would store it for the next logon.
        if not quickfix.Session.lookupSession(session).isLoggedOn():
            raise quickfix.DoNotSend
        self._sent[header.getField(MSG_SEQ_NUM)] = (header.getField(MSG_TYPE), _name_of(message))
        if len(self._sent) > REMEMBERED_MESSAGES:
            self._sent.popitem(last=False)

    @guarded
    def fromAdmin(self, message: Any, session: Any) -> None:  # noqa: N802
        self.heard()
        fields = read_fields(message.toString())
        message_type = fields.get(MSG_TYPE)
        if message_type == HEARTBEAT and TEST_REQ_ID in fields:
            self.answers.heartbeat(fields[TEST_REQ_ID])
        elif message_type == RESEND_REQUEST:
            self.answers.resend_requested()
        elif message_type == REJECT:
            self._refused(fields, SESSION_REJECT_REASON)
        elif message_type == LOGOUT and TEXT in fields:
            self._say(f"the venue logs out: {fields[TEXT]}")

    @guarded
    def fromApp(self, message: Any, session: Any) -> None:  # noqa: N802
        self.heard()
        fields = self._dialect.heard(read_fields(message.toString()))
        message_type = fields.get(MSG_TYPE)
        if message_type == EXECUTION_REPORT:
            self.answers.execution_report(fields)
        elif message_type == ORDER_CANCEL_REJECT:
            self.answers.cancel_reject(fields)
        elif message_type == BUSINESS_MESSAGE_REJECT:
            self._refused(fields, BUSINESS_REJECT_REASON)
        else:
            self._say(f"the venue sent a message of type {message_type}, which is ignored")

    def _refused(self, fields: Fields, reason_tag: int) -> None:
        known = self._sent.get(fields.get(REF_SEQ_NUM, ""))
        if known is None:
            raise MalformedMessage(f"it refused message {fields.get(REF_SEQ_NUM)}, of which nothing is known here")
        reason = fields.get(reason_tag, "0")
        self.answers.refused(known[1], known[0], int(reason) if reason.isdecimal() else 255, fields.get(TEXT, ""))


def _name_of(message: Any) -> str:
    """ClOrdID(11); empty for a question about all orders."""
    return str(message.getField(CL_ORD_ID)) if message.isSetField(CL_ORD_ID) else ""
