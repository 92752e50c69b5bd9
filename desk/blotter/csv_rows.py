"""Orders and fills as rows of a CSV file: decimals with a dot, UTC times, no text that a spreadsheet would compute."""

from __future__ import annotations

from typing import Any

from desk.blotter.authors import NOBODY, Author
from desk.blotter.models import Fill, Order

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")

ORDER_COLUMNS = (
    "sequence",
    "time",
    "time_ns",
    "order_id",
    "strategy",
    "team",
    "instrument",
    "venue",
    "side",
    "quantity",
    "price",
    "time_in_force",
    "state",
    "filled_quantity",
    "leaves",
    "fees",
    "limits_version",
    "denial_reason",
    "protection",
    "trader",
    "strategy_version",
)
FILL_COLUMNS = (
    "sequence",
    "time",
    "time_ns",
    "order_id",
    "strategy",
    "team",
    "instrument",
    "venue",
    "side",
    "quantity",
    "price",
    "fee",
    "liquidity",
    "match_number",
    "broken",
)


def text_cell(text: str) -> str:
    """Text that people chose, with a quote before what a spreadsheet would compute."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _common(row: Order | Fill) -> list[str]:
    return [
        str(row.sequence),
        row.time.isoformat(timespec="microseconds"),
        str(row.time_ns),
        str(row.order_id),
        text_cell(row.strategy.name if row.strategy else "manual"),
        text_cell(str(row.team or "")),
        text_cell(str(row.instrument or row.instrument_id)),
        text_cell(str(row.venue or row.venue_id)),
        _display(row, "side"),
        str(row.quantity),
        str(row.price),
    ]


def order_row(order: Order, author: Author = NOBODY) -> list[str]:
    """One order, in the order of ORDER_COLUMNS."""
    return [
        *_common(order),
        _display(order, "time_in_force"),
        _display(order, "state"),
        str(order.filled_quantity),
        str(order.leaves),
        str(order.fees),
        str(order.limits_version),
        _display(order, "denial_reason") if order.denial_reason else "",
        str(order.protection or ""),
        text_cell(author.trader),
        "" if author.version is None else str(author.version),
    ]


def fill_row(fill: Fill) -> list[str]:
    """One fill, in the order of FILL_COLUMNS."""
    broken = "" if fill.broken_sequence is None else "yes"
    return [*_common(fill), str(fill.fee), _display(fill, "liquidity"), str(fill.match_number), broken]


def _display(row: Any, column: str) -> str:
    return str(getattr(row, f"get_{column}_display")())
