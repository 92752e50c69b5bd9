"""From a wish to the wire: gate, journal, table, send, in this order. One path for strategies and people alike."""

from __future__ import annotations

from engine.hotpath.latency import stamp_request
from engine.hotpath.numbers import reserve, spend_number
from engine.hotpath.orders import (
    ORDER_BYTES,
    PENDING_CANCEL,
    PENDING_NEW,
    STATE_UNKNOWN,
    decider_of,
    find_order,
    is_open,
    open_order,
    order_slot,
)
from engine.hotpath.positions import parent_of, pause_clock
from engine.hotpath.risk import NONE, check, count_order, refuse
from engine.hotpath.sending import send_cancel, send_enter
from engine.hotpath.tables import (
    ACCOUNT,
    ENGINE,
    FIRM_ACCOUNT,
    FIRST_STRATEGY_ACCOUNT,
    LEG,
    LEGS_PER_STRATEGY,
    ORDER,
    STRATEGY,
    UNWANTED,
    VENUE,
    VENUES,
)
from engine.journal.append import commit_fields
from engine.messages.codes import DenialReason, OrderAction, RecordKind, StrategyState
from engine.messages.journal import DENIAL, ORDER_REQUEST
from engine.native import cycle_counter, hot, view

ENTER, CANCEL = int(OrderAction.ENTER), int(OrderAction.CANCEL)
CAPACITY = int(DenialReason.CAPACITY)
RUNNING = int(StrategyState.RUNNING)
REQUEST_KIND, DENIAL_KIND = int(RecordKind.ORDER_REQUEST), int(RecordKind.DENIAL)
RETRY_AFTER_DENIAL_NS = 1_000_000_000
MOST_DOUBLINGS = 5


@hot
def team_number(engine, team):
    """The desk's key of a team account."""
    core = view(engine, 1, ENGINE)[0]
    return view(core.accounts, FIRST_STRATEGY_ACCOUNT + core.strategy_count, ACCOUNT)[team].scope_id


@hot
def kind_of(engine, strategy, leg):
    """Kind of what decides with `leg`: the algorithm of a parent order, else that of the strategy's row."""
    core = view(engine, 1, ENGINE)[0]
    row = leg // LEGS_PER_STRATEGY if leg >= 0 else strategy
    return view(core.strategies, core.strategy_count, STRATEGY)[row].kind


@hot
def deny(engine, action, reason, strategy, team, leg, venue, instrument, side, price, quantity, time_in_force, signal):
    """Journal a refusal of the gate. Returns minus the reason."""
    core = view(engine, 1, ENGINE)[0]
    owner = view(core.strategies, core.strategy_count, STRATEGY)[strategy]
    owner.denials += 1
    core.denials += 1
    if leg >= 0:
        own = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[leg]
        own.retry_after_ns = pause_clock(engine, leg) + (RETRY_AFTER_DENIAL_NS << own.denied)
        if own.denied < MOST_DOUBLINGS:
            own.denied += 1
    number = spend_number(engine)
    body = reserve(engine)
    if body == 0:
        return -reason
    denial = view(body, 1, DENIAL)[0]
    denial.position = core.position
    denial.order_id = number
    denial.price = price
    denial.quantity = quantity
    denial.limits_version = core.limits_version
    denial.measured = core.measured
    denial.bound = core.bound
    denial.strategy = owner.id
    denial.team = team_number(engine, team)
    denial.instrument = instrument
    denial.kind = kind_of(engine, strategy, leg)
    denial.parent_id = parent_of(engine, leg)
    denial.venue = venue
    denial.action = action
    denial.side = side
    denial.time_in_force = time_in_force
    denial.reason = reason
    denial.scope = core.scope
    denial.limit_name = core.limit_name
    denial.scope_id = core.scope_id
    denial.signal = signal
    commit_fields(core.journal, DENIAL, DENIAL_KIND, core.clock_ns)
    return -reason


@hot
def find_room(engine):
    """Pass over numbers whose row in the table an older order still has. 1, or 0 when every row is taken.

    Only a start of the engine, which begins a new block of numbers, brings a number near an order that has rested long.
    """
    core = view(engine, 1, ENGINE)[0]
    for more in range(core.order_mask + 1):
        if not is_open(view(order_slot(engine, core.next_order_id + more), 1, ORDER)[0].state):
            for _ in range(more):
                spend_number(engine)
            return 1
    return 0


