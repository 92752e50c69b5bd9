"""Recorded Binance sessions: one JSON message a line, after the local time in nanoseconds and a space, or bare; gzip or
not.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from engine.protocols.binance import DepthUpdate, Event, Scale, Snapshot, places
from engine.protocols.binance_lines import lines, parse_line
from engine.protocols.layouts import MalformedMessage
from engine.protocols.sbe import split_messages
from engine.protocols.sbe_market import events_of, market_decoder

Items = Iterator[Event | MalformedMessage]
GZIP_MAGIC = b"\x1f\x8b"


def read_lines(path: Path) -> Iterator[bytes]:
    """Lines that are not empty."""
    with _open(path) as source:
        yield from lines(source)


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as start:
        packed = start.read(2) == GZIP_MAGIC
    return cast("BinaryIO", gzip.open(path) if packed else path.open("rb"))


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


def read_events(path: Path) -> Items:
    """The event of every line."""
    for line in read_lines(path):
        try:
            yield parse_line(line)
        except MalformedMessage as wrong:
            yield wrong


def read_sbe_events(path: Path) -> Items:
    """The events of a file of messages in our SBE templates."""
    with _open(path) as source:
        raw = source.read()
    for message in split_messages(raw, market_decoder()):
        try:
            yield from [message] if isinstance(message, MalformedMessage) else events_of(message)
        except MalformedMessage as wrong:
            yield wrong


def survey(items: Items) -> dict[str, Contents]:
    """What a recording says of each of its instruments. What is no event is left to whoever reads it next."""
    found: dict[str, Contents] = {}
    snapshots: list[Snapshot] = []
    for event in items:
        if isinstance(event, MalformedMessage):
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
