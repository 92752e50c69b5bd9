"""Where a listing's window lies. It follows the market; levels that leave it go to the spill, others come back.

Only an add outside the window can move it, so a book that flickers between a real order and a far stub stays put.
"""

from __future__ import annotations

from numpy import int64

from engine.hotpath.book_layout import BOOK, LEVEL, LISTING, NOWHERE, QUOTE, QUOTE_SIZE, SIDE, SPILL, SPILL_SIZE
from engine.hotpath.book_levels import (
    ladder_rank,
    ladder_slot,
    level_address,
    mark_level,
    side_address,
    unmark_level,
)
from engine.hotpath.book_spill import following, insert_spill, remove_spill, seek_spill
from engine.native import hot, load_le32, view


@hot
def follow_market(book, listing_side, price):
    """An order is about to join outside the window: move the window if the market is no longer in its middle."""
    header = view(book, 1, BOOK)[0]
    listing = listing_side >> 1
    place = view(header.listings, header.listing_count, LISTING)[listing]
    tick = place.tick_size
    if price % tick != 0:
        return
    if place.lowest == NOWHERE:
        place.lowest = price - (header.window >> 1) * tick
        return
    middle = wanted_middle(book, listing_side, price)
    away = middle - (place.lowest + (header.window >> 1) * tick)
    if away < 0:
        away = -away
    if away > (header.window >> 2) * tick:
        recentre(book, listing, middle // tick * tick)


@hot
def wanted_middle(book, listing_side, price):
    """Price that should be in the middle of the window once an order at `price` has joined."""
    header = view(book, 1, BOOK)[0]
    place = view(header.listings, header.listing_count, LISTING)[listing_side >> 1]
    own = view(header.tops + listing_side * QUOTE_SIZE, 1, QUOTE)[0]
    other = view(header.tops + (listing_side ^ 1) * QUOTE_SIZE, 1, QUOTE)[0]
    middle = place.lowest + (header.window >> 1) * place.tick_size
    best = price
    if own.quantity != 0:
        if listing_side & 1 == 0:
            best = max(best, own.price)
        else:
            best = min(best, own.price)
    half = (header.window >> 1) * place.tick_size
    if other.quantity != 0:
        spread = best - other.price
        if spread < 0:
            spread = -spread
        if spread < half:
            return (best + other.price) >> 1
        if ladder_slot(book, listing_side >> 1, other.price) >= 0:
            return middle
    if own.quantity != 0 and own.price == best and ladder_slot(book, listing_side >> 1, own.price) >= 0:
        return middle
    return best


@hot
def recentre(book, listing, middle):
    """Move the window of a listing so that `middle`, a price on the tick, is in its middle.

    Where the spill has no room for what would pass through it the window stays: slower, and still right.
    """
    header = view(book, 1, BOOK)[0]
    place = view(header.listings, header.listing_count, LISTING)[listing]
    base = middle - (header.window >> 1) * place.tick_size
    if header.live_spill + 2 * header.window > header.spill_capacity:
        return
    for listing_side in range(listing * 2, listing * 2 + 2):
        empty_ladder(book, listing_side)
    place.lowest = base
    for listing_side in range(listing * 2, listing * 2 + 2):
        fill_ladder(book, listing_side)
    header.recentred += 1


@hot
def empty_ladder(book, listing_side):
    """Move every level of a ladder side to the spill."""
    header = view(book, 1, BOOK)[0]
    place = view(header.listings, header.listing_count, LISTING)[listing_side >> 1]
    side = view(side_address(book, listing_side), 1, SIDE)[0]
    while side.best < header.window:
        rank = int64(side.best)
        slot = ladder_rank(book, listing_side, rank)
        level = view(level_address(book, listing_side, slot), 1, LEVEL)[0]
        price = place.lowest + slot * place.tick_size
        seek_spill(book, listing_side, price)
        moved = view(header.spill + insert_spill(book, listing_side, price) * SPILL_SIZE, 1, LEVEL)[0]
        moved.quantity = level.quantity
        moved.orders = level.orders
        level.quantity = 0
        level.orders = 0
        unmark_level(book, listing_side, rank)


@hot
def fill_ladder(book, listing_side):
    """Move the spilled levels that lie in the window into the ladder."""
    header = view(book, 1, BOOK)[0]
    place = view(header.listings, header.listing_count, LISTING)[listing_side >> 1]
    first = place.lowest
    if listing_side & 1 == 0:
        first += (header.window - 1) * place.tick_size
    first = min(max(first, 0), 0x7FFFFFFF)
    at = seek_spill(book, listing_side, first)
    while at != 0:
        row = view(header.spill + at * SPILL_SIZE, 1, SPILL)[0]
        price = int64(row.price)
        if price < place.lowest or price >= place.lowest + header.window * place.tick_size:
            return
        after = load_le32(following(book, at, 0))
        slot = ladder_slot(book, listing_side >> 1, price)
        if slot >= 0:
            level = view(level_address(book, listing_side, slot), 1, LEVEL)[0]
            level.quantity = row.quantity
            level.orders = row.orders
            mark_level(book, listing_side, ladder_rank(book, listing_side, slot))
            remove_spill(book, listing_side, at)
        at = after
