"""Every message of Nasdaq OUCH 5.0 (revision 1.05), and every option of its appendages.

Wire words become ours: UserRefNum is `user_reference`, Symbol is `instrument`, Order Reference Number is `reference`,
ClOrdID is `client_order_id`. Timestamps are nanoseconds since midnight in the market's time zone.
"""

from __future__ import annotations

from engine.protocols.layouts import LONG_PRICE, SIGNED_PRICE, U8, U16, U32, U64, Kind, Layout, Row, Tail, alpha

CHAR = alpha(1)
USER_REFERENCE: Row = ("user_reference", U32, "our number of the order; strictly rising for the day and port")
SIDE: Row = ("side", CHAR, "B buy, S sell, T sell short, E sell short exempt")
INSTRUMENT: Row = ("instrument", alpha(8), "symbol of the instrument")
PRICE: Row = ("price", LONG_PRICE, "limit price; 0x7FFFFFFF asks for a market order in a cross")
TIME_IN_FORCE: Row = (
    "time_in_force",
    CHAR,
    "0 day, 3 immediate or cancel, 5 extended hours, 6 until a time, E after hours",
)
DISPLAY: Row = ("display", CHAR, "Y visible, N hidden, A attributable; outbound also Z conformant")
CAPACITY: Row = ("capacity", CHAR, "A agency, P principal, R riskless principal, O other")
SWEEP: Row = ("intermarket_sweep", CHAR, "Y the order is an intermarket sweep, N it is not")
CROSS_TYPE: Row = (
    "cross_type",
    CHAR,
    "N continuous market, O opening, C closing, H halt or IPO, S supplemental, R retail, E extended life, A late close",
)
CLIENT_ORDER_ID: Row = ("client_order_id", alpha(14), "our text, echoed and not checked")
FIRM: Row = ("firm", alpha(4), "firm in capitals, or blank for the port's own")
REFERENCE: Row = ("reference", U64, "the venue's order reference number, as in its market data")
ORDER_STATE: Row = ("order_state", CHAR, "L live, D dead: accepted and canceled at once")
LIQUIDITY: Row = (
    "liquidity",
    CHAR,
    "A, 7, 8, J, j, k, e, N added; R, m, p, q, r, t removed; n extended life; O, M, C, L, H, K, i, 0 crosses",
)
MATCH_NUMBER: Row = ("match_number", U64, "the trade's number, the same for both sides")
CANCEL_REASON: Row = (
    "reason",
    CHAR,
    "U user, I immediate or cancel, T timeout, S supervisory, D regulatory, Q self match, Z system, and others",
)


def _inbound(code: str, name: str, title: str, section: str, *rows: Row, tail: Tail) -> Layout:
    return Layout(name, code, title, (("type", CHAR, f"`{code}`"), *rows), tail, section=section)


def _outbound(code: str, name: str, title: str, section: str, *rows: Row, tail: Tail, droppable: int = 0) -> Layout:
    header: tuple[Row, ...] = (("type", CHAR, f"`{code}`"), ("timestamp_ns", U64, "nanoseconds since midnight"))
    return Layout(name, code, title, header + rows, tail, droppable, section)


REQUIRED, OPTIONAL = Tail.APPENDAGE, Tail.OPTIONAL_APPENDAGE

INBOUND: tuple[Layout, ...] = (
    _inbound(
        "O",
        "enter_order",
        "Enter Order",
        "2.1",
        USER_REFERENCE,
        SIDE,
        ("quantity", U32, "shares, 1 to 999,999"),
        INSTRUMENT,
        PRICE,
        TIME_IN_FORCE,
        DISPLAY,
        CAPACITY,
        SWEEP,
        CROSS_TYPE,
        CLIENT_ORDER_ID,
        tail=REQUIRED,
    ),
    _inbound(
        "U",
        "replace_order",
        "Replace Order",
        "2.2",
        ("original_user_reference", U32, "the order to replace, by its latest number"),
        ("user_reference", U32, "the replacement's number"),
        ("quantity", U32, "total shares liable, those already executed in the chain included"),
        PRICE,
        TIME_IN_FORCE,
        DISPLAY,
        SWEEP,
        CLIENT_ORDER_ID,
        tail=REQUIRED,
    ),
    _inbound(
        "X",
        "cancel_order",
        "Cancel Order",
        "2.3",
        ("user_reference", U32, "the order"),
        ("quantity", U32, "shares that may be executed in total from now on; 0 cancels what is open"),
        tail=OPTIONAL,
    ),
    _inbound(
        "M",
        "modify_order",
        "Modify Order",
        "2.4",
        ("user_reference", U32, "the order"),
        ("side", CHAR, "new side: between S, T and E only"),
        ("quantity", U32, "shares that may be executed in total from now on"),
        tail=OPTIONAL,
    ),
    _inbound(
        "C",
        "mass_cancel",
        "Mass Cancel Request",
        "2.5",
        USER_REFERENCE,
        FIRM,
        ("instrument", alpha(8), "cancel orders in this instrument; blank for all"),
        tail=REQUIRED,
    ),
    _inbound("D", "disable_order_entry", "Disable Order Entry Request", "2.6", USER_REFERENCE, FIRM, tail=REQUIRED),
    _inbound("E", "enable_order_entry", "Enable Order Entry Request", "2.7", USER_REFERENCE, FIRM, tail=REQUIRED),
    _inbound("Q", "account_query", "Account Query Request", "2.8", tail=OPTIONAL),
)

