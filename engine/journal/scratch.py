"""A journal in private memory, for replays: what the pipeline writes is taken out and compared, nothing is kept."""

from __future__ import annotations

import ctypes
import json
from typing import Any

import numpy as np

from engine.journal import append
from engine.journal.segments import DATA_OFFSET
from engine.messages.codes import RecordKind
from engine.messages.journal import HEADER_SIZE
from engine.native import address_of, hot, load_u8, touched, view, zero_bytes

CAPACITY = 64 << 20
CURSOR = np.dtype([("start", "<i8"), ("read", "<i8")])


@hot
def has_waiting(writer, cursor):
    """Whether something was written to the scratch journal that has not been taken."""
    return view(cursor, 1, CURSOR)[0].read < view(writer, 1, append.WRITER)[0].tail


@hot
def take_equal(writer, cursor, address, length):
    """Take `length` written bytes when they are the ones at `address`: 1. When they differ or are fewer, 0."""
    log = view(writer, 1, append.WRITER)[0]
    place = view(cursor, 1, CURSOR)[0]
    if log.tail - place.read < length:
        return 0
    for at in range(length):
        if load_u8(place.read + at) != load_u8(address + at):
            return 0
    place.read += length
    if place.read == log.tail:
        zero_bytes(place.start, log.tail - place.start)
        log.tail = place.start
        place.read = place.start
    return 1


class ScratchJournal:
    """One segment's worth of room that is emptied again and again. `writer` and `cursor` are addresses for hot
    functions."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._memory = touched(capacity, np.dtype("u1"))
        self._block = touched(1, append.WRITER)
        self.writer = address_of(self._block)
        self._start = address_of(self._memory) + DATA_OFFSET
        self._block["segment"] = address_of(self._memory)
        self._block["tail"] = self._start
        self._block["end"] = self._block["soft_end"] = address_of(self._memory) + capacity
        self._place = touched(1, CURSOR)
        self._place["start"] = self._place["read"] = self._start
        self.cursor = address_of(self._place)
        self._time_ns = 0
        self._position = 0

    @property
    def start(self) -> int:
        """Address of the first record."""
        return self._start

    @property
    def waiting(self) -> bool:
        """Whether something was written that has not been taken."""
        return int(self._place["read"][0]) < int(self._block["tail"][0])

    def take_record(self, length: int) -> bytes:
        """The next `length` bytes that were written; fewer when there are not so many."""
        tail, read = int(self._block["tail"][0]), int(self._place["read"][0])
        length = min(length, tail - read)
        taken = ctypes.string_at(read, length)
        self._place["read"] = read + length
        if read + length == tail:
            self._empty()
        return taken

    def take(self) -> bytes:
        """Everything that was written and not taken."""
        return self.take_record(len(self._memory))

    def forget(self, sequence: int) -> None:
        """Drop what was written; the next record follows `sequence`."""
        self._empty()
        self._block["sequence"] = sequence

    def _empty(self) -> None:
        used = int(self._block["tail"][0]) - self._start
        ctypes.memset(self._start, 0, used)
        self._block["tail"] = self._start
        self._place["read"] = self._start

    def stamp(self, time_ns: int, position: int) -> None:
        """Time and recording position of the text records that follow."""
        self._time_ns, self._position = time_ns, position

    def append_command(self, document: dict[str, Any]) -> int:
        """Append a COMMAND. Its sequence."""
        return self._append_text(RecordKind.COMMAND, document)

    def append_started(self, document: dict[str, Any]) -> int:
        """Append an ENGINE_STARTED. Its sequence."""
        return self._append_text(RecordKind.ENGINE_STARTED, document)

    def _append_text(self, kind: RecordKind, document: dict[str, Any]) -> int:
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        body = append.reserve_text(self.writer, len(text))
        if body == 0:
            return 0
        prefix = self._position.to_bytes(append.TEXT_OFFSET, "little")
        ctypes.memmove(int(body), prefix + text, append.TEXT_OFFSET + len(text))
        return int(append.commit_text(self.writer, int(kind), self._time_ns, len(text)))

    @staticmethod
    def text_of(raw: np.ndarray[Any, Any], header: Any) -> dict[str, Any]:
        """The document of a text record."""
        start = HEADER_SIZE + append.TEXT_OFFSET
        document: dict[str, Any] = json.loads(raw[start : start + int(header["text_length"])].tobytes())
        return document
