"""One EVENT channel: the last records in order, so that a client can resume after the last one it saw."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from typing import Any

from desk.live import frames

KEPT_EVENTS = 10_000


class EventChannel:
    """`floor` is the journal sequence up to which records of this channel may be missing here."""

    def __init__(self, name: str, floor: int, kept: int = KEPT_EVENTS) -> None:
        self.name = name
        self.floor = floor
        self.last = 0
        self._sequences: deque[int] = deque(maxlen=kept)
        self._frames: deque[str] = deque(maxlen=kept)

    def append(self, sequence: int, body: dict[str, Any]) -> str:
        """Keep the record and return its frame."""
        frame = frames.event(self.name, sequence, self.last, body)
        if len(self._sequences) == self._sequences.maxlen:
            self.floor = self._sequences[0]
        self._sequences.append(sequence)
        self._frames.append(frame)
        self.last = sequence
        return frame

    def after(self, sequence: int) -> list[str]:
        """Frames of the records after `sequence`, led by a gap frame when older ones are no longer here."""
        start = bisect_right(list(self._sequences), sequence)
        kept = list(self._frames)[start:]
        if sequence < self.floor:
            return [frames.gap(self.name, sequence + 1, self.floor), *kept]
        return kept
