"""Time that passes for parent orders, and for parts of sweeps that wait: when the market is silent, too. A TIMER record
says when it was, so that a replay calls them at the same moments."""

from __future__ import annotations

from engine.hotpath.dispatch import call_hook
from engine.hotpath.numbers import reserve
from engine.hotpath.parents import EXPIRING, MUTED, WORKING, cancel_children, parent_at, settle, stop
from engine.hotpath.router_release import release_due
from engine.hotpath.sending import flush_unsent
from engine.hotpath.tables import ENGINE, TIME_PASSED
from engine.journal.append import commit_journal
from engine.messages.codes import RecordKind
from engine.messages.journal import TIMER
from engine.native import hot, load_i64, view

TIMER_KIND = int(RecordKind.TIMER)
INTERVAL_NS = 200_000_000
EMULATED_INTERVAL_NS = 1_000_000_000  # while only those work that may do so for months


@hot
def pass_time(engine):
    """Journal the loop's time, send the parts of sweeps that are due and call every parent order."""
    core = view(engine, 1, ENGINE)[0]
    body = reserve(engine)
    if body == 0:
        return
    view(body, 1, TIMER)[0].position = core.position
    commit_journal(core.journal, TIMER_KIND, core.clock_ns)
    core.received_cycles = 0  # no packet caused what follows
    release_due(engine)
    core.timer_ns = core.clock_ns + interval_of(engine) if core.parent_count > 0 else core.sweep_due_ns
    if core.sweep_due_ns != 0 and core.sweep_due_ns < core.timer_ns:
        core.timer_ns = core.sweep_due_ns
    at = 0
    while at < core.parent_count:
        row = load_i64(core.parents + at * 8)
        call_parent(engine, row)
        if at < core.parent_count and load_i64(core.parents + at * 8) == row:
            at += 1
    flush_unsent(engine)


@hot
def interval_of(engine):
    """How long the parent orders are not called when nothing happens."""
    core = view(engine, 1, ENGINE)[0]
    for at in range(core.parent_count):
        if parent_at(engine, load_i64(core.parents + at * 8)).emulates == 0:
            return INTERVAL_NS
    return EMULATED_INTERVAL_NS


@hot
def call_parent(engine, row):
    """Let one parent order look; stop it when its time is over."""
    core = view(engine, 1, ENGINE)[0]
    if core.replaying == MUTED:
        return
    parent = parent_at(engine, row)
    if parent.state != WORKING:
        cancel_children(engine, row)
    elif core.clock_ns >= parent.end_ns:
        stop(engine, row, EXPIRING)
    elif core.clock_ns >= parent.start_ns:
        call_hook(engine, row, TIME_PASSED)
    settle(engine, row)
