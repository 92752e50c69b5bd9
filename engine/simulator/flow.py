"""Order flow of the simulated market: orders around fair value, cancels, replaces, takers, stale quotes hit."""

from __future__ import annotations

import math

import numpy as np

from engine.messages.codes import OrderAction, Side, TimeInForce
from engine.native import hot, load_i64, store_i64, view
from engine.simulator.fair_values import FAIR, FAIR_ROW, advance_fair
from engine.simulator.impact import pressure
from engine.simulator.layout import BOOK, FLOW, INSTRUMENT, LEVEL, ORDER, REQUEST, CancelReason
from engine.simulator.order_table import find_order, order_key
from engine.simulator.random_numbers import UNIT, draw, draw_from
from engine.simulator.requests import apply, has_room, store_flow

BUY, SELL, DAY, IOC = int(Side.BUY), int(Side.SELL), int(TimeInForce.DAY), int(TimeInForce.IOC)
ENTER, REPLACE, CANCEL = int(OrderAction.ENTER), int(OrderAction.REPLACE), int(OrderAction.CANCEL)
BY_USER = int(CancelReason.USER)
LIVE_CAPACITY = 256  # orders of the market that are remembered per instrument
LIVE_SIZE = 8 * (LIVE_CAPACITY + 1)
FLOW_SIZE = FLOW.itemsize
# Out of 1,024 actions: takers; cancels when the book is as deep as wanted; replaces. The rest are new orders.
TAKES, CANCELS, REPLACES = 60, 380, 84

GENERATOR = np.dtype(
    [
        ("random", "<i8", 2),  # must stay first: its address is the state of `draw`
        ("next_time_ns", "<i8"),
        ("mean_gap_ns", "<i8"),
        ("gaps", "<i8"),
        ("fair", "<i8"),
        ("live", "<i8"),
        ("request", "<i8"),
        ("depth", "<i8"),
        ("instrument_count", "<i8"),
        ("next_user_reference", "<i8"),
        ("event_count", "<i8"),
        ("record", "<i8"),  # address of FLOW records, 0 when nothing is recorded
        ("record_capacity", "<i8"),
        ("record_count", "<i8"),
        ("half_spread_ticks", "<f8"),
    ]
)


@hot
def submit(generator, book):
    """Carry out the generator's request, recording it when asked to."""
    state = view(generator, 1, GENERATOR)[0]
    if state.record != 0 and state.record_count < state.record_capacity:
        store_flow(state.record + state.record_count * FLOW_SIZE, state.request)
        state.record_count += 1
    state.event_count += 1
    return apply(book, state.request)


@hot
def prepare(generator, action, instrument, side, price, quantity, time_in_force):
    """Fill in the generator's request under a new user reference."""
    state = view(generator, 1, GENERATOR)[0]
    wanted = view(state.request, 1, REQUEST)[0]
    wanted.time_ns = state.next_time_ns
    wanted.action = action
    wanted.owner = 0
    wanted.user_reference = state.next_user_reference
    wanted.existing_reference = 0
    wanted.instrument = instrument
    wanted.side = side
    wanted.price = price
    wanted.quantity = quantity
    wanted.time_in_force = time_in_force
    wanted.minimum_quantity = 0
    wanted.displayed = 1
    wanted.reason = BY_USER
    state.next_user_reference += 1


@hot
def fair_value(generator, book, instrument):
    """Where the market believes the price to be: its fair value, and what owners' orders have moved it by."""
    state = view(generator, 1, GENERATOR)[0]
    fair = view(state.fair, 1, FAIR)[0]
    value = view(fair.rows, fair.instrument_count + 1, FAIR_ROW)[instrument].price
    return value + pressure(book, instrument, state.next_time_ns)


@hot
def quote_price(fair_price, side, tick, half_spread_ticks, away):
    """A passive price on the tick grid, `away` ticks behind the best one that makes sense."""
    if side == BUY:
        ticks = math.floor(fair_price / tick - half_spread_ticks) - away
    else:
        ticks = math.ceil(fair_price / tick + half_spread_ticks) + away
    return max(1, ticks) * tick


@hot
def draw_distance(generator):
    """How many ticks behind the best price an order is placed; most are close."""
    number = draw(generator, 32)
    if number < 12:
        return 0
    if number < 20:
        return 1
    if number < 25:
        return 2
    return number - 22


@hot
def draw_side(generator):
    """Either side, equally likely."""
    return BUY if draw(generator, 2) else SELL


@hot
def pick_live(generator, book, instrument):
    """A random open order of the market in this instrument, taken off the list; 0 when none was found."""
    state = view(generator, 1, GENERATOR)[0]
    live = state.live + instrument * LIVE_SIZE
    for _ in range(8):
        count = load_i64(live)
        if count == 0:
            return 0
        place = live + 8 * (1 + draw(generator, count))
        reference = load_i64(place)
        store_i64(place, load_i64(live + 8 * count))
        store_i64(live, count - 1)
        if find_order(book, order_key(0, reference)) != 0:
            return reference
    return 0


@hot
def remember(generator, book, instrument, user_reference):
    """Put an order on the list of live ones, if it rests and there is room."""
    state = view(generator, 1, GENERATOR)[0]
    live = state.live + instrument * LIVE_SIZE
    count = load_i64(live)
    if count < LIVE_CAPACITY and find_order(book, order_key(0, user_reference)) != 0:
        store_i64(live + 8 * (count + 1), user_reference)
        store_i64(live, count + 1)


