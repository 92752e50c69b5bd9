"""Order requests in FIX, written at the end of a venue's outbound buffer. Each function returns the message's length;
the caller guarantees LONGEST_MESSAGE bytes of room."""

from __future__ import annotations

from engine.hotpath.tables import ENGINE, INSTRUMENT, ORDER, VENUE, VENUES
from engine.native import hot, view
from engine.protocols import fix_encode

INSTRUMENT_BYTES = INSTRUMENT.itemsize


@hot
def write_fix_enter(engine, packet, order_address, time_in_force):
    """NewOrderSingle(D) of an order."""
    core = view(engine, 1, ENGINE)[0]
    order = view(order_address, 1, ORDER)[0]
    return fix_encode.write_new_order(
        view(core.venues, VENUES, VENUE)[order.venue].wire,
        packet,
        order.order_id,
        order.side,
        order.quantity,
        core.instruments + order.instrument * INSTRUMENT_BYTES,
        order.price,
        time_in_force,
        order.good_till_s,
        core.clock_ns,
    )


@hot
def write_fix_replace(engine, packet, original, order_address, time_in_force):
    """OrderCancelReplaceRequest(G): the order at the address takes the place of `original`."""
    core = view(engine, 1, ENGINE)[0]
    order = view(order_address, 1, ORDER)[0]
    return fix_encode.write_replace(
        view(core.venues, VENUES, VENUE)[order.venue].wire,
        packet,
        order.order_id,
        original,
        order.side,
        order.quantity,
        core.instruments + order.instrument * INSTRUMENT_BYTES,
        order.price,
        time_in_force,
        order.good_till_s,
        core.clock_ns,
    )


@hot
def write_fix_cancel(engine, packet, order_address):
    """OrderCancelRequest(F) for the whole order."""
    core = view(engine, 1, ENGINE)[0]
    order = view(order_address, 1, ORDER)[0]
    return fix_encode.write_cancel(
        view(core.venues, VENUES, VENUE)[order.venue].wire,
        packet,
        order.order_id,
        order.side,
        order.quantity,
        core.instruments + order.instrument * INSTRUMENT_BYTES,
        core.clock_ns,
    )