OUTBOUND: tuple[Layout, ...] = (
    _outbound(
        "S", "system_event", "System Event", "3.1", ("event", CHAR, "S start of day, E end of day"), tail=Tail.NONE
    ),
    _outbound(
        "A",
        "accepted",
        "Order Accepted",
        "3.2",
        USER_REFERENCE,
        SIDE,
        ("quantity", U32, "shares accepted"),
        INSTRUMENT,
        ("price", LONG_PRICE, "accepted price, never worse than entered"),
        TIME_IN_FORCE,
        DISPLAY,
        REFERENCE,
        CAPACITY,
        SWEEP,
        CROSS_TYPE,
        ORDER_STATE,
        CLIENT_ORDER_ID,
        tail=REQUIRED,
    ),
    _outbound(
        "U",
        "replaced",
        "Order Replaced",
        "3.3",
        ("original_user_reference", U32, "the order that was replaced"),
        ("user_reference", U32, "the replacement"),
        SIDE,
        ("quantity", U32, "shares outstanding"),
        INSTRUMENT,
        ("price", LONG_PRICE, "accepted price, never worse than entered"),
        TIME_IN_FORCE,
        DISPLAY,
        REFERENCE,
        CAPACITY,
        SWEEP,
        CROSS_TYPE,
        ORDER_STATE,
        CLIENT_ORDER_ID,
        tail=REQUIRED,
    ),
    _outbound(
        "C",
        "canceled",
        "Order Canceled",
        "3.4",
        ("user_reference", U32, "the order"),
        ("quantity", U32, "shares taken off by this message"),
        CANCEL_REASON,
        tail=OPTIONAL,
    ),
    _outbound(
        "D",
        "aiq_canceled",
        "AIQ Canceled: self match prevention",
        "3.5",
        ("user_reference", U32, "the order"),
        ("quantity", U32, "shares taken off by this message"),
        ("reason", CHAR, "Q always"),
        ("prevented_quantity", U32, "shares that would have traded"),
        ("price", LONG_PRICE, "price at which they would have traded"),
        ("liquidity", CHAR, "liquidity flag that the order would have had"),
        ("strategy", CHAR, "self match prevention strategy"),
        tail=OPTIONAL,
        droppable=1,
    ),
    _outbound(
        "E",
        "executed",
        "Order Executed",
        "3.6",
        ("user_reference", U32, "the order"),
        ("quantity", U32, "shares executed by this message"),
        ("price", LONG_PRICE, "price of the execution"),
        LIQUIDITY,
        MATCH_NUMBER,
        tail=REQUIRED,
    ),
    _outbound(
        "B",
        "broken_trade",
        "Broken Trade",
        "3.7",
        ("user_reference", U32, "the order"),
        MATCH_NUMBER,
        ("reason", CHAR, "E erroneous, C consent, S supervisory, X external"),
        CLIENT_ORDER_ID,
        tail=OPTIONAL,
    ),
    _outbound(
        "F",
        "trade_correction",
        "Trade Correction (until revision 1.03)",
        "",
        ("user_reference", U32, "the order"),
        ("quantity", U32, "shares executed"),
        ("price", LONG_PRICE, "corrected price"),
        LIQUIDITY,
        MATCH_NUMBER,
        ("reason", CHAR, "N adjusted to net asset value"),
        CLIENT_ORDER_ID,
        tail=OPTIONAL,
    ),
    _outbound(
        "J",
        "rejected",
        "Order Rejected",
        "3.8",
        ("user_reference", U32, "the order or replacement"),
        (
            "reason",
            U16,
            "number of the reason, such as 0x0007 halted, 0x0013 quantity, 0x0017 instrument, 0x001D price",
        ),
        CLIENT_ORDER_ID,
        tail=OPTIONAL,
    ),
    _outbound("P", "cancel_pending", "Cancel Pending", "3.9", ("user_reference", U32, "the order"), tail=OPTIONAL),
    _outbound("I", "cancel_rejected", "Cancel Reject", "3.10", ("user_reference", U32, "the order"), tail=OPTIONAL),
    _outbound(
        "T",
        "priority_update",
        "Order Priority Update",
        "3.11",
        ("user_reference", U32, "the order"),
        ("price", LONG_PRICE, "limit price of the order"),
        DISPLAY,
        REFERENCE,
        tail=OPTIONAL,
    ),
    _outbound(
        "M",
        "modified",
        "Order Modified",
        "3.12",
        ("user_reference", U32, "the order"),
        SIDE,
        ("quantity", U32, "shares outstanding"),
        tail=OPTIONAL,
    ),
    _outbound(
        "R",
        "restated",
        "Order Restated",
        "3.13",
        ("user_reference", U32, "the order"),
        ("reason", CHAR, "R refresh of the displayed quantity, P update of the displayed price"),
        tail=REQUIRED,
    ),
    _outbound(
        "X",
        "mass_cancel_response",
        "Mass Cancel Response",
        "3.14",
        ("user_reference", U32, "of the request"),
        FIRM,
        ("instrument", alpha(8), "of the request"),
        tail=REQUIRED,
    ),
    _outbound(
        "G",
        "disable_order_entry_response",
        "Disable Order Entry Response",
        "3.15",
        ("user_reference", U32, "of the request"),
        FIRM,
        tail=REQUIRED,
    ),
    _outbound(
        "K",
        "enable_order_entry_response",
        "Enable Order Entry Response",
        "3.16",
        ("user_reference", U32, "of the request"),
        FIRM,
        tail=REQUIRED,
    ),
    _outbound(
        "Q",
        "account_query_response",
        "Account Query Response",
        "3.17",
        ("next_user_reference", U32, "the lowest number that the venue accepts next"),
        tail=OPTIONAL,
    ),
)

