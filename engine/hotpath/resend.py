"""Orders that a venue never saw, sent again when its session is back: OUCH 5.0, under their own numbers, ascending and
before any new one (the venue ignores a number that is not above the last one it took).

Only what still stands: young, not immediate, wanted by whoever decides about it, and let pass by the gate as it is
now. Everything else that never arrived ends as NOT_SENT.
"""

from __future__ import annotations

from numpy import int64

from engine.hotpath.orders import RESENT, STATE_UNKNOWN, decider_of, find_order
from engine.hotpath.positions import reserve_everywhere
from engine.hotpath.reports import take_report, write_own_report
from engine.hotpath.risk import NONE, check
from engine.hotpath.sending import send_enter
from engine.hotpath.tables import ENGINE, ORDER, OUCH50, STRATEGY, UNWANTED, VENUE, VENUES
from engine.messages.codes import StrategyState, TimeInForce
from engine.messages.journal import ORDER_REPORT
from engine.native import hot, view

IOC, FOK = int(TimeInForce.IOC), int(TimeInForce.FOK)
RUNNING = int(StrategyState.RUNNING)


@hot
def passes_again(engine, slot):
    """Whether the gate lets the order pass now, its own reservation left out."""
    order = view(slot, 1, ORDER)[0]
    reserve_everywhere(engine, slot, -order.leaves)
    reason = check(
        engine,
        order.strategy,
        order.team,
        order.leg,
        order.venue,
        order.instrument,
        order.side,
        order.price,
        order.leaves,
        order.time_in_force,
    )
    reserve_everywhere(engine, slot, order.leaves)
    return 1 if reason == NONE else 0


@hot
def still_stands(engine, slot):
    """Whether an order that never arrived is sent again. A part of a routed order is not: its router decides anew."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    venue = view(core.venues, VENUES, VENUE)[order.venue]
    if order.state != STATE_UNKNOWN or order.filled != 0 or order.target != 0 or order.again & UNWANTED != 0:
        return 0
    if order.route != 0 or order.time_in_force == IOC or order.time_in_force == FOK:
        return 0
    if core.clock_ns - order.entered_ns > venue.resend_ns:
        return 0
    decider = decider_of(engine, slot)
    if decider != 0 and view(core.strategies, core.strategy_count, STRATEGY)[decider].state != RUNNING:
        return 0
    return passes_again(engine, slot)


@hot
def note_resent(engine, venue_index, slot):
    """Journal that an order leaves again, with what it asks for. 1, or 0 when the journal is full."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    write_own_report(engine, venue_index, order.order_id, RESENT)
    report = view(core.report, 1, ORDER_REPORT)[0]
    report.price = order.price
    report.quantity = order.leaves
    return take_report(engine, core.report)


@hot
def resend_pending(engine, venue_index, next_reference):
    """Send again what still stands of the orders from `next_reference` on. Each is journalled before it leaves."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    if venue.protocol != OUCH50 or venue.resend_ns == 0:
        return
    number = max(int64(next_reference), core.next_order_id - core.order_mask - 1)
    while number < core.next_order_id:
        slot = find_order(engine, number)
        if slot != 0 and view(slot, 1, ORDER)[0].venue == venue_index and still_stands(engine, slot) != 0:
            if note_resent(engine, venue_index, slot) == 0:
                return
            send_enter(engine, slot, 0)
        number += 1
