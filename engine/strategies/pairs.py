"""Pairs: two instruments whose spread returns to a centre. Sell the spread when it is high, buy it when it is low.

    spread = mid(first) - hedge_ratio x mid(second)         signal = (spread - centre) / deviation

Beyond `entry` deviations the strategy wants `quantity` of the first instrument against hedge_ratio times as much of the
second; within `exit` it wants nothing. Each leg then works towards what is wanted: one order at a time, first joining
the queue at its own side of the book, and crossing the spread when that did not fill within `patience`. The strategy
watches its own venue; with `routing` its orders go to the best of all venues. The parameters are estimated from an
earlier session (`python -m engine study pairs`); the centre may drift with a memory of `memory` seconds.
"""

from __future__ import annotations

import numpy as np

from engine.hotpath.tables import CONTEXT, LEG, MAX_REQUESTS, REQUEST
from engine.messages.catalogue import Parameter
from engine.native import hot, hot_inlined, view
from engine.strategies.requests import BUY, SELL, ask_cancel, ask_enter, go_anywhere

LABEL = "Pairs"
SUMMARY = "Trades the spread of two correlated instruments back to its centre."
INSTRUMENT_LABELS = ["First", "Second"]

PARAMETERS = [
    Parameter(
        "hedge_ratio", "Hedge ratio", "shares of second per share of first", 0.01, 100.0, 1.0, help="from the estimate"
    ),
    Parameter(
        "centre", "Centre", "currency", -100_000.0, 100_000.0, 0.0, help="mean of the spread in the earlier session"
    ),
    Parameter("deviation", "Deviation", "currency", 0.0001, 10_000.0, 0.05, help="standard deviation of the spread"),
    Parameter("entry", "Entry", "deviations", 0.1, 20.0, 2.0, help="enter beyond this signal"),
    Parameter("exit", "Exit", "deviations", 0.0, 20.0, 0.5, help="leave within this signal"),
    Parameter("quantity", "Quantity", "shares of the first", 1, 100_000, 100, step=1),
    Parameter(
        "patience",
        "Patience",
        "seconds",
        0.0,
        3600.0,
        2.0,
        help="how long an order may rest before the leg crosses the spread",
    ),
    Parameter("memory", "Memory of the centre", "seconds, 0 keeps it fixed", 0.0, 1_000_000.0, 0.0),
    Parameter("routing", "Orders go to", "0 the strategy's venue, 1 best of all venues", 0, 1, 0, step=1),
]

BELOW = [("exit", "entry")]  # the first parameter is less than the second

STATE = np.dtype(
    [
        ("hedge_ratio", "<f8"),
        ("centre", "<f8"),
        ("deviation", "<f8"),
        ("entry", "<f8"),
        ("exit", "<f8"),
        ("quantity", "<f8"),
        ("patience", "<f8"),
        ("memory", "<f8"),
        ("routing", "<f8"),
        ("signal", "<f8"),
        ("wanted", "<i8"),  # -1 sold, 0 flat, 1 bought
        ("seen_ns", "<i8"),
    ]
)
CURRENCY = 10_000.0
SECOND_NS = 1_000_000_000.0


@hot_inlined
def two_sided(leg):
    """Both sides of the leg's book are there and do not cross."""
    return leg.bid_quantity > 0 and leg.ask_quantity > 0 and leg.bid < leg.ask


@hot_inlined
def update_signal(pair, first, second, time_ns):
    """The spread's distance from its centre in deviations; the centre follows slowly when it has a memory."""
    spread = (0.5 * (first.bid + first.ask) - pair.hedge_ratio * 0.5 * (second.bid + second.ask)) / CURRENCY
    if pair.memory > 0.0 and 0 < pair.seen_ns <= time_ns:
        passed = (time_ns - pair.seen_ns) / SECOND_NS
        pair.centre += passed / (pair.memory + passed) * (spread - pair.centre)
    pair.seen_ns = time_ns
    pair.signal = (spread - pair.centre) / pair.deviation
    return pair.signal


@hot_inlined
def update_wanted(pair):
    """Which side of the spread to hold, with hysteresis between entry and exit."""
    if pair.signal >= pair.entry:
        pair.wanted = -1
    elif pair.signal <= -pair.entry:
        pair.wanted = 1
    elif (pair.wanted < 0 and pair.signal <= pair.exit) or (pair.wanted > 0 and pair.signal >= -pair.exit):
        pair.wanted = 0


@hot_inlined
def work_leg(pair, leg, index, goal, time_ns, requests, count):
    """One step of a leg towards its goal: cancel what is wrong or too old, else ask for what is missing."""
    missing = goal - leg.position
    if leg.open_orders > 0:
        if leg.order_id == 0 or leg.canceling != 0:
            return count
        working = leg.working_buy - leg.working_sell
        stale = time_ns - leg.order_since_ns >= pair.patience * SECOND_NS
        if (missing > 0) != (working > 0) or missing == 0 or stale:
            leg.attempts = leg.attempts + 1 if stale else 0
            return ask_cancel(requests, count, index, leg.order_id, pair.signal)
        return count
    if missing == 0:
        leg.attempts = 0
        return count
    if time_ns < leg.retry_after_ns:
        return count
    crossing = leg.attempts > 0 or pair.patience == 0.0
    if missing > 0:
        count = ask_enter(requests, count, index, BUY, leg.ask if crossing else leg.bid, missing, pair.signal)
    else:
        count = ask_enter(requests, count, index, SELL, leg.bid if crossing else leg.ask, -missing, pair.signal)
    return go_anywhere(requests, count) if pair.routing > 0.0 else count


@hot
def decide(pair, first, second, time_ns, requests):
    """Market, position and own state in; requests out. Returns how many."""
    if not (two_sided(first) and two_sided(second)):
        return 0
    update_signal(pair, first, second, time_ns)
    update_wanted(pair)
    quantity = int(pair.quantity)
    hedge = int(pair.quantity * pair.hedge_ratio + 0.5)
    count = work_leg(pair, first, 0, pair.wanted * quantity, time_ns, requests, 0)
    return work_leg(pair, second, 1, -pair.wanted * hedge, time_ns, requests, count)


def on_event(context, row, legs):
    """The loop's entry: open the views, decide."""
    event = view(context, 1, CONTEXT)[0]
    leg = view(legs, 2, LEG)
    return decide(view(row, 1, STATE)[0], leg[0], leg[1], event.time_ns, view(event.requests, MAX_REQUESTS, REQUEST))
