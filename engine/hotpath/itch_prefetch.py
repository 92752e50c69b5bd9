"""Memory that a batch of ITCH messages is going to need, asked for in steps, each using what the last one brought.

Nothing here changes a book, and nothing is wrong when a guess is: it only costs time. There are next to no branches,
because what kind of message comes next cannot be foreseen, and reads stay inside the message, whatever its kind.
"""

from __future__ import annotations

from numpy import int64

from engine.hotpath.book_layout import (
    BATCHED,
    BOOK,
    INVERSE_SHIFT,
    LISTING,
    LISTING_SIZE,
    MOST_BATCHED,
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
    REPLACE_PRICE,
    SELL_LETTER,
    listing_of,
)
from engine.hotpath.order_index import bucket_of
from engine.native import hot_inlined, load_be16, load_be32, load_be64, load_le32, load_u8, prefetch, view
from engine.protocols import itch50_offsets as itch

PREFIX = 2
LONGEST = 0xFFFF  # that a length can say
SHORTEST = itch.ORDER_DELETE_LENGTH  # of the messages about an order
REPLACE_LENGTH = itch.ORDER_REPLACE_LENGTH
PRICED = ADD_PRICE + 4  # bytes of a message that can have a price


@hot_inlined
def gather_blocks(book, venue, start, end):
    """Put the next whole blocks, length-prefixed messages, into the batch and ask for the first memory of each. Returns
    how many they are; where they end and how short the shortest message is stands in the BOOK block."""
    header = view(book, 1, BOOK)[0]
    batch = view(header.batch, MOST_BATCHED, BATCHED)
    at = start
    count = 0
    shortest = LONGEST
    while count < MOST_BATCHED and at + PREFIX <= end:
        length = load_be16(at)
        if at + PREFIX + length > end:
            break
        batch[count].message = at + PREFIX
        batch[count].length = length
        if length >= SHORTEST:
            batch[count].bucket = prefetch_bucket(book, venue, at + PREFIX)
            batch[count].listing = prefetch_listing(book, venue, at + PREFIX)
        else:
            batch[count].bucket = header.heads
            batch[count].listing = 0
        shortest = min(shortest, length)
        at += PREFIX + length
        count += 1
    header.gathered_end = at
    header.gathered_shortest = shortest
    return count


@hot_inlined
def ask_orders(book, count):
    """Ask for the orders of a batch."""
    batch = view(view(book, 1, BOOK)[0].batch, MOST_BATCHED, BATCHED)
    n = 0
    while n < count:
        batch[n].row = prefetch_row(book, batch[n].bucket)
        n += 1


@hot_inlined
def ask_levels(book, count):
    """Ask for the levels of a batch whose orders were asked for."""
    batch = view(view(book, 1, BOOK)[0].batch, MOST_BATCHED, BATCHED)
    n = 0
    while n < count:
        prefetch_level(book, batch[n].message, batch[n].length, batch[n].listing, batch[n].row)
        n += 1


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
def prefetch_level(book, message, length, listing, row):
    """Third step: the level of an order that is there or joins; for a replacement that of the new price too."""
    header = view(book, 1, BOOK)[0]
    order = view(header.orders, header.order_capacity + 1, ORDER)[row]
    joins = row == 0
    priced = length >= PRICED
    joined_side = listing * 2 + (load_u8(message + (ADD_SIDE if priced else 0)) == SELL_LETTER)
    added_price = load_be32(message + (ADD_PRICE if priced else 0))
    listing_side = joined_side if joins else int64(order.listing_side)
    price = added_price if joins else int64(order.price)
    prefetch(guess_level(book, listing_side, price))
    if length == REPLACE_LENGTH:
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
