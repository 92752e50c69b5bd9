"""Reading a book from outside the loop: the best levels of a side, and the orders of one level in queue order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy import int64

from engine.hotpath.book_layout import BOOK, LEVEL, LISTING, SIDE, SPILL, SPILL_SIZE, BookMemory
from engine.hotpath.book_levels import (
    ladder_rank,
    level_address,
    next_used_rank,
    side_address,
)
from engine.hotpath.book_spill import following, spill_rank
from engine.native import address_of, hot, load_le32, view

DEPTH = np.dtype([("price", "<i8"), ("quantity", "<i8"), ("orders", "<i8")])


@hot
def read_levels(book, listing_side, count, target):
    """Write the best `count` levels of a side as DEPTH records at `target`; returns how many there are."""
    header = view(book, 1, BOOK)[0]
    place = view(header.listings, header.listing_count, LISTING)[listing_side >> 1]
    rank = int64(view(side_address(book, listing_side), 1, SIDE)[0].best)
    at = load_le32(following(book, listing_side + 1, 0))
    rows = view(target, count, DEPTH)
    for n in range(count):
        price = int64(-1)
        address = int64(0)
        if rank < header.window:
            slot = ladder_rank(book, listing_side, rank)
            price = place.lowest + slot * place.tick_size
            address = level_address(book, listing_side, slot)
        spilled = int64(-1)
        if at != 0:
            spilled = int64(view(header.spill + at * SPILL_SIZE, 1, SPILL)[0].price)
        if spilled >= 0 and (price < 0 or spill_rank(listing_side, spilled) < spill_rank(listing_side, price)):
            price = spilled
            address = header.spill + at * SPILL_SIZE
            at = load_le32(following(book, at, 0))
        elif price >= 0:
            rank = next_used_rank(book, listing_side, rank + 1)
        else:
            return n
        level = view(address, 1, LEVEL)[0]
        rows[n].price = price
        rows[n].quantity = level.quantity
        rows[n].orders = level.orders
    return count


def level(memory: BookMemory, listing: int, side: int, count: int) -> np.ndarray[Any, Any]:
    """The best `count` levels of a side, best first, as DEPTH records (price in 1/10,000, quantity, orders)."""
    rows = np.zeros(count, DEPTH)
    found = read_levels(memory.address, listing * 2 + side - 1, count, address_of(rows))
    return rows[:found]


def orders_at(memory: BookMemory, listing: int, side: int, price: int) -> np.ndarray[Any, Any]:
    """The orders at a price in the order in which they execute, as ORDER records. Needs books with queues."""
    rows = memory.orders[1 : int(memory.book[0]["used_orders"]) + 1]
    there = (rows["quantity"] != 0) & (rows["listing_side"] == listing * 2 + side - 1) & (rows["price"] == price)
    found = rows[there]
    return found[np.argsort(found["arrival"], kind="stable")]
