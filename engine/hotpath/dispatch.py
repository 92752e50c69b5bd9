"""Who hears of what: a changed top goes to the legs that subscribed to its listing, an answer to the order's owner."""

from __future__ import annotations

from engine.hotpath.book import TOP
from engine.hotpath.changes import MODIFY, REPLACE, modify, replace
from engine.hotpath.everywhere import show_everywhere
from engine.hotpath.market_orders import enter_market
from engine.hotpath.orders import decider_of, find_order
from engine.hotpath.parents import ask_parent, choose_parameter, settle
from engine.hotpath.requests import ENTER, cancel, enter
from engine.hotpath.router_orders import route_child, route_leg
from engine.hotpath.tables import (
    ACCOUNT,
    CELL,
    CHOOSE_PARAMETER,
    CONTEXT,
    ENGINE,
    ENTER_ANYWHERE,
    ENTER_MARKET,
    FIRM_ACCOUNT,
    GIVE_ANYWHERE,
    GIVE_PARENT,
    INSTRUMENT,
    LEG,
    LEGS_PER_STRATEGY,
    MAX_REQUESTS,
    ORDER,
    ORDER_REPORTED,
    PARENT,
    REQUEST,
    STRATEGY,
    TOP_CHANGED,
    VENUE,
    VENUES,
)
from engine.messages.codes import StrategyState, TimeInForce
from engine.native import call_strategy, hot, hot_inlined, load_i64, prefetch, store_i64, view

RUNNING = int(StrategyState.RUNNING)
IOC = int(TimeInForce.IOC)
MUTED = 2  # a replay of records alone (engine.hotpath.replay)
LEG_BYTES = LEG.itemsize
STRATEGY_BYTES = STRATEGY.itemsize
ACCOUNT_BYTES, CELL_BYTES, INSTRUMENT_BYTES, ORDER_BYTES = (
    kind.itemsize for kind in (ACCOUNT, CELL, INSTRUMENT, ORDER)
)
CACHE_LINE = 64
ORDER_LINES = 2 * ORDER_BYTES // CACHE_LINE + 1  # of the next two orders: most strategies enter one or two
MOST_ASKED = 8  # watchers of one listing whose memory is asked for ahead


@hot_inlined
def touch(engine, listing):
    """Remember, once per packet, that a listing's top changed, and ask for the memory of who watches it."""
    core = view(engine, 1, ENGINE)[0]
    mark = core.touched_marks + listing * 8
    if load_i64(mark) != core.touched_stamp:
        store_i64(mark, core.touched_stamp)
        store_i64(core.touched + core.touched_count * 8, listing)
        core.touched_count += 1
        first = load_i64(core.subscription_starts + listing * 8)
        last = min(load_i64(core.subscription_starts + listing * 8 + 8), first + MOST_ASKED)
        for at in range(first, last):
            strategy_index = load_i64(core.subscription_legs + at * 8) // LEGS_PER_STRATEGY
            prefetch(core.strategies + strategy_index * STRATEGY_BYTES)
            leg = core.legs + strategy_index * LEGS_PER_STRATEGY * LEG_BYTES
            prefetch(leg)
            prefetch(leg + CACHE_LINE)
            prefetch(leg + LEG_BYTES)
            prefetch(leg + LEG_BYTES + CACHE_LINE)


@hot
def change_own(engine, strategy_index, request):
    """Cancel, replace or modify an order if it is the strategy's own."""
    slot = find_order(engine, request.order_id)
    if slot == 0 or decider_of(engine, slot) != strategy_index:
        return
    if request.action == REPLACE:
        replace(engine, request.order_id, request.price, request.quantity, request.signal)
    elif request.action == MODIFY:
        modify(engine, request.order_id, request.quantity, request.signal)
    else:
        cancel(engine, request.order_id)


@hot
def refuse_leg(engine, strategy_index, request):
    """An order for a leg that the strategy does not have is about no instrument: the gate says so."""
    core = view(engine, 1, ENGINE)[0]
    strategy = view(core.strategies, core.strategy_count, STRATEGY)[strategy_index]
    enter(
        engine,
        strategy_index,
        strategy.team,
        -1,
        0,
        0,
        request.side,
        request.price,
        request.quantity,
        request.time_in_force,
        request.signal,
    )


@hot
def enter_at_market(engine, owner, strategy_index, request):
    """A market order of a strategy's leg."""
    core = view(engine, 1, ENGINE)[0]
    strategy = view(core.strategies, core.strategy_count, STRATEGY)[strategy_index]
    if request.leg < 0 or request.leg >= strategy.leg_count:
        refuse_leg(engine, strategy_index, request)
        return
    leg_index = strategy_index * LEGS_PER_STRATEGY + request.leg
    leg = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[leg_index]
    enter_market(
        engine,
        owner,
        strategy.team,
        leg_index,
        leg.venue,
        leg.instrument,
        request.side,
        request.quantity,
        request.time_in_force,
        request.order_id,
        request.signal,
    )


@hot_inlined
def ask_gate(engine, strategy_index):
    """Ask for the memory that the gate is going to look at for a strategy's orders."""
    core = view(engine, 1, ENGINE)[0]
    strategy = view(core.strategies, core.strategy_count, STRATEGY)[strategy_index]
    width = core.instrument_count + 1
    for at in range(strategy.leg_count):
        leg_index = strategy_index * LEGS_PER_STRATEGY + at
        instrument = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[leg_index].instrument
        prefetch(core.cells + (strategy.team * width + instrument) * CELL_BYTES)
        prefetch(core.cells + (FIRM_ACCOUNT * width + instrument) * CELL_BYTES)
        prefetch(core.instruments + instrument * INSTRUMENT_BYTES)
    for account in (strategy.account, strategy.team, FIRM_ACCOUNT):
        prefetch(core.accounts + account * ACCOUNT_BYTES)
        prefetch(core.accounts + account * ACCOUNT_BYTES + CACHE_LINE)
    prefetch(core.strategies + strategy_index * STRATEGY_BYTES + CACHE_LINE)
    slot = core.orders + (core.next_order_id & core.order_mask) * ORDER_BYTES
    for line in range(ORDER_LINES):
        prefetch(slot + line * CACHE_LINE)


