"""Parent orders in the loop: begun, called when time passes, stopped, ended.

A parent order is worked by an algorithm: a strategy function in a row of the strategies' table that it has while it
works. Its children are its owner's orders: they pass the gate, count in the accounts and are held as such.
"""

from __future__ import annotations

from numpy import int64

from engine.hotpath.numbers import reserve, spend_number
from engine.hotpath.orders import is_open
from engine.hotpath.requests import cancel, team_number
from engine.hotpath.tables import (
    ASKED,
    ENGINE,
    GIVE_ANYWHERE,
    LEG,
    LEGS_PER_STRATEGY,
    MOST_ASKED_PARENTS,
    MOST_CHOSEN,
    ORDER,
    PARENT,
    PARENT_ASKED,
    STRATEGY,
)
from engine.journal.append import commit_journal
from engine.messages import journal
from engine.messages.codes import ParentState, RecordKind, StrategyState
from engine.native import hot, load_i64, store_i64, view

SMART = 0  # no venue in particular
MUTED = 2  # a replay of records alone (engine.hotpath.replay)
STOPPED = int(StrategyState.STOPPED)
WORKING, CANCELING, EXPIRING = int(ParentState.WORKING), int(ParentState.CANCELING), int(ParentState.EXPIRING)
DONE, CANCELED, EXPIRED = int(ParentState.DONE), int(ParentState.CANCELED), int(ParentState.EXPIRED)
PARENT_KIND = int(RecordKind.PARENT)
PARENT_RECORD = journal.PARENT


@hot
def parent_at(engine, row):
    """What the algorithm in `row` and the loop share about its parent order."""
    core = view(engine, 1, ENGINE)[0]
    return view(view(core.strategies, core.strategy_count, STRATEGY)[row].row, 1, PARENT)[0]


@hot
def find_parent(engine, number):
    """Row that works the parent order of this number, 0: none."""
    core = view(engine, 1, ENGINE)[0]
    for at in range(core.parent_count):
        row = load_i64(core.parents + at * 8)
        if view(core.strategies, core.strategy_count, STRATEGY)[row].parent == number:
            return row
    return 0


@hot
def write_parent(engine, row):
    """Journal how the parent order stands."""
    core = view(engine, 1, ENGINE)[0]
    strategies = view(core.strategies, core.strategy_count, STRATEGY)
    parent = parent_at(engine, row)
    body = reserve(engine)
    if body == 0:
        return
    first = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[row * LEGS_PER_STRATEGY]
    record = view(body, 1, PARENT_RECORD)[0]
    record.position = core.position
    record.parent_id = parent.parent
    record.quantity = parent.quantity
    record.price = parent.price
    record.start_ns = parent.start_ns
    record.end_ns = parent.end_ns
    record.filled = parent.filled
    record.value = parent.value
    record.limits_version = core.limits_version
    record.strategy = strategies[parent.owner].id
    record.team = team_number(engine, strategies[row].team)
    record.trader = parent.trader
    record.instrument = first.instrument
    record.kind = strategies[row].kind
    record.venues = parent.venues
    record.side = parent.side
    record.state = parent.state
    record.legs = parent.leg_count if parent.several != 0 else 0
    commit_journal(core.journal, PARENT_KIND, core.clock_ns)


@hot
def begin(engine, row):
    """The parent order that was put into `row` works from now on: journalled, and called at once."""
    core = view(engine, 1, ENGINE)[0]
    write_parent(engine, row)
    store_i64(core.parents + core.parent_count * 8, row)
    core.parent_count += 1
    core.timer_ns = core.clock_ns


@hot
def stop(engine, row, state):
    """Ask for no more children and cancel the open ones; it ends as `state` says once none is left."""
    core = view(engine, 1, ENGINE)[0]
    parent = parent_at(engine, row)
    if parent.state == WORKING:
        parent.state = state
        view(core.strategies, core.strategy_count, STRATEGY)[row].state = STOPPED
    cancel_children(engine, row)


