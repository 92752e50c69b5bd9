"""What each answer of a venue does to the order that it is about."""

from __future__ import annotations

from numpy import int64

from engine.hotpath.breaks import break_fill, known_fill, pay_everywhere, remember_fill
from engine.hotpath.orders import (
    CANCELED,
    EXECUTED,
    EXPIRED,
    FILLED,
    NOT_SENT,
    PENDING_NEW,
    RESENT,
    STATE_CANCELED,
    STATE_DENIED,
    STATE_EXPIRED,
    STATE_REJECTED,
    STATE_UNKNOWN,
    close_order,
    decider_of,
    find_order,
    forget_cancel,
    is_open,
    pause_leg,
    show_working,
)
from engine.hotpath.positions import fill_everywhere, reserve_everywhere
from engine.hotpath.queue_position import track_own, untrack_own
from engine.hotpath.replacements import apply_replaced, recount_chain, recount_replacement
from engine.hotpath.risk import count_order
from engine.hotpath.tables import ENGINE, FILL, LEG, LEGS_PER_STRATEGY, ORDER, SENT_AGAIN, STRATEGY, VENUE, VENUES
from engine.messages.codes import CORRECTED, ReportKind, Side, TimeInForce
from engine.messages.journal import ORDER_REPORT
from engine.native import hot, view

BUY = int(Side.BUY)
POST_ONLY = int(TimeInForce.POST_ONLY)
ACCEPTED = int(ReportKind.ACCEPTED)
REPLACED = int(ReportKind.REPLACED)
REJECTED = int(ReportKind.REJECTED)
CANCEL_REJECTED = int(ReportKind.CANCEL_REJECTED)
BROKEN = int(ReportKind.BROKEN)
MODIFIED = int(ReportKind.MODIFIED)
RESTATED = int(ReportKind.RESTATED)
PRIORITY_UPDATED = int(ReportKind.PRIORITY_UPDATED)


@hot
def fill_order(engine, slot, report_address):
    """Apply an execution. One beyond what we asked for is booked all the same: the venue says it happened."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    report = view(report_address, 1, ORDER_REPORT)[0]
    quantity = report.quantity
    fill_everywhere(engine, slot, report.price, quantity, report.fee)
    remember_fill(engine, slot, report_address)
    order.filled += quantity
    view(core.strategies, core.strategy_count, STRATEGY)[order.strategy].fills += 1
    cash = -report.price * quantity if order.side == BUY else report.price * quantity
    pay_everywhere(engine, order.strategy, order.team, cash, report.fee)
    view(core.venues, VENUES, VENUE)[order.venue].fills += 1
    if not is_open(order.state):
        recount_chain(engine, slot, quantity)
    # A correction stands for a fill that was taken back: the order lost its shares before.
    take_shares(engine, slot, 0 if report.reason == CORRECTED else quantity)


@hot
def take_shares(engine, slot, quantity):
    """An execution of `quantity` shares is no longer outstanding. An order of which nothing is left is filled."""
    order = view(slot, 1, ORDER)[0]
    if not is_open(order.state):
        return
    taken = quantity if quantity < order.leaves else order.leaves
    reserve_everywhere(engine, slot, -taken)
    order.leaves -= taken
    if order.leaves == 0:
        close_order(engine, slot, FILLED)
    else:
        show_working(engine, slot)
        recount_replacement(engine, slot)


@hot
def fill_again(engine, slot, report_address, fill_address):
    """An execution that is booked already, or never will be because its break came first: nothing is booked. The first
    one after a break still takes its shares from the order."""
    report = view(report_address, 1, ORDER_REPORT)[0]
    fill = view(fill_address, 1, FILL)[0]
    report.duplicate = 1
    if fill.quantity == 0:
        fill.quantity = report.quantity
        take_shares(engine, slot, report.quantity)


@hot
def end_part(engine, slot, quantity, state):
    """The venue took `quantity` out of the order (0: all of it). The order ends when nothing is left.

    A replacement whose target the venue did not say to be replaced was taken dead: it ends whole.
    """
    order = view(slot, 1, ORDER)[0]
    if quantity > 0 and quantity < order.leaves and order.target == 0:
        reserve_everywhere(engine, slot, -quantity)
        order.leaves -= quantity
        recount_replacement(engine, slot)
        return
    close_order(engine, slot, state)


@hot
def set_leaves(engine, slot, leaves):
    """The venue said how much of the order is outstanding: a bound, for shares do not come back to an order."""
    order = view(slot, 1, ORDER)[0]
    if leaves >= order.leaves or order.target != 0:
        return
    if leaves <= 0:
        close_order(engine, slot, STATE_CANCELED)
        return
    reserve_everywhere(engine, slot, leaves - order.leaves)
    order.leaves = leaves
    recount_replacement(engine, slot)


@hot
def follow_reference(engine, slot, reference):
    """The order stands in the venue's feed under this number: its queue position is kept there."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    if reference == 0 or reference == order.reference:
        return
    if order.reference != 0:
        untrack_own(core.book, order.venue, order.reference)
    order.reference = reference
    track_own(core.book, order.venue, reference)