@hot
def make_requests(engine, strategy_index, count):
    """Send what a strategy asked for through the gate, in its order. What a parent order asks for is its owner's."""
    core = view(engine, 1, ENGINE)[0]
    strategy = view(core.strategies, core.strategy_count, STRATEGY)[strategy_index]
    requests = view(core.requests, MAX_REQUESTS, REQUEST)
    legs = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)
    ask_gate(engine, strategy_index)
    owner = strategy_index
    routed = False
    anywhere = 0
    if strategy.parent != 0:
        parent = view(strategy.row, 1, PARENT)[0]
        owner = parent.owner
        routed = strategy.leg_count > 1 and parent.several == 0
        anywhere = parent.anywhere
    for at in range(count if count < MAX_REQUESTS else MAX_REQUESTS):
        request = requests[at]
        if request.action == CHOOSE_PARAMETER:
            choose_parameter(engine, strategy_index, request)
            continue
        strategy.signal = request.signal
        if request.action == GIVE_PARENT or request.action == GIVE_ANYWHERE:
            ask_parent(engine, strategy_index, request)
            continue
        if request.action == ENTER_MARKET:
            enter_at_market(engine, owner, strategy_index, request)
            continue
        if request.action != ENTER and request.action != ENTER_ANYWHERE:
            change_own(engine, strategy_index, request)
            continue
        if request.leg < 0 or request.leg >= strategy.leg_count:
            refuse_leg(engine, strategy_index, request)
            continue
        leg_index = strategy_index * LEGS_PER_STRATEGY + request.leg
        leg = legs[leg_index]
        goes_anywhere = request.action == ENTER_ANYWHERE or anywhere >> request.leg & 1 != 0
        if goes_anywhere and route_leg(engine, owner, leg_index, request) > 0:
            continue
        if routed and (request.time_in_force == IOC or leg.watched == leg.venue):
            own, price, force = request.quantity, request.price, request.time_in_force
            if route_child(engine, owner, strategy_index, request.side, price, own, force, request.signal) > 0:
                continue
        enter(
            engine,
            owner,
            strategy.team,
            leg_index,
            leg.venue,
            leg.instrument,
            request.side,
            request.price,
            request.quantity,
            request.time_in_force,
            request.signal,
        )


@hot
def call_hook(engine, strategy_index, event):
    """Let one running strategy look, and act on what it asks for."""
    core = view(engine, 1, ENGINE)[0]
    strategy = view(core.strategies, core.strategy_count, STRATEGY)[strategy_index]
    if strategy.state != RUNNING or core.replaying == MUTED:
        return
    if core.parent_count > 0 and strategy.parent != 0:
        show_everywhere(engine, strategy_index)
    context = view(core.context, 1, CONTEXT)[0]
    context.time_ns = core.market_time_ns
    context.clock_ns = core.clock_ns
    context.event = event
    count = call_strategy(
        strategy.entry, core.context, strategy.row, core.legs + strategy_index * LEGS_PER_STRATEGY * LEG_BYTES
    )
    if count > 0:
        make_requests(engine, strategy_index, count)


@hot
def show_top(engine, listing):
    """Copy the top into every leg that watches the listing, and note, once per packet, whose strategy is to look.

    While messages of the venue are missing nobody is called: what they would see is not the market.
    """
    core = view(engine, 1, ENGINE)[0]
    top = view(core.tops, core.listing_count, TOP)[listing]
    first = load_i64(core.subscription_starts + listing * 8)
    last = load_i64(core.subscription_starts + listing * 8 + 8)
    for at in range(first, last):
        leg_index = load_i64(core.subscription_legs + at * 8)
        leg = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[leg_index]
        leg.bid = top.bid
        leg.bid_quantity = top.bid_quantity
        leg.ask = top.ask
        leg.ask_quantity = top.ask_quantity
        strategy = view(core.strategies, core.strategy_count, STRATEGY)[leg.strategy]
        if strategy.called_stamp != core.touched_stamp and view(core.venues, VENUES, VENUE)[leg.watched].dirty == 0:
            strategy.called_stamp = core.touched_stamp
            prefetch(strategy.row)
            prefetch(strategy.row + CACHE_LINE)
            store_i64(core.called + core.called_count * 8, leg.strategy)
            core.called_count += 1


@hot
def notify_touched(engine):
    """After a packet: changed tops into the legs, in the order of change; then each strategy that saw one looks once,
    at all of them."""
    core = view(engine, 1, ENGINE)[0]
    for at in range(core.touched_count):
        show_top(engine, load_i64(core.touched + at * 8))
    core.touched_count = 0
    core.touched_stamp += 1
    for at in range(core.called_count):
        call_hook(engine, load_i64(core.called + at * 8), TOP_CHANGED)
    core.called_count = 0


@hot
def notify_owner(engine, strategy_index):
    """After an answer about one of its orders."""
    if strategy_index > 0:
        call_hook(engine, strategy_index, ORDER_REPORTED)
        core = view(engine, 1, ENGINE)[0]
        if view(core.strategies, core.strategy_count, STRATEGY)[strategy_index].parent != 0:
            settle(engine, strategy_index)
