"""Lets the parts of sweeps go that waited for the slowest one (router_delays.py)."""

from __future__ import annotations

from engine.hotpath.parents import MUTED, parent_at
from engine.hotpath.positions import parent_of
from engine.hotpath.router_delays import DELAYED, DELAYED_ROWS, ROW_BYTES, count_for_leg, next_due
from engine.hotpath.router_orders import enter_row, find_routed, go_on
from engine.hotpath.router_tables import ROUTE_ROW, ROUTED, ROUTED_ROWS
from engine.hotpath.tables import ENGINE, LEGS_PER_STRATEGY, STRATEGY
from engine.messages.codes import ParentState, StrategyState
from engine.native import hot, view

WORKING, RUNNING = int(ParentState.WORKING), int(StrategyState.RUNNING)
STALE_NS = 1_000_000_000  # the engine was away: what was decided then is not sent now


@hot
def release_due(engine):
    """Send every part whose time has come."""
    core = view(engine, 1, ENGINE)[0]
    at = next_due(engine)
    while at >= 0 and view(core.delayed, DELAYED_ROWS, DELAYED)[at].due_ns <= core.clock_ns:
        release(engine, at)
        at = next_due(engine)


@hot
def release(engine, at):
    """Send one part, unless nobody wants it any more: its parent or strategy has stopped, or it is too late."""
    core = view(engine, 1, ENGINE)[0]
    waiting = view(core.delayed, DELAYED_ROWS, DELAYED)[at]
    number = waiting.number
    waiting.number = 0
    address = core.delayed_rows + at * ROW_BYTES
    row = view(address, 1, ROUTE_ROW)[0]
    count_for_leg(engine, waiting.leg, waiting.side, -(row.take_quantity + row.rest_quantity), -1)
    place = find_routed(engine, number)
    if place < 0:
        return
    routed = view(core.routed, ROUTED_ROWS, ROUTED)[place]
    routed.open_takes -= 1
    wanted = core.clock_ns - waiting.due_ns <= STALE_NS and is_wanted(engine, place)
    if wanted:
        routed.left += row.take_quantity + row.rest_quantity
        enter_row(engine, place, address)
    go_on(engine, place, wanted)


@hot
def is_wanted(engine, place):
    """Whether whoever gave the order still works."""
    core = view(engine, 1, ENGINE)[0]
    if core.replaying == MUTED:
        return False
    routed = view(core.routed, ROUTED_ROWS, ROUTED)[place]
    row = routed.row
    if row == 0 and parent_of(engine, routed.leg) != 0:
        row = routed.leg // LEGS_PER_STRATEGY
    if row != 0:
        return parent_at(engine, row).state == WORKING
    if routed.strategy == 0:
        return True
    return view(core.strategies, core.strategy_count, STRATEGY)[routed.strategy].state == RUNNING
