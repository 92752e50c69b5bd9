"""One FIX account of a venue: its orders by ClOrdID, what it asks of the book, and every message it was sent.

Written in FIX 4.4; `fix_words` says the same in the words of another version.
Messages cross as the text of their fields (`engine.protocols.fix44.write_fields`), MsgType(35) first.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np

from engine.messages.codes import OrderAction, ReportKind, TimeInForce
from engine.protocols import fix44
from engine.protocols.fix44 import Fields
from engine.protocols.layouts import MalformedMessage
from engine.simulator.expiries import Expiries
from engine.simulator.fix_words import in_words_of
from engine.simulator.generator import NEVER_NS
from engine.simulator.layout import CancelReason, Refusal
from engine.simulator.orders import OrderDesk

POST_ONLY, DAY = TimeInForce.POST_ONLY, TimeInForce.DAY
GOOD_TILL = (TimeInForce.GTC, TimeInForce.GTD)
_SIDES = {code: side for side, code in fix44.SIDES.items()}
_TIMES_IN_FORCE = {code: in_force for in_force, code in fix44.TIMES_IN_FORCE.items() if in_force != POST_ONLY} | {"": 0}
_LIQUIDITIES = {1: "1", 2: "2"}
_REASONS = {  # Refusal to OrdRejReason(103)
    Refusal.INVALID_INSTRUMENT: "1",
    Refusal.HALTED: "2",
    Refusal.DUPLICATE_REFERENCE: "6",
    Refusal.INVALID_QUANTITY: "13",
    Refusal.INVALID_CROSS_ORDER: "4",
    Refusal.INVALID_TIME_IN_FORCE: "11",
}
OTHER = "99"
LARGEST_OWN_NUMBER = 1 << 39  # a ClOrdID that is a number below it is the book's user reference; others are counted on
_OWN_NUMBER = re.compile("[1-9][0-9]{0,11}")
ORDER_STATUS, RESTATED = "I", "D"  # ExecType(150)


@dataclass
class FixFill:
    """An execution as the client was told of it last, under `exec_id`."""

    order: FixOrder
    exec_id: str
    quantity: int
    price: int
    liquidity: str


@dataclass
class FixOrder:
    """An order of the client. `quantity` and `executed` count the whole chain of replacements, as FIX does."""

    cl_ord_id: str
    user_reference: int
    symbol: str
    side: str
    quantity: int
    price: str
    status: str = "A"
    order_id: str = "NONE"
    executed: int = 0
    taken_back: int = 0  # of what the book executed
    leaves: int = 0
    cancel_id: str = ""
    replaced: str = ""
    replaced_by: FixOrder | None = None


class FixAccount:
    """`user` is the client's CompID. `sequenced` holds every message for the client, oldest first."""

    def __init__(self, desk: OrderDesk, owner: int, user: str, version: str = "4.4") -> None:
        self.owner, self.user, self.version = owner, user, version
        self.sequenced: list[bytes] = []
        self.malformed = 0
        self.expiries = Expiries()
        self._desk = desk
        self._orders: dict[str, FixOrder] = {}
        self._by_reference: dict[int, FixOrder] = {}
        self._references = count(LARGEST_OWN_NUMBER)
        self._fills: dict[int, list[FixFill]] = {}  # by match number
        # Execution ids are unique over restarts of the exchange: a client remembers them for ever.
        self._start = f"{time.time_ns():x}"
        self._executions = count(1)
        self._handlers: dict[str, Callable[[Fields, int], None]] = {
            fix44.NEW_ORDER_SINGLE: self._enter,
            fix44.ORDER_CANCEL_REQUEST: self._cancel,
            fix44.ORDER_CANCEL_REPLACE_REQUEST: self._replace,
            fix44.ORDER_STATUS_REQUEST: self._status,
            fix44.ORDER_MASS_STATUS_REQUEST: self._mass_status,
        }

    def receive(self, raw: bytes, time_ns: int) -> None:
        """Carry out one message from the client. What it causes is found in the book's results and in `sequenced`."""
        fields = fix44.read_fields(raw.decode("latin-1"))
        asked = fields.get(fix44.MSG_TYPE, "")
        handler = self._handlers.get(asked)
        if handler is None or (self.version == "4.2" and asked == fix44.ORDER_MASS_STATUS_REQUEST):
            self._refuse_message(fields, "3", "this message is not offered here")
            return
        try:
            handler(fields, time_ns)
        except MalformedMessage as error:
            self._refuse_message(fields, "5", str(error))

    def _refuse_message(self, fields: Fields, reason: str, text: str) -> None:
        self.malformed += 1
        values = {
            fix44.REF_SEQ_NUM: fields.get(fix44.MSG_SEQ_NUM, "0"),
            fix44.REF_MSG_TYPE: fields.get(fix44.MSG_TYPE, ""),
            fix44.BUSINESS_REJECT_REASON: reason,
            fix44.TEXT: text,
        }
        self._send(fix44.BUSINESS_MESSAGE_REJECT, values)

    def _enter(self, fields: Fields, time_ns: int) -> None:
        order = self._order_of(fields)
        if order.cl_ord_id in self._orders:
            self._reject(order, "6", "this ClOrdID was used before", time_ns)
            return
        self._remember(order)
        terms = self._terms(order, fields)
        end_ns = self._end(fields, terms, time_ns)
        self._desk.request(action=OrderAction.ENTER, **terms, time_ns=time_ns)
        self._end_at(end_ns, order)

    def _replace(self, fields: Fields, time_ns: int) -> None:
        existing = self._orders.get(fix44.needed(fields, fix44.ORIG_CL_ORD_ID))
        order = self._order_of(fields)
        if existing is None or existing.leaves == 0:
            self._refuse_change(fields, "2", existing, time_ns)
            return
        terms = self._terms(order, fields)
        end_ns = self._end(fields, terms, time_ns)
        open_quantity = order.quantity - existing.executed
        same = (order.symbol, order.side) == (existing.symbol, existing.side)
        # The book would take a replacement that it cannot enter as a cancel; FIX leaves the existing order alone.
        fits = same and open_quantity > 0 and not self._desk.refusal(**terms | {"quantity": open_quantity})
        if order.cl_ord_id in self._orders or not fits:
            self._refuse_change(fields, "2", existing, time_ns)
            return
        order.executed, order.replaced = existing.executed, existing.cl_ord_id
        order.taken_back = existing.taken_back
        self._remember(order)
        # The book counts what it executed, also what was taken back since.
        terms |= {"quantity": order.quantity + existing.taken_back}
        self._desk.request(
            action=OrderAction.REPLACE, existing_reference=existing.user_reference, **terms, time_ns=time_ns
        )
        self._end_at(end_ns, order)

    def _end(self, fields: Fields, terms: dict[str, int], time_ns: int) -> int:
        """When the order ends by the clock, NEVER_NS: it does not. Makes terms that rest like a day's of one that lasts
        longer; one whose time is over is refused."""
        if terms["time_in_force"] not in GOOD_TILL:
            return NEVER_NS
        end_ns = NEVER_NS
        if terms["time_in_force"] == TimeInForce.GTD:
            end_ns = fix44.read_time(fix44.needed(fields, fix44.EXPIRE_TIME))
        terms["time_in_force"] = int(DAY) if end_ns > time_ns else 0
        return end_ns

    def _end_at(self, end_ns: int, order: FixOrder) -> None:
        if end_ns != NEVER_NS:
            self.expiries.add(end_ns, lambda time_ns: self._expire(order, time_ns))

    def _expire(self, order: FixOrder, time_ns: int) -> None:
        if order.leaves:
            reference, reason = order.user_reference, CancelReason.TIMEOUT
            self._desk.request(
                action=OrderAction.CANCEL, owner=self.owner, user_reference=reference, reason=reason, time_ns=time_ns
            )

    def _cancel(self, fields: Fields, time_ns: int) -> None:
        existing = self._orders.get(fix44.needed(fields, fix44.ORIG_CL_ORD_ID))
        cancel_id = fix44.needed(fields, fix44.CL_ORD_ID)
        if existing is None or existing.leaves == 0:
            self._refuse_change(fields, "1", existing, time_ns)
            return
        existing.cancel_id = cancel_id
        self._desk.request(
            action=OrderAction.CANCEL,
            owner=self.owner,
            user_reference=existing.user_reference,
            reason=CancelReason.USER,
            time_ns=time_ns,
        )

    def _status(self, fields: Fields, time_ns: int) -> None:
        cl_ord_id = fix44.needed(fields, fix44.CL_ORD_ID)
        order = self._orders.get(cl_ord_id)
        if order is None:
            symbol, side = fields.get(fix44.SYMBOL, ""), fields.get(fix44.SIDE, "1")
            unknown = FixOrder(cl_ord_id, 0, symbol, side, 0, "0", status="8")
            self._report(unknown, ORDER_STATUS, time_ns, {fix44.ORD_REJ_REASON: str(fix44.UNKNOWN_ORDER)})
        else:
            self._report(order, ORDER_STATUS, time_ns)

    def _mass_status(self, fields: Fields, time_ns: int) -> None:
        request = {fix44.MASS_STATUS_REQ_ID: fix44.needed(fields, fix44.MASS_STATUS_REQ_ID)}
        orders = [order for order in self._orders.values() if order.leaves > 0]
        for number, order in enumerate(orders, start=1):
            last = {fix44.TOT_NUM_REPORTS: str(len(orders)), fix44.LAST_RPT_REQUESTED: "NY"[number == len(orders)]}
            self._report(order, ORDER_STATUS, time_ns, request | last)
        if not orders:
            none = FixOrder("NONE", 0, "NONE", "1", 0, "0", status="8")
            last = {fix44.TOT_NUM_REPORTS: "0", fix44.LAST_RPT_REQUESTED: "Y"}
            self._report(none, ORDER_STATUS, time_ns, request | last | {fix44.ORD_REJ_REASON: OTHER})

    def report(self, result: np.void) -> None:
        """Queue the message that tells the client about a result of the matching."""
        kind, time_ns = ReportKind(result["kind"]), int(result["time_ns"])
        order = self._by_reference[int(result["user_reference"])]
        if kind is ReportKind.REJECTED:
            refusal = Refusal(int(result["reason"]))
            self._reject(order, _REASONS.get(refusal, OTHER), refusal.name.lower().replace("_", " "), time_ns)
            return
        order.leaves = int(result["leaves"])
        order.order_id = str(int(result["reference"]) or order.order_id)
        if kind is ReportKind.EXECUTED:
            self._filled(order, result, time_ns)
        elif kind is ReportKind.CANCELED:
            self._canceled(order, int(result["reason"]), time_ns)
        else:
            self._opened(order, time_ns)

    def _opened(self, order: FixOrder, time_ns: int) -> None:
        order.status = "1" if order.executed else "0"
        if not order.replaced:
            self._report(order, "0", time_ns)
            return
        existing = self._orders[order.replaced]
        existing.leaves, existing.status, existing.replaced_by = 0, "5", order
        self._report(order, "5", time_ns, {fix44.ORIG_CL_ORD_ID: order.replaced})

    def _filled(self, order: FixOrder, result: np.void, time_ns: int) -> None:
        quantity = int(result["quantity"])
        order.executed += quantity
        order.status = "1" if order.leaves else "2"
        match_number, liquidity = int(result["match_number"]), _LIQUIDITIES.get(int(result["liquidity"]), "")
        fill = FixFill(order, "", quantity, int(result["price"]), liquidity)
        fill.exec_id = self._report(order, "F", time_ns, _terms_of(fill, match_number))
        self._fills.setdefault(match_number, []).append(fill)

    def tell_broken(self, match_number: int, _reason: str, time_ns: int) -> None:
        """A trade did not happen: Trade Cancel. Its shares do not return to the order."""
        for fill in self._fills.pop(match_number, []):
            newest: FixOrder | None = fill.order
            while newest is not None:
                newest.executed -= fill.quantity
                newest.taken_back += fill.quantity
                if newest.leaves:
                    newest.status = "1" if newest.executed else "0"
                elif newest.status == "2":
                    newest.status = "4"
                newest = newest.replaced_by
            undone = {fix44.EXEC_REF_ID: fill.exec_id} | _terms_of(fill, match_number)
            self._report(fill.order, "H", time_ns, undone)

    def tell_corrected(self, match_number: int, price: int, time_ns: int) -> None:
        """A trade had another price: Trade Correct."""
        for fill in self._fills.get(match_number, []):
            fill.price = price
            corrected = {fix44.EXEC_REF_ID: fill.exec_id} | _terms_of(fill, match_number)
            fill.exec_id = self._report(fill.order, "G", time_ns, corrected)

    def _canceled(self, order: FixOrder, reason: int, time_ns: int) -> None:
        text = {fix44.TEXT: CancelReason(reason).name.lower().replace("_", " ")}
        if order.leaves:
            self._report(order, RESTATED, time_ns, text)
            return
        if reason == CancelReason.TIMEOUT:
            order.status = "C"
            self._report(order, "C", time_ns, text)
            return
        order.status = "4"
        ids = {}
        if order.cancel_id:
            ids = {fix44.CL_ORD_ID: order.cancel_id, fix44.ORIG_CL_ORD_ID: order.cl_ord_id}
        self._report(order, "4", time_ns, text | ids)

    def _reject(self, order: FixOrder, reason: str, text: str, time_ns: int) -> None:
        order.status, order.leaves = "8", 0
        self._report(order, "8", time_ns, {fix44.ORD_REJ_REASON: reason, fix44.TEXT: text})

    def _refuse_change(self, fields: Fields, response_to: str, existing: FixOrder | None, time_ns: int) -> None:
        """OrderCancelReject(9): an order that is not known (1), too late (0), or terms that are not taken (99)."""
        late = existing is not None and existing.leaves == 0
        values = {
            fix44.ORDER_ID: existing.order_id if existing else "NONE",
            fix44.CL_ORD_ID: fix44.needed(fields, fix44.CL_ORD_ID),
            fix44.ORIG_CL_ORD_ID: fix44.needed(fields, fix44.ORIG_CL_ORD_ID),
            fix44.ORD_STATUS: existing.status if existing else "8",
            fix44.CXL_REJ_RESPONSE_TO: response_to,
            fix44.CXL_REJ_REASON: "1" if existing is None else "0" if late else OTHER,
            fix44.TRANSACT_TIME: fix44.time_text(time_ns),
        }
        self._send(fix44.ORDER_CANCEL_REJECT, values)

    def _report(self, order: FixOrder, exec_type: str, time_ns: int, more: Fields | None = None) -> str:
        """Send an ExecutionReport(8); returns its ExecID(17)."""
        exec_id = f"{self._start}-{next(self._executions)}"
        values = {
            fix44.ORDER_ID: order.order_id,
            fix44.CL_ORD_ID: order.cl_ord_id,
            fix44.EXEC_ID: exec_id,
            fix44.EXEC_TYPE: exec_type,
            fix44.ORD_STATUS: order.status,
            fix44.SYMBOL: order.symbol,
            fix44.SIDE: order.side,
            fix44.ORDER_QTY: str(order.quantity),
            fix44.PRICE: order.price,
            fix44.CUM_QTY: str(order.executed),
            fix44.LEAVES_QTY: str(order.leaves),
            fix44.AVG_PX: "0",  # required, and not kept here
            fix44.TRANSACT_TIME: fix44.time_text(time_ns),
        }
        self._send(fix44.EXECUTION_REPORT, values | dict(more or {}))
        return exec_id

    def _send(self, message_type: str, fields: dict[int, str]) -> None:
        said = in_words_of(self.version, {fix44.MSG_TYPE: message_type} | fields)
        self.sequenced.append(fix44.write_fields(said).encode("latin-1"))

    def _order_of(self, fields: Fields) -> FixOrder:
        cl_ord_id = fix44.needed(fields, fix44.CL_ORD_ID)
        own_number = _OWN_NUMBER.fullmatch(cl_ord_id) and int(cl_ord_id) < LARGEST_OWN_NUMBER
        return FixOrder(
            cl_ord_id=cl_ord_id,
            user_reference=int(cl_ord_id) if own_number else next(self._references),
            symbol=fix44.needed(fields, fix44.SYMBOL),
            side=fix44.needed(fields, fix44.SIDE),
            quantity=fix44.read_quantity(fields, fix44.ORDER_QTY),
            price=fix44.price_text(fix44.read_price(fields, fix44.PRICE)),
        )

    def _remember(self, order: FixOrder) -> None:
        self._orders[order.cl_ord_id] = self._by_reference[order.user_reference] = order

    def _terms(self, order: FixOrder, fields: Fields) -> dict[str, int]:
        """What the book is asked for; 0 for a side or time in force that is not offered, which it refuses."""
        kind, in_force = fields.get(fix44.ORD_TYPE), _TIMES_IN_FORCE.get(fields.get(fix44.TIME_IN_FORCE, "0"), 0)
        if self.version == "4.2":
            if in_force == TimeInForce.AT_CLOSE:
                in_force = 0
            if kind == fix44.LIMIT_ON_CLOSE and in_force == TimeInForce.DAY:
                kind, in_force = fix44.LIMIT, TimeInForce.AT_CLOSE
        if in_force == DAY and fix44.POSTS_ONLY in fields.get(fix44.EXEC_INST, "").split():
            in_force = POST_ONLY
        return {
            "owner": self.owner,
            "user_reference": order.user_reference,
            "instrument": self._desk.instrument_id(order.symbol),
            "side": int(_SIDES.get(order.side, 0)),
            "price": fix44.read_price(fields, fix44.PRICE),
            "quantity": order.quantity,
            "displayed": 1,
            "time_in_force": int(in_force) if kind == fix44.LIMIT else 0,
        }


def _terms_of(fill: FixFill, match_number: int) -> dict[int, str]:
    told = {
        fix44.LAST_PX: fix44.price_text(fill.price),
        fix44.LAST_QTY: str(fill.quantity),
        fix44.SECONDARY_EXEC_ID: str(match_number),
    }
    # In a cross nobody added or removed.
    return told | ({fix44.LAST_LIQUIDITY_IND: fill.liquidity} if fill.liquidity else {})
