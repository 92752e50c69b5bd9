"""Every message of Nasdaq TotalView-ITCH 5.0 (revision of 2023). Section numbers are the specification's.

Wire words become ours: Shares is `quantity`, Buy/Sell Indicator is `side`, Stock is `instrument`, Order Reference
Number is `reference`. Timestamps are nanoseconds since midnight in the market's time zone.
"""

from __future__ import annotations

from engine.protocols.layouts import PRICE4, PRICE8, U16, U32, U48, U64, Layout, Row, alpha, numeric

CHAR = alpha(1)
INSTRUMENT: Row = ("instrument", alpha(8), "symbol of the instrument")
REFERENCE: Row = ("reference", U64, "order reference number, unique for the day")
SIDE: Row = ("side", CHAR, "B buy, S sell")
MATCH_NUMBER: Row = ("match_number", U64, "match number, unique for the day; a broken trade names it")


def _message(code: str, name: str, title: str, section: str, *rows: Row) -> Layout:
    header: tuple[Row, ...] = (
        ("type", CHAR, f"`{code}`"),
        ("stock_locate", U16, "number of the instrument for the day; 0 where no instrument is meant"),
        ("tracking_number", U16, "the venue's own number"),
        ("timestamp_ns", U48, "nanoseconds since midnight"),
    )
    return Layout(name, code, title, header + rows, section=section)


_ADD: tuple[Row, ...] = (
    REFERENCE,
    SIDE,
    ("quantity", U32, "shares added"),
    INSTRUMENT,
    ("price", PRICE4, "display price"),
)
_EXECUTED: tuple[Row, ...] = (REFERENCE, ("quantity", U32, "shares executed"), MATCH_NUMBER)

