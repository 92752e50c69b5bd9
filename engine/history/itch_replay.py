"""An ITCH 5.0 file through the books, by the same compiled dispatch as the engine's pipeline."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.history.itch_file import ItchFile
from engine.hotpath.book_layout import BookMemory
from engine.hotpath.itch_blocks import PREFIX, WALK, walk_blocks
from engine.hotpath.itch_book import MALFORMED_OUTCOMES
from engine.native import address_of, load_be48, touched
from engine.protocols.itch50_offsets import LENGTHS, TIMESTAMP_NS

VENUE = 1
TICK_SIZE = 100
MOST_ORDERS = 1 << 23
SHORTEST_ADD = 36  # bytes
TIMESTAMP_END = TIMESTAMP_NS + 6


class ItchReplay:
    """Books of one file. With an `instrument` only its listing, 0, is kept; without one, every instrument's."""

    def __init__(self, source: ItchFile, instrument: str = "") -> None:
        self.source = source
        order_capacity = min(max(source.unpacked_bytes() // SHORTEST_ADD, 4096), MOST_ORDERS)
        listings, window = (1, 1024) if instrument else (1 << 14, 256)
        self.memory = BookMemory([TICK_SIZE] * listings, order_capacity, venues=VENUE, window=window, queues=False)
        self._walk = touched(1, WALK)
        row = self._walk[0]
        row["venue"], row["naming"], row["stop_locate"] = VENUE, 1, -1
        row["instrument"] = int.from_bytes(instrument.encode("ascii").ljust(8), "little") if instrument else 0
        self.cut_bytes = 0

    @property
    def messages(self) -> int:
        return int(self._walk[0]["messages"])

    @property
    def listings(self) -> int:
        """How many instruments the file has named that are followed."""
        return int(self._walk[0]["next_listing"])

    def events(self) -> Iterator[tuple[int, int]]:
        """Apply the file; yields (number in the file, ns since midnight) of every message of the instrument."""
        row, rest = self._walk[0], b""
        book, walk = self.memory.address, address_of(self._walk)
        for chunk in self.source.chunks():
            data = np.frombuffer(rest + chunk, np.uint8)
            start = address_of(data)
            row["address"] = start
            while walk_blocks(book, walk, start + len(data)):
                last = int(row["last"])
                whole = start + len(data) - last >= TIMESTAMP_END and int(row["address"]) - last >= TIMESTAMP_END
                yield self.messages, int(load_be48(last + TIMESTAMP_NS)) if whole else 0
            rest = data[int(row["address"]) - start :].tobytes()
            if row["ended"]:
                return
        self.cut_bytes = len(rest)

    def by_type(self) -> dict[str, int]:
        """Messages by type letter."""
        return {kind: sum(counts.values()) for kind, counts in self.memory.counts_by_type().items()}

    def outcomes(self) -> dict[str, int]:
        """Messages by outcome, over all types."""
        total: dict[str, int] = {}
        for counts in self.memory.counts_by_type().values():
            for outcome, count in counts.items():
                total[outcome] = total.get(outcome, 0) + count
        return total

    def malformed(self) -> int:
        """Messages that broke a rule of the format, a cut one at the end, and what was no message at all."""
        refused = sum(count for outcome, count in self.outcomes().items() if outcome in MALFORMED_OUTCOMES)
        return refused + (self.cut_bytes > 0) + self.source.unread


def instrument_names(source: ItchFile, most: int = 3) -> list[str]:
    """Names of the instruments whose orders the file adds, at most `most` of them, in order of appearance."""
    names: list[str] = []
    rest = b""
    add = LENGTHS[ord("A")], LENGTHS[ord("F")]
    for chunk in source.chunks():
        rest, place = rest + chunk, 0
        while place + PREFIX <= len(rest):
            length = int.from_bytes(rest[place : place + PREFIX], "big")
            if length == 0 or place + PREFIX + length > len(rest):
                break
            message = rest[place + PREFIX : place + PREFIX + length]
            if message[:1] in (b"A", b"F") and length in add:
                name = message[24:32].decode("ascii", "replace").rstrip()
                if name not in names:
                    names.append(name)
                    if len(names) == most:
                        return names
            place += PREFIX + length
        rest = rest[place:]
    return names
