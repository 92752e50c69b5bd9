"""Quantity ahead of each of our own orders, from arrival order, kept only for the orders that are tracked.

An order that leaves or shrinks ahead of ours takes its quantity off; nothing joins ahead. Each order knows its arrival
number and what stood at its level when it joined, so no queue is linked. An order that is tracked after its add, as
when the venue's answer comes after the feed, is brought up to date from the last departures; one that joined before
all of those, from a look at every order. Needs books with queues.
"""

from __future__ import annotations

from numpy import int64

from engine.hotpath.book_layout import (
    AHEAD_UNKNOWN,
    APPLIED,
    BOOK,
    DEPARTURE,
    DEPARTURES,
    FULL,
    LISTING,
    ORDER,
    OWN,
    PENDING_BITS,
    PENDING_BUCKETS,
    UNKNOWN_ORDER,
)
from engine.hotpath.order_index import find_order, order_key
from engine.native import hot, hot_inlined, load_i64, store_i64, view

UNKNOWN_AHEAD = -1


@hot
def track_own(book, venue, reference):
    """Keep the quantity ahead of our order. An order whose add has not come yet is tracked from its add on."""
    header = view(book, 1, BOOK)[0]
    own = view(header.own, header.own_capacity + 1, OWN)
    if header.queues == 0:
        return FULL
    key = order_key(venue, reference)
    order = find_order(book, key)
    if find_own(book, key, order) != 0:
        return APPLIED
    row = header.free_own
    if row != 0:
        header.free_own = own[row].following
    elif header.used_own < header.own_capacity:
        row = header.used_own + 1
        header.used_own = row
    else:
        return FULL
    header.live_own += 1
    own[row].key = key
    own[row].order = 0
    if order == 0:
        bucket = pending_bucket(book, key)
        own[row].following = load_i64(bucket)
        store_i64(bucket, row)
        header.pending_own += 1
    else:
        attach_own(book, row, order, quantity_before(book, order))
    return APPLIED


@hot
def untrack_own(book, venue, reference):
    """Forget one of our orders."""
    key = order_key(venue, reference)
    order = find_order(book, key)
    row = find_own(book, key, order)
    if row == 0:
        return UNKNOWN_ORDER
    if order != 0:
        drop_own(book, order)
    else:
        unlink_pending(book, row)
        free_own(book, row)
    return APPLIED


@hot
def quantity_ahead(book, venue, reference):
    """Quantity that executes before our order at its price, or -1 when the order is not tracked or not in the book."""
    header = view(book, 1, BOOK)[0]
    key = order_key(venue, reference)
    order = find_order(book, key)
    if order == 0:
        return UNKNOWN_AHEAD
    row = find_own(book, key, order)
    if row == 0:
        return UNKNOWN_AHEAD
    return view(header.own, header.own_capacity + 1, OWN)[row].quantity_ahead


@hot
def find_own(book, key, order):
    """Row of the tracked order, or 0; `order` is its row in the book, or 0."""
    header = view(book, 1, BOOK)[0]
    own = view(header.own, header.own_capacity + 1, OWN)
    row = load_i64(pending_bucket(book, key))
    if order != 0:
        listing = int64(view(header.orders, header.order_capacity + 1, ORDER)[order].listing_side) >> 1
        row = int64(view(header.listings, header.listing_count, LISTING)[listing].tracked)
    while row != 0 and own[row].key != key:
        row = own[row].following
    return row


@hot_inlined
def note_arrival(book, order, ahead):
    """An order joined a level that held `ahead`."""
    header = view(book, 1, BOOK)[0]
    entry = view(header.orders, header.order_capacity + 1, ORDER)[order]
    arrived = header.arrived + 1
    header.arrived = arrived
    entry.arrival = arrived
    entry.ahead = min(ahead, AHEAD_UNKNOWN)


@hot_inlined
def note_departure(book, listing_side, price, order, quantity):
    """`quantity` of `order` has left its level: those of ours that came later have less ahead."""
    header = view(book, 1, BOOK)[0]
    arrival = int64(view(header.orders, header.order_capacity + 1, ORDER)[order].arrival)
    gone = view(header.departures, DEPARTURES, DEPARTURE)[header.departed & (DEPARTURES - 1)]
    header.departed += 1
    gone.listing_side = listing_side
    gone.price = price
    gone.quantity = quantity
    gone.arrival = arrival
    gone.arrived = header.arrived
    row = int64(view(header.listings, header.listing_count, LISTING)[listing_side >> 1].tracked)
    if row != 0:
        pass_quantity(book, row, listing_side, price, arrival, quantity)


