"""One FIX order session between the rings and the wire: what is sent, and when the session is up.

A request ends as known. It is remembered before it may be sent; it is NOT_SENT only when it provably never left us (no
session, or the venue answers that it does not know it); otherwise nothing is said until the venue does. After every
logon each order that may be working is asked for, then a TestRequest marks the end of what the venue had to say; the
session is UP when all answers agree with what we remember. Of a venue that answers no questions the sequenced messages
before the TestRequest's Heartbeat are all that is known: an order without a word keeps its unknown outcome. An order
that somebody wanted canceled is canceled again after a logon.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from engine.messages.codes import OrderAction, RecordKind, ReportKind, SessionState
from engine.messages.journal import ORDER_REQUEST
from engine.transport.ring_file import RingFile
from engine.venues import fix44_requests
from engine.venues.fix44_answers import Answers
from engine.venues.fix44_dialect import Dialect
from engine.venues.fix44_orders import Order, Orders, canceled_order_id
from engine.venues.fix44_outbox import Outbox
from engine.venues.fix44_records import Record, RecordFile
from engine.venues.fix44_reports import Report
from engine.venues.fix44_requests import PLAIN

STATUS_REQUEST = 64  # kind of a ring record with an ORDER_REQUEST body: what became of its order_id?
ASK_AGAIN_S = 2.0


class Wire(Protocol):
    """The way to the venue."""

    def send(self, message: Any) -> bool:
        """False: this message provably never left us, and never will."""

    def logged_on(self) -> bool:
        """Whether messages may be sent."""


class Fix44Session:
    """`step` again and again from the main thread; `answers` is for QuickFIX's thread."""

    def __init__(
        self,
        records: RecordFile,
        requests: RingFile,
        reports: RingFile,
        wire: Wire,
        symbols: Mapping[int, str],
        venue: int,
        account: str,
        after: int,
        say: Callable[[str], None],
        dialect: Dialect = PLAIN,
    ) -> None:
        """ValueError when an open order's instrument has no symbol any more."""
        self._records, self._requests, self._wire = records, requests, wire
        self._symbols, self._venue, self._account, self._say = symbols, venue, account, say
        self._dialect = dialect
        orders = Orders()
        self.answers = Answers(orders, Outbox(records, orders, reports, venue, after), say)
        self._seen = _last_remembered(records, requests)
        self._stale = requests.tail
        self._opened = False
        self._barrier_pending = False
        self._asked_s = 0.0
        for order in orders.open():
            if order.instrument not in symbols:
                raise ValueError(f"order {order.order_id} is open and its instrument {order.instrument} has no symbol")
        self.answers.enter(SessionState.CONNECTING)

    def step(self) -> bool:
        """Do what is due and one request; True when there was one."""
        with self.answers.lock:
            self.answers.outbox.pump()
        self._reconcile(time.monotonic())
        request = self._requests.peek()
        if request is None:
            return False
        sequence, kind, body = request
        if sequence > self._seen:
            self._request(sequence, kind, body)
        self._requests.advance()
        return True

    def _request(self, sequence: int, kind: int, body: bytes) -> None:
        request = np.frombuffer(body, ORDER_REQUEST)[0]
        if kind == STATUS_REQUEST:
            self._status_wanted(int(request["order_id"]))
        elif kind != RecordKind.ORDER_REQUEST:
            raise RuntimeError(f"the engine pushed a record of kind {kind}")
        elif request["action"] == OrderAction.CANCEL:
            self._cancel_wanted(sequence, canceled_order_id(request), body)
        else:
            self._order_wanted(sequence, int(request["order_id"]), request["action"] == OrderAction.REPLACE, body)

    def _order_wanted(self, sequence: int, order_id: int, replaces: bool, body: bytes) -> None:
        orders = self.answers.orders
        with self.answers.lock:
            if orders.find(order_id) is not None:
                self._say(f"the engine asked for order {order_id} again; it is sent once")
                return
            self._remember(body, sequence)
            order = orders.find(order_id)
            assert order is not None
            target = orders.find(order.target_order_id)
        fresh = sequence > self._stale and order.instrument in self._symbols and self.answers.state == SessionState.UP
        if replaces and (target is None or target.ended):
            fresh = False
        if not (fresh and self._wire.logged_on() and self._wire.send(self._message(order, replaces))):
            with self.answers.lock:
                self.answers.outbox.report(Report("", {"order_id": order_id, "kind": ReportKind.NOT_SENT}))

    def _message(self, order: Order, replaces: bool) -> Any:
        symbol = self._symbols[order.instrument]
        if replaces:
            return fix44_requests.order_cancel_replace_request(order, symbol, self._account, self._dialect)
        return fix44_requests.new_order_single(order, symbol, self._account, self._dialect)

    def _cancel_wanted(self, sequence: int, order_id: int, body: bytes) -> None:
        with self.answers.lock:
            self._remember(body, sequence)
            order = self.answers.orders.find(order_id)
            if order is None or order.ended:
                values = {"order_id": order_id, "kind": ReportKind.CANCEL_REJECTED}
                self.answers.outbox.report(Report("", values))
                return
        if self._wire.logged_on():
            self._cancel(order)

    def _cancel(self, order: Order) -> None:
        # Whether it leaves or not: as long as the order is open, the next logon asks again.
        symbol = self._symbols[order.instrument]
        self._wire.send(fix44_requests.order_cancel_request(order, symbol, self._account, self._dialect))

    def _status_wanted(self, order_id: int) -> None:
        with self.answers.lock:
            order = self.answers.orders.find(order_id)
            if order is None:
                self.answers.outbox.report(Report("", {"order_id": order_id, "kind": ReportKind.NOT_SENT}))
            elif not order.ended:
                self.answers.awaiting.add(order_id)
                self._asked_s = 0.0

    def _remember(self, body: bytes, sequence: int = 0) -> None:
        created_ns = self._requests.created_ns if sequence else 0
        self._records.append_request(body, created_ns, sequence)
        self.answers.orders.apply(Record(RecordKind.ORDER_REQUEST, sequence, b"", body))
        self._seen = max(self._seen, sequence)

    def _reconcile(self, now_s: float) -> None:
        answers = self.answers
        if answers.doubted:
            self._start_round()
        if answers.state not in (SessionState.RECONCILING, SessionState.UP):
            return
        with answers.lock:
            awaited = [order for order in answers.orders.open() if order.order_id in answers.awaiting]
            barrier = answers.barrier
            passed = self._barrier_pending and not barrier and not answers.doubted
        if passed:
            self._barrier_pending = False
            self._cancel_wanted_orders()
            if not (self._dialect.order_status or self._dialect.mass_status):
                answers.nobody_can_say()
                return
        if not awaited and not barrier:
            self._open()
        elif now_s - self._asked_s > ASK_AGAIN_S or answers.ask_again:
            self._asked_s = now_s
            answers.ask_again = False
            self._ask(awaited, barrier)

    def _start_round(self) -> None:
        answers = self.answers
        with answers.lock:
            if not answers.doubted:
                return
            answers.doubted = False
            answers.awaiting = {order.order_id for order in answers.orders.open()}
            answers.barrier = f"desk {time.time_ns()}"
        self._barrier_pending = True
        self._asked_s = 0.0
        self._cancel_wanted_orders()

    def _cancel_wanted_orders(self) -> None:
        # At once, because it reduces risk; and after the barrier, because a gap fill may have swallowed the first.
        with self.answers.lock:
            wanted = [order for order in self.answers.orders.open() if order.cancel_wanted]
            for order in wanted:
                self._remember(_cancel_body(order, self._venue))
        for order in wanted:
            self._cancel(order)

    def _ask(self, orders: list[Order], barrier: str) -> None:
        if self._dialect.mass_status and orders:
            request_id = self.answers.ask_for_all()
            self._wire.send(fix44_requests.order_mass_status_request(request_id, self._dialect))
        elif self._dialect.order_status:
            for order in orders:
                symbol = self._symbols[order.instrument]
                self._wire.send(fix44_requests.order_status_request(order, symbol, self._dialect))
        if barrier:
            self._wire.send(fix44_requests.test_request(barrier, self._dialect))

    def _open(self) -> None:
        """The session is up, unless something came up meanwhile."""
        answers = self.answers
        with answers.lock:
            if answers.state != SessionState.RECONCILING or answers.doubted or answers.barrier:
                return
            answers.awaiting.clear()
            if not self._opened:
                # The engine sends nothing before it sees the first UP: what is in the ring is of an earlier run, and an
                # order that is not even there never came this far.
                self._stale = self._requests.tail
            answers.enter(SessionState.UP, 0 if self._opened else answers.orders.next_id)
            self._opened = True


def _last_remembered(records: RecordFile, requests: RingFile) -> int:
    """Sequence of the newest request of this very ring that a predecessor remembered: those up to it are not fresh."""
    created = requests.created_ns.to_bytes(16, "little")
    numbers = [r.number for r in records if r.kind == RecordKind.ORDER_REQUEST and r.digest == created]
    return max(numbers, default=0)


def _cancel_body(order: Order, venue: int) -> bytes:
    made = np.zeros((), ORDER_REQUEST)
    made["order_id"] = made["target_order_id"] = order.order_id
    made["action"], made["venue"] = OrderAction.CANCEL, venue
    made["instrument"], made["side"], made["strategy"] = order.instrument, order.side, order.strategy
    return made.tobytes()
