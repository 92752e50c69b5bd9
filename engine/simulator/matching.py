"""Price-time matching on integers: requests in, results and ITCH messages out. Time comes with the request.

Every function takes the address of a book (`BookMemory.address`) and most the address of a REQUEST. Prices are 1/10,000
of the currency, quantities shares, times UTC nanoseconds.
"""

from __future__ import annotations

from engine.messages.codes import Side, TimeInForce
from engine.native import hot, view
from engine.simulator.impact import note_taken
from engine.simulator.layout import (
    BOOK,
    INSTRUMENT,
    LEVEL,
    MARKET_PRICE,
    ORDER,
    OWNER,
    REQUEST,
    CancelReason,
    Refusal,
    SelfMatch,
)
from engine.simulator.order_table import find_order, order_key
from engine.simulator.publish import (
    publish_add,
    publish_cancel,
    publish_delete,
    publish_executed,
    publish_replace,
    publish_trade,
)
from engine.simulator.queues import rest, unrest
from engine.simulator.refusals import refusal
from engine.simulator.results import (
    report_accepted,
    report_canceled,
    report_closed,
    report_executed,
    report_filled,
    report_rejected,
    report_replaced,
)

BUY, SELL, DAY, FOK = int(Side.BUY), int(Side.SELL), int(TimeInForce.DAY), int(TimeInForce.FOK)
POST_ONLY = int(TimeInForce.POST_ONLY)
ALLOW, CANCEL_RESTING = int(SelfMatch.ALLOW), int(SelfMatch.CANCEL_RESTING)
BY_USER, BY_TIME = int(CancelReason.USER), int(CancelReason.IMMEDIATE_OR_CANCEL)
BY_SELF_MATCH, BY_SYSTEM = int(CancelReason.SELF_MATCH), int(CancelReason.SYSTEM)
BY_POST_ONLY = int(CancelReason.POST_ONLY)
CAPACITY, UNKNOWN_ORDER = int(Refusal.CAPACITY), int(Refusal.UNKNOWN_ORDER)
INVALID_PRICE = int(Refusal.INVALID_PRICE)
DUPLICATE_REFERENCE = int(Refusal.DUPLICATE_REFERENCE)


@hot
def beyond(side, resting_price, price):
    """Whether a resting price is too far away for an incoming order of `side` limited to `price`."""
    return resting_price > price if side == BUY else resting_price < price


@hot
def limit_of(request):
    """The price an order may trade up to; a market order sells down to anything."""
    wanted = view(request, 1, REQUEST)[0]
    return 1 if wanted.price == MARKET_PRICE and wanted.side == SELL else wanted.price


@hot
def available(book, request, wanted_quantity):
    """Quantity an incoming order could take at once, counted up to `wanted_quantity`."""
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[wanted.instrument]
    levels = view(header.levels, header.level_capacity + 1, LEVEL)
    orders = view(header.orders, header.order_capacity + 1, ORDER)
    limit = limit_of(request)
    found = 0
    place = entry.best_ask if wanted.side == BUY else entry.best_bid
    while place != 0 and found < wanted_quantity and not beyond(wanted.side, levels[place].price, limit):
        if wanted.owner == 0 or header.self_match == ALLOW:
            found += levels[place].quantity
        else:
            for queue in range(2):
                index = levels[place].first if queue == 0 else levels[place].hidden_first
                while index != 0 and found < wanted_quantity:
                    if orders[index].owner != wanted.owner:
                        found += orders[index].quantity
                    elif header.self_match != CANCEL_RESTING:
                        return found
                    index = orders[index].later
        place = levels[place].worse
    return found


@hot
def execute(book, request, reference, index, quantity, leaves):
    """Fill `quantity` of resting order `index` with an incoming order that keeps `leaves`."""
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    order = view(header.orders, header.order_capacity + 1, ORDER)[index]
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[order.instrument]
    match_number = header.next_match
    header.next_match = match_number + 1
    header.trade_count += 1
    order.quantity -= quantity
    order.executed += quantity
    view(header.levels, header.level_capacity + 1, LEVEL)[order.level].quantity -= quantity
    entry.last_price = order.price
    entry.traded_quantity += quantity
    if wanted.owner != 0 and entry.impact_scale != 0:
        note_taken(book, wanted.instrument, wanted.side, quantity, wanted.time_ns)
    if order.displayed != 0:
        publish_executed(book, order.instrument, order.reference, quantity, match_number, wanted.time_ns)
    else:
        publish_trade(book, order.instrument, quantity, order.price, match_number, wanted.time_ns)
    report_filled(book, index, quantity, match_number, wanted.time_ns)
    report_executed(book, request, reference, order.price, quantity, leaves, match_number)
    if order.quantity == 0:
        unrest(book, index)


