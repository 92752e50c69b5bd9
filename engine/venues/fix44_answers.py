"""What the venue says to a FIX session: into the records, to the engine, and against what we remember.

QuickFIX's thread calls the methods here, the main thread (`fix44_session`) the rest. `lock` guards every attribute and
is never held while QuickFIX is called, which has a lock of its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from engine.messages.codes import OrderState, ReportKind, SessionState
from engine.protocols.fix44 import (
    CL_ORD_ID,
    EXEC_TYPE,
    LAST_RPT_REQUESTED,
    MASS_STATUS_REQ_ID,
    NEW_ORDER_SINGLE,
    ORDER_CANCEL_REPLACE_REQUEST,
    ORDER_CANCEL_REQUEST,
    ORDER_MASS_STATUS_REQUEST,
    ORDER_STATUS_REQUEST,
    Fields,
)
from engine.protocols.layouts import MalformedMessage
from engine.venues.fix44_orders import Order, Orders
from engine.venues.fix44_outbox import Outbox
from engine.venues.fix44_reports import (
    Report,
    Status,
    order_id_of,
    read_cancel_reject,
    read_execution_report,
    read_status,
)

ORDER_STATUS = "I"  # ExecType(150) of an answer to a question: nothing happened

_ENDINGS = {
    OrderState.CANCELED: ReportKind.CANCELED,
    OrderState.EXPIRED: ReportKind.EXPIRED,
    OrderState.REJECTED: ReportKind.REJECTED,
}
_REFUSALS = {
    NEW_ORDER_SINGLE: ReportKind.REJECTED,
    ORDER_CANCEL_REPLACE_REQUEST: ReportKind.REJECTED,
    ORDER_CANCEL_REQUEST: ReportKind.CANCEL_REJECTED,
}


class Answers:
    """`awaiting`: orders whose status was asked for; `barrier`: the TestRequest that ends a round of questions, empty
    when it was answered; `doubted`: a round has to start.
    """

    def __init__(self, orders: Orders, outbox: Outbox, say: Callable[[str], None]) -> None:
        self.lock = threading.Lock()
        self.orders = orders
        self.outbox = outbox
        self.state = SessionState.DOWN
        self.awaiting: set[int] = set()
        self.barrier = ""
        self.doubted = False
        self.ask_again = False
        self._mass_request = ""
        self._asked_for: set[int] = set()
        self._say = say

    def enter(self, state: SessionState, next_reference: int = 0) -> None:
        """The session is in another state; the caller holds the lock. `next_reference` as in `Outbox.session`."""
        if state != self.state:
            self.state = state
            self._say(f"session {state.name}")
            self.outbox.session(state, next_reference)

    def logged_on(self) -> None:
        """A logon was exchanged: reconcile from now."""
        with self.lock:
            self.doubted = True
            self.enter(SessionState.RECONCILING)

    def logged_out(self) -> None:
        """The session is gone; orders on the way are unknown until the next one."""
        with self.lock:
            self.doubted = False
            self.barrier = ""
            self.awaiting.clear()
            self.enter(SessionState.DOWN)

    def doubt(self, sentence: str) -> None:
        """Something of the venue's was not understood: no new risk until all orders agree again."""
        self._say(sentence)
        with self.lock:
            if self.state in (SessionState.RECONCILING, SessionState.UP):
                self.doubted = True
                self.enter(SessionState.RECONCILING)

    def resend_requested(self) -> None:
        """The venue missed messages of ours. The gap fill that answers may cover what was sent since: ask once more."""
        with self.lock:
            self.ask_again = True
            if self.state == SessionState.UP:
                self.doubted = True
                self.enter(SessionState.RECONCILING)

    def heartbeat(self, request_id: str) -> None:
        """The answer to a TestRequest."""
        with self.lock:
            if request_id == self.barrier:
                self.barrier = ""

    def execution_report(self, fields: Fields) -> None:
        """ExecutionReport(8). MalformedMessage when it is none."""
        if fields.get(EXEC_TYPE) == ORDER_STATUS:
            status = read_status(fields)
            with self.lock:
                self._status(status)
                if self._mass_request and fields.get(MASS_STATUS_REQ_ID) == self._mass_request:
                    self._asked_for.discard(status.order_id)
                    if fields.get(LAST_RPT_REQUESTED) == "Y":
                        self._not_mentioned()
            return
        for report in read_execution_report(fields):
            with self.lock:
                self._report(report)

    def ask_for_all(self) -> str:
        """A question about every order begins; its MassStatusReqID(584)."""
        with self.lock:
            self._mass_request = f"desk {time.time_ns()}"
            self._asked_for = set(self.awaiting)
            return self._mass_request

    def _acknowledged(self, order_id: int) -> bool:
        order = self.orders.find(order_id)
        return order is not None and order.acknowledged

    def _not_mentioned(self) -> None:
        """The venue has named every order that it knows."""
        self._mass_request = ""
        for order_id in sorted(self._asked_for & self.awaiting):
            order = self.orders.find(order_id)
            if order is not None and not order.ended:
                self._unknown_to_venue(order)
            self.awaiting.discard(order_id)

    def nobody_can_say(self) -> None:
        """The venue answers no questions, and all that it had to say of its own has come."""
        with self.lock:
            for order_id in sorted(self.awaiting):
                order = self.orders.find(order_id)
                if order is not None and not order.acknowledged:
                    self._say(f"the venue cannot be asked about order {order_id}: what became of it stays unknown")
            self.awaiting.clear()

    def cancel_reject(self, fields: Fields) -> None:
        """OrderCancelReject(9). MalformedMessage when it is none."""
        report = read_cancel_reject(fields)
        with self.lock:
            self._report(report)

    def refused(self, cl_ord_id: str, message_type: str, reason: int, sentence: str) -> None:
        """A Reject(3) or BusinessMessageReject(j) of a message of ours."""
        self._say(f"the venue refused our message {message_type} {cl_ord_id}: {sentence}")
        order_id = order_id_of({CL_ORD_ID: cl_ord_id})
        if message_type == ORDER_MASS_STATUS_REQUEST:
            with self.lock:
                self.awaiting = {order_id for order_id in self.awaiting if not self._acknowledged(order_id)}
            return
        with self.lock:
            order = self.orders.find(order_id)
            if order is None:
                return
            if message_type in _REFUSALS:
                values = {"order_id": order_id, "kind": _REFUSALS[message_type], "reason": min(reason, 255)}
                self._report(Report(f"refused {cl_ord_id}", values))
            elif message_type == ORDER_STATUS_REQUEST and order.acknowledged:
                # A venue that answers no question: of an order that it acknowledged, its sequenced messages said all.
                self.awaiting.discard(order_id)

    def _report(self, report: Report) -> None:
        if report.breaks:
            report = report._replace(values=report.values | self.outbox.fill(report.breaks))
            if not report.values["quantity"]:
                raise MalformedMessage(f"execution {report.breaks!r} that the venue took back is not known here")
        if not self.outbox.report(report) and self.outbox.contradicts(report):
            self._say(f"the venue said {report.cause!r} again with another content; the first one counts")
        if report.values["order_id"] == 0:
            self._say(f"the venue said {report.cause!r} of an order that is not ours")

    def _status(self, status: Status) -> None:
        order = self.orders.find(status.order_id)
        if order is None or order.ended:
            return
        if status.unknown_to_venue:
            self._unknown_to_venue(order)
        elif status.executed != order.executed:
            self._say(
                f"order {order.order_id}: the venue says {status.executed} executed, we know of {order.executed}; "
                "the session stays closed to new orders"
            )
            return
        elif status.state in _ENDINGS:
            self.outbox.report(Report("", status.values | _ending(order, _ENDINGS[status.state])))
        elif status.state not in (OrderState.FILLED, OrderState.PENDING_NEW):
            working = {"kind": ReportKind.ACCEPTED, "quantity": status.leaves, "duplicate": int(order.acknowledged)}
            self.outbox.report(Report("", status.values | working))
        self.awaiting.discard(order.order_id)

    def _unknown_to_venue(self, order: Order) -> None:
        if not order.acknowledged:
            self.outbox.report(Report("", {"order_id": order.order_id, "kind": ReportKind.NOT_SENT}))
            return
        self._say(f"the venue no longer knows order {order.order_id}: nothing of it can be working there")
        self.outbox.report(Report("", _ending(order, ReportKind.CANCELED)))


def _ending(order: Order, kind: ReportKind) -> dict[str, int]:
    return {"order_id": order.order_id, "kind": kind, "quantity": max(order.quantity - order.executed, 0), "leaves": 0}
