"""The rule by which snapshots and differences make a book, and the comparison with the venue's own quotes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engine.messages.codes import Side
from engine.protocols.binance import DepthUpdate, Quote, Snapshot
from engine.protocols.binance_depth import DepthBook, QuoteCheck, Step

Rows = tuple[tuple[int, int], ...]


def update(first: int, last: int, bids: Rows = (), asks: Rows = ()) -> DepthUpdate:
    return DepthUpdate("BTCUSDT", last, first, last, bids, asks)


def test_differences_wait_for_the_snapshot_and_those_it_contains_are_dropped() -> None:
    book = DepthBook()
    assert book.update(update(1, 4, ((10, 1),))) == []
    assert book.update(update(5, 8, ((10, 2),))) == []
    assert book.update(update(9, 9, (), ((12, 3),))) == []
    assert book.snapshot(Snapshot(6, ((10, 5), (9, 1)), ((11, 1),))) == [
        Step(6, 0, ((Side.BUY, 10, 5), (Side.BUY, 9, 1), (Side.SELL, 11, 1)), from_snapshot=True),
        Step(8, 8, ((Side.BUY, 10, 2),)),
        Step(9, 9, ((Side.SELL, 12, 3),)),
    ]
    assert (book.in_step, book.last, book.gaps) == (True, 9, 0)


def test_a_snapshot_older_than_the_differences_is_not_taken() -> None:
    book = DepthBook()
    book.update(update(9, 9))
    assert book.snapshot(Snapshot(7, ((10, 5),), ())) == []
    assert not book.in_step
    assert [step.last for step in book.snapshot(Snapshot(8, ((10, 5),), ()))] == [8, 9]


def test_a_hole_is_found_and_another_snapshot_says_only_what_is_different() -> None:
    book = DepthBook()
    book.snapshot(Snapshot(6, ((10, 5), (9, 1)), ((11, 1),)))
    assert book.update(update(8, 9, ((10, 7),))) == []
    assert (book.in_step, book.gaps) == (False, 1)
    assert book.update(update(10, 12, ((9, 4),))) == []
    assert book.snapshot(Snapshot(9, ((10, 7), (9, 1)), ((12, 2),))) == [
        Step(9, 0, ((Side.SELL, 11, 0), (Side.BUY, 10, 7), (Side.SELL, 12, 2)), from_snapshot=True),
        Step(12, 12, ((Side.BUY, 9, 4),)),
    ]
    assert (book.in_step, book.gaps) == (True, 1)


def test_an_old_difference_changes_nothing() -> None:
    book = DepthBook()
    book.snapshot(Snapshot(6, ((10, 5),), ()))
    assert book.update(update(3, 6, ((10, 9),))) == []
    assert (book.in_step, book.stale, book.best(Side.BUY)) == (True, 1, (10, 5))


def test_what_leaves_or_shrinks_comes_first_so_that_sides_never_cross_on_the_way() -> None:
    book = DepthBook()
    book.snapshot(Snapshot(1, ((10, 5),), ((11, 1),)))
    (step,) = book.update(update(2, 3, ((11, 4),), ((11, 0), (12, 2))))
    assert step.changes == ((Side.SELL, 11, 0), (Side.BUY, 11, 4), (Side.SELL, 12, 2))


def test_a_deletion_of_a_level_that_is_not_there_is_normal() -> None:
    book = DepthBook()
    book.snapshot(Snapshot(1, (), ()))
    assert book.update(update(2, 2, ((10, 0),))) == [Step(2, 2, ())]


LEVELS = st.lists(st.tuples(st.integers(1, 8), st.integers(0, 3)), max_size=5).map(tuple)


@given(st.data())
def test_after_lost_messages_and_snapshots_a_book_in_step_is_the_venues(data: Any) -> None:
    """A venue makes updates; some are lost on the way, and a snapshot is asked for whenever the book is out of step."""
    book, venue, last = DepthBook(), DepthBook(), 0
    venue.snapshot(Snapshot(0, (), ()))
    for _ in range(data.draw(st.integers(1, 20))):
        made = update(last + 1, last + data.draw(st.integers(1, 3)), data.draw(LEVELS), data.draw(LEVELS))
        last = made.last
        venue.update(made)
        if data.draw(st.integers(0, 3)):
            book.update(made)
        if not book.in_step and data.draw(st.booleans()):
            sides = venue.sides
            book.snapshot(Snapshot(last, tuple(sides[Side.BUY].items()), tuple(sides[Side.SELL].items())))
        if book.in_step and book.last == last:
            assert book.sides == venue.sides


def test_a_book_is_compared_with_the_last_quote_that_is_not_newer() -> None:
    check = QuoteCheck()
    check.quote(Quote("BTCUSDT", 3, 10, 5, 11, 1))
    check.quote(Quote("BTCUSDT", 5, 10, 6, 11, 1))
    check.quote(Quote("BTCUSDT", 8, 10, 7, 11, 1))
    check.book(6, (10, 6), (11, 1))
    check.book(7, (10, 5), (11, 1))
    assert (check.agreeing, check.disagreeing) == (1, 1)
    check.book(8, (10, 7), (11, 1))
    assert (check.agreeing, check.disagreeing) == (1, 1)
    check.finish()
    assert (check.agreeing, check.disagreeing) == (2, 1)


def test_without_a_quote_before_it_a_book_is_compared_with_nothing() -> None:
    check = QuoteCheck()
    check.book(2, None, None)
    check.quote(Quote("BTCUSDT", 3, 10, 5, 11, 1))
    check.finish()
    assert (check.agreeing, check.disagreeing) == (0, 0)
