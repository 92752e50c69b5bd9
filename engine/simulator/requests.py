"""One door to the matching: a request is stamped with a time that never runs backwards and carried out."""

from __future__ import annotations

from engine.messages.codes import OrderAction, Side
from engine.native import hot, view
from engine.simulator.layout import (
    BOOK,
    FLOW,
    INSTRUMENT,
    LEVEL,
    LONGEST_MESSAGE,
    ORDER,
    QUOTE,
    REPRICE,
    REQUEST,
    TAKE,
    CancelReason,
    Refusal,
)
from engine.simulator.matching import beyond, cancel, enter, execute, replace, reprice, take, take_reference, withdraw
from engine.simulator.order_table import find_order, order_key
from engine.simulator.publish import publish_add, publish_cancel, publish_replace
from engine.simulator.queues import rest, unrest

ENTER, REPLACE, CANCEL = int(OrderAction.ENTER), int(OrderAction.REPLACE), int(OrderAction.CANCEL)
BUY = int(Side.BUY)
UNREAD = int(Refusal.UNREAD)
BY_USER, INVALID_REQUEST, CAPACITY = int(CancelReason.USER), int(Refusal.INVALID_REQUEST), int(Refusal.CAPACITY)


@hot
def has_room(book):
    """Whether results and messages have room for the most that one request can cause: a trade with every order."""
    header = view(book, 1, BOOK)[0]
    most = header.resting_count + 8
    unwritten = header.message_capacity - header.message_length
    return unwritten >= most * LONGEST_MESSAGE and header.result_capacity - header.result_count >= 2 * most


@hot
def apply(book, request):
    """Carry a request out. Returns 0 or a `Refusal`."""
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    if wanted.action == TAKE:  # says nothing, and so needs no room
        return take(book, request)
    if not has_room(book):
        return UNREAD
    wanted.time_ns = max(wanted.time_ns, header.clock_ns)
    header.clock_ns = wanted.time_ns
    wanted.executed = 0
    if wanted.action == ENTER:
        return enter(book, request)
    if wanted.action == REPLACE:
        return replace(book, request)
    if wanted.action == CANCEL:
        return cancel(book, request)
    if wanted.action == QUOTE:
        return set_quote(book, request)
    if wanted.action == REPRICE:
        return reprice(book, request)
    return INVALID_REQUEST


@hot
def meet(book, request, reference):
    """Let a quote meet the other side of the book; returns what stays displayed.

    Owners' orders that it reaches trade with it, best first. Quotes that it locks or crosses are withdrawn: recorded
    quotes do not trade with each other and markets do not lock or cross, so the newer proves that the older is gone.
    """
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[wanted.instrument]
    levels = view(header.levels, header.level_capacity + 1, LEVEL)
    orders = view(header.orders, header.order_capacity + 1, ORDER)
    remaining = wanted.quantity
    place = entry.best_ask if wanted.side == BUY else entry.best_bid
    while place != 0 and not beyond(wanted.side, levels[place].price, wanted.price):
        following = levels[place].worse
        index = levels[place].first
        hidden = levels[place].hidden_first
        while index != 0 or hidden != 0:
            if index == 0:
                index = hidden
                hidden = 0
            later = orders[index].later
            if orders[index].owner == 0:
                withdraw(book, index, BY_USER, wanted.time_ns)
            elif remaining > 0:
                traded = min(remaining, orders[index].quantity)
                remaining -= traded
                execute(book, request, reference, index, traded, remaining)
            index = later
        place = following
    return remaining


@hot
def set_quote(book, request):
    """A participant's displayed quote on one side becomes price and quantity; `user_reference` names it for good."""
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    index = find_order(book, order_key(wanted.owner, wanted.user_reference))
    halted = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[wanted.instrument].halted
    if wanted.quantity == 0 or halted != 0:  # nobody's quote stands in a halted instrument
        if index != 0:
            withdraw(book, index, BY_USER, wanted.time_ns)
        return 0
    if index == 0 and (header.free_order == 0 or header.free_level == 0):
        return CAPACITY
    previous = 0
    if index != 0:
        order = view(header.orders, header.order_capacity + 1, ORDER)[index]
        if order.price == wanted.price and wanted.quantity <= order.quantity:
            gone = order.quantity - wanted.quantity
            if gone > 0:
                order.quantity = wanted.quantity
                view(header.levels, header.level_capacity + 1, LEVEL)[order.level].quantity -= gone
                publish_cancel(book, order.instrument, order.reference, gone, wanted.time_ns)
            return 0
        previous = order.reference
    reference = take_reference(book)
    open_quantity = meet(book, request, reference)
    if open_quantity == 0:
        if index != 0:
            withdraw(book, index, BY_USER, wanted.time_ns)
        return 0
    if previous != 0:
        unrest(book, index)
        publish_replace(book, wanted.instrument, previous, reference, open_quantity, wanted.price, wanted.time_ns)
    else:
        publish_add(book, wanted.instrument, reference, wanted.side, open_quantity, wanted.price, wanted.time_ns)
    rest(book, request, reference, open_quantity)
    return 0


@hot
def load_flow(record, request):
    """Turn a recorded request of the simulated market into a request."""
    recorded = view(record, 1, FLOW)[0]
    wanted = view(request, 1, REQUEST)[0]
    wanted.time_ns = recorded.time_ns
    wanted.action = recorded.action
    wanted.owner = 0
    wanted.user_reference = recorded.user_reference
    wanted.existing_reference = recorded.existing_reference
    wanted.instrument = recorded.instrument
    wanted.side = recorded.side
    wanted.price = recorded.price
    wanted.quantity = recorded.quantity
    wanted.time_in_force = recorded.time_in_force
    wanted.minimum_quantity = 0
    wanted.displayed = recorded.displayed
    wanted.reason = BY_USER


@hot
def store_flow(record, request):
    """Record a request of the simulated market."""
    recorded = view(record, 1, FLOW)[0]
    wanted = view(request, 1, REQUEST)[0]
    recorded.time_ns = wanted.time_ns
    recorded.user_reference = wanted.user_reference
    recorded.existing_reference = wanted.existing_reference
    recorded.price = wanted.price
    recorded.quantity = wanted.quantity
    recorded.instrument = wanted.instrument
    recorded.action = wanted.action
    recorded.side = wanted.side
    recorded.time_in_force = wanted.time_in_force
    recorded.displayed = wanted.displayed
    recorded.reserved = 0
