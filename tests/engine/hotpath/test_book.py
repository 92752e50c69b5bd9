"""The books against a dict, operation by operation; and their corners one at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from engine.hotpath.book import (
    APPLIED,
    BAD_VALUE,
    BUY,
    DUPLICATE,
    FULL,
    SELL,
    UNKNOWN_ORDER,
    BookMemory,
    add_order,
    clear_listing,
    clear_venue,
    delete_order,
    execute_order,
    prefetch_order,
    prefetch_order_row,
    quantity_ahead,
    reduce_order,
    replace_order,
    track_own,
    untrack_own,
)
from engine.hotpath.book_depth import level, orders_at
from engine.hotpath.book_layout import DEPARTURES, LAST_ARRIVAL
from tests.engine.hotpath.dict_book import DictBook

TICKS = [100, 1, 25]
WINDOW = 128

near = st.integers(0, 40).map(lambda ticks: 1_000_000 + ticks * 100)
wandering = st.integers(-400, 400).map(lambda ticks: 1_000_000 + ticks * 100)
off_tick = st.integers(999_000, 1_001_000)
low = st.integers(1, 300).map(lambda ticks: ticks * 100)
far = st.sampled_from([1, 100, 2_000_000_000, 0x7FFFFFFE, 0x7FFFFFFF, 0, 5_000, 1_999_999_900])
prices = st.one_of(near, near, wandering, off_tick, low, far)
quantities = st.one_of(st.integers(1, 500), st.sampled_from([0, -1, 0x7FFFFFFF, 0x80000000]))
references = st.one_of(st.integers(1, 60), st.sampled_from([-1, 0, (1 << 56) - 1, 1 << 56, 1 << 40]))
venues = st.integers(1, 2)
sides = st.sampled_from([BUY, SELL, BUY, SELL, 0])


def shown(memory: BookMemory, listing: int, side: int) -> list[tuple[int, int, int]]:
    return [tuple(row) for row in level(memory, listing, side, 200).tolist()]


class BookAgainstDict(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.memory = BookMemory(TICKS, 40, window=WINDOW, own_capacity=6)
        self.book = self.memory.address
        self.slow = DictBook(len(TICKS), 40)
        self.tracked: set[tuple[int, int]] = set()
        self.tops = self.memory.tops.copy()

    def check(self, outcome: int, expected: int) -> None:
        assert outcome == expected
        self.tracked &= set(self.slow.orders)
        changed = int(self.memory.book[0]["top_changed"]) != 0
        differs = np.flatnonzero(self.memory.tops != self.tops).tolist()
        assert differs in ([], [int(self.memory.book[0]["listing"])])
        assert changed or not differs
        self.tops = self.memory.tops.copy()

    @rule(v=venues, listing=st.integers(-1, 3), r=references, s=sides, p=prices, q=quantities)
    def add(self, v: int, listing: int, r: int, s: int, p: int, q: int) -> None:
        self.check(add_order(self.book, v, listing, r, s, p, q), self.slow.add(v, listing, r, s, p, q))

    @rule(v=venues, r=references, p=near)
    def add_near(self, v: int, r: int, p: int) -> None:
        self.check(add_order(self.book, v, 0, r, SELL, p, 7), self.slow.add(v, 0, r, SELL, p, 7))

    @rule(v=venues, r=references, q=quantities)
    def execute(self, v: int, r: int, q: int) -> None:
        self.check(execute_order(self.book, v, r, q), self.slow.reduce(v, r, q))

    @rule(v=venues, r=references, q=st.integers(1, 20))
    def reduce(self, v: int, r: int, q: int) -> None:
        self.check(reduce_order(self.book, v, r, q), self.slow.reduce(v, r, q))

    @rule(v=venues, r=references)
    def delete(self, v: int, r: int) -> None:
        self.check(delete_order(self.book, v, r), self.slow.delete(v, r))

    @rule(v=venues, old=references, new=references, p=prices, q=quantities)
    def replace(self, v: int, old: int, new: int, p: int, q: int) -> None:
        was_tracked = (v, old) in self.tracked
        outcome = self.slow.replace(v, old, new, p, q)
        if was_tracked and outcome == APPLIED:
            self.tracked.add((v, new))
        self.check(replace_order(self.book, v, old, new, p, q), outcome)

    @precondition(lambda self: len(self.tracked) < 6)
    @rule(v=venues, r=st.integers(1, 60))
    def track(self, v: int, r: int) -> None:
        if (v, r) in self.slow.orders:
            assert track_own(self.book, v, r) == APPLIED
            self.tracked.add((v, r))

    @rule(v=venues, r=st.integers(1, 60), p=near)
    def track_before_its_add(self, v: int, r: int, p: int) -> None:
        if len(self.tracked) < 6 and (v, r) not in self.slow.orders and len(self.slow.orders) < 40:
            assert track_own(self.book, v, r) == APPLIED
            assert quantity_ahead(self.book, v, r) == -1
            self.check(add_order(self.book, v, 0, r, BUY, p, 9), self.slow.add(v, 0, r, BUY, p, 9))
            self.tracked.add((v, r))

    @rule(v=venues, r=st.integers(1, 60))
    def untrack(self, v: int, r: int) -> None:
        expected = APPLIED if (v, r) in self.tracked else UNKNOWN_ORDER
        assert untrack_own(self.book, v, r) == expected
        self.tracked.discard((v, r))

    @invariant()
    def same_levels(self) -> None:
        for listing in range(len(TICKS)):
            bids, asks = self.slow.levels(listing, BUY), self.slow.levels(listing, SELL)
            assert shown(self.memory, listing, BUY) == bids
            assert shown(self.memory, listing, SELL) == asks
            best = (*(bids[0][:2] if bids else (0, 0)), *(asks[0][:2] if asks else (0, 0)))
            assert tuple(self.memory.tops[listing].tolist()) == best
        assert int(self.memory.book[0]["live_orders"]) == len(self.slow.orders)
        assert int(self.memory.book[0]["live_own"]) == len(self.tracked)

    @invariant()
    def same_quantity_ahead(self) -> None:
        for venue, reference in self.slow.orders:
            ahead = self.slow.quantity_ahead(venue, reference) if (venue, reference) in self.tracked else -1
            assert quantity_ahead(self.book, venue, reference) == ahead


BookAgainstDict.TestCase.settings = settings(max_examples=40, stateful_step_count=60, deadline=None)
TestBookAgainstDict = BookAgainstDict.TestCase


@pytest.fixture
def memory() -> BookMemory:
    return BookMemory([100, 100], 1000, window=WINDOW)


def test_a_far_order_is_spilled_and_still_in_its_place(memory: BookMemory) -> None:
    for reference, price in enumerate([1_000_000, 100, 1_000_050, 500_000, 2_000_000_000], 1):
        assert add_order(memory.address, 1, 0, reference, BUY, price, reference) == APPLIED
    assert shown(memory, 0, BUY) == [
        (2_000_000_000, 5, 1), (1_000_050, 3, 1), (1_000_000, 1, 1), (500_000, 4, 1), (100, 2, 1),
    ]  # fmt: skip
    assert memory.tops[0].tolist() == (2_000_000_000, 5, 0, 0)
    assert delete_order(memory.address, 1, 5) == APPLIED
    assert memory.tops[0].tolist() == (1_000_050, 3, 0, 0)


def test_the_window_follows_the_market_and_levels_come_back_from_the_spill(memory: BookMemory) -> None:
    book = memory.address
    reference = 0
    for drift in (*range(0, 600, 3), *range(600, -600, -3)):
        for side, price in ((BUY, 1_000_000 + drift * 100), (SELL, 1_000_200 + drift * 100)):
            reference += 1
            assert add_order(book, 1, 0, reference, side, price, 10) == APPLIED
            if reference > 20:
                assert delete_order(book, 1, reference - 20) == APPLIED
    assert int(memory.book[0]["recentred"]) >= 10
    live = range(reference - 19, reference + 1)
    bids = sorted((int(p) for k in live if k % 2 for p in [price_of(memory, k)]), reverse=True)
    assert [row[0] for row in shown(memory, 0, BUY)] == bids
    # near the top the ladder holds the book, not the spill
    assert int(memory.book[0]["live_spill"]) < len(live) // 2


def price_of(memory: BookMemory, reference: int) -> int:
    rows = memory.orders[memory.orders["key"] == (1 << 56 | reference)]
    return int(rows[rows["quantity"] > 0]["price"][0])


def test_a_first_order_near_zero_does_not_fix_the_window_there(memory: BookMemory) -> None:
    book = memory.address
    assert add_order(book, 1, 0, 1, BUY, 600, 10) == APPLIED
    assert add_order(book, 1, 0, 2, BUY, 1_000_000, 20) == APPLIED
    assert add_order(book, 1, 0, 3, SELL, 1_000_100, 30) == APPLIED
    assert shown(memory, 0, BUY) == [(1_000_000, 20, 1), (600, 10, 1)]
    assert delete_order(book, 1, 1) == APPLIED
    assert memory.tops[0].tolist() == (1_000_000, 20, 1_000_100, 30)


def test_a_far_stub_does_not_move_the_window(memory: BookMemory) -> None:
    book = memory.address
    add_order(book, 1, 0, 1, BUY, 1_000_000, 10)
    add_order(book, 1, 0, 2, SELL, 1_000_100, 10)
    for reference in range(3, 103, 2):
        assert add_order(book, 1, 0, reference, SELL, 1_999_999_900, 1) == APPLIED
        assert add_order(book, 1, 0, reference + 1, BUY, 100, 1) == APPLIED
    assert int(memory.book[0]["recentred"]) == 0
    assert memory.tops[0].tolist() == (1_000_000, 10, 1_000_100, 10)


def test_full_memory_is_said_and_nothing_else_changes() -> None:
    memory = BookMemory([100], 3, window=WINDOW)
    book = memory.address
    assert [add_order(book, 1, 0, r, BUY, 1_000_000, 5) for r in (1, 2, 3, 4)] == [APPLIED] * 3 + [FULL]
    assert shown(memory, 0, BUY) == [(1_000_000, 15, 3)]
    assert delete_order(book, 1, 2) == APPLIED
    assert add_order(book, 1, 0, 4, BUY, 1_000_000, 6) == APPLIED
    assert [int(q) for q in orders_at(memory, 0, BUY, 1_000_000)["quantity"]] == [5, 5, 6]


def test_a_used_up_spill_is_said_and_the_order_is_not_half_added() -> None:
    memory = BookMemory([100], 100, window=WINDOW, spill_capacity=2)
    book = memory.address
    add_order(book, 1, 0, 1, BUY, 1_000_000, 5)
    outcomes = [add_order(book, 1, 0, 2 + n, BUY, 100 + n * 100, 1) for n in range(3)]
    assert outcomes == [APPLIED, APPLIED, FULL]
    assert int(memory.book[0]["live_orders"]) == 3
    assert delete_order(book, 1, 4) == UNKNOWN_ORDER
    assert shown(memory, 0, BUY) == [(1_000_000, 5, 1), (200, 1, 1), (100, 1, 1)]


def test_queue_position_of_an_order_tracked_late_counts_only_what_came_before(memory: BookMemory) -> None:
    book = memory.address
    for reference, quantity in ((1, 100), (2, 200), (3, 10), (4, 400)):
        add_order(book, 1, 0, reference, BUY, 1_000_000, quantity)
    assert execute_order(book, 1, 1, 30) == APPLIED
    assert track_own(book, 1, 3) == APPLIED
    assert quantity_ahead(book, 1, 3) == 270
    delete_order(book, 1, 4)
    assert quantity_ahead(book, 1, 3) == 270
    reduce_order(book, 1, 2, 50)
    delete_order(book, 1, 1)
    assert quantity_ahead(book, 1, 3) == 150
    assert replace_order(book, 1, 3, 5, 1_000_000, 10) == APPLIED
    assert (quantity_ahead(book, 1, 3), quantity_ahead(book, 1, 5)) == (-1, 150)
    assert execute_order(book, 1, 5, 10) == APPLIED
    assert int(memory.book[0]["live_own"]) == 0


@pytest.mark.parametrize("since", [1, DEPARTURES - 3, DEPARTURES - 2, DEPARTURES - 1, DEPARTURES, 3 * DEPARTURES])
def test_an_order_tracked_long_after_it_joined_has_the_same_quantity_ahead(memory: BookMemory, since: int) -> None:
    book = memory.address
    add_order(book, 1, 0, 1, BUY, 1_000_000, 1_000)
    add_order(book, 1, 0, 2, BUY, 1_000_000, 500)
    add_order(book, 1, 0, 3, BUY, 1_000_000, 10)
    add_order(book, 1, 0, 4, BUY, 1_000_000, 0x7FFFFFFF)
    assert reduce_order(book, 1, 1, 1) == APPLIED
    assert delete_order(book, 1, 2) == APPLIED
    for n in range(since):
        assert add_order(book, 1, 1, 100 + n, BUY, 1_000_000, 5) == APPLIED
        assert delete_order(book, 1, 100 + n) == APPLIED
    assert track_own(book, 1, 3) == APPLIED
    assert quantity_ahead(book, 1, 3) == 999


def test_more_ahead_than_a_row_can_say_is_counted_from_the_orders(memory: BookMemory) -> None:
    book = memory.address
    for reference in (1, 2, 3):
        assert add_order(book, 1, 0, reference, SELL, 1_000_000, 0x7FFFFFFF) == APPLIED
    assert add_order(book, 1, 0, 4, SELL, 1_000_000, 10) == APPLIED
    assert track_own(book, 1, 4) == APPLIED
    assert quantity_ahead(book, 1, 4) == 3 * 0x7FFFFFFF


def test_arrival_numbers_end_before_they_come_again_and_begin_anew_with_empty_books(memory: BookMemory) -> None:
    book = memory.address
    memory.book["arrived"] = LAST_ARRIVAL - 1
    assert [add_order(book, 1, 0, reference, BUY, 1_000_000, 5) for reference in (1, 2)] == [APPLIED, FULL]
    assert clear_venue(book, 1) == 1
    assert add_order(book, 1, 0, 2, BUY, 1_000_000, 5) == APPLIED


def test_the_same_reference_on_two_venues_is_two_orders(memory: BookMemory) -> None:
    book = memory.address
    assert add_order(book, 1, 0, 7, BUY, 1_000_000, 1) == APPLIED
    assert add_order(book, 2, 1, 7, BUY, 2_000_000, 2) == APPLIED
    assert add_order(book, 2, 1, 7, BUY, 2_000_000, 2) == DUPLICATE
    assert delete_order(book, 1, 7) == APPLIED
    assert (shown(memory, 0, BUY), shown(memory, 1, BUY)) == ([], [(2_000_000, 2, 1)])


def test_an_execution_beyond_the_order_removes_it_and_says_so(memory: BookMemory) -> None:
    add_order(memory.address, 1, 0, 7, SELL, 1_000_000, 5)
    assert execute_order(memory.address, 1, 7, 6) == BAD_VALUE
    assert shown(memory, 0, SELL) == []
    assert memory.tops[0].tolist() == (0, 0, 0, 0)


def test_clearing_removes_one_listing_or_one_venue_and_nothing_else(memory: BookMemory) -> None:
    book = memory.address
    for reference in range(1, 11):
        add_order(book, 1, 0, reference, BUY, 1_000_000 + 10_000 * reference, 1)
        add_order(book, 1, 1, 100 + reference, SELL, 1_000_000, 1)
        add_order(book, 2, 1, reference, SELL, 1_000_100, 1)
    assert clear_listing(book, 0) == 10
    assert clear_venue(book, 1) == 10
    assert (shown(memory, 0, BUY), shown(memory, 1, SELL)) == ([], [(1_000_100, 10, 10)])


def test_without_queues_the_levels_are_the_same_and_nothing_is_tracked() -> None:
    memory = BookMemory([100], 10, window=WINDOW, queues=False)
    assert add_order(memory.address, 1, 0, 1, BUY, 1_000_000, 5) == APPLIED
    assert track_own(memory.address, 1, 1) == FULL
    assert shown(memory, 0, BUY) == [(1_000_000, 5, 1)]


@pytest.mark.parametrize("stride", [1, 8, 1 << 16, 1 << 20, 1 << 23, 1 << 40])
def test_references_of_any_stride_spread_over_the_index(stride: int) -> None:
    memory = BookMemory([100], 4096, window=WINDOW)
    for n in range(4096):
        assert add_order(memory.address, 1, 0, n * stride, BUY, 1_000_000, 1) == APPLIED
    used = np.count_nonzero(memory.heads)
    assert used >= 1024


def test_asking_for_memory_ahead_changes_nothing(memory: BookMemory) -> None:
    add_order(memory.address, 1, 0, 7, SELL, 1_000_000, 5)
    before = [array.tobytes() for array in (memory.book, memory.orders, memory.heads, memory.levels)]
    for reference in (7, 8, -1, 1 << 60):
        prefetch_order(memory.address, 1, reference)
        prefetch_order_row(memory.address, 1, reference)
    assert [array.tobytes() for array in (memory.book, memory.orders, memory.heads, memory.levels)] == before


def test_memory_out_of_bounds_is_refused() -> None:
    with pytest.raises(ValueError, match="window is 100; it must be a power of two from 64 to 4096"):
        BookMemory([100], 10, window=100)
    with pytest.raises(ValueError, match="order_capacity is 0; it must be from 1 to 1073741823"):
        BookMemory([100], 0)
    with pytest.raises(ValueError, match="tick size 0 with a window of 64 ticks is out of bounds"):
        BookMemory([0], 10, window=64)
