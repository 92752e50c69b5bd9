"""Order numbers in durable blocks: a block is in the journal, and half a block early, before its first number is used.

A start of the engine begins a new block. So whatever the end of the journal lost with the machine, no number that may
have been sent is given again.
"""

from __future__ import annotations

from engine.hotpath.tables import ENGINE, LOG_FULL
from engine.journal.append import commit_journal, reserve_journal
from engine.messages.codes import EngineState, RecordKind
from engine.messages.journal import ORDER_NUMBERS
from engine.native import hot, view

HALTED = int(EngineState.HALTED)
NUMBERS_KIND = int(RecordKind.ORDER_NUMBERS)
BLOCK = 1 << 14
AHEAD = BLOCK // 2


@hot
def reserve(engine):
    """Room for one journal record, or 0: then nothing may be sent any more and the engine halts."""
    core = view(engine, 1, ENGINE)[0]
    body = reserve_journal(core.journal)
    if body == 0:
        core.state = HALTED
        core.attention |= LOG_FULL
    return body


@hot
def add_block(engine):
    """Journal that the next block of numbers is ours."""
    core = view(engine, 1, ENGINE)[0]
    body = reserve(engine)
    if body == 0:
        return
    block = view(body, 1, ORDER_NUMBERS)[0]
    block.position = core.position
    block.first = core.last_number + 1
    block.last = core.last_number + BLOCK
    core.last_number += BLOCK
    commit_journal(core.journal, NUMBERS_KIND, core.clock_ns)


@hot
def begin_numbers(engine):
    """At a start of the engine: numbers go on after the last block that was ever journalled."""
    core = view(engine, 1, ENGINE)[0]
    if core.next_order_id <= core.last_number:
        core.next_order_id = core.last_number + 1
    core.last_number = core.next_order_id - 1
    add_block(engine)


@hot
def spend_number(engine):
    """The next order number, used up. Without blocks (no start was journalled) numbers just rise."""
    core = view(engine, 1, ENGINE)[0]
    number = core.next_order_id
    core.next_order_id = number + 1
    if core.last_number != 0 and core.next_order_id + AHEAD > core.last_number:
        add_block(engine)
    return number