# tag: name, type, meaning
OPTIONS: dict[int, tuple[str, Kind, str]] = {
    1: ("secondary_reference", U64, "reference number that the market data shows instead"),
    2: ("firm", alpha(4), "firm in capitals"),
    3: (
        "minimum_quantity",
        U32,
        "least shares of a first execution; with immediate or cancel and the whole quantity: fill or kill",
    ),
    4: ("customer_type", CHAR, "R retail designated, N not"),
    5: ("maximum_floor", U32, "shares displayed"),
    6: ("price_type", CHAR, "L limit, P market peg, M midpoint peg, R primary peg, Q market maker peg, m midpoint"),
    7: ("peg_offset", SIGNED_PRICE, "distance from the peg"),
    9: ("discretion_price", LONG_PRICE, "discretionary price"),
    10: ("discretion_price_type", CHAR, "L limit, P market peg, M midpoint peg, R primary peg"),
    11: ("discretion_peg_offset", SIGNED_PRICE, "distance from the discretionary peg"),
    12: ("post_only", CHAR, "P post only, N not"),
    13: ("random_reserves", U32, "shares of random reserve"),
    14: ("route", alpha(4), "route"),
    15: ("expire_seconds", U32, "seconds to live, below 86,400"),
    16: ("trade_now", CHAR, "Y yes, N no"),
    17: (
        "handling",
        CHAR,
        "I imbalance only, O and T retail, Q retail price improvement, B extended life, D direct listing",
    ),
    18: ("bbo_weight", CHAR, "0 to 3 share of the quote, S sets the best price of the venue, N improves the market's"),
    19: ("reference_price", LONG_PRICE, "reference price of the execution (until revision 1.03)"),
    20: ("reference_price_type", CHAR, "I intraday indicative value (until revision 1.03)"),
    22: ("display_quantity", U32, "restated displayed quantity"),
    23: ("display_price", LONG_PRICE, "restated displayed price"),
    24: ("group", U16, "customer group"),
    25: ("shares_located", CHAR, "Y located for a short sale, N not"),
    26: ("locate_broker", alpha(4), "broker of the locate"),
    27: ("side", CHAR, "side of the orders"),
    28: ("user_reference_index", U8, "channel within the port"),
    29: ("aiq_strategy", CHAR, "self match prevention strategy"),
    30: ("aiq_group", alpha(2), "self match prevention group"),
}
TAGS = {name: tag for tag, (name, _, _) in OPTIONS.items()}
