"""Orders of ours -> FIX messages, as the venue's dialect wants them. The session adds header and trailer."""

from __future__ import annotations

import time
from typing import Any

import quickfix

from engine.messages.codes import Side, TimeInForce
from engine.protocols.fix44 import (
    ACCOUNT,
    CL_ORD_ID,
    EXEC_INST,
    EXPIRE_TIME,
    LIMIT,
    LIMIT_ON_CLOSE,
    MASS_STATUS_REQ_ID,
    MSG_TYPE,
    NEW_ORDER_SINGLE,
    ORD_TYPE,
    ORDER_CANCEL_REPLACE_REQUEST,
    ORDER_CANCEL_REQUEST,
    ORDER_MASS_STATUS_REQUEST,
    ORDER_QTY,
    ORDER_STATUS_REQUEST,
    ORIG_CL_ORD_ID,
    POSTS_ONLY,
    PRICE,
    SIDE,
    SIDES,
    SYMBOL,
    TEST_REQ_ID,
    TEST_REQUEST,
    TIME_IN_FORCE,
    TIMES_IN_FORCE,
    price_text,
    time_text,
)
from engine.protocols.fix_bounds import BEGIN_STRINGS
from engine.venues.fix44_dialect import Dialect
from engine.venues.fix44_orders import Order

PLAIN = Dialect()
BEGIN_STRING, MASS_STATUS_REQ_TYPE, EVERY_ORDER = 8, 585, "7"


def new_order_single(order: Order, symbol: str, account: str, dialect: Dialect = PLAIN) -> Any:
    """NewOrderSingle(D). ClOrdID(11) is the order id. KeyError for a side or time in force that is not one."""
    return _made(NEW_ORDER_SINGLE, account, {CL_ORD_ID: str(order.order_id)} | _terms(order, symbol, dialect), dialect)


def order_cancel_replace_request(order: Order, symbol: str, account: str, dialect: Dialect = PLAIN) -> Any:
    """OrderCancelReplaceRequest(G). OrderQty(38) is the whole quantity, what was already executed included."""
    ids = {CL_ORD_ID: str(order.order_id), ORIG_CL_ORD_ID: str(order.target_order_id)}
    return _made(ORDER_CANCEL_REPLACE_REQUEST, account, ids | _terms(order, symbol, dialect), dialect)


def order_cancel_request(order: Order, symbol: str, account: str, dialect: Dialect = PLAIN) -> Any:
    """OrderCancelRequest(F) for the whole order; `order.cancels` numbers our attempts, so its ClOrdID is unique."""
    ids = {CL_ORD_ID: f"{order.order_id}C{order.cancels}", ORIG_CL_ORD_ID: str(order.order_id)}
    named = {SYMBOL: symbol, SIDE: SIDES[Side(order.side)], ORDER_QTY: str(order.quantity)}
    return _made(ORDER_CANCEL_REQUEST, account, ids | named, dialect)


def order_status_request(order: Order, symbol: str, dialect: Dialect = PLAIN) -> Any:
    """OrderStatusRequest(H): an ExecutionReport(8) that says it answers a question comes back."""
    fields = {CL_ORD_ID: str(order.order_id), SYMBOL: symbol, SIDE: SIDES[Side(order.side)]}
    return _made(ORDER_STATUS_REQUEST, "", fields, dialect)


def order_mass_status_request(request_id: str, dialect: Dialect = PLAIN) -> Any:
    """OrderMassStatusRequest(AF) for every order: an answer for each that is open, the last one marked."""
    fields = {MASS_STATUS_REQ_ID: request_id, MASS_STATUS_REQ_TYPE: EVERY_ORDER}
    return _made(ORDER_MASS_STATUS_REQUEST, "", fields, dialect)


def test_request(request_id: str, dialect: Dialect) -> Any:
    """TestRequest(1): its Heartbeat comes after everything that the venue had to say before."""
    return _message(TEST_REQUEST, {TEST_REQ_ID: request_id}, dialect)


def _terms(order: Order, symbol: str, dialect: Dialect) -> dict[int, str]:
    posts = order.time_in_force == TimeInForce.POST_ONLY and dialect.post_only
    kind, in_force = LIMIT, TimeInForce(order.time_in_force)
    if dialect.version == "4.2" and in_force == TimeInForce.AT_CLOSE:
        kind, in_force = LIMIT_ON_CLOSE, TimeInForce.DAY
    return {
        SYMBOL: symbol,
        SIDE: SIDES[Side(order.side)],
        ORDER_QTY: str(order.quantity),
        ORD_TYPE: kind,
        PRICE: price_text(order.price),
        TIME_IN_FORCE: TIMES_IN_FORCE[in_force],
    } | ({EXEC_INST: POSTS_ONLY} if posts else _end(order))


def _end(order: Order) -> dict[int, str]:
    """ExpireTime(126) of an order good till a time."""
    if order.time_in_force != TimeInForce.GTD:
        return {}
    return {EXPIRE_TIME: time_text(order.good_till_s * 1_000_000_000)}


def _made(message_type: str, account: str, fields: dict[int, str], dialect: Dialect) -> Any:
    own = {ACCOUNT: account} if account else {}
    return _message(message_type, dialect.said(message_type, own | fields, time.time_ns()), dialect)


def _message(message_type: str, fields: dict[int, str], dialect: Dialect) -> Any:
    message = quickfix.Message()
    message.getHeader().setField(BEGIN_STRING, BEGIN_STRINGS[dialect.version])
    message.getHeader().setField(MSG_TYPE, message_type)
    for tag, value in fields.items():
        message.setField(tag, value)
    return message
