"""The matching against a slow exchange that is obviously right, and its rules one by one."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.messages.instruments import Instrument
from engine.simulator.layout import BookMemory
from tests.engine.simulator.books import TestBook
from tests.engine.simulator.reference_matching import (
    BUY,
    DAY,
    FOK,
    IOC,
    MARKET_PRICE,
    POST_ONLY,
    SELL,
    ReferenceExchange,
)

OWNERS = st.integers(0, 3)
REFERENCES = st.integers(1, 12)
PRICES = st.sampled_from([9_700, 9_800, 9_900, 10_000, 10_100, 10_200, 10_300, MARKET_PRICE, 10_050, 0])
QUANTITIES = st.one_of(st.integers(1, 9).map(lambda n: n * 100), st.sampled_from([0, 1, 999_999, 1_000_000]))
TERMS = (
    st.sampled_from([DAY, DAY, DAY, IOC, FOK, POST_ONLY, POST_ONLY, 0]),
    st.sampled_from([0, 0, 0, 100, 400]),
    st.sampled_from([1, 1, 0]),
)
ACTIONS = st.one_of(
    st.tuples(
        st.just("enter"), OWNERS, REFERENCES, st.sampled_from([1, 1, 2, 9]), st.sampled_from([1, 2, 1, 2, 3]),
        PRICES, QUANTITIES, *TERMS,
    ),
    st.tuples(st.just("replace"), OWNERS, REFERENCES, REFERENCES, PRICES, QUANTITIES, *TERMS),
    st.tuples(st.just("cancel"), OWNERS, REFERENCES, st.sampled_from([0, 0, 100, 300])),
    st.tuples(st.just("cancel_owned"), st.integers(1, 3), st.sampled_from([0, 1])),
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(["allow", "cancel_resting", "cancel_incoming"]), st.lists(ACTIONS, max_size=40))
def test_it_does_what_the_slow_exchange_does(self_match, actions):
    book, reference = TestBook(self_match), ReferenceExchange({1, 2}, self_match)
    for name, *arguments in actions:
        assert getattr(book, name)(*arguments) == getattr(reference, name)(*arguments)
    assert book.results() == reference.results
    book.listen()
    for instrument in (1, 2):
        for side in (BUY, SELL):
            assert book.heard_levels(instrument, side) == reference.levels(instrument, side)
            queued = [(price, quantity) for price, _, quantity in book.queue(instrument, side)]
            totals: dict[int, int] = {}
            for price, quantity in queued:
                totals[price] = totals.get(price, 0) + quantity
            assert list(totals.items()) == reference.levels(instrument, side, displayed_only=False)
    assert int(book.memory.book[0]["resting_count"]) == len(reference.orders)


def test_orders_at_one_price_trade_in_the_order_of_their_arrival_and_displayed_ones_first():
    book = TestBook()
    book.enter(1, 1, 1, SELL, 10_000, 100, displayed=0)
    book.enter(1, 2, 1, SELL, 10_000, 100)
    book.enter(1, 3, 1, SELL, 10_000, 100)
    book.enter(2, 1, 1, BUY, 10_000, 250)
    fills = [(row[1], row[2], row[4]) for row in book.results() if row[0] == "EXECUTED"]
    assert fills == [(1, 2, 100), (2, 1, 100), (1, 3, 100), (2, 1, 100), (1, 1, 50), (2, 1, 50)]


def test_a_fill_against_a_hidden_order_is_published_as_a_trade():
    book = TestBook()
    book.enter(1, 1, 1, SELL, 10_000, 100, displayed=0)
    book.enter(2, 1, 1, BUY, 10_000, 100)
    book.listen()
    assert book.letters == "P"


def test_reducing_keeps_the_place_in_the_queue_and_replacing_loses_it():
    book = TestBook()
    for reference in (1, 2, 3):
        book.enter(1, reference, 1, BUY, 10_000, 300)
    book.cancel(1, 1, intended=100)
    book.replace(1, 2, 4, 10_000, 200)
    assert book.queue(1, BUY) == [(10_000, 1, 100), (10_000, 3, 300), (10_000, 4, 200)]
    book.listen()
    assert book.letters == "AAAXU"


def test_a_replacement_counts_what_the_chain_has_executed():
    book = TestBook()
    book.enter(1, 1, 1, BUY, 10_000, 300)
    book.enter(2, 1, 1, SELL, 10_000, 100)
    assert book.replace(1, 1, 2, 9_900, 250) == ""
    assert book.queue(1, BUY) == [(9_900, 2, 150)]
    assert book.replace(1, 2, 3, 9_900, 100) == "INVALID_QUANTITY"
    assert book.queue(1, BUY) == []


def test_a_replacement_that_crosses_trades():
    book = TestBook()
    book.enter(1, 1, 1, BUY, 9_900, 100)
    book.enter(2, 1, 1, SELL, 10_000, 300)
    assert book.replace(1, 1, 2, 10_000, 100) == ""
    assert book.queue(1, SELL) == [(10_000, 1, 200)]
    book.listen()
    assert book.letters == "AADE"


def test_a_fill_or_kill_order_trades_whole_or_not_at_all():
    book = TestBook()
    book.enter(1, 1, 1, SELL, 10_000, 100)
    book.enter(1, 2, 1, SELL, 10_100, 100)
    book.enter(2, 1, 1, BUY, 10_000, 200, FOK)
    book.enter(2, 2, 1, BUY, 10_100, 200, FOK)
    kinds = [(row[0], row[2]) for row in book.results() if row[1] == 2]
    assert kinds == [("ACCEPTED", 1), ("CANCELED", 1), ("ACCEPTED", 2), ("EXECUTED", 2), ("EXECUTED", 2)]


def test_entry_can_be_disabled_while_cancels_pass():
    book = TestBook()
    book.enter(1, 1, 1, BUY, 10_000, 100)
    book.desk.set_entry(1, disabled=True)
    assert book.enter(1, 2, 1, BUY, 10_000, 100) == "ENTRY_DISABLED"
    assert book.enter(2, 2, 1, BUY, 10_000, 100) == ""
    assert book.cancel(1, 1) == ""
    book.desk.set_entry(1, disabled=False)
    assert book.enter(1, 3, 1, BUY, 10_000, 100) == ""


def test_a_full_book_refuses_orders_and_keeps_working():
    book = TestBook(order_capacity=4, level_capacity=4)
    for reference in (1, 2, 3, 4):
        assert book.enter(1, reference, 1, BUY, 10_000, 100) == ""
    assert book.enter(1, 5, 1, BUY, 10_000, 100) == "CAPACITY"
    assert book.replace(1, 1, 6, 9_900, 100) == ""
    book.cancel(1, 2)
    assert book.enter(1, 7, 1, BUY, 10_000, 100) == ""
    assert book.queue(1, BUY) == [(10_000, 3, 100), (10_000, 4, 100), (10_000, 7, 100), (9_900, 6, 100)]


def test_a_book_without_room_for_another_price_refuses_it():
    book = TestBook(order_capacity=16, level_capacity=2)
    book.enter(1, 1, 1, BUY, 10_000, 100)
    book.enter(1, 2, 1, BUY, 9_900, 100)
    assert book.enter(1, 3, 1, BUY, 9_800, 100) == "CAPACITY"
    assert book.cancel_owned(1) == 2
    assert book.enter(1, 4, 1, BUY, 9_800, 100) == ""


def test_results_that_nobody_takes_are_an_error_and_overwrite_nothing() -> None:
    memory = BookMemory([Instrument(1, "ABC")], order_capacity=2, level_capacity=2)
    for _ in range(len(memory.results)):
        memory.add_result()["owner"] = 1
    with pytest.raises(OSError, match="nobody takes what the venue has to tell"):
        memory.add_result()
    assert len(memory.take_results()) == len(memory.results)
    assert memory.add_result()["owner"] == 0
