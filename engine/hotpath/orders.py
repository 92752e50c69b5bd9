"""Our orders from request to end: the table, and what each answer of a venue does to it.

Nothing is invented: an order whose fate is not known keeps its exposure until the venue says what happened.
"""

from __future__ import annotations

from engine.hotpath.positions import holder_of, parent_of, parent_row, pause_clock, reserve_everywhere
from engine.hotpath.tables import ENGINE, LEG, LEGS_PER_STRATEGY, ORDER, STRATEGY
from engine.messages.codes import OrderState, ReportKind
from engine.native import hot, view

REFUSAL_PAUSE_NS = 1_000_000_000
PENDING_NEW = int(OrderState.PENDING_NEW)
STATE_ACCEPTED = int(OrderState.ACCEPTED)
PARTIALLY_FILLED = int(OrderState.PARTIALLY_FILLED)
FILLED = int(OrderState.FILLED)
STATE_CANCELED = int(OrderState.CANCELED)
STATE_EXPIRED = int(OrderState.EXPIRED)
STATE_REJECTED = int(OrderState.REJECTED)
PENDING_REPLACE = int(OrderState.PENDING_REPLACE)
PENDING_CANCEL = int(OrderState.PENDING_CANCEL)
STATE_UNKNOWN = int(OrderState.UNKNOWN)
STATE_DENIED = int(OrderState.DENIED)

EXECUTED = int(ReportKind.EXECUTED)
CANCELED = int(ReportKind.CANCELED)
EXPIRED = int(ReportKind.EXPIRED)
NOT_SENT = int(ReportKind.NOT_SENT)
RESENT = int(ReportKind.RESENT)

ORDER_BYTES = ORDER.itemsize


@hot
def is_open(state):
    """Whether an order in this state can still be filled."""
    return state in (PENDING_NEW, STATE_ACCEPTED, PARTIALLY_FILLED, PENDING_REPLACE, PENDING_CANCEL, STATE_UNKNOWN)


@hot
def order_slot(engine, order_id):
    """Address of the table row where an order of this number lives (or would)."""
    core = view(engine, 1, ENGINE)[0]
    return core.orders + (order_id & core.order_mask) * ORDER_BYTES


@hot
def find_order(engine, order_id):
    """Address of the order, 0 when it is not (or no longer) in the table."""
    slot = order_slot(engine, order_id)
    return slot if order_id > 0 and view(slot, 1, ORDER)[0].order_id == order_id else 0


@hot
def decider_of(engine, slot):
    """Row of the strategy that decides about the order: its parent's while that works, else its owner's."""
    order = view(slot, 1, ORDER)[0]
    row = parent_row(engine, order.leg, order.parent)
    return row if row != 0 else order.strategy


@hot
def note_order(engine, order_id, strategy, team, leg, venue, instrument, side, price, quantity, time_in_force):
    """The row of an order that passed the gate; nothing of it counts as working yet. Its address."""
    core = view(engine, 1, ENGINE)[0]
    slot = order_slot(engine, order_id)
    order = view(slot, 1, ORDER)[0]
    order.order_id = order_id
    order.state = PENDING_NEW
    order.side = side
    order.price = price
    order.quantity = quantity
    order.leaves = 0
    order.filled = 0
    order.instrument = instrument
    order.venue = venue
    order.strategy = strategy
    order.team = team
    order.leg = leg
    order.time_in_force = time_in_force
    order.canceling = 0
    order.again = 0
    order.entered_ns = core.clock_ns
    order.target = 0
    order.replacement = 0
    order.chain = 0
    order.reference = 0
    order.route = core.routing
    order.good_till_s = core.good_till_s
    order.last_fill = 0
    order.parent = parent_of(engine, leg)
    order.holder = holder_of(engine, leg)
    owner = view(core.strategies, core.strategy_count, STRATEGY)[strategy]
    owner.orders += 1
    owner.working += 1
    if leg >= 0:
        view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[leg].open_orders += 1
    return slot


@hot
def open_order(engine, order_id, strategy, team, leg, venue, instrument, side, price, quantity, time_in_force):
    """Enter an order that passed the gate: it counts from now on."""
    slot = note_order(engine, order_id, strategy, team, leg, venue, instrument, side, price, quantity, time_in_force)
    view(slot, 1, ORDER)[0].leaves = quantity
    reserve_everywhere(engine, slot, quantity)
    lead_leg(engine, slot)


@hot
def lead_leg(engine, slot):
    """The order is the one that its leg works with from now on."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    if order.leg >= 0:
        own = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[order.leg]
        own.order_id = order.order_id
        own.order_price = order.price
        own.order_since_ns = core.market_time_ns
        own.canceling = order.canceling
        own.replacing = 0


@hot
def pause_leg(engine, leg):
    """Whoever decides with the leg waits a second: the venue did not take what it asked for."""
    core = view(engine, 1, ENGINE)[0]
    own = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[leg]
    own.retry_after_ns = pause_clock(engine, leg) + REFUSAL_PAUSE_NS


@hot
def close_order(engine, slot, state):
    """The order ends: what was still working no longer counts."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    reserve_everywhere(engine, slot, -order.leaves)
    order.leaves = 0
    order.state = state
    view(core.strategies, core.strategy_count, STRATEGY)[order.strategy].working -= 1
    if order.leg >= 0:
        own = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[order.leg]
        own.open_orders -= 1
        if own.order_id == order.order_id:
            own.order_id = 0
            own.canceling = 0
            own.replacing = 0
        if state == STATE_REJECTED:
            pause_leg(engine, order.leg)
    if order.replacement != 0:
        forget_replacement(engine, slot)
    elif order.target != 0:
        leave_target(engine, slot)


@hot
def forget_replacement(engine, slot):
    """The order ended while a replacement was under way: the venue ignores that one, it ends with this order."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    other = find_order(engine, order.replacement)
    order.replacement = 0
    if other != 0:
        core.implied_end = view(other, 1, ORDER)[0].order_id
        view(other, 1, ORDER)[0].target = 0


@hot
def leave_target(engine, slot):
    """A replacement ended before the venue said that it replaced anything: refused or never sent, its target goes on.

    A replacement that was canceled or expired was taken dead, and its target is gone with it.
    """
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    other = find_order(engine, order.target)
    order.target = 0
    if other == 0:
        return
    target = view(other, 1, ORDER)[0]
    target.replacement = 0
    if order.state == STATE_CANCELED or order.state == STATE_EXPIRED:
        core.implied_end = target.order_id
        return
    if target.state == PENDING_REPLACE:
        show_working(engine, other)
    if target.leg >= 0:
        own = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[target.leg]
        if own.order_id == target.order_id:
            own.replacing = 0


@hot
def show_working(engine, slot):
    """The state of an order that the venue has: working, or on its way out when a cancel or a replacement was asked
    for."""
    order = view(slot, 1, ORDER)[0]
    if order.canceling != 0:
        order.state = PENDING_CANCEL
    elif order.replacement != 0:
        order.state = PENDING_REPLACE
    else:
        order.state = PARTIALLY_FILLED if order.filled > 0 else STATE_ACCEPTED


@hot
def forget_cancel(engine, slot):
    """The cancel that was asked for did not happen, or may never have arrived: it can be asked for again."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    order.canceling = 0
    if order.state == PENDING_CANCEL:
        show_working(engine, slot)
    if order.leg >= 0:
        own = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[order.leg]
        if own.order_id == order.order_id:
            own.canceling = 0
