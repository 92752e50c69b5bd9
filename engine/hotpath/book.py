"""Order-by-order books of many listings: add, execute, reduce, delete, replace.

Every operation answers with an outcome (APPLIED and so on) and, when it applied, leaves in the BOOK block which
listing, side, price and quantity it touched and whether the top of that listing changed. Nothing is dropped: a price
that the ladder cannot hold goes to the spill, and FULL says that the memory taken at start is used up.
"""

from __future__ import annotations

from numpy import int64

from engine.hotpath.book_layout import (
    APPLIED,
    BAD_VALUE,
    BOOK,
    BUY,
    DUPLICATE,
    FULL,
    HIGHEST_PRICE,
    HIGHEST_QUANTITY,
    LAST_ARRIVAL,
    LEVEL,
    LISTING,
    ORDER,
    SELL,
    SIDE,
    SPILL_SIZE,
    TOP,
    UNKNOWN_ORDER,
    BookMemory,
)
from engine.hotpath.book_levels import (
    ladder_rank,
    ladder_slot,
    level_address,
    mark_level,
    refresh_top,
    side_address,
    unmark_level,
)
from engine.hotpath.book_spill import find_spill, insert_spill, remove_spill
from engine.hotpath.book_window import follow_market
from engine.hotpath.order_index import (
    find_order,
    insert_order,
    order_key,
    prefetch_order,
    prefetch_order_row,
    remove_order,
)
from engine.hotpath.queue_position import (
    UNKNOWN_AHEAD,
    adopt_pending,
    drop_own,
    note_arrival,
    note_departure,
    quantity_ahead,
    track_own,
    untrack_own,
)
from engine.native import hot, hot_inlined, view


@hot
def add_order(book, venue, listing, reference, side, price, quantity):
    """A new order joins the end of the queue at its price. `side` is BUY (1) or SELL (2)."""
    header = view(book, 1, BOOK)[0]
    header.top_changed = 0
    if side != BUY and side != SELL:
        return BAD_VALUE
    if price <= 0 or price > HIGHEST_PRICE or quantity <= 0 or quantity > HIGHEST_QUANTITY:
        return BAD_VALUE
    key = order_key(venue, reference)
    if key < 0 or listing < 0 or listing >= header.listing_count:
        return BAD_VALUE
    if find_order(book, key) != 0:
        return DUPLICATE
    if header.arrived >= LAST_ARRIVAL:
        return FULL
    order = insert_order(book, key)
    if order == 0:
        return FULL
    entry = view(header.orders, header.order_capacity + 1, ORDER)[order]
    entry.price = price
    entry.quantity = quantity
    entry.listing_side = listing * 2 + side - 1
    if join_level(book, listing * 2 + side - 1, price, quantity, order) == 0:
        remove_order(book, order, key)
        return FULL
    note_touched(book, listing * 2 + side - 1, price, quantity)
    return APPLIED


@hot
def execute_order(book, venue, reference, quantity):
    """Part or all of an order executes, wherever it stands in its queue."""
    return reduce_order(book, venue, reference, quantity)


@hot
def reduce_order(book, venue, reference, quantity):
    """An order shrinks by `quantity` and keeps its place; at nothing it leaves.

    BAD_VALUE when it had less: it leaves then, because the venue thinks that nothing of it is left.
    """
    header = view(book, 1, BOOK)[0]
    header.top_changed = 0
    if quantity <= 0:
        return BAD_VALUE
    key = order_key(venue, reference)
    order = find_order(book, key)
    if order == 0:
        return UNKNOWN_ORDER
    entry = view(header.orders, header.order_capacity + 1, ORDER)[order]
    if quantity >= entry.quantity:
        outcome = APPLIED if quantity == entry.quantity else BAD_VALUE
        take_out(book, order, key)
        return outcome
    entry.quantity -= quantity
    listing_side = int64(entry.listing_side)
    price = int64(entry.price)
    leave_level(book, listing_side, price, quantity, order, 0)
    note_touched(book, listing_side, price, quantity)
    return APPLIED


@hot
def delete_order(book, venue, reference):
    """An order leaves the book."""
    header = view(book, 1, BOOK)[0]
    header.top_changed = 0
    key = order_key(venue, reference)
    order = find_order(book, key)
    if order == 0:
        return UNKNOWN_ORDER
    take_out(book, order, key)
    return APPLIED


@hot
def replace_order(book, venue, old_reference, new_reference, price, quantity):
    """An order leaves and a new one of the same listing and side joins the end of the queue. Ours stays tracked."""
    header = view(book, 1, BOOK)[0]
    header.top_changed = 0
    key = order_key(venue, old_reference)
    order = find_order(book, key)
    if order == 0:
        return UNKNOWN_ORDER
    listing_side = int64(view(header.orders, header.order_capacity + 1, ORDER)[order].listing_side)
    was_own = take_out(book, order, key)
    changed = header.top_changed
    outcome = add_order(book, venue, listing_side >> 1, new_reference, (listing_side & 1) + 1, price, quantity)
    header.top_changed |= changed
    if was_own != 0 and outcome == APPLIED:
        track_own(book, venue, new_reference)
    return outcome


