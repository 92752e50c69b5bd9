"""Ends by the clock: what a venue does to orders that were good till a time."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from itertools import count

from engine.simulator.generator import NEVER_NS

Expire = Callable[[int], None]  # given the time


class Expiries:
    """What is due when. What is done of an order that is gone by then does nothing."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int, Expire]] = []
        self._numbers = count()

    @property
    def next_time_ns(self) -> int:
        """When the next one is due, NEVER_NS: none."""
        return self._due[0][0] if self._due else NEVER_NS

    def add(self, time_ns: int, expire: Expire) -> None:
        """Do this then."""
        heappush(self._due, (time_ns, next(self._numbers), expire))

    def run_until(self, time_ns: int) -> None:
        """Do what is due by then, in its order."""
        while self.next_time_ns <= time_ns:
            due_ns, _, expire = heappop(self._due)
            expire(due_ns)
