"""Recorded Binance sessions: one JSON message a line, after the local time in nanoseconds and a space, or bare; gzip or
not.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from engine.protocols.binance import DepthUpdate, Scale, Snapshot, places
from engine.protocols.binance_lines import lines, parse_line
from engine.protocols.layouts import MalformedMessage

GZIP_MAGIC = b"\x1f\x8b"


def read_lines(path: Path) -> Iterator[bytes]:
    """Lines that are not empty."""
    with path.open("rb") as start:
        packed = start.read(2) == GZIP_MAGIC
    with gzip.open(path) if packed else path.open("rb") as source:
        yield from lines(cast("BinaryIO", source))


@dataclass
class Contents:
    """What a recording says of one instrument: the range of its updates, and how fine its numbers are."""

    first: int = 0
    last: int = 0
    price_decimals: int = 0
    quantity_decimals: int = 0

    def scale(self) -> Scale:
        """The coarsest units in which every number of the recording is whole."""
        return Scale(self.price_decimals, self.quantity_decimals)

    def note(self, event: DepthUpdate | Snapshot) -> None:
        """Take one event in."""
        if isinstance(event, DepthUpdate):
            self.first = self.first or event.first
            self.last = max(self.last, event.last)
        for price, quantity in event.bids + event.asks:
            self.price_decimals = max(self.price_decimals, places(price))
            self.quantity_decimals = max(self.quantity_decimals, places(quantity))

    def holds(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot, which names no instrument, lies among the updates of this one."""
        return self.first - 1 <= snapshot.last <= self.last


def survey(path: Path) -> dict[str, Contents]:
    """What a recording says of each of its instruments. Lines that are no event are left to whoever reads it next."""
    found: dict[str, Contents] = {}
    snapshots: list[Snapshot] = []
    for line in read_lines(path):
        try:
            event = parse_line(line)
        except MalformedMessage:
            continue
        if isinstance(event, Snapshot):
            snapshots.append(event)
            continue
        contents = found.setdefault(event.instrument, Contents())
        if isinstance(event, DepthUpdate):
            contents.note(event)
    for snapshot in snapshots:
        for contents in found.values():
            if contents.holds(snapshot):
                contents.note(snapshot)
    return found
