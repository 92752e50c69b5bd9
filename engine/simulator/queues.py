"""Order-by-order queues: sorted levels per side, a FIFO per level, displayed orders before hidden ones."""

from __future__ import annotations

from engine.messages.codes import Side
from engine.native import hot, view
from engine.simulator.layout import BOOK, INSTRUMENT, LEVEL, ORDER, OWNER, REQUEST
from engine.simulator.order_table import insert_order, order_key, remove_order

BUY = int(Side.BUY)


@hot
def level_at(book, instrument, side, price):
    """Level of that price, made when absent. The caller has checked that a level is free."""
    header = view(book, 1, BOOK)[0]
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[instrument]
    levels = view(header.levels, header.level_capacity + 1, LEVEL)
    better = 0
    place = entry.best_bid if side == BUY else entry.best_ask
    while place != 0 and (levels[place].price > price if side == BUY else levels[place].price < price):
        better = place
        place = levels[place].worse
    if place != 0 and levels[place].price == price:
        return place
    made = header.free_level
    header.free_level = levels[made].worse
    level = levels[made]
    level.price = price
    level.quantity = 0
    level.first = 0
    level.last = 0
    level.hidden_first = 0
    level.hidden_last = 0
    level.better = better
    level.worse = place
    if place != 0:
        levels[place].better = made
    if better != 0:
        levels[better].worse = made
    elif side == BUY:
        entry.best_bid = made
    else:
        entry.best_ask = made
    return made


@hot
def drop_level(book, instrument, side, place):
    """Take an empty level out of its side."""
    header = view(book, 1, BOOK)[0]
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[instrument]
    levels = view(header.levels, header.level_capacity + 1, LEVEL)
    level = levels[place]
    if level.worse != 0:
        levels[level.worse].better = level.better
    if level.better != 0:
        levels[level.better].worse = level.worse
    elif side == BUY:
        entry.best_bid = level.worse
    else:
        entry.best_ask = level.worse
    level.worse = header.free_level
    header.free_level = place


@hot
def join_queue(book, place, index):
    """Put an order at the end of its level's displayed or hidden queue."""
    header = view(book, 1, BOOK)[0]
    orders = view(header.orders, header.order_capacity + 1, ORDER)
    level = view(header.levels, header.level_capacity + 1, LEVEL)[place]
    order = orders[index]
    displayed = order.displayed != 0
    last = level.last if displayed else level.hidden_last
    order.level = place
    order.earlier = last
    order.later = 0
    if last != 0:
        orders[last].later = index
    elif displayed:
        level.first = index
    else:
        level.hidden_first = index
    if displayed:
        level.last = index
    else:
        level.hidden_last = index
    level.quantity += order.quantity


@hot
def leave_queue(book, index):
    """Take an order out of its level; an empty level goes too."""
    header = view(book, 1, BOOK)[0]
    orders = view(header.orders, header.order_capacity + 1, ORDER)
    order = orders[index]
    level = view(header.levels, header.level_capacity + 1, LEVEL)[order.level]
    displayed = order.displayed != 0
    if order.earlier != 0:
        orders[order.earlier].later = order.later
    elif displayed:
        level.first = order.later
    else:
        level.hidden_first = order.later
    if order.later != 0:
        orders[order.later].earlier = order.earlier
    elif displayed:
        level.last = order.earlier
    else:
        level.hidden_last = order.earlier
    level.quantity -= order.quantity
    if level.first == 0 and level.hidden_first == 0:
        drop_level(book, order.instrument, order.side, order.level)


@hot
def own(book, index):
    """Append an order to its owner's list of open orders, oldest first."""
    header = view(book, 1, BOOK)[0]
    orders = view(header.orders, header.order_capacity + 1, ORDER)
    order = orders[index]
    owner = view(header.owners, header.owner_count + 1, OWNER)[order.owner]
    owner.open_count += 1
    if order.owner == 0:
        return
    order.owner_earlier = owner.last
    order.owner_later = 0
    if owner.last != 0:
        orders[owner.last].owner_later = index
    else:
        owner.first = index
    owner.last = index


@hot
def disown(book, index):
    """Take an order off its owner's list."""
    header = view(book, 1, BOOK)[0]
    orders = view(header.orders, header.order_capacity + 1, ORDER)
    order = orders[index]
    owner = view(header.owners, header.owner_count + 1, OWNER)[order.owner]
    owner.open_count -= 1
    if order.owner == 0:
        return
    if order.owner_earlier != 0:
        orders[order.owner_earlier].owner_later = order.owner_later
    else:
        owner.first = order.owner_later
    if order.owner_later != 0:
        orders[order.owner_later].owner_earlier = order.owner_earlier
    else:
        owner.last = order.owner_earlier


@hot
def rest(book, request, reference, quantity):
    """Put the open part of a request into the book; returns its row. The caller has checked that there is room."""
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    orders = view(header.orders, header.order_capacity + 1, ORDER)
    index = header.free_order
    header.free_order = orders[index].later
    order = orders[index]
    order.reference = reference
    order.owner = wanted.owner
    order.user_reference = wanted.user_reference
    order.instrument = wanted.instrument
    order.side = wanted.side
    order.price = wanted.price
    order.quantity = quantity
    order.executed = wanted.executed + wanted.quantity - quantity
    order.displayed = wanted.displayed
    header.resting_count += 1
    insert_order(book, order_key(wanted.owner, wanted.user_reference), index)
    join_queue(book, level_at(book, wanted.instrument, wanted.side, wanted.price), index)
    own(book, index)
    return index


@hot
def unrest(book, index):
    """Take an order out of the book and free its row. The row's fields stay readable until the next `rest`."""
    header = view(book, 1, BOOK)[0]
    order = view(header.orders, header.order_capacity + 1, ORDER)[index]
    remove_order(book, order_key(order.owner, order.user_reference))
    leave_queue(book, index)
    disown(book, index)
    order.later = header.free_order
    header.free_order = index
    header.resting_count -= 1
