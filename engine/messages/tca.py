"""Transaction cost reports: what `python -m engine study tca PATH --out DIR` writes and the desk reads.

DIR/report.json    totals, groups, fitted costs (the keys are in docs/tca.md)
DIR/parents.npy    PARENT_COSTS, DIR/orders.npy ORDER_COSTS, DIR/fills.npy FILL_COSTS, DIR/paths.npy PATH_POINT
DIR/costs.json     fitted costs alone (`engine.messages.costs`)
DIR/export/        parents, orders and fills as CSV and Parquet, of the firm and of each team

Money is an integer in 1/20,000 of the currency (a middle may lie half a price unit between two prices), a cost is
positive, a gain negative. `middle_2` is bid plus ask: twice the middle, 0 where there is none.
"""

from __future__ import annotations

from typing import Any

import numpy as np

MONEY_SCALE = 20_000
HORIZONS_NS = (1_000_000_000, 10_000_000_000, 60_000_000_000, 300_000_000_000)
HORIZON_LABELS = ("1 s", "10 s", "1 min", "5 min")
COSTS = ("spread", "impact", "timing", "opportunity", "fees")
MARKOUTS = tuple(f"markout_{at}" for at in range(len(HORIZONS_NS)))
MARKED = tuple(f"marked_{at}" for at in range(len(HORIZONS_NS)))

# Sums that groups have and that can be added up further.
SUMS = (
    "parents", "orders", "fills", "unpriced", "quantity", "filled", "paper", "notional", *COSTS, "shortfall",
    "against_middle", "against_vwap", "vwap_notional", "against_close", "close_notional", *MARKOUTS, *MARKED,
)  # fmt: skip

_MEASURES = [
    ("notional", "<i8"),  # price x quantity of the fills, as money
    *((name, "<i8") for name in COSTS),
    ("shortfall", "<i8"),
    ("against_middle", "<i8"),  # what the fills cost against the middle just before each
    *((name, "<i8") for name in MARKOUTS),  # a gain is positive: the middle later against the price
    *((name, "<i8") for name in MARKED),  # notional of the fills that have a middle so much later
]

PARENT_COSTS = np.dtype(
    [
        ("parent_id", "<u8"),  # 0: an order without a parent, and its replacements
        ("order_id", "<u8"),  # its first order
        ("strategy", "<u4"),
        ("team", "<u4"),
        ("instrument", "<u4"),
        ("kind", "<u4"),  # of its algorithm, or of the strategy whose order it is; 0: by hand
        ("venue", "<u2"),  # 0: several
        ("side", "u1"),
        ("is_open", "u1"),  # not ended when the journal did
        ("orders", "<u4"),
        ("fills", "<u4"),
        ("first_order", "<u4"),  # rows in orders.npy, fills.npy and paths.npy begin here
        ("first_fill", "<u4"),
        ("first_point", "<u4"),
        ("points", "<u4"),
        ("decided_ns", "<i8"),
        ("ended_ns", "<i8"),
        ("quantity", "<i8"),
        ("filled", "<i8"),
        ("arrival_2", "<i8"),
        ("end_2", "<i8"),
        ("close_2", "<i8"),
        ("interval_volume", "<i8"),
        ("interval_value", "<i8"),  # price x quantity of the market's prints, in 1/10,000
        ("session_volume", "<i8"),
        ("paper", "<i8"),  # quantity at the arrival middle, as money
        *_MEASURES,
        ("against_vwap", "<i8"),
        ("vwap_notional", "<i8"),
        ("against_close", "<i8"),
        ("close_notional", "<i8"),
    ]
)

ORDER_COSTS = np.dtype(
    [
        ("order_id", "<u8"),
        ("target_order_id", "<u8"),
        ("parent_row", "<u4"),
        ("instrument", "<u4"),
        ("venue", "<u2"),
        ("side", "u1"),
        ("state", "u1"),
        ("fills", "<u4"),
        ("sent_ns", "<i8"),
        ("ended_ns", "<i8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("filled", "<i8"),
        ("sent_2", "<i8"),
        *_MEASURES,
    ]
)

FILL_COSTS = np.dtype(
    [
        ("sequence", "<u8"),
        ("order_id", "<u8"),
        ("order_row", "<u4"),
        ("parent_row", "<u4"),
        ("instrument", "<u4"),
        ("venue", "<u2"),
        ("side", "u1"),
        ("liquidity", "u1"),
        ("time_ns", "<i8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("middle_2", "<i8"),  # just before
        ("spread_width", "<i8"),  # ask less bid then, 0 where they cross
        *_MEASURES,
    ]
)

# The middle while a parent was worked, thinned, for a chart.
PATH_POINT = np.dtype([("time_ns", "<i8"), ("middle_2", "<i8")])
TABLES = {
    "parents": PARENT_COSTS, "orders": ORDER_COSTS, "fills": FILL_COSTS, "paths": PATH_POINT,
}  # fmt: skip

# Groups.
BY_PARENT = ("strategy", "algorithm", "instrument", "time_of_day", "size")
BY_FILL = ("venue", "liquidity")
HALF_HOUR_NS = 1_800_000_000_000
DAY_NS = 86_400_000_000_000
ALGORITHM = 1 << 16  # added to the kind of a parent order, so that it is not taken for a strategy's
SIZES = (0.001, 0.005, 0.01, 0.05, 0.10, 0.25)  # quantity wanted, in parts of the session's volume
SIZE_LABELS = ("below 0.1 %", "0.1 to 0.5 %", "0.5 to 1 %", "1 to 5 %", "5 to 10 %", "10 to 25 %", "25 % and more")
NO_VOLUME = len(SIZE_LABELS)  # nothing was traded in the session
NOT_EXECUTED = 0  # venue and liquidity of what was wanted and not executed
Array = np.ndarray[Any, Any]


def keys_of(parents: Array, grouping: str) -> Array:
    """The group of each parent: a strategy's or instrument's number, a kind (ALGORITHM added for a parent order's), the
    half hour of the day (UTC) of the decision, or the place in SIZE_LABELS."""
    if grouping == "algorithm":
        return parents["kind"].astype(np.int64) + ALGORITHM * (parents["parent_id"] > 0)
    if grouping == "time_of_day":
        return parents["decided_ns"] % DAY_NS // HALF_HOUR_NS
    if grouping == "size":
        volume = parents["session_volume"]
        share = parents["quantity"] / np.maximum(volume, 1)
        return np.where(volume > 0, np.searchsorted(SIZES, share, "right"), NO_VOLUME)
    return parents[grouping].astype(np.int64)


def basis_points(cost: int, notional: int) -> float | None:
    """A cost in 1/10,000 of what was traded; None when nothing was."""
    return cost / notional * 10_000 if notional else None


def zero_sums() -> dict[str, Any]:
    """A group of nothing."""
    return dict.fromkeys(SUMS, 0)