MESSAGES: tuple[Layout, ...] = (
    _message(
        "S",
        "system_event",
        "System Event",
        "1.1",
        (
            "event",
            CHAR,
            "O, C start and end of messages; S, E start and end of system hours; Q, M start and end of market hours",
        ),
    ),
    _message(
        "R",
        "stock_directory",
        "Stock Directory",
        "1.2.1",
        INSTRUMENT,
        (
            "market_category",
            CHAR,
            "listing market: Q, G, S Nasdaq tiers, N NYSE, A NYSE American, P Arca, Z BATS, V IEX",
        ),
        (
            "financial_status",
            CHAR,
            "N normal, D deficient, E delinquent, Q bankrupt, S suspended, G, H, J, K several of them, C no creations",
        ),
        ("round_lot_size", U32, "shares of a round lot"),
        ("round_lots_only", CHAR, "Y only round lots are accepted, N any quantity"),
        ("issue_classification", CHAR, "security class, such as C common stock, A depositary share, Q other"),
        ("issue_sub_type", alpha(2), "security sub-type, such as C common shares, Z not applicable"),
        ("authenticity", CHAR, "P production, T test"),
        ("short_sale_threshold", CHAR, "Y restricted under Rule 203(b)(3), N not, space not available"),
        ("ipo_flag", CHAR, "Y set up for IPO release, N not, space not available"),
        ("luld_tier", CHAR, "limit up, limit down reference price tier: 1, 2, space not applicable"),
        ("etp_flag", CHAR, "Y exchange traded product, N not, space not available"),
        ("etp_leverage", U32, "integral relation of the product to its index"),
        ("inverse", CHAR, "Y the product moves against its index, N with it"),
    ),
    _message(
        "H",
        "trading_action",
        "Stock Trading Action",
        "1.2.2",
        INSTRUMENT,
        ("trading_state", CHAR, "H halted, P paused, Q quotation only, T trading"),
        ("reserved", CHAR, "reserved"),
        ("reason", alpha(4), "reason code, such as T1 news pending, LUDP volatility pause, MWC1 circuit breaker, IPO1"),
    ),
    _message(
        "Y",
        "reg_sho_restriction",
        "Reg SHO Short Sale Price Test Restriction",
        "1.2.3",
        INSTRUMENT,
        (
            "reg_sho_action",
            CHAR,
            "0 no price test, 1 restriction in effect since an intraday drop, 2 restriction remains",
        ),
    ),
    _message(
        "L",
        "market_participant_position",
        "Market Participant Position",
        "1.2.4",
        ("participant", alpha(4), "market participant identifier (MPID)"),
        INSTRUMENT,
        ("primary_market_maker", CHAR, "Y primary, N not"),
        ("market_maker_mode", CHAR, "N normal, P passive, S syndicate, R pre-syndicate, L penalty"),
        ("participant_state", CHAR, "A active, E excused, W withdrawn, S suspended, D deleted"),
    ),
    _message(
        "V",
        "mwcb_decline_level",
        "Market-Wide Circuit Breaker Decline Level",
        "1.2.5.1",
        ("level_1", PRICE8, "index level of breaker 1"),
        ("level_2", PRICE8, "index level of breaker 2"),
        ("level_3", PRICE8, "index level of breaker 3"),
    ),
    _message(
        "W",
        "mwcb_status",
        "Market-Wide Circuit Breaker Status",
        "1.2.5.2",
        ("breached_level", CHAR, "level that was breached: 1, 2, 3"),
    ),
    _message(
        "K",
        "ipo_quoting_period",
        "IPO Quoting Period Update",
        "1.2.6",
        INSTRUMENT,
        ("release_time_seconds", U32, "quotation release time, seconds since midnight"),
        ("release_qualifier", CHAR, "A anticipated, C canceled or postponed"),
        ("price", PRICE4, "IPO price for net change"),
    ),
    _message(
        "J",
        "luld_auction_collar",
        "Limit Up, Limit Down Auction Collar",
        "1.2.7",
        INSTRUMENT,
        ("reference_price", PRICE4, "price from which the collar is set"),
        ("upper_price", PRICE4, "upper auction collar"),
        ("lower_price", PRICE4, "lower auction collar"),
        ("extension", U32, "number of extensions of the reopening auction"),
    ),
    _message(
        "h",
        "operational_halt",
        "Operational Halt",
        "1.2.8",
        INSTRUMENT,
        ("market_code", CHAR, "Q Nasdaq, B BX, X PSX"),
        ("halt_action", CHAR, "H halted on this market, T trading resumed"),
    ),
    _message("A", "add_order", "Add Order, no attribution", "1.3.1", *_ADD),
    _message(
        "F",
        "add_order_attributed",
        "Add Order with attribution",
        "1.3.2",
        *_ADD,
        ("attribution", alpha(4), "market participant identifier (MPID) of the order"),
    ),
    _message("E", "order_executed", "Order Executed", "1.4.1", *_EXECUTED),
    _message(
        "C",
        "order_executed_with_price",
        "Order Executed with Price",
        "1.4.2",
        *_EXECUTED,
        ("printable", CHAR, "Y counts for volume and time and sales, N does not"),
        ("price", PRICE4, "price of the execution, other than the display price"),
    ),
    _message("X", "order_cancel", "Order Cancel", "1.4.3", REFERENCE, ("quantity", U32, "shares taken off the order")),
    _message("D", "order_delete", "Order Delete", "1.4.4", REFERENCE),
    _message(
        "U",
        "order_replace",
        "Order Replace",
        "1.4.5",
        ("original_reference", U64, "reference of the order that is replaced"),
        ("new_reference", U64, "reference from now on; the order loses its time priority"),
        ("quantity", U32, "new displayed quantity"),
        ("price", PRICE4, "new display price"),
    ),
    _message(
        "P",
        "trade",
        "Trade, non-cross",
        "1.5.1",
        ("reference", U64, "0 since 2010"),
        ("side", CHAR, "B since 2014, whichever side rested"),
        ("quantity", U32, "shares matched"),
        INSTRUMENT,
        ("price", PRICE4, "match price"),
        MATCH_NUMBER,
    ),
    _message(
        "Q",
        "cross_trade",
        "Cross Trade",
        "1.5.2",
        ("quantity", U64, "shares matched in the cross"),
        INSTRUMENT,
        ("price", PRICE4, "price of the cross"),
        MATCH_NUMBER,
        ("cross_type", CHAR, "O opening, C closing, H halted, paused or IPO, A extended close"),
    ),
    _message(
        "B",
        "broken_trade",
        "Broken Trade",
        "1.5.3",
        ("match_number", U64, "match number of the execution that is broken"),
    ),
    _message(
        "I",
        "net_order_imbalance",
        "Net Order Imbalance Indicator",
        "1.6",
        ("paired_quantity", U64, "shares that match at the reference price"),
        ("imbalance_quantity", U64, "shares that do not"),
        ("imbalance_direction", CHAR, "B buy, S sell, N none, O too few orders, P paused"),
        INSTRUMENT,
        ("far_price", PRICE4, "clearing price over cross orders alone"),
        ("near_price", PRICE4, "clearing price over cross and continuous orders"),
        ("reference_price", PRICE4, "price at which the quantities are calculated"),
        ("cross_type", CHAR, "O opening, C closing, H halted, paused or IPO, A extended close"),
        (
            "price_variation",
            CHAR,
            "near price from reference price, per cent: L below 1, 1 to 9, A 10 to 20, B to 30, C more, space unknown",
        ),
    ),
    _message(
        "N",
        "retail_price_improvement",
        "Retail Price Improvement Indicator",
        "1.7",
        INSTRUMENT,
        ("interest", CHAR, "B on the buy side, S on the sell side, A on both, N none"),
    ),
    _message(
        "O",
        "direct_listing_capital_raise",
        "Direct Listing with Capital Raise Price Discovery",
        "1.8",
        INSTRUMENT,
        ("open_eligible", CHAR, "Y may be released for trading, N may not"),
        ("minimum_price", PRICE4, "20 % below the lower registration price"),
        ("maximum_price", PRICE4, "80 % above the higher registration price"),
        ("near_price", PRICE4, "reference price when the volatility test passed"),
        ("near_time_ns", U64, "time of the near price, nanoseconds since midnight"),
        ("lower_price", PRICE4, "lower auction collar"),
        ("upper_price", PRICE4, "upper auction collar"),
    ),
)
# GLIMPSE 5.0 is these messages as a snapshot over SoupBinTCP, with one more at its end.
END_OF_SNAPSHOT = Layout(
    "end_of_snapshot",
    "G",
    "End of Snapshot (GLIMPSE only)",
    (("type", CHAR, "`G`"), ("sequence", numeric(20), "the number of the first feed message after the snapshot")),
)
BY_CODE = {layout.code: layout for layout in MESSAGES}
BY_NAME = {layout.name: layout for layout in MESSAGES}
