"""Every message of Nasdaq OUCH 4.2. Orders are named by tokens of 14 characters that we choose; nothing is optional."""

from __future__ import annotations

from engine.protocols.layouts import PRICE4, U32, U64, Layout, Row, alpha
from engine.protocols.ouch50_layouts import (
    CANCEL_REASON,
    CAPACITY,
    CROSS_TYPE,
    DISPLAY,
    FIRM,
    INSTRUMENT,
    LIQUIDITY,
    MATCH_NUMBER,
    ORDER_STATE,
    REFERENCE,
    SIDE,
    SWEEP,
)

CHAR = alpha(1)
TOKEN: Row = ("token", alpha(14), "our name of the order, unique for the day and port; a repeated one is ignored")
PRICE: Row = ("price", PRICE4, "limit price; 200,000 asks for a market order in a cross")
TIME_IN_FORCE: Row = (
    "time_in_force",
    U32,
    "seconds to live; 0 immediate or cancel, 99998 market hours, 99999 system hours",
)
MINIMUM: Row = ("minimum_quantity", U32, "least shares of a first execution; the whole quantity: fill or kill")
BBO_WEIGHT: Row = (
    "bbo_weight",
    CHAR,
    "0 to 3 share of the quote, S sets the best price of the venue, N improves the market's",
)


def _inbound(code: str, name: str, title: str, section: str, *rows: Row) -> Layout:
    return Layout(name, code, title, (("type", CHAR, f"`{code}`"), *rows), section=section)


def _outbound(code: str, name: str, title: str, *rows: Row, droppable: int = 0) -> Layout:
    header: tuple[Row, ...] = (("type", CHAR, f"`{code}`"), ("timestamp_ns", U64, "nanoseconds since midnight"))
    return Layout(name, code, title, header + rows, droppable=droppable)


INBOUND: tuple[Layout, ...] = (
    _inbound(
        "O",
        "enter_order",
        "Enter Order",
        "2.1",
        TOKEN,
        SIDE,
        ("quantity", U32, "shares, 1 to 999,999"),
        INSTRUMENT,
        PRICE,
        TIME_IN_FORCE,
        FIRM,
        DISPLAY,
        CAPACITY,
        SWEEP,
        MINIMUM,
        CROSS_TYPE,
        ("customer_type", CHAR, "R retail designated, N not, blank the port's own"),
    ),
    _inbound(
        "U",
        "replace_order",
        "Replace Order",
        "2.2",
        ("original_token", alpha(14), "the order to replace, by its latest token"),
        ("token", alpha(14), "the replacement's token"),
        ("quantity", U32, "total shares liable, those already executed in the chain included"),
        PRICE,
        TIME_IN_FORCE,
        DISPLAY,
        SWEEP,
        MINIMUM,
    ),
    _inbound(
        "X",
        "cancel_order",
        "Cancel Order",
        "2.3",
        TOKEN,
        ("quantity", U32, "shares that may be executed in total from now on; 0 cancels what is open"),
    ),
    _inbound(
        "M",
        "modify_order",
        "Modify Order",
        "2.4",
        TOKEN,
        ("side", CHAR, "new side: between S, T and E only"),
        ("quantity", U32, "shares that may be executed in total from now on"),
    ),
)

_ECHO: tuple[Row, ...] = (
    SIDE,
    ("quantity", U32, "shares accepted; in a replacement, outstanding"),
    INSTRUMENT,
    ("price", PRICE4, "accepted price, never worse than entered"),
    TIME_IN_FORCE,
    FIRM,
    DISPLAY,
    REFERENCE,
    CAPACITY,
    SWEEP,
    MINIMUM,
    CROSS_TYPE,
    ORDER_STATE,
)
_EXECUTION: tuple[Row, ...] = (
    TOKEN,
    ("quantity", U32, "shares executed by this message"),
    ("price", PRICE4, "price of the execution"),
    LIQUIDITY,
    MATCH_NUMBER,
)

OUTBOUND: tuple[Layout, ...] = (
    _outbound("S", "system_event", "System Event", ("event", CHAR, "S start of day, E end of day")),
    _outbound("A", "accepted", "Accepted", TOKEN, *_ECHO, BBO_WEIGHT),
    _outbound(
        "U",
        "replaced",
        "Replaced",
        ("token", alpha(14), "the replacement"),
        *_ECHO,
        ("original_token", alpha(14), "the order that was replaced"),
        BBO_WEIGHT,
    ),
    _outbound("C", "canceled", "Canceled", TOKEN, ("quantity", U32, "shares taken off by this message"), CANCEL_REASON),
    _outbound(
        "D",
        "aiq_canceled",
        "AIQ Canceled: self match prevention",
        TOKEN,
        ("quantity", U32, "shares taken off by this message"),
        ("reason", CHAR, "Q always"),
        ("prevented_quantity", U32, "shares that would have traded"),
        ("price", PRICE4, "price at which they would have traded"),
        ("liquidity", CHAR, "liquidity flag that the order would have had"),
        ("strategy", CHAR, "self match prevention strategy"),
        droppable=1,
    ),
    _outbound("E", "executed", "Executed", *_EXECUTION),
    _outbound(
        "G",
        "executed_with_reference_price",
        "Executed with Reference Price",
        *_EXECUTION,
        ("reference_price", PRICE4, "reference price of the execution"),
        ("reference_price_type", CHAR, "I intraday indicative value"),
    ),
    _outbound(
        "B",
        "broken_trade",
        "Broken Trade",
        TOKEN,
        MATCH_NUMBER,
        ("reason", CHAR, "E erroneous, C consent, S supervisory, X external"),
    ),
    _outbound(
        "F", "trade_correction", "Trade Correction", *_EXECUTION, ("reason", CHAR, "N adjusted to net asset value")
    ),
    _outbound("J", "rejected", "Rejected", TOKEN, ("reason", CHAR, "letter of the reason, such as H halted, X price")),
    _outbound("P", "cancel_pending", "Cancel Pending", TOKEN),
    _outbound("I", "cancel_rejected", "Cancel Reject", TOKEN),
    _outbound(
        "T",
        "priority_update",
        "Order Priority Update",
        TOKEN,
        ("price", PRICE4, "limit price of the order"),
        DISPLAY,
        REFERENCE,
    ),
    _outbound("M", "modified", "Order Modified", TOKEN, SIDE, ("quantity", U32, "shares outstanding")),
)