@hot
def add_order(generator, book, instrument, side):
    """A new limit order near fair value."""
    state = view(generator, 1, GENERATOR)[0]
    header = view(book, 1, BOOK)[0]
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[instrument]
    value = fair_value(generator, book, instrument)
    price = quote_price(value, side, entry.tick_size, state.half_spread_ticks, draw_distance(generator))
    quantity = 100 * (1 + draw(generator, 5))
    prepare(generator, ENTER, instrument, side, price, quantity, DAY)
    reference = state.next_user_reference - 1
    submit(generator, book)
    remember(generator, book, instrument, reference)


@hot
def cancel_order(generator, book, instrument):
    """A market order's owner changes his mind."""
    state = view(generator, 1, GENERATOR)[0]
    reference = pick_live(generator, book, instrument)
    if reference == 0:
        add_order(generator, book, instrument, draw_side(generator))
        return
    prepare(generator, CANCEL, instrument, BUY, 0, 0, DAY)
    state.next_user_reference -= 1
    view(state.request, 1, REQUEST)[0].user_reference = reference
    submit(generator, book)


@hot
def replace_order(generator, book, instrument):
    """An order of the market moves to where fair value is now."""
    state = view(generator, 1, GENERATOR)[0]
    header = view(book, 1, BOOK)[0]
    existing = pick_live(generator, book, instrument)
    if existing == 0:
        add_order(generator, book, instrument, draw_side(generator))
        return
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[instrument]
    order = view(header.orders, header.order_capacity + 1, ORDER)[find_order(book, order_key(0, existing))]
    value = fair_value(generator, book, instrument)
    price = quote_price(value, order.side, entry.tick_size, state.half_spread_ticks, draw_distance(generator))
    quantity = order.executed + 100 * (1 + draw(generator, 5))
    prepare(generator, REPLACE, instrument, order.side, price, quantity, DAY)
    view(state.request, 1, REQUEST)[0].existing_reference = existing
    reference = state.next_user_reference - 1
    submit(generator, book)
    remember(generator, book, instrument, reference)


@hot
def take(generator, book, instrument, side, price, quantity):
    """An order that trades at once or not at all."""
    prepare(generator, ENTER, instrument, side, price, quantity, IOC)
    submit(generator, book)


@hot
def arbitrage(generator, book, instrument):
    """Trade with a best price that fair value has left behind; returns whether there was one."""
    header = view(book, 1, BOOK)[0]
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[instrument]
    levels = view(header.levels, header.level_capacity + 1, LEVEL)
    value = fair_value(generator, book, instrument)
    if entry.best_ask != 0 and levels[entry.best_ask].price < value:
        best = levels[entry.best_ask]
        take(generator, book, instrument, BUY, best.price, min(best.quantity, 2000))
        return True
    if entry.best_bid != 0 and levels[entry.best_bid].price > value:
        best = levels[entry.best_bid]
        take(generator, book, instrument, SELL, best.price, min(best.quantity, 2000))
        return True
    return False


@hot
def act(generator, book):
    """One event of the market at its next time."""
    state = view(generator, 1, GENERATOR)[0]
    header = view(book, 1, BOOK)[0]
    advance_fair(state.fair, state.next_time_ns)
    instrument = 1 + draw(generator, state.instrument_count)
    if arbitrage(generator, book, instrument):
        return
    entry = view(header.instruments, header.instrument_count + 1, INSTRUMENT)[instrument]
    if entry.best_bid == 0 or entry.best_ask == 0:
        add_order(generator, book, instrument, BUY if entry.best_bid == 0 else SELL)
        return
    number = draw(generator, 1024)
    cancels = min(900, CANCELS * load_i64(state.live + instrument * LIVE_SIZE) // state.depth)
    if number < TAKES:
        value = fair_value(generator, book, instrument)
        side = draw_side(generator)
        price = quote_price(value, SELL if side == BUY else BUY, entry.tick_size, 0.0, 2)
        take(generator, book, instrument, side, price, 100 * (1 + draw(generator, 3)))
    elif number < TAKES + cancels:
        cancel_order(generator, book, instrument)
    elif number >= 1024 - REPLACES:
        replace_order(generator, book, instrument)
    else:
        add_order(generator, book, instrument, draw_side(generator))


@hot
def open_books(generator, book):
    """Put the wanted depth into every book at the time the session starts."""
    state = view(generator, 1, GENERATOR)[0]
    for instrument in range(1, state.instrument_count + 1):
        for _ in range(state.depth):
            add_order(generator, book, instrument, draw_side(generator))


@hot
def run_until(generator, book, time_ns, message_limit):
    """Carry out every event up to and with `time_ns`, or until enough messages wait. Returns the events done."""
    state = view(generator, 1, GENERATOR)[0]
    header = view(book, 1, BOOK)[0]
    done = 0
    while state.next_time_ns <= time_ns and header.message_count < message_limit and has_room(book):
        act(generator, book)
        done += 1
        state.next_time_ns += 1 + state.mean_gap_ns * draw_from(generator, state.gaps) // UNIT
    return done
