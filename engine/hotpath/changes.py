"""Changes of a working order: a replacement passes the gate like a new order, a modification only takes away."""

from __future__ import annotations

from engine.hotpath.latency import stamp_request
from engine.hotpath.numbers import reserve, spend_number
from engine.hotpath.orders import PARTIALLY_FILLED, STATE_ACCEPTED, find_order
from engine.hotpath.positions import reserve_everywhere
from engine.hotpath.replacements import open_replacement
from engine.hotpath.requests import CAPACITY, REQUEST_KIND, deny, find_room, write_request
from engine.hotpath.risk import INVALID_FIELD, LARGEST_QUANTITY, NONE, check, count_order, refuse
from engine.hotpath.sending import send_modify, send_replace
from engine.hotpath.tables import ENGINE, FIX, ORDER, RING, VENUE, VENUES
from engine.journal.append import commit_fields
from engine.messages.codes import OrderAction
from engine.messages.journal import ORDER_REQUEST
from engine.native import cycle_counter, hot, view

REPLACE, MODIFY = int(OrderAction.REPLACE), int(OrderAction.MODIFY)


@hot
def changeable(engine, slot):
    """The venue has the order, and neither its end nor another change is under way."""
    order = view(slot, 1, ORDER)[0]
    settled = order.state == STATE_ACCEPTED or order.state == PARTIALLY_FILLED
    return settled and order.canceling == 0 and order.replacement == 0 and order.target == 0


@hot
def check_replacement(engine, slot, price, quantity):
    """The gate's answer to the order with these terms in place of the one in `slot`: NONE or the DenialReason."""
    core = view(engine, 1, ENGINE)[0]
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
        price,
        quantity,
        order.time_in_force,
    )
    reserve_everywhere(engine, slot, order.leaves)
    if reason == NONE and find_room(engine) == 0:
        reason = refuse(engine, CAPACITY, core.order_mask + 1, core.order_mask + 1)
    total = quantity + order.chain + order.filled
    if reason == NONE and total > LARGEST_QUANTITY:
        reason = refuse(engine, INVALID_FIELD, total, LARGEST_QUANTITY)
    return reason


@hot
def replace(engine, order_id, price, quantity, signal):
    """Ask for another price and open quantity of a working order of ours; its time priority is lost.

    Returns the replacement's number, minus the DenialReason, or 0 when there is no such order, the venue has not
    acknowledged it, or its end or another change is under way.
    """
    core = view(engine, 1, ENGINE)[0]
    slot = find_order(engine, order_id)
    if slot == 0 or not changeable(engine, slot):
        return 0
    order = view(slot, 1, ORDER)[0]
    core.good_till_s = order.good_till_s
    reason = check_replacement(engine, slot, price, quantity)
    core.good_till_s = 0
    if reason != NONE:
        return deny(
            engine,
            REPLACE,
            reason,
            order.strategy,
            order.team,
            order.leg,
            order.venue,
            order.instrument,
            order.side,
            price,
            quantity,
            order.time_in_force,
            signal,
        )
    decided = cycle_counter()
    number = spend_number(engine)
    body = reserve(engine)
    if body == 0:
        return -CAPACITY
    count_order(engine, order.strategy, order.team)
    new_slot = open_replacement(engine, number, slot, price, quantity + order.chain + order.filled)
    write_request(engine, body, new_slot, REPLACE, order_id, signal)
    view(body, 1, ORDER_REQUEST)[0].quantity = view(new_slot, 1, ORDER)[0].quantity
    sequence = commit_fields(core.journal, ORDER_REQUEST, REQUEST_KIND, core.clock_ns)
    view(core.venues, VENUES, VENUE)[order.venue].orders += 1
    if core.replaying == 0:
        stamp_request(engine, number, order.venue, REPLACE, sequence, decided)
        send_replace(engine, slot, new_slot, body)
    return number


@hot
def modify(engine, order_id, quantity, signal):
    """Ask to leave only `quantity` shares open; the order keeps its place. Always allowed: it only takes away.

    A venue that cannot is asked to replace, at the same price and through the gate. Returns 1 asked (or what `replace`
    returns), 0 when there is nothing to take away or a change is under way.
    """
    core = view(engine, 1, ENGINE)[0]
    slot = find_order(engine, order_id)
    if slot == 0 or not changeable(engine, slot):
        return 0
    order = view(slot, 1, ORDER)[0]
    if quantity <= 0 or quantity >= order.leaves:
        return 0
    protocol = view(core.venues, VENUES, VENUE)[order.venue].protocol
    if protocol == RING or protocol == FIX:
        return replace(engine, order_id, order.price, quantity, signal)
    decided = cycle_counter()
    body = reserve(engine)
    if body == 0:
        return 0
    total = quantity + order.chain + order.filled
    write_request(engine, body, slot, MODIFY, order_id, signal)
    view(body, 1, ORDER_REQUEST)[0].quantity = total
    sequence = commit_fields(core.journal, ORDER_REQUEST, REQUEST_KIND, core.clock_ns)
    if core.replaying == 0:
        stamp_request(engine, order_id, order.venue, MODIFY, sequence, decided)
        send_modify(engine, slot, total)
    return 1
