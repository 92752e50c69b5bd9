"""A replacement on its way: two orders of ours of which one will be left.

Until the venue has answered, the larger of both counts as working: the target's leaves, and on top what the replacement
would have more. Shares that the target executes meanwhile are part of the replacement's total, so both shrink together.
"""

from __future__ import annotations

from numpy import int64

from engine.hotpath.orders import (
    PENDING_REPLACE,
    STATE_CANCELED,
    close_order,
    find_order,
    is_open,
    lead_leg,
    note_order,
    show_working,
)
from engine.hotpath.positions import reserve_everywhere
from engine.hotpath.tables import ENGINE, LEG, LEGS_PER_STRATEGY, ORDER
from engine.messages.journal import ORDER_REPORT
from engine.native import hot, view


@hot
def open_replacement(engine, order_id, target_slot, price, total):
    """Enter the replacement of the order in `target_slot`; `total`: shares liable, those executed in the chain
    included. Returns its row's address."""
    core = view(engine, 1, ENGINE)[0]
    target = view(target_slot, 1, ORDER)[0]
    slot = note_order(
        engine,
        order_id,
        target.strategy,
        target.team,
        target.leg,
        target.venue,
        target.instrument,
        target.side,
        price,
        total,
        target.time_in_force,
    )
    view(slot, 1, ORDER)[0].target = target.order_id
    view(slot, 1, ORDER)[0].good_till_s = target.good_till_s
    target.replacement = order_id
    if target.canceling == 0:
        target.state = PENDING_REPLACE
    if target.leg >= 0:
        own = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[target.leg]
        if own.order_id == target.order_id:
            own.replacing = 1
    recount_replacement(engine, target_slot)
    return slot


@hot
def recount_replacement(engine, target_slot):
    """The target's leaves changed: what its replacement counts on top changes with them."""
    target = view(target_slot, 1, ORDER)[0]
    if target.replacement == 0 or not is_open(target.state):
        return
    slot = find_order(engine, target.replacement)
    if slot == 0:
        return
    order = view(slot, 1, ORDER)[0]
    more = order.quantity - target.chain - target.filled - target.leaves
    more = more if more > 0 else 0
    reserve_everywhere(engine, slot, more - order.leaves)
    order.leaves = more


@hot
def apply_replaced(engine, slot, report_address):
    """The venue took the replacement in `slot`: its target is gone, and what is outstanding works under the new
    number."""
    order = view(slot, 1, ORDER)[0]
    report = view(report_address, 1, ORDER_REPORT)[0]
    reserve_everywhere(engine, slot, -order.leaves)
    order.leaves = 0
    target_slot = find_order(engine, order.target)
    order.target = 0
    if target_slot != 0:
        target = view(target_slot, 1, ORDER)[0]
        target.replacement = 0
        order.chain = target.chain + target.filled
        close_order(engine, target_slot, STATE_CANCELED)
        target.replacement = order.order_id
    order.leaves = report.quantity
    order.quantity = report.quantity
    order.price = report.price
    reserve_everywhere(engine, slot, order.leaves)
    show_working(engine, slot)
    lead_leg(engine, slot)


@hot
def recount_chain(engine, slot, quantity):
    """The order in `slot` has executed so much more than was known: the orders that replaced it since count that, too.

    Venues that state what a whole chain has executed take what they broke out of it.
    """
    order = view(slot, 1, ORDER)[0]
    while order.replacement != 0 and not is_open(order.state):
        slot = find_order(engine, int64(order.replacement))
        if slot == 0:
            return
        order = view(slot, 1, ORDER)[0]
        order.chain += quantity
    recount_replacement(engine, slot)
