"""Memory that a batch of ITCH messages is going to need, asked for in steps, each using what the last one brought.

Nothing here changes a book, and nothing is wrong when a guess is: it only costs time. There are next to no branches,
because what kind of message comes next cannot be foreseen, and reads stay inside the buffer that ends at `end`.
"""

from __future__ import annotations

from numpy import int64

from engine.hotpath.book_layout import (
    BOOK,
    INVERSE_SHIFT,
    LISTING,
    LISTING_SIZE,
    ORDER,
    ORDER_SIZE,
    TOP_SIZE,
)
from engine.hotpath.book_levels import level_address
from engine.hotpath.itch_book import (
    ADD_PRICE,
    ADD_SIDE,
    DELETE_REFERENCE,
    LOCATE,
    REPLACE,
    REPLACE_PRICE,
    SELL_LETTER,
    listing_of,
)
from engine.hotpath.order_index import bucket_of
from engine.native import hot_inlined, load_be16, load_be32, load_be64, load_le32, load_u8, prefetch, view

READ_AHEAD = ADD_PRICE + 4  # bytes of a message that these steps may read, whatever its kind


@hot_inlined
def prefetch_bucket(book, venue, message):
    """First step: the order's bucket in the index, whose address is returned. References lie where a Delete's does."""
    bucket = bucket_of(book, (venue << 56) ^ load_be64(message + DELETE_REFERENCE))
    prefetch(bucket)
    return bucket


@hot_inlined
def prefetch_listing(book, venue, message):
    """First step too: the listing of a message's locate, which is returned; 0 for one that nobody follows."""
    header = view(book, 1, BOOK)[0]
    listing = max(listing_of(book, venue, load_be16(message + LOCATE)), 0)
    prefetch(header.listings + listing * LISTING_SIZE)
    prefetch(header.tops + listing * TOP_SIZE)
    return listing


@hot_inlined
def prefetch_row(book, bucket):
    """Second step: the first row of the bucket, which is nearly always the order; row 0 for one that joins."""
    header = view(book, 1, BOOK)[0]
    row = load_le32(bucket)
    prefetch(header.orders + row * ORDER_SIZE)
    return row


@hot_inlined
def prefetch_level(book, message, listing, row):
    """Third step: the level of an order that is there or joins; for a replacement that of the new price too."""
    header = view(book, 1, BOOK)[0]
    order = view(header.orders, header.order_capacity + 1, ORDER)[row]
    joins = row == 0
    joined_side = listing * 2 + (load_u8(message + ADD_SIDE) == SELL_LETTER)
    listing_side = joined_side if joins else int64(order.listing_side)
    price = load_be32(message + ADD_PRICE) if joins else int64(order.price)
    prefetch(guess_level(book, listing_side, price))
    if load_u8(message) == REPLACE:
        prefetch(guess_level(book, listing_side, load_be32(message + REPLACE_PRICE)))


@hot_inlined
def guess_level(book, listing_side, price):
    """Address of the level at a price; that of slot 0 for a price that the ladder does not hold."""
    header = view(book, 1, BOOK)[0]
    place = view(header.listings, header.listing_count, LISTING)[listing_side >> 1]
    offset = price - place.lowest
    span = header.window * place.tick_size
    inside = (offset >= 0) & (offset < span)
    slot = ((offset if inside else 0) * place.inverse) >> INVERSE_SHIFT
    return level_address(book, listing_side, slot)