@hot
def withdraw(book, index, reason, time_ns):
    """Take a whole resting order out; tell its owner and the market."""
    header = view(book, 1, BOOK)[0]
    order = view(header.orders, header.order_capacity + 1, ORDER)[index]
    report_canceled(book, index, order.quantity, 0, reason, time_ns)
    if order.displayed != 0:
        publish_delete(book, order.instrument, order.reference, time_ns)
    unrest(book, index)


@hot
def match(book, request, reference):
    """Trade an incoming order against the other side; returns what stays open, negative when a self match ended it."""
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[wanted.instrument]
    levels = view(header.levels, header.level_capacity + 1, LEVEL)
    orders = view(header.orders, header.order_capacity + 1, ORDER)
    limit = limit_of(request)
    remaining = wanted.quantity
    while remaining > 0:
        place = entry.best_ask if wanted.side == BUY else entry.best_bid
        if place == 0 or beyond(wanted.side, levels[place].price, limit):
            break
        index = levels[place].first if levels[place].first != 0 else levels[place].hidden_first
        if wanted.owner != 0 and orders[index].owner == wanted.owner and header.self_match != ALLOW:
            header.prevented_quantity = min(remaining, orders[index].quantity)
            header.prevented_price = levels[place].price
            if header.self_match != CANCEL_RESTING:
                return -remaining
            withdraw(book, index, BY_SELF_MATCH, wanted.time_ns)
            continue
        traded = min(remaining, orders[index].quantity)
        remaining -= traded
        execute(book, request, reference, index, traded, remaining)
    return remaining


@hot
def crosses(book, request):
    """Whether the order would trade at once."""
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[wanted.instrument]
    place = entry.best_ask if wanted.side == BUY else entry.best_bid
    if place == 0:
        return False
    return not beyond(wanted.side, view(header.levels, header.level_capacity + 1, LEVEL)[place].price, wanted.price)


@hot
def work(book, request, reference):
    """Match an accepted order, then rest or cancel what is open. One that only posts is canceled if it would trade."""
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    if wanted.time_in_force == POST_ONLY and crosses(book, request):
        report_closed(book, request, reference, wanted.quantity, BY_POST_ONLY)
        return
    least = wanted.quantity if wanted.time_in_force == FOK else wanted.minimum_quantity
    remaining = wanted.quantity
    if least == 0 or available(book, request, least) >= least:
        remaining = match(book, request, reference)
    if remaining == 0:
        return
    if remaining < 0:
        report_closed(book, request, reference, -remaining, BY_SELF_MATCH)
    elif wanted.time_in_force != DAY and wanted.time_in_force != POST_ONLY:
        report_closed(book, request, reference, remaining, BY_TIME)
    elif header.free_order == 0 or header.free_level == 0:
        report_closed(book, request, reference, remaining, BY_SYSTEM)
    else:
        rest(book, request, reference, remaining)
        if wanted.displayed != 0:
            publish_add(book, wanted.instrument, reference, wanted.side, remaining, wanted.price, wanted.time_ns)


@hot
def take_reference(book):
    """The next order reference number of the day."""
    header = view(book, 1, BOOK)[0]
    reference = header.next_reference
    header.next_reference = reference + 1
    return reference


@hot
def enter(book, request):
    """A new order. Returns 0, or the `Refusal`, which its owner has been told."""
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    reason = refusal(book, request)
    if reason == 0 and find_order(book, order_key(wanted.owner, wanted.user_reference)) != 0:
        reason = DUPLICATE_REFERENCE
    if reason != 0:
        header.refused_count += 1
        report_rejected(book, request, reason)
        return reason
    reference = take_reference(book)
    report_accepted(book, request, reference)
    work(book, request, reference)
    return 0


