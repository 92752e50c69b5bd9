"""Our orders from request to end: the table, and what each answer of a venue does to it.

Nothing is invented: an order whose fate is not known keeps its exposure until the venue says what happened.
"""

from __future__ import annotations

from engine.hotpath.positions import fill_everywhere, reserve_everywhere
from engine.hotpath.tables import (
    ACCOUNT,
    ENGINE,
    FIRM_ACCOUNT,
    FIRST_STRATEGY_ACCOUNT,
    LEG,
    LEGS_PER_STRATEGY,
    ORDER,
    STRATEGY,
    VENUE,
    VENUES,
)
from engine.messages.codes import OrderState, ReportKind, Side
from engine.messages.journal import ORDER_REPORT
from engine.native import hot, view

BUY = int(Side.BUY)
PENDING_NEW = int(OrderState.PENDING_NEW)
STATE_ACCEPTED = int(OrderState.ACCEPTED)
PARTIALLY_FILLED = int(OrderState.PARTIALLY_FILLED)
FILLED = int(OrderState.FILLED)
STATE_CANCELED = int(OrderState.CANCELED)
STATE_EXPIRED = int(OrderState.EXPIRED)
STATE_REJECTED = int(OrderState.REJECTED)
PENDING_CANCEL = int(OrderState.PENDING_CANCEL)
STATE_UNKNOWN = int(OrderState.UNKNOWN)
STATE_DENIED = int(OrderState.DENIED)

ACCEPTED = int(ReportKind.ACCEPTED)
CANCELED = int(ReportKind.CANCELED)
EXECUTED = int(ReportKind.EXECUTED)
REJECTED = int(ReportKind.REJECTED)
CANCEL_REJECTED = int(ReportKind.CANCEL_REJECTED)
CANCEL_PENDING = int(ReportKind.CANCEL_PENDING)
EXPIRED = int(ReportKind.EXPIRED)
NOT_SENT = int(ReportKind.NOT_SENT)

ORDER_BYTES = ORDER.itemsize


@hot
def is_open(state):
    """Whether an order in this state can still be filled."""
    return state in (PENDING_NEW, STATE_ACCEPTED, PARTIALLY_FILLED, PENDING_CANCEL, STATE_UNKNOWN)


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
def open_order(engine, order_id, strategy, team, leg, venue, instrument, side, price, quantity, time_in_force):
    """Enter an order that passed the gate: it counts from now on."""
    core = view(engine, 1, ENGINE)[0]
    slot = order_slot(engine, order_id)
    order = view(slot, 1, ORDER)[0]
    order.order_id = order_id
    order.state = PENDING_NEW
    order.side = side
    order.price = price
    order.quantity = quantity
    order.leaves = quantity
    order.filled = 0
    order.instrument = instrument
    order.venue = venue
    order.strategy = strategy
    order.team = team
    order.leg = leg
    order.time_in_force = time_in_force
    order.canceling = 0
    order.limits_version = core.limits_version
    order.sent_ns = core.market_time_ns
    reserve_everywhere(engine, slot, quantity)
    owner = view(core.strategies, core.strategy_count, STRATEGY)[strategy]
    owner.orders += 1
    owner.working += 1
    if leg >= 0:
        own = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[leg]
        own.open_orders += 1
        own.order_id = order_id
        own.order_price = price
        own.order_since_ns = core.market_time_ns
        own.canceling = 0


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
        if state == STATE_REJECTED:
            own.retry_after_ns = core.market_time_ns + 1_000_000_000


@hot
def pay(engine, account_index, cash, fee):
    """Money of a fill into an account."""
    core = view(engine, 1, ENGINE)[0]
    account = view(core.accounts, FIRST_STRATEGY_ACCOUNT + core.strategy_count, ACCOUNT)[account_index]
    account.cash += cash
    account.holdings -= cash
    account.fees += fee


@hot
def fill_order(engine, slot, report_address):
    """Apply an execution. One beyond what we asked for is booked all the same: the venue says it happened."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    report = view(report_address, 1, ORDER_REPORT)[0]
    quantity = report.quantity
    fill_everywhere(engine, slot, report.price, quantity, report.fee)
    taken = quantity if quantity < order.leaves else order.leaves
    was_open = is_open(order.state)
    reserve_everywhere(engine, slot, -taken)
    order.leaves -= taken
    order.filled += quantity
    owner = view(core.strategies, core.strategy_count, STRATEGY)[order.strategy]
    owner.fills += 1
    cash = -report.price * quantity if order.side == BUY else report.price * quantity
    if order.strategy != 0:
        pay(engine, owner.account, cash, report.fee)
    pay(engine, order.team, cash, report.fee)
    pay(engine, FIRM_ACCOUNT, cash, report.fee)
    view(core.venues, VENUES, VENUE)[order.venue].fills += 1
    if not was_open:
        return
    if order.leaves == 0:
        close_order(engine, slot, FILLED)
    else:
        show_working(engine, slot)


@hot
def show_working(engine, slot):
    """The state of an order that the venue has: working, or on its way out when a cancel was asked for."""
    order = view(slot, 1, ORDER)[0]
    if order.canceling != 0:
        order.state = PENDING_CANCEL
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


@hot
def end_part(engine, slot, quantity, state):
    """The venue took `quantity` out of the order (0: all of it). The order ends when nothing is left."""
    order = view(slot, 1, ORDER)[0]
    if quantity > 0 and quantity < order.leaves:
        reserve_everywhere(engine, slot, -quantity)
        order.leaves -= quantity
        return
    close_order(engine, slot, state)


@hot
def apply_report(engine, report_address):
    """What a venue's answer does to the order. Fills in the report's owner, instrument, side, leaves and state.

    Returns the order's strategy row, or -1 when the order is not known (counted, never fatal).
    """
    core = view(engine, 1, ENGINE)[0]
    report = view(report_address, 1, ORDER_REPORT)[0]
    slot = find_order(engine, report.order_id)
    if slot == 0:
        core.unknown_reports += 1
        return -1
    order = view(slot, 1, ORDER)[0]
    kind = report.kind
    if kind == EXECUTED:
        fill_order(engine, slot, report_address)
    elif not is_open(order.state):
        report.duplicate = 1
    elif kind == ACCEPTED:
        if order.state == PENDING_NEW or order.state == STATE_UNKNOWN:
            show_working(engine, slot)
    elif kind == CANCELED:
        end_part(engine, slot, report.quantity, STATE_CANCELED)
    elif kind == EXPIRED:
        end_part(engine, slot, report.quantity, STATE_EXPIRED)
    elif kind == REJECTED or kind == NOT_SENT:
        close_order(engine, slot, STATE_REJECTED if kind == REJECTED else STATE_DENIED)
        view(core.venues, VENUES, VENUE)[order.venue].rejects += 1
    elif kind == CANCEL_REJECTED:
        forget_cancel(engine, slot)
    report.strategy = view(core.strategies, core.strategy_count, STRATEGY)[order.strategy].id
    report.instrument = order.instrument
    report.side = order.side
    report.leaves = order.leaves
    report.state = order.state
    return order.strategy