@hot
def cancel_children(engine, row):
    """Ask for the end of every open child whose end is not asked for already."""
    core = view(engine, 1, ENGINE)[0]
    if open_children(engine, row) == 0:
        return
    number = view(core.strategies, core.strategy_count, STRATEGY)[row].parent
    orders = view(core.orders, core.order_mask + 1, ORDER)
    for at in range(core.order_mask + 1):
        order = orders[at]
        if order.order_id != 0 and order.parent == number and is_open(order.state):
            cancel(engine, order.order_id)


@hot
def open_children(engine, row):
    """Children that may still be filled."""
    core = view(engine, 1, ENGINE)[0]
    legs = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)
    count = 0
    for at in range(LEGS_PER_STRATEGY):
        count += legs[row * LEGS_PER_STRATEGY + at].open_orders
    return count


@hot
def settle(engine, row):
    """The parent order ends when nothing of it is open and it is filled, canceled or out of time."""
    core = view(engine, 1, ENGINE)[0]
    if core.replaying == MUTED or open_children(engine, row) > 0:
        return
    parent = parent_at(engine, row)
    if parent.filled >= parent.quantity:
        parent.state = DONE
    elif parent.state == CANCELING:
        parent.state = CANCELED
    elif parent.state == EXPIRING:
        parent.state = EXPIRED
    else:
        return
    write_parent(engine, row)
    give_back(engine, row)


@hot
def give_back(engine, row):
    """The row is free again; the others keep their order."""
    core = view(engine, 1, ENGINE)[0]
    strategy = view(core.strategies, core.strategy_count, STRATEGY)[row]
    strategy.state = STOPPED
    strategy.parent = 0
    strategy.leg_count = 0
    kept = 0
    for at in range(core.parent_count):
        other = load_i64(core.parents + at * 8)
        if other != row:
            store_i64(core.parents + kept * 8, other)
            kept += 1
    core.parent_count = kept
    if kept == 0:
        core.timer_ns = core.sweep_due_ns


@hot
def ask_parent(engine, strategy_index, request):
    """A strategy asks for a parent order of one of its instruments: noted for the cold path, which enters it."""
    core = view(engine, 1, ENGINE)[0]
    strategy = view(core.strategies, core.strategy_count, STRATEGY)[strategy_index]
    if request.leg < 0 or request.leg >= strategy.leg_count:
        return
    legs = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)
    leg = legs[strategy_index * LEGS_PER_STRATEGY + request.leg]
    asked = view(core.asked, MOST_ASKED_PARENTS, ASKED)[core.asked_count % MOST_ASKED_PARENTS]
    asked.number = spend_number(engine)
    asked.strategy = strategy.id
    asked.team = team_number(engine, strategy.team)
    asked.instrument = leg.instrument
    asked.venue = SMART if request.action == GIVE_ANYWHERE else leg.venue
    asked.side = request.side
    asked.quantity = request.quantity
    asked.price = request.price
    asked.algorithm = request.time_in_force
    asked.duration_ns = request.order_id
    asked.asked_ns = core.clock_ns
    asked.chosen = 0
    core.asked_count += 1
    core.attention |= PARENT_ASKED


@hot
def choose_parameter(engine, strategy_index, request):
    """A parameter of the parent order that the strategy has asked for just before."""
    core = view(engine, 1, ENGINE)[0]
    if core.asked_count == 0 or request.leg < 0 or request.leg >= MOST_CHOSEN:
        return
    asked = view(core.asked, MOST_ASKED_PARENTS, ASKED)[(core.asked_count - 1) % MOST_ASKED_PARENTS]
    if asked.strategy == view(core.strategies, core.strategy_count, STRATEGY)[strategy_index].id:
        asked.chosen |= 1 << request.leg
        asked.values[request.leg] = request.signal


@hot
def replay_parent(engine, body):
    """A PARENT record of another build, taken at its word: the number of one that was entered, or its end."""
    core = view(engine, 1, ENGINE)[0]
    record = view(body, 1, PARENT_RECORD)[0]
    number = int64(record.parent_id)
    row = find_parent(engine, number)
    if record.state != WORKING:
        if row != 0:
            give_back(engine, row)
        return
    if row == 0 and core.parent_count > 0:
        row = load_i64(core.parents + (core.parent_count - 1) * 8)
        view(core.strategies, core.strategy_count, STRATEGY)[row].parent = number
        parent_at(engine, row).parent = number
    if number >= core.next_order_id:
        core.next_order_id = number + 1