@hot
def replace(book, request):
    """OUCH replace: cancel and enter in one step, always with new time priority.

    `quantity` counts what the chain has already executed; the rest becomes the open quantity.
    Nothing happens when the existing order is not open (UNKNOWN_ORDER) or the new reference is in use; details that
    could not be entered cancel the existing order and return the refusal, and the new reference stays unused.
    """
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    index = find_order(book, order_key(wanted.owner, wanted.existing_reference))
    if index == 0:
        return UNKNOWN_ORDER
    if find_order(book, order_key(wanted.owner, wanted.user_reference)) != 0:
        return DUPLICATE_REFERENCE
    order = view(header.orders, header.order_capacity + 1, ORDER)[index]
    wanted.instrument = order.instrument
    wanted.side = order.side
    wanted.executed = order.executed
    wanted.quantity -= order.executed
    previous = order.reference
    was_displayed = order.displayed
    reason = refusal(book, request)
    if reason == CAPACITY and header.free_level != 0:
        reason = 0
    if reason != 0:
        withdraw(book, index, BY_USER, wanted.time_ns)
        return reason
    reference = take_reference(book)
    unrest(book, index)
    report_replaced(book, request, reference)
    rests = (wanted.time_in_force == DAY or wanted.time_in_force == POST_ONLY) and not crosses(book, request)
    if rests and was_displayed != 0 and wanted.displayed != 0:
        rest(book, request, reference, wanted.quantity)
        publish_replace(book, wanted.instrument, previous, reference, wanted.quantity, wanted.price, wanted.time_ns)
        return 0
    if was_displayed != 0:
        publish_delete(book, wanted.instrument, previous, wanted.time_ns)
    work(book, request, reference)
    return 0


@hot
def cancel(book, request):
    """OUCH cancel: limit what can execute in total to `quantity` (0: all of the rest leaves). Keeps time priority.

    Returns 0, or UNKNOWN_ORDER with nothing reported: it is filled or gone, and its owner has been told.
    """
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    index = find_order(book, order_key(wanted.owner, wanted.user_reference))
    if index == 0:
        return UNKNOWN_ORDER
    order = view(header.orders, header.order_capacity + 1, ORDER)[index]
    leaves = max(0, wanted.quantity - order.executed)
    if leaves >= order.quantity:
        return 0
    if leaves == 0:
        withdraw(book, index, wanted.reason, wanted.time_ns)
        return 0
    gone = order.quantity - leaves
    order.quantity = leaves
    view(header.levels, header.level_capacity + 1, LEVEL)[order.level].quantity -= gone
    report_canceled(book, index, gone, leaves, wanted.reason, wanted.time_ns)
    if order.displayed != 0:
        publish_cancel(book, order.instrument, order.reference, gone, wanted.time_ns)
    return 0


@hot
def reprice(book, request):
    """The exchange gives a resting order another price by itself: a new number in the feed, time priority is new.

    Returns 0, UNKNOWN_ORDER, or INVALID_PRICE for one at which it would trade; then nothing happened.
    """
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    index = find_order(book, order_key(wanted.owner, wanted.user_reference))
    if index == 0:
        return UNKNOWN_ORDER
    order = view(header.orders, header.order_capacity + 1, ORDER)[index]
    wanted.instrument = order.instrument
    wanted.side = order.side
    wanted.quantity = order.quantity
    wanted.executed = order.executed
    wanted.displayed = order.displayed
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[wanted.instrument]
    if wanted.price <= 0 or wanted.price % entry.tick_size != 0 or header.free_level == 0 or crosses(book, request):
        return INVALID_PRICE
    previous = order.reference
    reference = take_reference(book)
    unrest(book, index)
    rest(book, request, reference, wanted.quantity)
    if wanted.displayed != 0:
        publish_replace(book, wanted.instrument, previous, reference, wanted.quantity, wanted.price, wanted.time_ns)
    return 0


@hot
def take(book, request):
    """Some of a resting order was filled in a cross; nobody is told. Returns 0 or UNKNOWN_ORDER."""
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    index = find_order(book, order_key(wanted.owner, wanted.user_reference))
    if index == 0:
        return UNKNOWN_ORDER
    order = view(header.orders, header.order_capacity + 1, ORDER)[index]
    quantity = min(wanted.quantity, order.quantity)
    order.quantity -= quantity
    order.executed += quantity
    view(header.levels, header.level_capacity + 1, LEVEL)[order.level].quantity -= quantity
    if order.quantity == 0:
        unrest(book, index)
    return 0


@hot
def cancel_owned(book, owner, instrument, reason, time_ns):
    """Mass cancel: every open order of `owner` (of one instrument when not 0), oldest first. Returns how many."""
    header = view(book, 1, BOOK)[0]
    orders = view(header.orders, header.order_capacity + 1, ORDER)
    index = view(header.owners, header.owner_count + 1, OWNER)[owner].first
    canceled = 0
    while index != 0:
        following = orders[index].owner_later
        if instrument == 0 or orders[index].instrument == instrument:
            withdraw(book, index, reason, time_ns)
            canceled += 1
        index = following
    return canceled


@hot
def set_entry(book, owner, disabled):
    """Disable (1) or enable (0) order entry of an owner; cancels always pass."""
    header = view(book, 1, BOOK)[0]
    view(header.owners, header.owner_count + 1, OWNER)[owner].entry_disabled = disabled
