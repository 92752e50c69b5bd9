"""One request, two dialects of OUCH, and FIX: written at the end of a venue's outbound buffer in words it understands.

Each function returns the packet's length; the caller guarantees LONGEST_FRAME bytes of room.
"""

from __future__ import annotations

from engine.hotpath.fix_orders import write_fix_cancel, write_fix_enter, write_fix_replace
from engine.hotpath.tables import ENGINE, FIX, INSTRUMENT, ORDER, OUCH42, STRATEGY, VENUE, VENUES
from engine.messages.codes import TimeInForce
from engine.native import hot, view
from engine.protocols import ouch42_encode, ouch50_encode

DAY, POST_ONLY = int(TimeInForce.DAY), int(TimeInForce.POST_ONLY)
INSTRUMENT_BYTES = INSTRUMENT.itemsize
VENUE_BYTES = VENUE.itemsize
FIRM_AT = int(VENUE.fields["firm"][1])  # type: ignore[index]


@hot
def strategy_number(engine, strategy):
    """The desk's number of a strategy's row, 0 for orders that people enter."""
    core = view(engine, 1, ENGINE)[0]
    return view(core.strategies, core.strategy_count, STRATEGY)[strategy].id


@hot
def sent_time_in_force(engine, order_address):
    """The order's time in force as its venue knows it: without the instruction, post only is sent as DAY."""
    core = view(engine, 1, ENGINE)[0]
    order = view(order_address, 1, ORDER)[0]
    if order.time_in_force == POST_ONLY and view(core.venues, VENUES, VENUE)[order.venue].post_only == 0:
        return DAY
    return order.time_in_force


@hot
def write_enter(engine, packet, order_address):
    """Enter Order (2.1)."""
    core = view(engine, 1, ENGINE)[0]
    order = view(order_address, 1, ORDER)[0]
    protocol = view(core.venues, VENUES, VENUE)[order.venue].protocol
    if protocol == FIX:
        return write_fix_enter(engine, packet, order_address, sent_time_in_force(engine, order_address))
    symbol = core.instruments + order.instrument * INSTRUMENT_BYTES
    number, side, quantity = order.order_id, order.side, order.quantity
    price, time_in_force = order.price, sent_time_in_force(engine, order_address)
    if protocol == OUCH42:
        strategy = strategy_number(engine, order.strategy)
        return ouch42_encode.write_enter_order(packet, number, side, quantity, symbol, price, time_in_force, strategy)
    return ouch50_encode.write_enter_order(packet, number, side, quantity, symbol, price, time_in_force, number)


@hot
def write_replace(engine, packet, target_address, order_address):
    """Replace Order (2.2); the replacement's quantity is the total of its chain."""
    core = view(engine, 1, ENGINE)[0]
    order = view(order_address, 1, ORDER)[0]
    original, number = view(target_address, 1, ORDER)[0].order_id, order.order_id
    quantity, price, time_in_force = order.quantity, order.price, sent_time_in_force(engine, order_address)
    protocol = view(core.venues, VENUES, VENUE)[order.venue].protocol
    if protocol == FIX:
        return write_fix_replace(engine, packet, original, order_address, time_in_force)
    if protocol == OUCH42:
        strategy = strategy_number(engine, order.strategy)
        return ouch42_encode.write_replace_order(packet, original, number, quantity, price, time_in_force, strategy)
    return ouch50_encode.write_replace_order(packet, original, number, quantity, price, time_in_force, number)


@hot
def write_cancel(engine, packet, order_address):
    """Cancel Order (2.3) down to nothing."""
    core = view(engine, 1, ENGINE)[0]
    order = view(order_address, 1, ORDER)[0]
    protocol = view(core.venues, VENUES, VENUE)[order.venue].protocol
    if protocol == FIX:
        return write_fix_cancel(engine, packet, order_address)
    if protocol == OUCH42:
        return ouch42_encode.write_cancel_order(packet, order.order_id, 0, strategy_number(engine, order.strategy))
    return ouch50_encode.write_cancel_order(packet, order.order_id, 0)


@hot
def write_modify(engine, packet, order_address, total):
    """Modify Order (2.4) down to a total of `total` shares."""
    core = view(engine, 1, ENGINE)[0]
    order = view(order_address, 1, ORDER)[0]
    if view(core.venues, VENUES, VENUE)[order.venue].protocol == OUCH42:
        strategy = strategy_number(engine, order.strategy)
        return ouch42_encode.write_modify_order(packet, order.order_id, order.side, total, strategy)
    return ouch50_encode.write_modify_order(packet, order.order_id, order.side, total)


@hot
def firm_address(engine, venue_index):
    """Where the four letters stand under which the venue knows us."""
    return view(engine, 1, ENGINE)[0].venues + venue_index * VENUE_BYTES + FIRM_AT
