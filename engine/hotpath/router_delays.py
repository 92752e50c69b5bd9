"""Parts of a sweep that wait, so that all parts arrive together: sent when the slowest one is that much further.

What is learned of a venue is how long it takes to answer; half of that is believed to be the way there. A part that
waits counts as open with its order and its leg, and is let go by the loop's timer (router_release.py), so that a replay
lets it go at the same moment.
"""

from __future__ import annotations

import numpy as np

from engine.hotpath.router_tables import ROUTE_ROW
from engine.hotpath.tables import ENGINE, LEG, LEGS_PER_STRATEGY
from engine.messages.codes import Side
from engine.native import copy_bytes, hot, view

BUY = int(Side.BUY)
DELAYED_ROWS = 64  # parts that wait at a time; with all of them taken a part leaves at once
LEAST_DELAY_NS = 200_000  # not worth a wait: the loop looks at its timer no more often
MOST_DELAY_NS = 5_000_000  # prices do not wait longer for a slow venue
ROW_BYTES = ROUTE_ROW.itemsize

DELAYED = np.dtype(
    [
        ("number", "<i8"),  # of the routed order, 0: the row is free
        ("due_ns", "<i8"),
        ("leg", "<i8"),  # that it counts for meanwhile, -1: none
        ("side", "<i8"),
    ]
)


@hot
def delay_of(latency_ns, slowest_ns):
    """How long a part for a venue of this latency waits in a sweep whose slowest venue has the other; 0 where nothing
    is known."""
    if latency_ns == 0:
        return 0
    delay = (slowest_ns - latency_ns) // 2
    if delay < LEAST_DELAY_NS:
        return 0
    return delay if delay < MOST_DELAY_NS else MOST_DELAY_NS


@hot
def count_for_leg(engine, leg, side, quantity, orders):
    """What waits counts as working for its leg, so that an algorithm does not ask for it twice."""
    if leg < 0:
        return
    core = view(engine, 1, ENGINE)[0]
    own = view(core.legs, core.strategy_count * LEGS_PER_STRATEGY, LEG)[leg]
    own.open_orders += orders
    if side == BUY:
        own.working_buy += quantity
    else:
        own.working_sell += quantity


@hot
def put_off(engine, number, leg, side, row_address, delay_ns):
    """Let what was decided about a venue wait. Returns whether there was room."""
    core = view(engine, 1, ENGINE)[0]
    waiting = view(core.delayed, DELAYED_ROWS, DELAYED)
    for at in range(DELAYED_ROWS):
        if waiting[at].number != 0:
            continue
        row = view(row_address, 1, ROUTE_ROW)[0]
        waiting[at].number = number
        waiting[at].due_ns = core.clock_ns + delay_ns
        waiting[at].leg = leg
        waiting[at].side = side
        copy_bytes(core.delayed_rows + at * ROW_BYTES, row_address, ROW_BYTES)
        count_for_leg(engine, leg, side, row.take_quantity + row.rest_quantity, 1)
        if core.sweep_due_ns == 0 or waiting[at].due_ns < core.sweep_due_ns:
            core.sweep_due_ns = waiting[at].due_ns
        if core.timer_ns == 0 or core.sweep_due_ns < core.timer_ns:
            core.timer_ns = core.sweep_due_ns
        return True
    return False


@hot
def next_due(engine):
    """The place of the part that is let go first, and in `sweep_due_ns` when; -1 and 0 when none waits."""
    core = view(engine, 1, ENGINE)[0]
    waiting = view(core.delayed, DELAYED_ROWS, DELAYED)
    found = -1
    for at in range(DELAYED_ROWS):
        if waiting[at].number != 0 and (found < 0 or waiting[at].due_ns < waiting[found].due_ns):
            found = at
    core.sweep_due_ns = waiting[found].due_ns if found >= 0 else 0
    return found


@hot
def waits(engine, number):
    """How many parts of a routed order wait."""
    core = view(engine, 1, ENGINE)[0]
    count = 0
    for at in range(DELAYED_ROWS):
        if view(core.delayed, DELAYED_ROWS, DELAYED)[at].number == number:
            count += 1
    return count