@hot
def enter(engine, strategy, team, leg, venue, instrument, side, price, quantity, time_in_force, signal):
    """Ask for a new order. Returns its number, or minus the DenialReason."""
    core = view(engine, 1, ENGINE)[0]
    reason = check(engine, strategy, team, leg, venue, instrument, side, price, quantity, time_in_force)
    if reason == NONE and find_room(engine) == 0:
        reason = refuse(engine, CAPACITY, core.order_mask + 1, core.order_mask + 1)
    if reason != NONE:
        return deny(
            engine, ENTER, reason, strategy, team, leg, venue, instrument, side, price, quantity, time_in_force, signal
        )
    decided = cycle_counter()
    order_id = spend_number(engine)
    slot = order_slot(engine, order_id)
    body = reserve(engine)
    if body == 0:
        return -CAPACITY
    core.orders_entered += 1
    count_order(engine, strategy, team)
    open_order(engine, order_id, strategy, team, leg, venue, instrument, side, price, quantity, time_in_force)
    view(core.venues, VENUES, VENUE)[venue].orders += 1
    write_request(engine, body, slot, ENTER, 0, signal)
    sequence = commit_fields(core.journal, ORDER_REQUEST, REQUEST_KIND, core.clock_ns)
    if leg >= 0:
        view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[leg].denied = 0
    if core.replaying == 0:
        stamp_request(engine, order_id, venue, ENTER, sequence, decided)
        send_enter(engine, slot, body)
    return order_id


@hot
def write_request(engine, body, slot, action, target, signal):
    """The journal's record of a request about the order in `slot`."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    owner = view(core.strategies, core.strategy_count, STRATEGY)[order.strategy]
    request = view(body, 1, ORDER_REQUEST)[0]
    request.position = core.position
    request.order_id = order.order_id
    request.target_order_id = target
    request.price = order.price
    request.quantity = order.leaves
    request.limits_version = core.limits_version
    request.parent_id = order.parent
    request.strategy = owner.id
    request.team = team_number(engine, order.team)
    request.instrument = order.instrument
    request.kind = kind_of(engine, order.strategy, order.leg)
    request.venue = order.venue
    request.action = action
    request.side = order.side
    request.time_in_force = order.time_in_force
    request.line = core.line
    request.protection = core.protection
    request.good_till_s = order.good_till_s
    request.feed_sequence = core.feed_sequence
    request.signal = signal


@hot
def cancel(engine, order_id):
    """Ask the venue to cancel. Always allowed. 1 asked, 0 when there is nothing to cancel or it was asked already."""
    core = view(engine, 1, ENGINE)[0]
    slot = find_order(engine, order_id)
    if slot == 0:
        return 0
    order = view(slot, 1, ORDER)[0]
    if order.canceling != 0 or not is_open(order.state):
        return 0
    decided = cycle_counter()
    body = reserve(engine)
    if body == 0:
        return 0
    write_request(engine, body, slot, CANCEL, order_id, 0.0)
    sequence = commit_fields(core.journal, ORDER_REQUEST, REQUEST_KIND, core.clock_ns)
    mark_canceling(engine, slot)
    if core.replaying == 0:
        stamp_request(engine, order_id, order.venue, CANCEL, sequence, decided)
        send_cancel(engine, slot, body)
    return 1


@hot
def mark_canceling(engine, slot):
    """A cancel of the order was asked for."""
    core = view(engine, 1, ENGINE)[0]
    order = view(slot, 1, ORDER)[0]
    order.canceling = 1
    order.again |= UNWANTED
    if order.state != PENDING_NEW and order.state != STATE_UNKNOWN:
        order.state = PENDING_CANCEL
    if order.leg >= 0:
        own = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[order.leg]
        if own.order_id == order.order_id:
            own.canceling = 1


@hot
def cancel_matching(engine, venue, team, strategy):
    """Cancel every open order of a venue, a team account and a strategy row; 0, -1 and -1 stand for any. Returns how
    many.

    Level-triggered: asked again, it asks the venues again for whatever is still open.
    """
    core = view(engine, 1, ENGINE)[0]
    orders = view(core.orders, core.order_mask + 1, ORDER)
    asked = 0
    for at in range(core.order_mask + 1):
        order = orders[at]
        if order.order_id == 0 or not is_open(order.state):
            continue
        if (venue != 0 and order.venue != venue) or (team >= 0 and order.team != team):
            continue
        if strategy >= 0 and order.strategy != strategy:
            continue
        order.canceling = 0
        asked += cancel(engine, order.order_id)
    return asked


@hot
def cancel_killed(engine, venue_index, next_reference):
    """After a session came up: kills and stops hold for what is still open there, whenever they were asked for.

    Orders from `next_reference` on (0: none) never reached the venue and end by themselves.
    """
    core = view(engine, 1, ENGINE)[0]
    accounts = view(core.accounts, FIRST_STRATEGY_ACCOUNT + core.strategy_count, ACCOUNT)
    strategies = view(core.strategies, core.strategy_count, STRATEGY)
    orders = view(core.orders, core.order_mask + 1, ORDER)
    venue_killed = accounts[FIRM_ACCOUNT].killed + view(core.venues, VENUES, VENUE)[venue_index].killed
    for at in range(core.order_mask + 1):
        order = orders[at]
        if order.order_id == 0 or order.venue != venue_index or not is_open(order.state):
            continue
        if next_reference > 0 and order.order_id >= next_reference:
            continue
        strategy = strategies[order.strategy]
        decider = decider_of(engine, core.orders + at * ORDER_BYTES)
        stopped = decider != 0 and strategies[decider].state != RUNNING
        if stopped or venue_killed + accounts[order.team].killed + accounts[strategy.account].killed > 0:
            cancel(engine, order.order_id)
