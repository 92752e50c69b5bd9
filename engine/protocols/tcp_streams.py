"""Captured TCP segments put back into order, one stream per direction of a connection."""

from __future__ import annotations

from collections.abc import Iterator

from engine.protocols.internet import Segment

WRAP = 1 << 32
HALF = 1 << 31


def _distance(later: int, earlier: int) -> int:
    """How far one 32-bit sequence number is after another, negative when it is before."""
    return (later - earlier + HALF) % WRAP - HALF


class Stream:
    """One direction. Repeated bytes are dropped; segments that came too early wait for the missing ones."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._early: dict[int, bytes] = {}

    def add(self, segment: Segment) -> Iterator[bytes]:
        """The bytes that are in order now, one chunk per segment."""
        start = (segment.sequence + 1) % WRAP if segment.opens else segment.sequence
        if self._next is None or segment.opens:
            self._next = start
        if len(segment.payload) > len(self._early.get(start, b"")):
            self._early[start] = segment.payload
        return self._in_order()

    def _in_order(self) -> Iterator[bytes]:
        while self._early and self._next is not None:
            start = min(self._early, key=lambda place: _distance(place, self._next or 0))
            ahead = _distance(start, self._next)
            if ahead > 0:
                return
            fresh = self._early.pop(start)[-ahead:]
            if fresh:
                self._next = (self._next + len(fresh)) % WRAP
                yield fresh

    def skip_gap(self) -> bool:
        """Give up the missing bytes: go on at the earliest waiting segment. False when none waits."""
        if not self._early or self._next is None:
            return False
        base = self._next
        self._next = min(self._early, key=lambda place: _distance(place, base))
        return True

    def rest(self) -> Iterator[bytes]:
        """The bytes in order after `skip_gap`."""
        return self._in_order()
