"""What the loop does while nothing comes, so that the next order finds its way warm. Nobody is sent an order by it.

A warm send is a byte on a private connection: it keeps the kernel's way of a send in the caches.

A warm decision is a packet that goes the whole way to two encoded orders. What is done once in a thousand packets is
slow when it is done: its instructions have left the caches and the processor guesses its branches wrong. So a very
small engine (`engine.control.warm_decisions`) takes a packet now and then through the code that trades, the same
machine code: decision, gate, journal, encoding. It has tables, logs and a venue of its own and shares none with the
engine that trades.
"""

from __future__ import annotations

import numpy as np

from engine.hotpath.feed import take_datagram
from engine.hotpath.orders import STATE_CANCELED, close_order, is_open, order_slot
from engine.hotpath.tables import ACCOUNT, ENGINE, FIRST_STRATEGY_ACCOUNT, ORDER, PACKET_BYTES, VENUE, VENUES
from engine.journal.append import WRITER
from engine.native import DONT_WAIT, NO_SIGNAL, cycle_counter, hot, recv, send, store_be64, view
from engine.protocols.moldudp64_blocks import SEQUENCE

WARMING = np.dtype(
    [
        ("engine", "<i8"),  # the small one
        ("packets", "<i8", (2,)),  # in turn; the second takes back what the first did to the book
        ("length", "<i8"),  # of either
        ("turns", "<i8"),
        ("journal_start", "<i8"),
        ("recording_start", "<i8"),
    ]
)
ITS_VENUE = 1


@hot
def warm_send(engine):
    """A byte to nobody, when the last one is long enough ago."""
    core = view(engine, 1, ENGINE)[0]
    now = cycle_counter()
    if now - core.warm_at < core.warm_cycles:
        return
    core.warm_at = now
    send(core.warm_fd, core.done_text, 1, DONT_WAIT | NO_SIGNAL)
    recv(core.warm_peer, core.packet, PACKET_BYTES, DONT_WAIT)


@hot
def warm_decision(engine):
    """A packet through the small engine, when the last one is long enough ago."""
    core = view(engine, 1, ENGINE)[0]
    now = cycle_counter()
    if now - core.warming_at < core.warming_cycles:
        return
    core.warming_at = now
    run = view(core.warming, 1, WARMING)[0]
    small = view(run.engine, 1, ENGINE)[0]
    packet = run.packets[run.turns & 1]
    run.turns += 1
    store_be64(packet + SEQUENCE, view(small.venues, VENUES, VENUE)[ITS_VENUE].expected)
    small.clock_ns = core.clock_ns
    small.received_cycles = now
    take_datagram(run.engine, ITS_VENUE, 0, packet, run.length)
    forget_decision(core.warming)


@hot
def forget_decision(warming):
    """Its orders end, what was written of them is given up, and the next run finds everything as this one did."""
    run = view(warming, 1, WARMING)[0]
    small = view(run.engine, 1, ENGINE)[0]
    for order_id in range(1, small.next_order_id):
        slot = order_slot(run.engine, order_id)
        if is_open(view(slot, 1, ORDER)[0].state):
            close_order(run.engine, slot, STATE_CANCELED)
    small.next_order_id = 1
    view(small.venues, VENUES, VENUE)[ITS_VENUE].outbound_used = 0
    view(small.journal, 1, WRITER)[0].tail = run.journal_start
    view(small.recording, 1, WRITER)[0].tail = run.recording_start
    accounts = view(small.accounts, FIRST_STRATEGY_ACCOUNT + small.strategy_count, ACCOUNT)
    for at in range(FIRST_STRATEGY_ACCOUNT + small.strategy_count):
        accounts[at].rate_due_ns = 0
