"""LOBSTER sample files: order events of one instrument, and the best levels after each.

Columns are those of the files' own read-me. Prices are already in 1/10,000 of the currency, times become ns
since midnight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from engine.messages.codes import Side

EMPTY_PRICE = 9_999_999_999  # an absent level, negative on the bid side


class EventType(IntEnum):
    SUBMISSION = 1
    PARTIAL_CANCELLATION = 2
    DELETION = 3
    EXECUTION = 4
    HIDDEN_EXECUTION = 5
    CROSS_TRADE = 6
    HALT = 7


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a message file. `side` is that of the resting order."""

    time_ns: int
    type: EventType
    reference: int
    quantity: int
    price: int
    side: Side


@dataclass(frozen=True, slots=True)
class Levels:
    """One line of an order book file: (price, quantity) of each side from best to worst, absent levels left out."""

    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]

    def of(self, side: Side) -> list[tuple[int, int]]:
        return self.bids if side == Side.BUY else self.asks


class MalformedLine(ValueError):
    """A line that is not of the format."""


def to_time_ns(seconds: str) -> int:
    """Seconds after midnight, with up to nine decimals, in ns."""
    whole, _, fraction = seconds.partition(".")
    return int(whole) * 1_000_000_000 + int(fraction[:9].ljust(9, "0"))


def parse_event(line: str) -> Event:
    """One line of a message file. MalformedLine when it is not one. Columns beyond the sixth are ignored."""
    cells = line.split(",")
    try:
        return Event(
            to_time_ns(cells[0]),
            EventType(int(cells[1])),
            int(cells[2]),
            int(cells[3]),
            int(cells[4]),
            Side.BUY if int(cells[5]) == 1 else Side.SELL,
        )
    except (ValueError, IndexError):
        raise MalformedLine(f"not a LOBSTER message: {line[:80]!r}") from None


def parse_levels(line: str) -> Levels:
    """One line of an order book file. MalformedLine when it is not one."""
    try:
        cells = [int(cell) for cell in line.split(",")]
    except ValueError:
        raise MalformedLine(f"not a LOBSTER order book row: {line[:80]!r}") from None
    if not cells or len(cells) % 4:
        raise MalformedLine(f"a LOBSTER order book row has {len(cells)} columns, not a multiple of four")
    asks, bids = zip(cells[0::4], cells[1::4], strict=True), zip(cells[2::4], cells[3::4], strict=True)
    return Levels([b for b in bids if b[0] != -EMPTY_PRICE], [a for a in asks if a[0] != EMPTY_PRICE])


def read_lines(path: Path) -> Iterator[str]:
    """Lines of the file without their ends, blank ones left out."""
    with path.open() as lines:
        for line in lines:
            if stripped := line.strip():
                yield stripped


def depth_of(path: Path) -> int:
    """How many levels a side an order book file has."""
    first = next(read_lines(path), "")
    return (first.count(",") + 1) // 4
