"""The native side of tick-to-order: sends packets at their intended times, stamps the orders that come back, answers
them. One thread, nothing but polls; the same for every contestant."""

from __future__ import annotations

import socket
import struct
import time
from pathlib import Path
from typing import Any

import numpy as np

from engine.bench.market import Market
from engine.bench.rehearsal import BLOCK, Rehearsal
from engine.bench.responder import Responder, write_answer
from engine.native import (
    DONT_WAIT,
    NO_SIGNAL,
    address_of,
    clock_gettime,
    copy_bytes,
    hot,
    load_i64,
    load_u8,
    recv,
    send,
    store_i64,
    store_u8,
    touched,
    view,
)
from engine.protocols.soupbintcp_frames import (
    HEADER_LENGTH,
    PARTIAL,
    PAYLOAD,
    SEQUENCED_DATA,
    TYPE,
    UNSEQUENCED_DATA,
    next_frame,
    write_frame_header,
)

MONOTONIC = 1
INBOUND_BYTES = 1 << 18
ANSWER_BYTES = 1 << 16
LEAD_NS = 300_000
DRAIN_NS = 500_000_000  # how long a block's orders may take to come before it is given up
TAKEN_WITHIN_S = 10.0
UDP_SOCKETS, TCP_SOCKETS = Path("/proc/net/udp"), Path("/proc/net/tcp")
WITHOUT_PROC_S = 0.005
EMPTY = "00000000:00000000"  # nothing on its way, nothing unread
LONGEST_ANSWER_FRAME = 96

HARNESS = np.dtype(
    [
        (name, "<i8")
        for name in (
            "udp",
            "tcp",
            "packets",  # addresses
            "offsets",
            "triggers",
            "trigger_firsts",  # bytes of the stream after the first order of each trigger
            "trigger_ends",  # and after its last
            "due",
            "first_seen",
            "last_seen",
            "settled",  # bytes of the stream when the orders of packet n, and those caused by answers to it, are there
            "inbound",
            "answers",
            "received",  # what came, without heartbeats
            "timespec",
            "trigger_count",
            "next_trigger",
            "inbound_used",
            "received_used",
            "answers_used",
            "answers_lost",
            "first_stamped",
            "closed",
            "holding",  # answers wait for the end of the block
        )
    ]
)


