"""What owners are told: RESULT records, for owners above 0. The simulated market (owner 0) watches its own feed."""

from __future__ import annotations

from engine.messages.codes import Liquidity, ReportKind
from engine.native import hot, view
from engine.simulator.layout import BOOK, ORDER, REQUEST, RESULT, CancelReason

ACCEPTED, REPLACED, CANCELED = int(ReportKind.ACCEPTED), int(ReportKind.REPLACED), int(ReportKind.CANCELED)
EXECUTED, REJECTED = int(ReportKind.EXECUTED), int(ReportKind.REJECTED)
BY_SELF_MATCH = int(CancelReason.SELF_MATCH)
ADDED, REMOVED = int(Liquidity.ADDED), int(Liquidity.REMOVED)


@hot
def _next(book):
    """Number of the next result. A drained buffer has room for whatever one request can cause."""
    header = view(book, 1, BOOK)[0]
    number = header.result_count
    header.result_count = number + 1
    return number


@hot
def _prevented(book, number):
    """What a self match would have been, into the result that ends an order because of it."""
    header = view(book, 1, BOOK)[0]
    result = view(header.results, header.result_capacity, RESULT)[number]
    by_self_match = result.reason == BY_SELF_MATCH
    result.prevented_quantity = header.prevented_quantity if by_self_match else 0
    result.prevented_price = header.prevented_price if by_self_match else 0


@hot
def _about_request(book, kind, request, reference, quantity, leaves, reason):
    """A result about an incoming order; returns its number."""
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    number = _next(book)
    result = view(header.results, header.result_capacity, RESULT)[number]
    result.kind = kind
    result.owner = wanted.owner
    result.user_reference = wanted.user_reference
    result.previous_reference = 0
    result.instrument = wanted.instrument
    result.side = wanted.side
    result.price = wanted.price
    result.quantity = quantity
    result.leaves = leaves
    result.reference = reference
    result.match_number = 0
    result.liquidity = 0
    result.reason = reason
    result.time_in_force = wanted.time_in_force
    result.displayed = wanted.displayed
    result.resting = 0
    result.time_ns = wanted.time_ns
    _prevented(book, number)
    return number


@hot
def _about_order(book, kind, index, quantity, leaves, reason, time_ns):
    """A result about a resting order; returns its number."""
    header = view(book, 1, BOOK)[0]
    order = view(header.orders, header.order_capacity + 1, ORDER)[index]
    number = _next(book)
    result = view(header.results, header.result_capacity, RESULT)[number]
    result.kind = kind
    result.owner = order.owner
    result.user_reference = order.user_reference
    result.previous_reference = 0
    result.instrument = order.instrument
    result.side = order.side
    result.price = order.price
    result.quantity = quantity
    result.leaves = leaves
    result.reference = order.reference
    result.match_number = 0
    result.liquidity = 0
    result.reason = reason
    result.time_in_force = 1
    result.displayed = order.displayed
    result.resting = 1
    result.time_ns = time_ns
    _prevented(book, number)
    return number


@hot
def report_accepted(book, request, reference):
    """The order is in, with this reference number."""
    wanted = view(request, 1, REQUEST)[0]
    if wanted.owner != 0:
        _about_request(book, ACCEPTED, request, reference, wanted.quantity, wanted.quantity, 0)


@hot
def report_replaced(book, request, reference):
    """The existing order is gone, the new one is in."""
    header = view(book, 1, BOOK)[0]
    wanted = view(request, 1, REQUEST)[0]
    if wanted.owner != 0:
        number = _about_request(book, REPLACED, request, reference, wanted.quantity, wanted.quantity, 0)
        view(header.results, header.result_capacity, RESULT)[number].previous_reference = wanted.existing_reference


@hot
def report_rejected(book, request, reason):
    """The order was refused."""
    wanted = view(request, 1, REQUEST)[0]
    if wanted.owner != 0:
        _about_request(book, REJECTED, request, 0, wanted.quantity, 0, reason)


@hot
def report_closed(book, request, reference, quantity, reason):
    """What an incoming order left open does not rest."""
    if view(request, 1, REQUEST)[0].owner != 0:
        _about_request(book, CANCELED, request, reference, quantity, 0, reason)


@hot
def report_executed(book, request, reference, price, quantity, leaves, match_number):
    """The incoming side of a match."""
    header = view(book, 1, BOOK)[0]
    if view(request, 1, REQUEST)[0].owner != 0:
        number = _about_request(book, EXECUTED, request, reference, quantity, leaves, 0)
        result = view(header.results, header.result_capacity, RESULT)[number]
        result.price = price
        result.match_number = match_number
        result.liquidity = REMOVED


@hot
def report_filled(book, index, quantity, match_number, time_ns):
    """The resting side of a match; the order's quantity is already reduced."""
    header = view(book, 1, BOOK)[0]
    order = view(header.orders, header.order_capacity + 1, ORDER)[index]
    if order.owner != 0:
        number = _about_order(book, EXECUTED, index, quantity, order.quantity, 0, time_ns)
        result = view(header.results, header.result_capacity, RESULT)[number]
        result.match_number = match_number
        result.liquidity = ADDED


@hot
def report_canceled(book, index, quantity, leaves, reason, time_ns):
    """A resting order lost `quantity` without trading."""
    header = view(book, 1, BOOK)[0]
    if view(header.orders, header.order_capacity + 1, ORDER)[index].owner != 0:
        _about_order(book, CANCELED, index, quantity, leaves, reason, time_ns)
