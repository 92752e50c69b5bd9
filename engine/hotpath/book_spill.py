"""Levels that the ladder cannot hold: a skip list a listing side, sorted from best to worst.

The first fields of a spilled level are those of LEVEL, so its address serves wherever a level's does. How high a level
stands in the list follows from its price alone: the same operations give the same memory.
"""

from __future__ import annotations

from numpy import int64

from engine.hotpath.book_layout import BOOK, FOLLOWING_OFFSET, SIDE, SPILL, SPILL_HEIGHT, SPILL_SIZE
from engine.hotpath.book_levels import side_address
from engine.native import count_trailing_zeros, hot, load_i64, load_le32, store_i64, store_le32, view


@hot
def spill_rank(listing_side, price):
    """Sort key of a price: the better the lower, on both sides."""
    return price ^ (0x7FFFFFFF & -((listing_side & 1) ^ 1))


@hot
def spilled_rank(book, listing_side, at):
    """Sort key of a spilled level."""
    row = view(view(book, 1, BOOK)[0].spill + at * SPILL_SIZE, 1, SPILL)[0]
    return spill_rank(listing_side, int64(row.price))


@hot
def following(book, at, height):
    """Address of the link of spilled level `at` at `height`."""
    return view(book, 1, BOOK)[0].spill + at * SPILL_SIZE + FOLLOWING_OFFSET + height * 4


@hot
def seek_spill(book, listing_side, price):
    """First spilled level at `price` or worse, or 0; leaves the way to it in `path`."""
    header = view(book, 1, BOOK)[0]
    rank = spill_rank(listing_side, price)
    at = listing_side + 1
    found = 0
    for height in range(SPILL_HEIGHT - 1, -1, -1):
        found = load_le32(following(book, at, height))
        while found != 0 and spilled_rank(book, listing_side, found) < rank:
            at = found
            found = load_le32(following(book, at, height))
        store_i64(header.path + height * 8, at)
    return found


@hot
def find_spill(book, listing_side, price):
    """The spilled level at `price`, or 0."""
    header = view(book, 1, BOOK)[0]
    found = seek_spill(book, listing_side, price)
    if found != 0 and view(header.spill + found * SPILL_SIZE, 1, SPILL)[0].price == price:
        return found
    return 0


@hot
def insert_spill(book, listing_side, price):
    """A new, empty spilled level at `price`; 0 when none is left. The way to its place is in `path`."""
    header = view(book, 1, BOOK)[0]
    at = header.free_spill
    if at != 0:
        header.free_spill = load_le32(following(book, at, 0))
    elif header.live_spill < header.spill_capacity:
        at = header.used_spill + 1
        header.used_spill = at
    else:
        return 0
    header.live_spill += 1
    mixed = (((price & 0xFFFFFFFF) * 0x61C88647) >> 12) | 0x10000
    height = min(count_trailing_zeros(mixed) >> 1, SPILL_HEIGHT - 1)
    row = view(header.spill + at * SPILL_SIZE, 1, SPILL)[0]
    row.quantity = 0
    row.orders = 0
    row.price = price
    row.height = height
    for h in range(height + 1):
        before = following(book, load_i64(header.path + h * 8), h)
        store_le32(following(book, at, h), load_le32(before))
        store_le32(before, at)
    view(side_address(book, listing_side), 1, SIDE)[0].spilled += 1
    return at


@hot
def remove_spill(book, listing_side, at):
    """Take an empty spilled level out."""
    header = view(book, 1, BOOK)[0]
    row = view(header.spill + at * SPILL_SIZE, 1, SPILL)[0]
    seek_spill(book, listing_side, int64(row.price))
    for h in range(int64(row.height) + 1):
        before = following(book, load_i64(header.path + h * 8), h)
        store_le32(before, load_le32(following(book, at, h)))
    store_le32(following(book, at, 0), header.free_spill)
    header.free_spill = at
    header.live_spill -= 1
    view(side_address(book, listing_side), 1, SIDE)[0].spilled -= 1
