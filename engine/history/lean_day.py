"""A whole day of LEAN quotes and trades as arrays, for studies: what engine.history.lean reads line by line.

A quote line names the venue that sets one side of the national best bid and offer; a trade line is time, price,
quantity, venue, condition, suspicious.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.history.lean import MalformedQuote

QUOTE_LINE = np.dtype(
    [
        ("time_ms", "<i8"),
        ("bid", "<i8"),
        ("bid_quantity", "<i8"),
        ("ask", "<i8"),
        ("ask_quantity", "<i8"),
        ("venue", "U4"),
        ("condition", "U12"),
        ("suspicious", "<i8"),
    ]
)
TRADE_LINE = np.dtype(
    [
        ("time_ms", "<i8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("venue", "U4"),
        ("condition", "U12"),
        ("suspicious", "<i8"),
    ]
)


@dataclass(frozen=True)
class LeanDay:
    """Lines of one instrument on one day, in the order of the files, without the suspicious ones."""

    instrument: str
    quotes: np.ndarray[Any, Any]  # QUOTE_LINE
    trades: np.ndarray[Any, Any]  # TRADE_LINE


def read_day(quotes: Path) -> LeanDay:
    """The day of a quote file (zip or CSV); its trades are in the file beside it whose name says trade. MalformedQuote
    when a file is not such a file, OSError when it cannot be read."""
    if "quote" not in quotes.name:
        raise MalformedQuote(f"{quotes.name} is no quote file: its name does not say quote")
    trades = quotes.with_name(quotes.name.replace("quote", "trade"))
    instrument = quotes.resolve().parent.name.upper()
    return LeanDay(instrument, _read(quotes, QUOTE_LINE), _read(trades, TRADE_LINE))


def _read(path: Path, layout: np.dtype[Any]) -> np.ndarray[Any, Any]:
    data = path.read_bytes()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            data = archive.read(archive.namelist()[0])
    if not data.strip():
        return np.empty(0, layout)
    try:
        lines = np.loadtxt(io.BytesIO(data), layout, delimiter=",", comments=None, ndmin=1, encoding="ascii")
    except (ValueError, IndexError) as problem:
        raise MalformedQuote(
            f"{path.name} is not a LEAN file of {len(layout.names or ())} columns: {problem}"
        ) from None
    if (lines["time_ms"] < 0).any() or (np.diff(lines["time_ms"]) < 0).any():
        raise MalformedQuote(f"{path.name} is not in the order of time")
    return np.ascontiguousarray(lines[lines["suspicious"] == 0])