class Harness:
    """Memory of the harness for one contestant. Times are nanoseconds of the monotonic clock; 0: never came."""

    def __init__(
        self, market: Market, rehearsal: Rehearsal, responder: Responder, udp: socket.socket, tcp: socket.socket
    ) -> None:
        self.market, self.rehearsal, self.responder = market, rehearsal, responder
        self.triggers = rehearsal.triggers(0, market.count)
        ends = rehearsal.ends[self.triggers]
        starts = rehearsal.starts[self.triggers]
        lengths = rehearsal.stream[starts].astype(np.int64) * 256 + rehearsal.stream[starts + 1]
        count = len(self.triggers)
        self.arrays: dict[str, np.ndarray[Any, Any]] = {
            "packets": market.packets,
            "offsets": market.offsets,
            "triggers": self.triggers,
            "trigger_firsts": starts + HEADER_LENGTH - 1 + lengths,
            "trigger_ends": ends.copy(),
            "due": touched(market.count, np.dtype("<i8")),
            "first_seen": touched(count + 1, np.dtype("<i8")),
            "last_seen": touched(count + 1, np.dtype("<i8")),
            "settled": np.append(rehearsal.starts[1:], len(rehearsal.stream)),
            "inbound": touched(INBOUND_BYTES, np.dtype("u1")),
            "answers": touched(ANSWER_BYTES, np.dtype("u1")),
            "received": touched(len(rehearsal.stream) + INBOUND_BYTES, np.dtype("u1")),
            "timespec": touched(2, np.dtype("<i8")),
        }
        self.state = touched(1, HARNESS)
        row = self.state[0]
        for name, array in self.arrays.items():
            row[name] = address_of(array)
        row["udp"], row["tcp"], row["trigger_count"] = udp.fileno(), tcp.fileno(), count
        loopback = f"{struct.unpack('=I', socket.inet_aton('127.0.0.1'))[0]:08X}"
        self._feed_end = f":{udp.getpeername()[1]:04X} 00000000:0000"
        theirs, ours = (f"{loopback}:{name[1]:04X}" for name in (tcp.getpeername(), tcp.getsockname()))
        self._order_ends = (f"{ours} {theirs}", f"{theirs} {ours}")

    def burst(self, first: int, last: int, gap_ns: int, together: int = 1) -> None:
        """Packets first to last - 1 (whole blocks), `together` back to back every `gap_ns` within a block."""
        harness, responder = address_of(self.state), self.responder.address
        for start in range(first, last, BLOCK):
            run_block(harness, responder, start, start + BLOCK, gap_ns, together)
            self._wait_until_empty(UDP_SOCKETS, self._feed_end)  # no packet may be overtaken by an answer,
            answer_block(harness, responder, start + BLOCK - 1)
            self._wait_until_empty(TCP_SOCKETS, *self._order_ends)  # no answer by a packet of the next block

    def _wait_until_empty(self, table: Path, *ends: str) -> None:
        """Nothing is on its way or unread at these sockets."""
        if not table.exists():
            time.sleep(WITHOUT_PROC_S)
            return
        deadline = time.monotonic() + TAKEN_WITHIN_S
        while time.monotonic() < deadline and not self.state[0]["closed"]:
            rows = table.read_text().splitlines()
            queues = [row.split()[4] for end in ends for row in rows if end in row]
            if len(queues) == len(ends) and all(queue == EMPTY for queue in queues):
                return

    def latencies(self, first: int, last: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """From intended send to the first and to the last byte of what packets first to last - 1 caused, nanoseconds.

        Only of orders that came, and only as long as every byte was what the rehearsal sent.
        """
        right = self.arrays["trigger_ends"] <= self.right_bytes()
        chosen = (self.triggers >= first) & (self.triggers < last) & (self.arrays["last_seen"][:-1] > 0) & right
        due = self.arrays["due"][self.triggers[chosen]]
        return self.arrays["first_seen"][:-1][chosen] - due, self.arrays["last_seen"][:-1][chosen] - due

    def right_bytes(self) -> int:
        """How many bytes came before the first that is not as rehearsed."""
        used = min(int(self.state[0]["received_used"]), len(self.rehearsal.stream))
        wrong = np.flatnonzero(self.arrays["received"][:used] != self.rehearsal.stream[:used])
        return int(wrong[0]) if len(wrong) else used

    def expected(self, first: int, last: int) -> int:
        """How many packets from first to last - 1 cause orders."""
        return int(((self.triggers >= first) & (self.triggers < last)).sum())


@hot
def stamp_orders(harness, now):
    """`received_used` bytes of orders are here: stamp the packets whose orders they complete."""
    state = view(harness, 1, HARNESS)[0]
    while state.next_trigger < state.trigger_count:
        at = state.next_trigger * 8
        if state.first_stamped == 0 and state.received_used >= load_i64(state.trigger_firsts + at):
            store_i64(state.first_seen + at, now)
            state.first_stamped = 1
        if state.received_used < load_i64(state.trigger_ends + at):
            break
        store_i64(state.last_seen + at, now)
        state.first_stamped = 0
        state.next_trigger += 1


@hot
def add_answers(harness, responder, message):
    """Queue the answers to one order as sequenced data."""
    state = view(harness, 1, HARNESS)[0]
    for number in range(2):
        if state.answers_used + LONGEST_ANSWER_FRAME > ANSWER_BYTES:
            state.answers_lost += 1
            return
        frame = state.answers + state.answers_used
        length = write_answer(responder, message, number, frame + PAYLOAD)
        if length == 0:
            return
        state.answers_used += write_frame_header(frame, SEQUENCED_DATA, length)


@hot
def send_answers(harness):
    """Everything that waits, in one send."""
    state = view(harness, 1, HARNESS)[0]
    if state.answers_used > 0:
        if send(state.tcp, state.answers, state.answers_used, DONT_WAIT | NO_SIGNAL) != state.answers_used:
            state.answers_lost += 1
        state.answers_used = 0


@hot
def take_orders(harness, responder):
    """Read what came, stamp it, answer it. Returns how many bytes."""
    state = view(harness, 1, HARNESS)[0]
    count = recv(state.tcp, state.inbound + state.inbound_used, INBOUND_BYTES - state.inbound_used, DONT_WAIT)
    if count <= 0:
        if count == 0:
            state.closed = 1
        return 0
    now = clock_gettime(MONOTONIC, state.timespec)
    state.inbound_used += count
    at = 0
    while True:
        frame = state.inbound + at
        length = next_frame(frame, state.inbound_used - at)
        if length <= PARTIAL:
            break
        if load_u8(frame + TYPE) == UNSEQUENCED_DATA:
            copy_bytes(state.received + state.received_used, frame, length)
            state.received_used += length
            stamp_orders(harness, now)
            add_answers(harness, responder, frame + PAYLOAD)
        at += length
    rest = state.inbound_used - at
    if at > 0 and rest > 0:
        for byte in range(rest):
            store_u8(state.inbound + byte, load_u8(state.inbound + at + byte))
    state.inbound_used = rest
    if state.holding == 0:
        send_answers(harness)
    return count


@hot
def wait_for_orders(harness, responder, last):
    """Take what packets up to `last` cause."""
    state = view(harness, 1, HARNESS)[0]
    end = clock_gettime(MONOTONIC, state.timespec) + DRAIN_NS
    while clock_gettime(MONOTONIC, state.timespec) < end and state.closed == 0:
        take_orders(harness, responder)
        at = state.next_trigger
        if at >= state.trigger_count or load_i64(state.triggers + at * 8) > last:
            break


@hot
def answer_block(harness, responder, last):
    """Answer every order of the block that ends with packet `last`; take and answer what the answers cause."""
    state = view(harness, 1, HARNESS)[0]
    state.holding = 0
    send_answers(harness)
    wanted = load_i64(state.settled + last * 8)
    end = clock_gettime(MONOTONIC, state.timespec) + DRAIN_NS
    while state.received_used < wanted and clock_gettime(MONOTONIC, state.timespec) < end and state.closed == 0:
        take_orders(harness, responder)


@hot
def run_block(harness, responder, first, last, gap_ns, together):
    """Packets first to last - 1, each at its intended time; orders are taken in between."""
    state = view(harness, 1, HARNESS)[0]
    start = clock_gettime(MONOTONIC, state.timespec) + LEAD_NS
    state.holding = 1
    for n in range(first, last):
        due = start + (n - first) // together * gap_ns
        store_i64(state.due + n * 8, due)
        while clock_gettime(MONOTONIC, state.timespec) < due:
            take_orders(harness, responder)
        begin = load_i64(state.offsets + n * 8)
        send(state.udp, state.packets + begin, load_i64(state.offsets + n * 8 + 8) - begin, NO_SIGNAL)
    wait_for_orders(harness, responder, last - 1)
    return state.next_trigger
