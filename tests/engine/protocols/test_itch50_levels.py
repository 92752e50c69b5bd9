"""Levels as ITCH orders: every sequence of levels gives a book with those levels, in the engine's own book."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.hotpath.book_depth import level
from engine.hotpath.book_layout import BookMemory
from engine.hotpath.itch_book import apply_itch
from engine.messages.codes import Side
from engine.native import address_of
from engine.protocols import itch50
from engine.protocols.itch50_levels import HIGHEST_PRICE, LARGEST_PART, MOST_PARTS, LevelMessages, reference_of

LOCATE = 7


def apply(memory: BookMemory, messages: list[bytes]) -> None:
    for raw in messages:
        data = np.frombuffer(raw, np.uint8)
        assert apply_itch(memory.address, 1, address_of(data), len(raw)) == 0, itch50.decode(raw)


def shown(memory: BookMemory, side: Side) -> dict[int, int]:
    return {int(row["price"]): int(row["quantity"]) for row in level(memory, 0, side, 64)}


def new_book() -> BookMemory:
    memory = BookMemory([1], 256, venues=1, window=64, queues=False)
    memory.map_locate(1, LOCATE, 0)
    return memory


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(list(Side)),
        st.integers(1, 300) | st.integers(HIGHEST_PRICE - 3, HIGHEST_PRICE),
        st.integers(0, 5) | st.integers(LARGEST_PART - 1, 4 * LARGEST_PART),
    ),
    max_size=20,
)


@given(CHANGES)
@settings(max_examples=25, deadline=None)
def test_the_book_holds_the_levels_that_were_said_last(changes: list[tuple[Side, int, int]]) -> None:
    memory, messages, wanted = new_book(), LevelMessages(LOCATE, "BTCUSDT"), {}
    for side, price, quantity in changes:
        apply(memory, messages.change(side, price, quantity, 0))
        wanted[side, price] = quantity
    for side in Side:
        assert shown(memory, side) == {p: q for (s, p), q in wanted.items() if s == side and q}


@given(CHANGES)
@settings(max_examples=25, deadline=None)
def test_everything_gives_the_same_book_from_nothing(changes: list[tuple[Side, int, int]]) -> None:
    first, second, messages = new_book(), new_book(), LevelMessages(LOCATE, "BTCUSDT")
    for change in changes:
        apply(first, messages.change(*change, 0))
    apply(second, messages.everything(5))
    assert [shown(first, side) for side in Side] == [shown(second, side) for side in Side]


def test_a_level_that_shrinks_is_canceled_in_part_and_one_that_grows_joins_the_end_again() -> None:
    messages = LevelMessages(LOCATE, "BTCUSDT")
    reference = reference_of(LOCATE, Side.SELL, 500, 0)

    def said(quantity: int) -> list[tuple[str, int]]:
        read = [itch50.decode(raw) for raw in messages.change(Side.SELL, 500, quantity, 9)]
        assert {message["reference"] for message in read} <= {reference}
        return [(message.name, message.values.get("quantity", 0)) for message in read]

    assert said(10) == [("add_order", 10)]
    assert said(4) == [("order_cancel", 6)]
    assert said(4) == []
    assert said(6) == [("order_delete", 0), ("add_order", 6)]
    assert said(0) == [("order_delete", 0)]


def test_references_never_meet() -> None:
    places = [(1, Side.BUY, HIGHEST_PRICE, 255), (1, Side.SELL, 1, 0), (2, Side.BUY, 1, 0), (65535, Side.SELL, 1, 1)]
    references = [reference_of(*place) for place in places]
    assert len(set(references)) == len(places)
    assert max(references) < 1 << 56


@pytest.mark.parametrize(("price", "quantity"), [(0, 1), (HIGHEST_PRICE + 1, 1), (1, LARGEST_PART * MOST_PARTS + 1)])
def test_what_does_not_fit_an_order_book_is_refused(price: int, quantity: int) -> None:
    with pytest.raises(ValueError, match="does not fit an ITCH order book"):
        LevelMessages(LOCATE, "BTCUSDT").change(Side.BUY, price, quantity, 0)


def test_a_trade_and_the_directory_are_messages_of_the_protocol() -> None:
    messages = LevelMessages(LOCATE, "1000SATSUSDT")
    (print_,) = messages.trade(Side.BUY, 6_183_763, 20, 3735683259, 1)
    read = itch50.decode(print_)
    assert [read[name] for name in ("instrument", "side", "price", "quantity", "match_number")] == [
        "1000SATS", "B", 6_183_763, 20, 3735683259,
    ]  # fmt: skip
    assert [itch50.decode(raw).name for raw in messages.directory(1, 10)] == ["stock_directory", "trading_action"]
    assert [itch50.decode(raw)["quantity"] for raw in messages.trade(Side.SELL, 1, LARGEST_PART + 5, 1, 1)] == [
        LARGEST_PART, 5,
    ]  # fmt: skip
