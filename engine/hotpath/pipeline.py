"""From a packet to an order, on one page. Python is never between the two.

    1. receive     `turn` reads each venue's feed lines (A and B race; retransmission only while something is missing)
    2. sequence    `take_datagram` arbitrates by MoldUDP64 sequence number; `consume_gathered` records the packet
    3. decode      `apply_gathered` turns each ITCH message into a change of the book
    4. decide      `notify_touched` shows changed tops to the strategies that watch them
    5. check       `enter` passes the risk gate: every limit of strategy, team and firm, working orders counted
    6. journal     the request, with the limits version it passed, stands in the journal
    7. send        OUCH on the venue's socket, or a record in the ring of its session process; `flush_unsent`: one send
                   for all that a packet causes at a venue
    8. answers     `poll_socket` and `poll_ring` journal and apply what venues say, and tell the order's owner

`run_loop` returns to the cold path when it is woken or when something needs people or Python.
"""

from __future__ import annotations

from engine.hotpath.clock import read_clock
from engine.hotpath.feed import RETRANSMISSION_LINE, take_datagram, watch_gap
from engine.hotpath.sending import flush, flush_unsent, on_socket, send_debug
from engine.hotpath.sessions import keep_alive, poll_ring, poll_socket
from engine.hotpath.tables import (
    ENGINE,
    NO_PROTOCOL,
    PACKET_BYTES,
    RING,
    VENUE,
    VENUES,
    WOKEN,
)
from engine.hotpath.timers import pass_time
from engine.hotpath.warming import warm_decision, warm_send
from engine.messages.codes import StampCause
from engine.native import (
    DONT_WAIT,
    cycle_counter,
    hot,
    load_acquire,
    pause,
    poll,
    recv,
    store_u8,
    view,
)

PACKETS_PER_TURN = 32
PACKET = int(StampCause.PACKET)
SPINS_BEFORE_WAIT = 200
WAIT_MS = 1
IDLE_TURNS_PER_CHECK = 64
BUSY_TURNS_PER_CHECK = 1024  # a burst may leave no idle turn for a minute
WAKE_AT = int(ENGINE.fields["wake"][1])  # type: ignore[index]
READABLE = 1
STOPPED_NS = 1_000_000_000


@hot
def write_number(address, number):
    """Decimal digits of a number at `address`. Returns how many."""
    digits = 1
    rest = number // 10
    while rest > 0:
        digits += 1
        rest //= 10
    for at in range(digits):
        store_u8(address + digits - 1 - at, 48 + number % 10)
        number //= 10
    return digits


@hot
def confirm_done(engine, venue_index):
    """Lockstep venues wait until we say what we have processed: `done <next message> <next sequenced message>`."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    text = core.done_text
    length = 5  # "done " was written there at start
    length += write_number(text + length, venue.expected)
    store_u8(text + length, 32)
    length += 1
    length += write_number(text + length, venue.next_inbound)
    send_debug(engine, venue_index, text, length)
    flush_unsent(engine)


@hot
def poll_line(engine, venue_index, line):
    """Take what one feed line holds, a bounded number of packets. Returns how many came."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    fd = venue.feed_fds[line]
    taken = 0
    while taken < PACKETS_PER_TURN:
        length = recv(fd, core.packet, PACKET_BYTES, DONT_WAIT)
        if length < 0:
            break
        core.received_cycles = cycle_counter()
        core.cause = PACKET
        read_clock(engine)
        take_datagram(engine, venue_index, line, core.packet, length)
        taken += 1
    return taken


@hot
def poll_venue(engine, venue_index):
    """One look at everything a venue can send. Returns whether something came."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUES, VENUE)[venue_index]
    packets = 0
    answered = 0
    for line in range(RETRANSMISSION_LINE):
        if venue.feed_fds[line] >= 0:
            packets += poll_line(engine, venue_index, line)
    if venue.gap_since_ns != 0:
        if venue.feed_fds[RETRANSMISSION_LINE] >= 0:
            packets += poll_line(engine, venue_index, RETRANSMISSION_LINE)
        read_clock(engine)
        watch_gap(engine, venue_index)
    if on_socket(venue.protocol) and venue.fd >= 0 and venue.lost == 0:
        answered = poll_socket(engine, venue_index)
        if venue.outbound_used > 0:
            flush(engine, venue_index)
    elif venue.protocol == RING and venue.report_ring != 0:
        answered = poll_ring(engine, venue_index)
    if venue.lockstep != 0 and packets + answered > 0:
        confirm_done(engine, venue_index)
    return 1 if packets + answered > 0 else 0


@hot
def turn(engine):
    """One look at every venue. Returns whether anything came."""
    core = view(engine, 1, ENGINE)[0]
    busy = 0
    for venue_index in range(1, core.venue_count + 1):
        if view(core.venues, VENUES, VENUE)[venue_index].protocol != NO_PROTOCOL:
            busy |= poll_venue(engine, venue_index)
    return busy


@hot
def idle(engine):
    """Nothing came: heartbeats now and then, and the wait that was chosen at start."""
    core = view(engine, 1, ENGINE)[0]
    core.idle_turns += 1
    if core.spinning != 0:
        pause()
        if core.warm_fd >= 0:
            warm_send(engine)
        if core.warming != 0:
            warm_decision(engine)
        if core.idle_turns % IDLE_TURNS_PER_CHECK != 0:
            return
    elif core.idle_turns < SPINS_BEFORE_WAIT:
        pause()
        return
    else:
        poll(core.polled, core.polled_count, WAIT_MS)
    keep_sessions(engine)


@hot
def keep_sessions(engine):
    """Heartbeats and silences of every order session, and the time of the parent orders.

    An engine that was stopped for a while (a paused machine) first reads what came meanwhile, in the next turn: silence
    was its own.
    """
    core = view(engine, 1, ENGINE)[0]
    read_clock(engine)
    stopped = core.kept_ns != 0 and core.clock_ns - core.kept_ns > STOPPED_NS
    core.kept_ns = core.clock_ns
    if stopped:
        return
    for venue_index in range(1, core.venue_count + 1):
        keep_alive(engine, venue_index)
    if core.timer_ns != 0 and core.clock_ns >= core.timer_ns:
        pass_time(engine)


@hot
def run_loop(engine):
    """Turn until the cold path is needed. Returns the attention bits and clears them."""
    core = view(engine, 1, ENGINE)[0]
    while True:
        core.turns += 1
        if turn(engine) != 0:
            core.idle_turns = 0
            if core.turns % BUSY_TURNS_PER_CHECK == 0:
                keep_sessions(engine)
        else:
            idle(engine)
        if load_acquire(engine + WAKE_AT) != 0:
            core.attention |= WOKEN
        if core.attention != 0:
            attention = core.attention
            core.attention = 0
            return attention
