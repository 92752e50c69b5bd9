"""A book from LOBSTER events. Depth outside the file's view is not in its messages; the book file can seed it.

A level that comes into view without a message is seeded once, as one order without a name, and forgotten, whatever it
holds, when it leaves the view. From then on only messages change it: an event of an order that nobody here knows
takes from the seeded order at its price.
"""

from __future__ import annotations

from collections.abc import Iterable

from engine.history.lobster import Event, EventType, Levels
from engine.hotpath.book import (
    APPLIED,
    UNKNOWN_ORDER,
    BookMemory,
    add_order,
    delete_order,
    execute_order,
    reduce_order,
)
from engine.hotpath.book_depth import level, orders_at
from engine.messages.codes import Side

FILE, SEED = 1, 2  # as venues: their references do not meet
REFERENCE_MASK = (1 << 56) - 1
_CHANGES = frozenset({EventType.PARTIAL_CANCELLATION, EventType.DELETION, EventType.EXECUTION})


class LobsterBook:
    """The book of one instrument; listing 0 of its memory. `depth`: levels a side of the seed file's view, or 0."""

    def __init__(self, depth: int = 0, tick_size: int = 100, order_capacity: int = 1 << 18) -> None:
        self.memory = BookMemory([tick_size], order_capacity, venues=SEED)
        self.depth = depth
        self.initial_levels = 0
        self.seeded_levels = 0
        self._started = False
        self.unknown_orders = 0
        self.refused = 0

    def apply(self, event: Event) -> None:
        """Apply one event. Hidden executions, crosses and halts change no visible order."""
        book = self.memory.address
        outcome = APPLIED
        if event.type == EventType.SUBMISSION:
            outcome = add_order(book, FILE, 0, event.reference, event.side, event.price, event.quantity)
        elif event.type == EventType.EXECUTION:
            outcome = execute_order(book, FILE, event.reference, event.quantity)
        elif event.type == EventType.PARTIAL_CANCELLATION:
            outcome = reduce_order(book, FILE, event.reference, event.quantity)
        elif event.type == EventType.DELETION:
            outcome = delete_order(book, FILE, event.reference)
        if outcome == UNKNOWN_ORDER and event.type in _CHANGES:
            outcome = reduce_order(book, SEED, _seed_reference(event.side, event.price), event.quantity)
        self.unknown_orders += outcome == UNKNOWN_ORDER
        self.refused += outcome not in (APPLIED, UNKNOWN_ORDER)

    def reconcile(self, levels: Levels) -> None:
        """Seed what came into the view of the book file's row without a message, and forget what left it.

        The first row is the book that the file starts with: those levels are counted as `initial_levels`.
        """
        seeded = 0
        for side in Side:
            known = {int(row["price"]) for row in level(self.memory, 0, side, self.depth + 2)}
            for price, quantity in levels.of(side):
                if price not in known:
                    add_order(self.memory.address, SEED, 0, _seed_reference(side, price), side, price, quantity)
                    seeded += 1
            for row in level(self.memory, 0, side, self.depth + 16)[self.depth :]:
                self._forget(side, int(row["price"]))
        self.seeded_levels += seeded if self._started else 0
        self.initial_levels += 0 if self._started else seeded
        self._started = True

    def replay(self, events: Iterable[tuple[Event, Levels | None]]) -> Iterable[Event]:
        """Apply events, each with the book file's row after it or None; yields each when the book stands after it."""
        for event, levels in events:
            self.apply(event)
            if levels is not None:
                self.reconcile(levels)
            yield event

    def _forget(self, side: Side, price: int) -> None:
        for order in orders_at(self.memory, 0, side, price):
            delete_order(self.memory.address, int(order["key"]) >> 56, int(order["key"]) & REFERENCE_MASK)


def _seed_reference(side: int, price: int) -> int:
    return price * 2 + side - 1
