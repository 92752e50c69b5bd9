"""Orders by reference: a chained hash over a pool of rows. Removal unlinks, so nothing decays over a day.

References mostly rise by small steps. The hash keeps neighbours together (adds walk through memory in order) and folds
the higher bits in, so that references with a large stride, or equal ones of two venues, still spread.
"""

from __future__ import annotations

from numpy import int64

from engine.hotpath.book_layout import BOOK, HIGHEST_REFERENCE, ORDER, ORDER_SIZE
from engine.native import hot, hot_inlined, load_le32, prefetch, store_le32, view


@hot_inlined
def order_key(venue, reference):
    """Key of an order: references are unique within a venue's feed. -1, which no order has, when out of bounds."""
    if reference < 0 or reference > HIGHEST_REFERENCE:
        return -1
    return (venue << 56) | reference


@hot_inlined
def bucket_of(book, key):
    """Address of the first row of the bucket that `key` belongs to."""
    header = view(book, 1, BOOK)[0]
    bits = header.head_bits
    folded = key ^ (key >> bits) ^ (key >> header.fold_2) ^ (key >> header.fold_3)
    return header.heads + (folded & ((1 << bits) - 1)) * 4


@hot_inlined
def find_order(book, key):
    """Row of the order, or 0."""
    header = view(book, 1, BOOK)[0]
    orders = view(header.orders, header.order_capacity + 1, ORDER)
    row = load_le32(bucket_of(book, key))
    while row != 0 and orders[row].key != key:
        row = int64(orders[row].chain)
    return row


@hot_inlined
def insert_order(book, key):
    """A row for a new order under `key`, its other fields not yet set; 0 when every row is taken."""
    header = view(book, 1, BOOK)[0]
    orders = view(header.orders, header.order_capacity + 1, ORDER)
    row = header.free_order
    if row != 0:
        header.free_order = int64(orders[row].chain)
    elif header.used_orders < header.order_capacity:
        row = header.used_orders + 1
        header.used_orders = row
    else:
        return 0
    header.live_orders += 1
    bucket = bucket_of(book, key)
    orders[row].key = key
    orders[row].chain = load_le32(bucket)
    store_le32(bucket, row)
    return row


@hot_inlined
def remove_order(book, row, key):
    """Forget the order of `row`, which has this key; the row is free again."""
    header = view(book, 1, BOOK)[0]
    orders = view(header.orders, header.order_capacity + 1, ORDER)
    bucket = bucket_of(book, key)
    at = load_le32(bucket)
    if at == row:
        store_le32(bucket, int64(orders[row].chain))
    else:
        while orders[at].chain != row:
            at = int64(orders[at].chain)
        orders[at].chain = orders[row].chain
    orders[row].quantity = 0
    orders[row].chain = header.free_order
    header.free_order = row
    header.live_orders -= 1


@hot
def prefetch_order(book, venue, reference):
    """First step, well before the order is needed: its bucket."""
    prefetch(bucket_of(book, order_key(venue, reference)))


@hot
def prefetch_order_row(book, venue, reference):
    """Second step: the first row of its bucket, which is nearly always the order."""
    header = view(book, 1, BOOK)[0]
    prefetch(header.orders + load_le32(bucket_of(book, order_key(venue, reference))) * ORDER_SIZE)
