"""A table of prices in CSV: one row a moment, one column an instrument, the time first; with a heading line."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class PriceTable:
    """`prices` has a row for each moment and a column for each name, in the currency; NaN where there was no price.

    `row_seconds` is the median time between rows when the first column is `time_ns` or `time` (ISO 8601), else None.
    """

    names: list[str]
    prices: NDArray[np.float64]
    row_seconds: float | None

    def thinned(self, every: int) -> PriceTable:
        """Return every so many-th row, from the first one on."""
        return PriceTable(self.names, self.prices[::every], self.row_seconds and self.row_seconds * every)


def read_price_table(path: Path) -> PriceTable:
    """Read one file. ValueError with a sentence that names the file and the line when it is not a price table."""
    with path.open(newline="", encoding="utf-8-sig") as text:
        rows = [row for row in csv.reader(text) if row]
    if len(rows) < 2 or len(rows[0]) < 3:
        raise ValueError(f"{path} is not a price table: it needs a heading, a time column and two instruments")
    names = [name.strip() for name in rows[0][1:]]
    if len(set(names)) != len(names) or not all(names):
        raise ValueError(f"{path}: every column needs a name of its own")
    prices = np.full((len(rows) - 1, len(names)), np.nan)
    for number, row in enumerate(rows[1:]):
        if len(row) != len(rows[0]):
            raise ValueError(f"{path}, line {number + 2}: {len(row)} columns where the heading has {len(rows[0])}")
        try:
            prices[number] = [_price(text) for text in row[1:]]
        except ValueError:
            raise ValueError(f"{path}, line {number + 2}: a price is not a number") from None
    return PriceTable(names, prices, _row_seconds(path, rows))


def _price(text: str) -> float:
    text = text.strip()
    if not text or text.lower() in {"nan", "null", "#n/a"}:
        return np.nan
    return float(text)


def _iso_time_ns(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * SECOND_NS)


TIMES: dict[str, Callable[[str], int]] = {"time_ns": int, "time": _iso_time_ns}


def _row_seconds(path: Path, rows: list[list[str]]) -> float | None:
    heading = rows[0][0].strip()
    if heading not in TIMES:
        return None
    try:
        times = np.array([TIMES[heading](row[0]) for row in rows[1:]], dtype=np.int64)
    except ValueError:
        raise ValueError(f"{path}: a {heading} cannot be read") from None
    steps = np.diff(times)
    if not len(steps) or (steps <= 0).any():
        raise ValueError(f"{path}: times must rise from row to row")
    return float(np.median(steps)) / 1e9
