"""Where a book's market comes from: something with a time of its next event that can be run up to a time."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from engine.native import address_of, hot, touched, view
from engine.simulator.generator import NEVER_NS
from engine.simulator.impact import shift
from engine.simulator.layout import BOOK, FLOW, REQUEST, BookMemory
from engine.simulator.requests import apply, has_room, load_flow

FLOW_SIZE = FLOW.itemsize


class Source(Protocol):
    """Drives one book. `next_time_ns` is NEVER_NS when nothing comes any more.

    `run_until` stops early when `message_limit` is reached or the book's buffers are full; taking empties them.
    """

    @property
    def next_time_ns(self) -> int: ...

    def run_until(self, time_ns: int, message_limit: int = ...) -> int: ...


@hot
def play(records, position, count, book, request, time_ns, message_limit):
    """Carry out recorded requests up to and with `time_ns`; returns the position of the first one left."""
    header = view(book, 1, BOOK)[0]
    while position < count and header.message_count < message_limit and has_room(book):
        record = records + position * FLOW_SIZE
        if view(record, 1, FLOW)[0].time_ns > time_ns:
            break
        load_flow(record, request)
        shift(book, request)
        apply(book, request)
        position += 1
    return position


class RecordedFlow:
    """A source that repeats recorded requests: a recorded session, or quotes turned into requests."""

    def __init__(self, memory: BookMemory, records: np.ndarray) -> None:
        if records.dtype != FLOW:
            raise ValueError("recorded order flow has another layout than this build reads")
        self._records = np.ascontiguousarray(records)
        self._book = memory.address
        self._request = touched(1, REQUEST)
        self._records_address, self._request_address = address_of(self._records), address_of(self._request)
        self._position = 0

    @property
    def next_time_ns(self) -> int:
        """Time of the next recorded request."""
        return int(self._records[self._position]["time_ns"]) if self._position < len(self._records) else NEVER_NS

    def run_until(self, time_ns: int, message_limit: int = 1 << 30) -> int:
        """Every request up to `time_ns`; returns how many."""
        before = self._position
        self._position = int(
            play(
                self._records_address,
                before,
                len(self._records),
                self._book,
                self._request_address,
                time_ns,
                message_limit,
            )
        )
        return self._position - before


class NoFlow:
    """A source of nothing: a book where only owners trade."""

    next_time_ns = NEVER_NS

    def run_until(self, _time_ns: int, _message_limit: int = 1 << 30) -> int:
        """Nothing happens."""
        return 0


def read_flow(path: Path) -> np.ndarray:
    """Recorded requests from a .npy file."""
    return np.load(path)
