"""Orders by reference: a hash whose first row of each value stands in the table itself, so that an order is nearly
always one look at memory away. Orders that find their home row taken stand behind the home rows, chained to theirs.
Nothing moves: a row is an order's for as long as it lives, and nothing decays over a day.

References mostly rise by small steps. The hash keeps neighbours together (adds walk through memory in order) and folds
the higher bits in, so that references with a large stride, or equal ones of two venues, still spread.
"""

from __future__ import annotations

from numpy import int64

from engine.hotpath.book_layout import BOOK, HIGHEST_REFERENCE, ORDER
from engine.native import hot_inlined, view


@hot_inlined
def order_key(venue, reference):
    """Key of an order: references are unique within a venue's feed. -1, which no order has, when out of bounds."""
    if reference < 0 or reference > HIGHEST_REFERENCE:
        return -1
    return (venue << 56) | reference


@hot_inlined
def home_of(book, key):
    """The home row of `key`."""
    header = view(book, 1, BOOK)[0]
    bits = header.home_bits
    folded = key ^ (key >> bits) ^ (key >> header.fold_2) ^ (key >> header.fold_3)
    return 1 + (folded & ((1 << bits) - 1))


@hot_inlined
def find_order(book, key):
    """Row of the order, or 0."""
    header = view(book, 1, BOOK)[0]
    orders = view(header.orders, header.order_rows, ORDER)
    row = home_of(book, key)
    while row != 0 and (orders[row].key != key or orders[row].quantity == 0):
        row = int64(orders[row].chain)
    return row


@hot_inlined
def insert_order(book, key):
    """A row for a new order under `key`, its other fields not yet set; 0 when there are as many as there may be."""
    header = view(book, 1, BOOK)[0]
    orders = view(header.orders, header.order_rows, ORDER)
    if header.live_orders >= header.order_capacity:
        return 0
    header.live_orders += 1
    row = home_of(book, key)
    if orders[row].quantity != 0:
        row = chain_order(book, row)
    orders[row].key = key
    return row


@hot_inlined
def chain_order(book, home):
    """A row behind the home rows, first of those that are chained to this one."""
    header = view(book, 1, BOOK)[0]
    orders = view(header.orders, header.order_rows, ORDER)
    row = header.free_order
    if row != 0:
        header.free_order = int64(orders[row].chain)
    else:
        header.used_orders += 1
        row = (1 << header.home_bits) + header.used_orders
    orders[row].chain = orders[home].chain
    orders[home].chain = row
    return row


@hot_inlined
def remove_order(book, row, key):
    """Forget the order of `row`, which has this key; the row is free again."""
    header = view(book, 1, BOOK)[0]
    orders = view(header.orders, header.order_rows, ORDER)
    orders[row].quantity = 0
    header.live_orders -= 1
    at = home_of(book, key)
    if at == row:
        return
    while orders[at].chain != row:
        at = int64(orders[at].chain)
    orders[at].chain = orders[row].chain
    orders[row].chain = header.free_order
    header.free_order = row
