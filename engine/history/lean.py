"""LEAN quote files: a zip with one CSV, no header; times are milliseconds of the day, prices already x 10,000.

Quotes: time, bid price, bid quantity, ask price, ask quantity, venue, condition,
suspicious. Price 0 means that the side did not change.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Quote:
    """One quote of one venue; a price of 0 leaves that side as it was."""

    time_ns: int
    bid: int
    bid_quantity: int
    ask: int
    ask_quantity: int
    venue: str
    suspicious: bool


class MalformedQuote(ValueError):
    """A line that is not a quote."""


def parse_quote(line: str) -> Quote:
    """One line of a quote file. MalformedQuote when it is not one."""
    cells = line.split(",")
    try:
        time_ms, bid, bid_quantity, ask, ask_quantity = (int(cell) for cell in cells[:5])
        quote = Quote(time_ms * 1_000_000, bid, bid_quantity, ask, ask_quantity, cells[5], cells[7].strip() == "1")
    except (ValueError, IndexError):
        raise MalformedQuote(f"not a LEAN quote: {line[:80]!r}") from None
    if min(time_ms, bid, bid_quantity, ask, ask_quantity) < 0:
        raise MalformedQuote(f"a LEAN quote with a negative number: {line[:80]!r}")
    return quote


def read_lines(path: Path) -> Iterator[str]:
    """Lines of the CSV, from the zip or from the bare file."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive, archive.open(archive.namelist()[0]) as packed:
            yield from (line.rstrip("\r\n") for line in io.TextIOWrapper(packed, "ascii"))
    else:
        with path.open() as lines:
            yield from (line.rstrip("\r\n") for line in lines)


def instrument_of(path: Path) -> str:
    """The instrument that a file is about: its folder's name, as LEAN lays files out."""
    return path.resolve().parent.name.upper()
