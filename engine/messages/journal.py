"""Layouts of the two logs. A journal record is a 32-byte header and a 96-byte body, or a header and JSON text padded
to 128.

Header: `checksum` is CRC-32C over the bytes after it; `length` counts header, body and padding; `sequence` is dense
from 1;
`time_ns` is the loop's time when the record was written; `position` is the recording position (packets recorded so
far) at that moment, so that journal and recording merge into one order of events.
"""

from __future__ import annotations

import numpy as np

from engine.messages.codes import RecordKind

RECORD_SIZE = 128
HEADER_SIZE = 32

JOURNAL_HEADER = np.dtype(
    [
        ("checksum", "<u4"),
        ("length", "<u4"),
        ("kind", "<u2"),
        ("version", "<u2"),
        ("text_length", "<u4"),
        ("sequence", "<u8"),
        ("time_ns", "<i8"),
    ]
)

# Every body starts with the recording position it answers.
ORDER_REQUEST = np.dtype(
    [
        ("position", "<u8"),
        ("order_id", "<u8"),
        ("target_order_id", "<u8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("limits_version", "<u4"),
        ("good_till_s", "<u4"),  # seconds since the epoch at which the venue ends the order, 0: its time in force says
        ("parent_id", "<u8"),
        ("strategy", "<u4"),
        ("team", "<u4"),
        ("instrument", "<u4"),
        ("kind", "<u4"),
        ("venue", "<u2"),
        ("action", "u1"),
        ("side", "u1"),
        ("time_in_force", "u1"),
        ("line", "u1"),
        ("protection", "<u2"),  # basis points from the touch to the price of a market order, 0: a limit order
        ("feed_sequence", "<u8"),
        ("signal", "<f8"),
    ]
)

DENIAL = np.dtype(
    [
        ("position", "<u8"),
        ("order_id", "<u8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("limits_version", "<u8"),
        ("measured", "<i8"),
        ("bound", "<i8"),
        ("strategy", "<u4"),
        ("team", "<u4"),
        ("instrument", "<u4"),
        ("kind", "<u4"),
        ("venue", "<u2"),
        ("action", "u1"),
        ("side", "u1"),
        ("time_in_force", "u1"),
        ("reason", "u1"),
        ("scope", "u1"),
        ("limit_name", "u1"),
        ("scope_id", "<u4"),
        ("parent_id", "<u4"),
        ("signal", "<f8"),
    ]
)

ORDER_REPORT = np.dtype(
    [
        ("position", "<u8"),
        ("order_id", "<u8"),
        ("venue_reference", "<u8"),
        ("venue_sequence", "<u8"),
        ("venue_time_ns", "<i8"),
        ("match_number", "<u8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("fee", "<i8"),
        ("strategy", "<u4"),
        ("instrument", "<u4"),
        ("venue", "<u2"),
        ("kind", "u1"),
        ("side", "u1"),
        ("liquidity", "u1"),
        ("reason", "u1"),
        ("state", "u1"),
        ("duplicate", "u1"),
        ("leaves", "<i8"),
    ]
)

SESSION_EVENT = np.dtype(
    [
        ("position", "<u8"),
        ("venue_sequence", "<u8"),
        ("next_reference", "<u8"),
        ("session_low", "<u8"),
        ("session_high", "<u8"),
        ("venue", "<u2"),
        ("state", "u1"),
        ("fresh", "u1"),
        ("reserved", "u1", (52,)),
    ]
)

FEED_EVENT = np.dtype(
    [
        ("position", "<u8"),
        ("expected", "<u8"),
        ("received", "<u8"),
        ("venue", "<u2"),
        ("line", "u1"),
        ("kind", "u1"),
        ("reserved", "u1", (68,)),
    ]
)

ENGINE_STATE = np.dtype(
    [
        ("position", "<u8"),
        ("state", "u1"),
        ("scope", "u1"),
        ("reserved", "<u2"),
        ("scope_id", "<u4"),
        ("unused", "u1", (80,)),
    ]
)

TIMER = np.dtype([("position", "<u8"), ("unused", "u1", (88,))])

STRATEGY_STATE = np.dtype(
    [("position", "<u8"), ("strategy", "<u4"), ("state", "u1"), ("reserved", "u1", (3,)), ("unused", "V80")]
)

# Numbers `first` to `last` may be given to orders from now on, and are never given again whatever is lost later.
ORDER_NUMBERS = np.dtype([("position", "<u8"), ("first", "<u8"), ("last", "<u8"), ("unused", "u1", (72,))])

# A parent order when it was entered (WORKING) and when it had ended: `filled` shares for `value` (price x quantity).
# `venues` has bit v - 1 for each venue v it may use. A price of 0 is no limit. Of a multi-leg order `instrument`,
# `side` and `price` are its first leg's, `quantity`, `filled` and `value` those of all legs.
PARENT = np.dtype(
    [
        ("position", "<u8"),
        ("parent_id", "<u8"),
        ("quantity", "<i8"),
        ("price", "<i8"),
        ("start_ns", "<i8"),
        ("end_ns", "<i8"),
        ("filled", "<i8"),
        ("value", "<i8"),
        ("limits_version", "<u8"),
        ("strategy", "<u4"),
        ("team", "<u4"),
        ("trader", "<u4"),
        ("instrument", "<u4"),
        ("kind", "<u4"),
        ("venues", "u1"),
        ("side", "u1"),
        ("state", "u1"),
        ("legs", "u1"),  # of a multi-leg order, 0: one instrument
    ]
)

# What the router decided about one venue when it split an order, and why. Costs are per share in 1/1,000 of a price
# unit against the middle of the market; what taking costs is the sum of its three parts. `fill_chance` in 1/1,000.
ROUTE = np.dtype(
    [
        ("position", "<u8"),
        ("route_id", "<u8"),
        ("take_order_id", "<u8"),
        ("rest_order_id", "<u8"),
        ("take_price", "<i8"),
        ("rest_price", "<i8"),
        ("take_quantity", "<u4"),
        ("rest_quantity", "<u4"),
        ("displayed", "<u4"),
        ("ahead", "<u4"),
        ("price_part", "<i4"),
        ("fee_part", "<i4"),
        ("risk_part", "<i4"),
        ("rest_cost", "<i4"),
        ("latency_us", "<u4"),
        ("instrument", "<u4"),
        ("fill_chance", "<u2"),
        ("venue", "u1"),
        ("reason", "u1"),
        ("round", "u1"),
        ("side", "u1"),
        ("reserved", "<u2"),
    ]
)

BODIES = {
    RecordKind.ORDER_REQUEST: ORDER_REQUEST,
    RecordKind.DENIAL: DENIAL,
    RecordKind.ORDER_REPORT: ORDER_REPORT,
    RecordKind.SESSION_EVENT: SESSION_EVENT,
    RecordKind.FEED_EVENT: FEED_EVENT,
    RecordKind.ENGINE_STATE: ENGINE_STATE,
    RecordKind.TIMER: TIMER,
    RecordKind.STRATEGY_STATE: STRATEGY_STATE,
    RecordKind.ORDER_NUMBERS: ORDER_NUMBERS,
    RecordKind.ROUTE: ROUTE,
    RecordKind.PARENT: PARENT,
}

# Bodies of these kinds are the recording position (8 bytes) followed by UTF-8 JSON of header.text_length bytes.
TEXT_KINDS = frozenset({RecordKind.ENGINE_STARTED, RecordKind.COMMAND})

RECORDING_HEADER = np.dtype(
    [
        ("checksum", "<u4"),
        ("length", "<u4"),
        ("position", "<u8"),
        ("time_ns", "<i8"),
        ("payload_length", "<u2"),
        ("venue", "u1"),
        ("line", "u1"),
        ("reserved", "<u4"),
    ]
)
