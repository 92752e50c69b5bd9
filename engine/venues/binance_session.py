"""One Binance order session between the rings and the WebSocket API: what is sent, and when the session is up.

A request ends as known. It is remembered before it may be sent; it is NOT_SENT only when it provably never left us, or
when the venue does not know it after its receive window, in which alone it could still arrive. Whatever was sent and
got no answer is asked for. After every connection each open order is asked for, and fills that were missed with it; the
session is UP when all answers agree with what we remember.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

import numpy as np

from engine.messages.codes import OrderAction, RecordKind, ReportKind, SessionState
from engine.messages.journal import ORDER_REQUEST
from engine.protocols.layouts import MalformedMessage
from engine.transport.ring_file import RingFile
from engine.venues import binance_orders
from engine.venues.binance_orders import Listed
from engine.venues.fix44_orders import Order, Orders, canceled_order_id
from engine.venues.fix44_outbox import Outbox
from engine.venues.fix44_records import Record, RecordFile
from engine.venues.fix44_reports import Report

STATUS_REQUEST = 64  # kind of a ring record with an ORDER_REQUEST body: what became of its order_id?
ASK_AGAIN_S = 2.0
GRACE_S = 1.0  # beyond the receive window, before "no such order" means that it never arrived


class ApiError(Exception):
    """The venue refused a request. `code` is its own; `known` says whether it provably did nothing."""

    def __init__(self, code: int, sentence: str, known: bool) -> None:
        super().__init__(sentence)
        self.code, self.known = code, known


class Api(Protocol):
    """The way to the venue."""

    connected: bool

    async def ask(self, method: str, parameters: Mapping[str, object]) -> Any:
        """The result of one signed request. ApiError for a refusal; ConnectionError or TimeoutError when nobody knows;
        NotSent when it provably never left."""


class NotSent(Exception):
    """A request that never left."""


class BinanceSession:
    """Everything runs in one event loop; `step` again and again, `connected` and `lost` when the connection changes."""

    def __init__(
        self,
        records: RecordFile,
        requests: RingFile,
        reports: RingFile,
        api: Api,
        listing: Mapping[int, Listed],
        venue: int,
        tag: str,
        after: int,
        receive_window_s: float,
        say: Callable[[str], None],
    ) -> None:
        """`listing` by instrument id. ValueError when an open order's instrument is not listed any more."""
        self._records, self._requests, self._api, self._listing = records, requests, api, listing
        self._tag, self._say, self._window_s = tag, say, receive_window_s
        self.orders = Orders()
        self.outbox = Outbox(records, self.orders, reports, venue, after)
        self.state = SessionState.DOWN
        self.awaiting: dict[int, float] = {}  # order: when it may be asked for next
        self._sent_s: dict[int, float] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: set[int] = set()
        self._seen = last_remembered(records, requests)
        self._stale = requests.tail
        self._opened = False
        for order in self.orders.open():
            if order.instrument not in listing:
                raise ValueError(f"order {order.order_id} is open and its instrument {order.instrument} is not listed")
        self._enter(SessionState.CONNECTING)

    def connected(self) -> None:
        """The venue answers and tells of our orders: reconcile from now."""
        now_s = time.monotonic()
        for order in self.orders.open():
            self._doubt(order.order_id, now_s)
        self._enter(SessionState.RECONCILING)

    def lost(self) -> None:
        """The connection is gone; orders on the way are unknown until the next one."""
        self._enter(SessionState.DOWN)

    def doubt(self, sentence: str) -> None:
        """Something of the venue's was not understood: no new risk until all orders agree again."""
        self._say(sentence)
        if self.state in (SessionState.RECONCILING, SessionState.UP):
            self.connected()

    def step(self) -> bool:
        """Do what is due and one request; True when there was one."""
        self.outbox.pump()
        self._reconcile(time.monotonic())
        request = self._requests.peek()
        if request is None:
            return False
        sequence, kind, body = request
        if sequence > self._seen:
            self._request(sequence, kind, body)
        self._requests.advance()
        return True

    def event(self, body: Mapping[str, Any]) -> None:
        """One event of the user data stream. MalformedMessage when it is an execution report that cannot be read."""
        if body.get("e") != "executionReport":
            return
        listed = next((row for row in self._listing.values() if row.symbol == body.get("s")), None)
        if listed is None:
            return
        report = binance_orders.read_execution_report(body, self._tag, listed)
        if report is not None:
            self._report(report)

    async def drain(self) -> None:
        """Wait for the requests that are on their way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _request(self, sequence: int, kind: int, body: bytes) -> None:
        request = np.frombuffer(body, ORDER_REQUEST)[0]
        if kind == STATUS_REQUEST:
            self._status_wanted(int(request["order_id"]))
        elif kind != RecordKind.ORDER_REQUEST:
            raise RuntimeError(f"the engine pushed a record of kind {kind}")
        elif request["action"] == OrderAction.CANCEL:
            self._cancel_wanted(sequence, canceled_order_id(request), body)
        else:
            self._order_wanted(sequence, int(request["order_id"]), int(request["action"]), body)

    def _order_wanted(self, sequence: int, order_id: int, action: int, body: bytes) -> None:
        if self.orders.find(order_id) is not None:
            self._say(f"the engine asked for order {order_id} again; it is sent once")
            return
        self._remember(body, sequence)
        order = self.orders.find(order_id)
        assert order is not None
        fresh = sequence > self._stale and order.instrument in self._listing and self.state == SessionState.UP
        if not fresh or action != OrderAction.ENTER or not self._api.connected:
            # A replacement would be a cancel and an order here; whoever wants one asks for the two.
            self._end(order_id, ReportKind.NOT_SENT)
            return
        self._sent_s[order_id] = time.monotonic()
        self._start(self._place(order))

    def _cancel_wanted(self, sequence: int, order_id: int, body: bytes) -> None:
        self._remember(body, sequence)
        order = self.orders.find(order_id)
        if order is None or order.ended:
            self._end(order_id, ReportKind.CANCEL_REJECTED)
        elif self._api.connected:
            self._start(self._cancel(order))

    def _status_wanted(self, order_id: int) -> None:
        order = self.orders.find(order_id)
        if order is None:
            self._end(order_id, ReportKind.NOT_SENT)
        elif not order.ended:
            self._doubt(order_id, time.monotonic())

    async def _place(self, order: Order) -> None:
        parameters = binance_orders.place_parameters(order, self._listing[order.instrument], self._tag)
        try:
            await self._api.ask("order.place", parameters)
        except NotSent:
            self._end(order.order_id, ReportKind.NOT_SENT)
        except ApiError as error:
            self._say(f"the venue refused order {order.order_id}: {error}")
            if error.known:
                self._end(order.order_id, ReportKind.REJECTED, binance_orders.reason_of(error.code))
            else:
                self._doubt(order.order_id, self._settled_s(order.order_id))
        except (ConnectionError, TimeoutError):
            self._say(f"nobody knows whether order {order.order_id} arrived; asking")
            self._doubt(order.order_id, self._settled_s(order.order_id))

    async def _cancel(self, order: Order) -> None:
        parameters = binance_orders.named_parameters(order, self._listing[order.instrument], self._tag)
        try:
            await self._api.ask("order.cancel", parameters)
        except ApiError as error:
            self._say(f"the venue refused to cancel order {order.order_id}: {error}")
            if error.known and not order.ended:
                self._end(order.order_id, ReportKind.CANCEL_REJECTED, binance_orders.reason_of(error.code))
            self._doubt(order.order_id, time.monotonic())
        except (NotSent, ConnectionError, TimeoutError):
            self._doubt(order.order_id, time.monotonic())  # as long as it is open it is canceled again

    async def _ask(self, order: Order) -> None:
        listed = self._listing[order.instrument]
        parameters = binance_orders.named_parameters(order, listed, self._tag)
        try:
            status = await self._api.ask("order.status", parameters)
            reports, done = binance_orders.read_status(_mapping(status), order, listed)
            self._report(reports[0])
            if done > order.executed:
                wanted = {"symbol": listed.symbol, "orderId": status["orderId"]}
                for fill in binance_orders.read_trades(await self._api.ask("myTrades", wanted), order, listed):
                    self._report(fill)
            if done != order.executed:
                self._say(f"order {order.order_id}: the venue says {done} executed, we know of {order.executed}")
                return
            for report in reports[1:]:
                self._report(report)
            self.awaiting.pop(order.order_id, None)
            if order.cancel_wanted and not order.ended:
                self._start(self._cancel(order))
        except ApiError as error:
            if error.code == binance_orders.NO_SUCH_ORDER:
                self._unknown_to_venue(order)
        except MalformedMessage as wrong:
            self._say(f"order {order.order_id}: its status cannot be read: {wrong}")
        except (NotSent, ConnectionError, TimeoutError):
            pass
        finally:
            self._asking.discard(order.order_id)

    def _unknown_to_venue(self, order: Order) -> None:
        if time.monotonic() < self._settled_s(order.order_id):
            return
        self.awaiting.pop(order.order_id, None)
        if not order.acknowledged:
            self._end(order.order_id, ReportKind.NOT_SENT)
            return
        self._say(f"the venue no longer knows order {order.order_id}: nothing of it can be working there")
        left = max(order.quantity - order.executed, 0)
        self._report(
            Report("", {"order_id": order.order_id, "kind": ReportKind.CANCELED, "quantity": left, "leaves": 0})
        )

    def _settled_s(self, order_id: int) -> float:
        """From when on a request that did not arrive cannot arrive any more."""
        return self._sent_s.get(order_id, -1e9) + self._window_s + GRACE_S

    def _doubt(self, order_id: int, from_s: float) -> None:
        self.awaiting[order_id] = from_s

    def _reconcile(self, now_s: float) -> None:
        if self.state not in (SessionState.RECONCILING, SessionState.UP) or not self._api.connected:
            return
        for order_id, due_s in list(self.awaiting.items()):
            order = self.orders.find(order_id)
            if order is None or order.ended:
                self.awaiting.pop(order_id)
            elif due_s <= now_s and order_id not in self._asking:
                self.awaiting[order_id] = now_s + ASK_AGAIN_S
                self._asking.add(order_id)
                self._start(self._ask(order))
        if self.state == SessionState.RECONCILING and not self.awaiting:
            self._open()

    def _open(self) -> None:
        if not self._opened:
            # The engine sends nothing before it sees the first UP: what is in the ring is of an earlier run.
            self._stale = self._requests.tail
        self._enter(SessionState.UP, 0 if self._opened else self.orders.next_id)
        self._opened = True

    def _enter(self, state: SessionState, next_reference: int = 0) -> None:
        if state != self.state:
            self.state = state
            self._say(f"session {state.name}")
            self.outbox.session(state, next_reference)

    def _remember(self, body: bytes, sequence: int) -> None:
        self._records.append_request(body, self._requests.created_ns, sequence)
        self.orders.apply(Record(RecordKind.ORDER_REQUEST, sequence, b"", body))
        self._seen = max(self._seen, sequence)

    def _end(self, order_id: int, kind: ReportKind, reason: int = 0) -> None:
        self._report(Report("", {"order_id": order_id, "kind": kind, "reason": reason}))

    def _report(self, report: Report) -> None:
        if not self.outbox.report(report) and self.outbox.contradicts(report):
            self._say(f"the venue said {report.cause!r} again with another content; the first one counts")

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def last_remembered(records: RecordFile, requests: RingFile) -> int:
    """Sequence of the newest request of this very ring that a predecessor remembered: those up to it are not fresh."""
    created = requests.created_ns.to_bytes(16, "little")
    numbers = [r.number for r in records if r.kind == RecordKind.ORDER_REQUEST and r.digest == created]
    return max(numbers, default=0)


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedMessage("the answer is not an object")
    return value