@hot
def leave_reference(engine, slot):
    """The order ended: nobody asks for its queue position any more."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    if order.reference != 0:
        untrack_own(core.book, order.venue, order.reference)
        order.reference = 0


@hot
def move_priority(engine, slot, price):
    """The venue gave the order another price or place by itself."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    if price > 0:
        order.price = price
    if order.leg >= 0:
        own = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[order.leg]
        if own.order_id == order.order_id:
            own.order_price = order.price


@hot
def take_replaced(engine, slot, report_address):
    """The venue took a replacement. Said again, or after a fill had shown it, it only bounds what is outstanding."""
    order = view(slot, 1, ORDER)[0]
    report = view(report_address, 1, ORDER_REPORT)[0]
    if order.target == 0:
        set_leaves(engine, slot, report.quantity - order.filled)
    else:
        target = find_order(engine, order.target)
        if target != 0:
            leave_reference(engine, target)
        apply_replaced(engine, slot, report_address)
        if order.leaves <= 0:
            close_order(engine, slot, STATE_CANCELED)
            return
    follow_reference(engine, slot, int64(report.match_number))


@hot
def apply_to_open(engine, slot, report_address):
    """An answer other than an execution or a break, about an order that is open."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    report = view(report_address, 1, ORDER_REPORT)[0]
    kind = report.kind
    if kind == ACCEPTED:
        if order.state == PENDING_NEW or order.state == STATE_UNKNOWN:
            show_working(engine, slot)
        follow_reference(engine, slot, int64(report.match_number))
    elif kind == CANCELED:
        if order.time_in_force == POST_ONLY and order.canceling == 0 and order.leg >= 0:
            pause_leg(engine, order.leg)  # it would have taken; asked again at once it might again
        end_part(engine, slot, report.quantity, STATE_CANCELED)
    elif kind == EXPIRED:
        end_part(engine, slot, report.quantity, STATE_EXPIRED)
    elif kind == REPLACED:
        take_replaced(engine, slot, report_address)
    elif kind == REJECTED or kind == NOT_SENT:
        close_order(engine, slot, STATE_REJECTED if kind == REJECTED else STATE_DENIED)
        view(core.venues, VENUES, VENUE)[order.venue].rejects += 1
    elif kind == CANCEL_REJECTED:
        forget_cancel(engine, slot)
    elif kind == MODIFIED:
        set_leaves(engine, slot, report.quantity)
    elif kind == PRIORITY_UPDATED:
        move_priority(engine, slot, report.price)
        follow_reference(engine, slot, int64(report.match_number))
    elif kind == RESTATED:
        follow_reference(engine, slot, int64(report.match_number))
    elif kind == RESENT and order.state == STATE_UNKNOWN:
        order.state = PENDING_NEW
        order.again |= SENT_AGAIN
        count_order(engine, order.strategy, order.team)


@hot
def apply_report(engine, report_address):
    """What a venue's answer does to the order. Fills in the report's owner, instrument, side, leaves and state.

    `implied_end` of the engine is the other order of a pending replacement that ends with this one. Returns the row of
    the strategy that hears of it (its parent's, if it has one), or -1 when the order is not known (counted, never
    fatal).
    """
    core = view(engine, 1, ENGINE)[0]
    report = view(report_address, 1, ORDER_REPORT)[0]
    if report.kind == BROKEN:
        return break_fill(engine, report_address)
    slot = find_order(engine, int64(report.order_id))
    if slot == 0:
        core.unknown_reports += 1
        return -1
    order = view(slot, 1, ORDER)[0]
    if report.kind == EXECUTED:
        known = known_fill(engine, slot, report_address)
        if known != 0:
            fill_again(engine, slot, report_address, known)
        else:
            fill_order(engine, slot, report_address)
    elif is_open(order.state):
        apply_to_open(engine, slot, report_address)
    else:
        report.duplicate = 1
    if not is_open(order.state):
        leave_reference(engine, slot)
    report.strategy = view(core.strategies, core.strategy_count, STRATEGY)[order.strategy].id
    report.instrument = order.instrument
    report.side = order.side
    report.leaves = order.leaves
    report.state = order.state
    return decider_of(engine, slot)
