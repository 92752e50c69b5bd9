"""Owner of the memory of one decision of the router, for whoever decides outside the loop: a study, a test."""

from __future__ import annotations

from typing import Any

from engine.hotpath.router import decide
from engine.hotpath.router_tables import CHILD, LEARNED, ROUTE_ROW
from engine.native import address_of, touched


class RouteTable:
    """A child and a row for each of `count` venues, numbered from 1; what is learned of each stays from one decision to
    the next."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.children = touched(1, CHILD)
        self.rows = touched(count, ROUTE_ROW)
        self.learned = touched(count, LEARNED)
        self._child, self._rows = address_of(self.children), address_of(self.rows)
        for at in range(count):
            self.rows[at]["venue"] = at + 1
            self.rows[at]["learned"] = self.learned_at(at)

    @property
    def child(self) -> Any:
        """The child's record."""
        return self.children[0]

    def learned_at(self, at: int) -> int:
        """Address of what is learned of the venue in row `at`."""
        return address_of(self.learned) + at * LEARNED.itemsize

    def decide(self, **child: int) -> int:
        """Decide about a child with these fields, the others as they are. Returns the shares that have a place."""
        for name, value in child.items():
            self.child[name] = value
        return int(decide(self._child, self._rows, self.count))
