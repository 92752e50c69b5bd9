"""Compile what a replay calls before its clock starts: another build than the cached one takes some seconds."""

from __future__ import annotations

from io import StringIO

from engine.history.book_rows import BookRows
from engine.history.lobster import Event, EventType, Levels
from engine.history.lobster_book import LobsterBook
from engine.hotpath.itch_blocks import WALK, walk_blocks
from engine.messages.codes import Side
from engine.native import address_of, touched


def warm_up() -> None:
    """Touch every compiled function once, on books of its own."""
    book = LobsterBook(1, order_capacity=16)
    for kind in (EventType.SUBMISSION, EventType.PARTIAL_CANCELLATION, EventType.EXECUTION, EventType.DELETION):
        book.apply(Event(0, kind, 1, 10 if kind == EventType.SUBMISSION else 1, 1_000_000, Side.BUY))
    book.reconcile(Levels([(1_000_000, 1), (900_000, 1)], []))
    BookRows(book.memory, 0, 1, StringIO()).add(1, 0)
    walk = touched(1, WALK)
    walk_blocks(book.memory.address, address_of(walk), 0)