@hot
def take_out(book, order, key):
    """Remove the order of a row, which has this key, from its level and from the index. Returns 1 when it was a tracked
    order of ours."""
    header = view(book, 1, BOOK)[0]
    entry = view(header.orders, header.order_capacity + 1, ORDER)[order]
    listing_side = int64(entry.listing_side)
    price = int64(entry.price)
    quantity = int64(entry.quantity)
    was_own = 0
    if view(header.listings, header.listing_count, LISTING)[listing_side >> 1].tracked != 0:
        was_own = drop_own(book, order)
    leave_level(book, listing_side, price, quantity, order, 1)
    remove_order(book, order, key)
    note_touched(book, listing_side, price, quantity)
    return was_own


@hot_inlined
def note_touched(book, listing_side, price, quantity):
    """What the caller may want to know about the operation."""
    header = view(book, 1, BOOK)[0]
    header.listing = listing_side >> 1
    header.side = (listing_side & 1) + 1
    header.price = price
    header.quantity = quantity


@hot_inlined
def join_level(book, listing_side, price, quantity, order):
    """Put an order at the end of its level, in the ladder or in the spill; 0 when the spill is used up."""
    header = view(book, 1, BOOK)[0]
    side = view(side_address(book, listing_side), 1, SIDE)[0]
    listing = listing_side >> 1
    slot = ladder_slot(book, listing, price)
    if slot < 0:
        follow_market(book, listing_side, price)
        slot = ladder_slot(book, listing, price)
    rank = -1
    if slot >= 0:
        address = level_address(book, listing_side, slot)
        rank = ladder_rank(book, listing_side, slot)
        if view(address, 1, LEVEL)[0].orders == 0:
            mark_level(book, listing_side, rank)
    else:
        at = find_spill(book, listing_side, price)
        if at == 0:
            at = insert_spill(book, listing_side, price)
            if at == 0:
                return 0
        address = header.spill + at * SPILL_SIZE
    level = view(address, 1, LEVEL)[0]
    ahead = level.quantity
    level.quantity = ahead + quantity
    level.orders += 1
    if header.queues != 0:
        note_arrival(book, order, ahead)
        if header.pending_own != 0:
            adopt_pending(book, order, ahead)
    if rank <= side.best:
        header.top_changed = refresh_top(book, listing_side)
    return 1


@hot_inlined
def leave_level(book, listing_side, price, quantity, order, gone):
    """Take `quantity` of an order off its level; with `gone` the order leaves the queue too."""
    header = view(book, 1, BOOK)[0]
    side = view(side_address(book, listing_side), 1, SIDE)[0]
    slot = ladder_slot(book, listing_side >> 1, price)
    rank = -1
    at = 0
    if slot >= 0:
        address = level_address(book, listing_side, slot)
        rank = ladder_rank(book, listing_side, slot)
    else:
        at = find_spill(book, listing_side, price)
        address = header.spill + at * SPILL_SIZE
    level = view(address, 1, LEVEL)[0]
    level.quantity -= quantity
    if header.queues != 0:
        note_departure(book, listing_side, price, order, quantity)
    was_best = rank <= side.best
    if gone != 0:
        level.orders -= 1
        if level.orders == 0:
            if slot >= 0:
                unmark_level(book, listing_side, rank)
            else:
                remove_spill(book, listing_side, at)
    if was_best:
        header.top_changed = refresh_top(book, listing_side)


@hot
def clear_listing(book, listing):
    """Remove every order of a listing: a walk over all rows, for halts of trust, not for the loop."""
    header = view(book, 1, BOOK)[0]
    orders = view(header.orders, header.order_capacity + 1, ORDER)
    removed = 0
    for row in range(1, header.used_orders + 1):
        if orders[row].quantity != 0 and orders[row].listing_side >> 1 == listing:
            take_out(book, row, orders[row].key)
            removed += 1
    return removed


@hot
def clear_venue(book, venue):
    """Remove every order of a venue, as when its session ends or its feed is lost."""
    header = view(book, 1, BOOK)[0]
    orders = view(header.orders, header.order_capacity + 1, ORDER)
    removed = 0
    for row in range(1, header.used_orders + 1):
        if orders[row].quantity != 0 and orders[row].key >> 56 == venue:
            take_out(book, row, orders[row].key)
            removed += 1
    if header.live_orders == 0:
        header.arrived = header.departed = 0
    return removed


__all__ = [
    "APPLIED",
    "BAD_VALUE",
    "BOOK",
    "BUY",
    "DUPLICATE",
    "FULL",
    "SELL",
    "TOP",
    "UNKNOWN_AHEAD",
    "UNKNOWN_ORDER",
    "BookMemory",
    "add_order",
    "clear_listing",
    "clear_venue",
    "delete_order",
    "execute_order",
    "prefetch_order",
    "prefetch_order_row",
    "quantity_ahead",
    "reduce_order",
    "replace_order",
    "track_own",
    "untrack_own",
]
