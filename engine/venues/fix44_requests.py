"""Orders of ours -> FIX 4.4 messages. The header's and trailer's fields are added by the session."""

from __future__ import annotations

from typing import Any

import quickfix
import quickfix44

from engine.messages.codes import Side, TimeInForce
from engine.protocols.fix44 import (
    ACCOUNT,
    CL_ORD_ID,
    LIMIT,
    ORD_TYPE,
    ORDER_QTY,
    ORIG_CL_ORD_ID,
    PRICE,
    SIDE,
    SIDES,
    SYMBOL,
    TEST_REQ_ID,
    TIME_IN_FORCE,
    TIMES_IN_FORCE,
    price_text,
)
from engine.venues.fix44_orders import Order


def new_order_single(order: Order, symbol: str, account: str) -> Any:
    """NewOrderSingle(D). ClOrdID(11) is the order id. KeyError for a side or time in force that is not one."""
    return _with(quickfix44.NewOrderSingle(), account, {CL_ORD_ID: str(order.order_id)} | _terms(order, symbol))


def order_cancel_replace_request(order: Order, symbol: str, account: str) -> Any:
    """OrderCancelReplaceRequest(G). OrderQty(38) is the whole quantity, what was already executed included."""
    ids = {CL_ORD_ID: str(order.order_id), ORIG_CL_ORD_ID: str(order.target_order_id)}
    return _with(quickfix44.OrderCancelReplaceRequest(), account, ids | _terms(order, symbol))


def order_cancel_request(order: Order, symbol: str, account: str) -> Any:
    """OrderCancelRequest(F) for the whole order; `order.cancels` numbers our attempts, so its ClOrdID is unique."""
    ids = {CL_ORD_ID: f"{order.order_id}C{order.cancels}", ORIG_CL_ORD_ID: str(order.order_id)}
    named = {SYMBOL: symbol, SIDE: SIDES[Side(order.side)], ORDER_QTY: str(order.quantity)}
    return _with(quickfix44.OrderCancelRequest(), account, ids | named)


def order_status_request(order: Order, symbol: str) -> Any:
    """OrderStatusRequest(H): an ExecutionReport(8) with ExecType(150) Order Status answers."""
    message = quickfix44.OrderStatusRequest()
    for tag, value in {CL_ORD_ID: str(order.order_id), SYMBOL: symbol, SIDE: SIDES[Side(order.side)]}.items():
        message.setField(tag, value)
    return message


def test_request(request_id: str) -> Any:
    """TestRequest(1): its Heartbeat comes after everything that the venue had to say before."""
    message = quickfix44.TestRequest()
    message.setField(TEST_REQ_ID, request_id)
    return message


def _terms(order: Order, symbol: str) -> dict[int, str]:
    return {
        SYMBOL: symbol,
        SIDE: SIDES[Side(order.side)],
        ORDER_QTY: str(order.quantity),
        ORD_TYPE: LIMIT,
        PRICE: price_text(order.price),
        TIME_IN_FORCE: TIMES_IN_FORCE[TimeInForce(order.time_in_force)],
    }


def _with(message: Any, account: str, fields: dict[int, str]) -> Any:
    if account:
        message.setField(ACCOUNT, account)
    for tag, value in fields.items():
        message.setField(tag, value)
    message.setField(quickfix.TransactTime())
    return message