@hot
def quantity_before(book, order):
    """Sum of the quantities that came before `order` at its level, for an order tracked after it joined."""
    header = view(book, 1, BOOK)[0]
    entry = view(header.orders, header.order_capacity + 1, ORDER)[order]
    departures = view(header.departures, DEPARTURES, DEPARTURE)
    total = int64(entry.ahead)
    if total == AHEAD_UNKNOWN:
        return count_before(book, order)
    at = header.departed
    oldest = max(at - DEPARTURES, 0)
    while at > oldest:
        at -= 1
        gone = departures[at & (DEPARTURES - 1)]
        if gone.arrived < entry.arrival:
            return total
        if gone.listing_side == entry.listing_side and gone.price == entry.price and gone.arrival < entry.arrival:
            total -= int64(gone.quantity)
    return total if oldest == 0 else count_before(book, order)


@hot
def count_before(book, order):
    """As `quantity_before`, by a look at every order of the books: for one that joined long ago."""
    header = view(book, 1, BOOK)[0]
    orders = view(header.orders, header.order_capacity + 1, ORDER)
    entry = orders[order]
    total = int64(0)
    for row in range(1, header.used_orders + 1):
        other = orders[row]
        if other.listing_side == entry.listing_side and other.price == entry.price and other.arrival < entry.arrival:
            total += int64(other.quantity)  # 0 in a free row
    return total


@hot
def attach_own(book, row, order, quantity_ahead):
    """The tracked order is in the book, with this much ahead."""
    header = view(book, 1, BOOK)[0]
    own = view(header.own, header.own_capacity + 1, OWN)
    entry = view(header.orders, header.order_capacity + 1, ORDER)[order]
    place = view(header.listings, header.listing_count, LISTING)[entry.listing_side >> 1]
    own[row].quantity_ahead = quantity_ahead
    own[row].arrival = entry.arrival
    own[row].price = entry.price
    own[row].listing_side = entry.listing_side
    own[row].order = order
    own[row].following = place.tracked
    place.tracked = row


@hot
def adopt_pending(book, order, quantity_ahead):
    """An order has been added while own orders are awaited: is it one of them?"""
    header = view(book, 1, BOOK)[0]
    key = view(header.orders, header.order_capacity + 1, ORDER)[order].key
    row = find_own(book, key, 0)
    if row != 0:
        unlink_pending(book, row)
        attach_own(book, row, order, quantity_ahead)


@hot
def pending_bucket(book, key):
    """Address of the first of the awaited own orders whose keys fall together with `key`."""
    header = view(book, 1, BOOK)[0]
    return header.pending + ((key ^ (key >> PENDING_BITS)) & (PENDING_BUCKETS - 1)) * 8


@hot
def unlink_pending(book, row):
    """Take an own order out of those awaited."""
    header = view(book, 1, BOOK)[0]
    own = view(header.own, header.own_capacity + 1, OWN)
    header.pending_own -= 1
    bucket = pending_bucket(book, own[row].key)
    at = load_i64(bucket)
    if at == row:
        store_i64(bucket, own[row].following)
        return
    while own[at].following != row:
        at = own[at].following
    own[at].following = own[row].following


@hot
def free_own(book, row):
    """The row can be used again."""
    header = view(book, 1, BOOK)[0]
    own = view(header.own, header.own_capacity + 1, OWN)
    own[row].key = 0
    own[row].order = 0
    own[row].following = header.free_own
    header.free_own = row
    header.live_own -= 1


@hot
def pass_quantity(book, row, listing_side, price, arrival, quantity):
    """Take what left ahead of them from the own orders of a listing, the first of which is `row`."""
    header = view(book, 1, BOOK)[0]
    own = view(header.own, header.own_capacity + 1, OWN)
    while row != 0:
        if own[row].listing_side == listing_side and own[row].price == price and own[row].arrival > arrival:
            own[row].quantity_ahead -= quantity
        row = own[row].following


@hot
def drop_own(book, order):
    """`order` leaves the book: forget it if it is ours. Returns 1 when it was."""
    header = view(book, 1, BOOK)[0]
    own = view(header.own, header.own_capacity + 1, OWN)
    listing = int64(view(header.orders, header.order_capacity + 1, ORDER)[order].listing_side) >> 1
    place = view(header.listings, header.listing_count, LISTING)[listing]
    row = int64(place.tracked)
    before = int64(0)
    while row != 0 and own[row].order != order:
        before = row
        row = own[row].following
    if row == 0:
        return 0
    if before == 0:
        place.tracked = own[row].following
    else:
        own[before].following = own[row].following
    free_own(book, row)
    return 1
