"""The ladder of one listing side: levels by slot, the bitmap of those in use, and the top."""

from __future__ import annotations

from numpy import int64

from engine.hotpath.book_layout import (
    BOOK,
    FOLLOWING_OFFSET,
    INVERSE_SHIFT,
    LEVEL,
    LEVEL_SIZE,
    LISTING,
    LISTING_SIZE,
    QUOTE,
    QUOTE_SIZE,
    SIDE,
    SIDE_SIZE,
    SIDES_OFFSET,
    SPILL,
    SPILL_SIZE,
)
from engine.native import count_trailing_zeros, hot, hot_inlined, load_i64, load_le32, store_i64, view, wrap


@hot_inlined
def side_address(book, listing_side):
    """Address of the SIDE of a listing."""
    header = view(book, 1, BOOK)[0]
    return header.listings + (listing_side >> 1) * LISTING_SIZE + SIDES_OFFSET + (listing_side & 1) * SIDE_SIZE


@hot_inlined
def ladder_slot(book, listing, price):
    """Slot of a price, or -1 when it is off the tick or outside the window."""
    header = view(book, 1, BOOK)[0]
    place = view(header.listings, header.listing_count, LISTING)[listing]
    offset = price - place.lowest
    if offset < 0 or offset >= header.window * place.tick_size:
        return -1
    slot = (offset * place.inverse) >> INVERSE_SHIFT
    if slot * place.tick_size != offset:
        return -1
    return slot


@hot_inlined
def level_address(book, listing_side, slot):
    """Address of the LEVEL at a slot. Sides lie apart: next to the market only one of them is in use at a price."""
    header = view(book, 1, BOOK)[0]
    return header.levels + (listing_side * header.window + slot) * LEVEL_SIZE


@hot_inlined
def ladder_rank(book, listing_side, slot):
    """Rank of a slot, or slot of a rank: the best level of either side has the lowest rank."""
    header = view(book, 1, BOOK)[0]
    return slot ^ ((header.window - 1) & -((listing_side & 1) ^ 1))


@hot_inlined
def mark_level(book, listing_side, rank):
    """The level at `rank` is in use now."""
    header = view(book, 1, BOOK)[0]
    side = view(side_address(book, listing_side), 1, SIDE)[0]
    word = rank >> 6
    address = header.bitmaps + (listing_side * header.words + word) * 8
    store_i64(address, load_i64(address) | wrap(1 << (rank & 63)))
    side.used_words |= wrap(1 << word)
    if rank < side.best:
        side.best = rank


@hot_inlined
def unmark_level(book, listing_side, rank):
    """The level at `rank` is empty now; finds the next best when it was the best."""
    header = view(book, 1, BOOK)[0]
    side = view(side_address(book, listing_side), 1, SIDE)[0]
    word = rank >> 6
    bitmap = header.bitmaps + listing_side * header.words * 8
    bits = load_i64(bitmap + word * 8) & ~wrap(1 << (rank & 63))
    store_i64(bitmap + word * 8, bits)
    if bits == 0:
        side.used_words &= ~wrap(1 << word)
    if rank == side.best:
        if bits != 0:
            side.best = (word << 6) + count_trailing_zeros(bits)
        elif side.used_words != 0:
            word = count_trailing_zeros(side.used_words)
            side.best = (word << 6) + count_trailing_zeros(load_i64(bitmap + word * 8))
        else:
            side.best = header.window


@hot_inlined
def refresh_top(book, listing_side):
    """Write the best price and quantity of a side into its TOP; 1 when either changed."""
    header = view(book, 1, BOOK)[0]
    side = view(side_address(book, listing_side), 1, SIDE)[0]
    price = int64(0)
    quantity = int64(0)
    best = int64(side.best)
    if best < header.window:
        place = view(header.listings, header.listing_count, LISTING)[listing_side >> 1]
        slot = ladder_rank(book, listing_side, best)
        price = place.lowest + slot * place.tick_size
        quantity = view(level_address(book, listing_side, slot), 1, LEVEL)[0].quantity
    if side.spilled != 0:
        first = load_le32(header.spill + (listing_side + 1) * SPILL_SIZE + FOLLOWING_OFFSET)
        spilled = view(header.spill + first * SPILL_SIZE, 1, SPILL)[0]
        found = int64(spilled.price)
        better = found > price if listing_side & 1 == 0 else found < price
        if quantity == 0 or better:
            price = found
            quantity = spilled.quantity
    quote = view(header.tops + listing_side * QUOTE_SIZE, 1, QUOTE)[0]
    if quote.price == price and quote.quantity == quantity:
        return 0
    quote.price = price
    quote.quantity = quantity
    return 1


@hot
def next_used_rank(book, listing_side, rank):
    """Lowest rank in use from `rank` on; `window` when there is none."""
    header = view(book, 1, BOOK)[0]
    word = rank >> 6
    if rank >= header.window:
        return header.window
    bitmap = header.bitmaps + listing_side * header.words * 8
    bits = load_i64(bitmap + word * 8) & wrap(-1 << (rank & 63))
    while bits == 0:
        word += 1
        if word == header.words:
            return header.window
        bits = load_i64(bitmap + word * 8)
    return (word << 6) + count_trailing_zeros(bits)
