"""`bench tick-to-order --transport shared-memory`: a packet into a ring, an order out of a ring, no kernel in between.

Two processes on two processors, each spinning. The harness pushes packets at their intended times and stamps the orders
that come back; the other one is the whole pipeline (arbitration, recording, books, 400 pairs, gate, journal, OUCH), and
in turn a floor that takes the same packets and gives back the same number of bytes on the same packets. Answers are
made by a venue in the engine's process, after its orders are out.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import mmap
import multiprocessing
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.bench.contestants import die_with_us
from engine.bench.decision_path import DecisionPath, SharedLogs
from engine.bench.itch_session import VENUE
from engine.bench.market import Market, Pairs, choose_pairs, make_market
from engine.bench.responder import RESPONDER, Responder, answer_all
from engine.control.warm_decisions import WarmDecisions
from engine.hotpath.clock import read_clock
from engine.hotpath.entries import TAKE_DATAGRAM, WARM_DECISION
from engine.hotpath.tables import ENGINE
from engine.hotpath.tables import VENUE as VENUE_ROW
from engine.hotpath.tables import VENUES as VENUE_ROWS
from engine.native import (
    address_of,
    call_entry,
    clock_gettime,
    cycle_counter,
    hot,
    load_acquire,
    load_i64,
    pause,
    store_i64,
    touched,
    view,
)
from engine.protocols.moldudp64_blocks import packet_sequence
from engine.transport.packet_ring import (
    LARGEST_PACKET,
    packet_push,
    packet_tag,
    packet_take,
    packet_waits,
    ring_bytes,
)

MONOTONIC = 1
STYLE = Pairs(patience=3600.0, remembered=20_000)
CAPACITY = 1024
STOP_AT = 8  # in the header of the feed's ring: the pusher has no more
LEAD_NS = 300_000
DRAIN_NS = 200_000_000  # of silence after the last packet
PATIENCE_NS = 5_000_000_000
READY_S = 240.0
STOP_S = 60.0

Serving = contextlib.AbstractContextManager[tuple[Any, tuple[int, ...]]]


@hot
def serve(engine, venue_index, responder, feed, orders, packet):
    """Take packets until told to stop; what each causes goes out under the number of its first message."""
    core = view(engine, 1, ENGINE)[0]
    venue = view(core.venues, VENUE_ROWS, VENUE_ROW)[venue_index]
    library = view(responder, 1, RESPONDER)[0].library
    while load_acquire(feed + STOP_AT) == 0:
        if not packet_waits(feed):
            pause()
            if core.warming != 0:
                call_entry(library, WARM_DECISION, engine, 0, 0, 0, 0, 0)
            continue
        length = packet_take(feed, packet)
        core.received_cycles = cycle_counter()
        read_clock(engine)
        call_entry(library, TAKE_DATAGRAM, engine, venue_index, 0, packet, length, 0)
        used = venue.outbound_used
        if used > 0:
            packet_push(orders, packet_sequence(packet), venue.outbound, used)
            answer_all(engine, venue_index, responder)
    return core.attention


@hot
def echo(sizes, feed, orders, packet):
    """The floor: `sizes[s]` bytes back on the packet whose first message is number s, and nothing else."""
    while load_acquire(feed + STOP_AT) == 0:
        if not packet_waits(feed):
            pause()
            continue
        packet_take(feed, packet)
        sequence = packet_sequence(packet)
        size = load_i64(sizes + sequence * 8)
        if size > 0:
            packet_push(orders, sequence, packet, size)
    return 0


@hot
def stamp_orders(orders, packet, seen, sizes, timespec):
    """Take what came back: when, and how many bytes, by the number of the first message of its packet."""
    while packet_waits(orders):
        now = clock_gettime(MONOTONIC, timespec)
        sequence = packet_tag(orders)
        store_i64(sizes + sequence * 8, packet_take(orders, packet))
        store_i64(seen + sequence * 8, now)


@hot
def push_packet(feed, orders, n, source, length, seen, sizes, packet, timespec):
    """Push one packet, once the ring has room. Returns whether it had within PATIENCE_NS."""
    if packet_push(feed, n, source, length) != 0:
        return 1
    end = clock_gettime(MONOTONIC, timespec) + PATIENCE_NS
    while packet_push(feed, n, source, length) == 0:
        stamp_orders(orders, packet, seen, sizes, timespec)
        if clock_gettime(MONOTONIC, timespec) > end:
            return 0
    return 1


@hot
def send_packets(feed, orders, packets, offsets, sequences, first, last, gap_ns, due, seen, sizes, packet, timespec):
    """Packets first to last - 1 at their intended times; while the ring is full they wait, and their time runs. Returns
    how many were pushed: less than all when nothing was taken for PATIENCE_NS."""
    start = clock_gettime(MONOTONIC, timespec) + LEAD_NS
    for n in range(first, last):
        when = start + (n - first) * gap_ns
        store_i64(due + load_i64(sequences + n * 8) * 8, when)
        while clock_gettime(MONOTONIC, timespec) < when:
            stamp_orders(orders, packet, seen, sizes, timespec)
        begin = load_i64(offsets + n * 8)
        length = load_i64(offsets + n * 8 + 8) - begin
        if push_packet(feed, orders, n, packets + begin, length, seen, sizes, packet, timespec) == 0:
            return n - first
    end = clock_gettime(MONOTONIC, timespec) + DRAIN_NS
    while clock_gettime(MONOTONIC, timespec) < end:
        if packet_waits(orders):
            stamp_orders(orders, packet, seen, sizes, timespec)
            end = clock_gettime(MONOTONIC, timespec) + DRAIN_NS
    return last - first


@dataclass(frozen=True)
class Rings:
    """The two rings, mapped by both processes."""

    feed: np.ndarray[Any, Any]
    orders: np.ndarray[Any, Any]


def stopped_ring() -> np.ndarray[Any, Any]:
    """A ring that says stop: a loop over it compiles and returns."""
    ring = np.zeros(ring_bytes(2), np.uint8)
    ring[:8].view("<i8")[0] = 2
    ring[STOP_AT : STOP_AT + 8].view("<i8")[0] = 1
    return ring


@contextlib.contextmanager
def contestant(serving: Callable[[], Serving], cpu: int | None) -> Iterator[Rings]:
    """A forked process that makes its memory, says that it is ready and serves two rings until it is told to stop."""
    made = []
    for _ in range(2):
        memory = np.frombuffer(mmap.mmap(-1, ring_bytes(CAPACITY)), np.uint8)  # shared with the forked process
        memory[:: mmap.PAGESIZE] = 0
        memory[:8].view("<i8")[0] = CAPACITY
        made.append(memory)
    ends = Rings(*made)
    context = multiprocessing.get_context("fork")
    ready = context.Event()

    def run() -> None:
        die_with_us()
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
        with serving() as (loop, arguments):
            stopped, packet = stopped_ring(), touched(LARGEST_PACKET, np.dtype("u1"))
            loop(*arguments, address_of(stopped), address_of(stopped), address_of(packet))
            ready.set()
            loop(*arguments, address_of(ends.feed), address_of(ends.orders), address_of(packet))

    process = context.Process(target=run)
    process.start()
    try:
        if not ready.wait(READY_S):
            raise RuntimeError("the other process did not come up")
        yield ends
    finally:
        ends.feed[STOP_AT : STOP_AT + 8].view("<i8")[0] = 1
        process.join(STOP_S)
        if process.is_alive():
            process.kill()


def serve_engine(market: Market, pairs: int, warm_decisions_us: int, disk: Path) -> Callable[[], Serving]:
    """The pipeline with its real logs."""

    @contextlib.contextmanager
    def serving() -> Iterator[tuple[Any, tuple[int, ...]]]:
        logs = SharedLogs(disk)
        try:
            path = DecisionPath(market, choose_pairs(market, pairs, STYLE), logs, Responder(rest_every=0))
            warm_decisions = WarmDecisions(path.memory, warm_decisions_us) if warm_decisions_us else None
            yield serve, (path.address, VENUE, path.responder.address)
            del warm_decisions  # its memory lives as long as the loop
        finally:
            logs.close()

    return serving


def serve_floor(sizes: np.ndarray[Any, Any]) -> Callable[[], Serving]:
    """`sizes[s]` bytes back on the packet whose first message is number s."""

    @contextlib.contextmanager
    def serving() -> Iterator[tuple[Any, tuple[int, ...]]]:
        yield echo, (address_of(sizes),)

    return serving


class Meter:
    """What came back, by the number of the first message of its packet."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.due, self.seen, self.sizes = (touched(market.messages + 2, np.dtype("<i8")) for _ in range(3))
        self.packet, self.timespec = touched(LARGEST_PACKET, np.dtype("u1")), touched(2, np.dtype("<i8"))

    def send(self, ends: Rings, first: int, last: int, gap_ns: int) -> None:
        """Packets first to last - 1. RuntimeError when nobody takes them."""
        market = self.market
        arrays = (ends.feed, ends.orders, market.packets, market.offsets, market.sequences)
        stamps = (self.due, self.seen, self.sizes, self.packet, self.timespec)
        pushed = send_packets(*map(address_of, arrays), first, last, gap_ns, *map(address_of, stamps))
        if pushed != last - first:
            raise RuntimeError(f"nobody took packets for {PATIENCE_NS / 1e9:g} s after {pushed} of them")

    def latencies(self, first: int, last: int) -> np.ndarray[Any, Any]:
        """From intended push to the order, nanoseconds, of packets first to last - 1 that caused any."""
        numbers = self.market.sequences[first:last]
        numbers = numbers[self.seen[numbers] > 0]
        return self.seen[numbers] - self.due[numbers]


def quantiles(rounds: list[np.ndarray[Any, Any]]) -> dict[str, Any]:
    """Medians over the rounds, the largest of all, and how many."""
    heard = [row for row in rounds if len(row)]
    found: dict[str, Any] = {"n": sum(len(row) for row in rounds)}
    for name, at in (("p50_ns", 50), ("p99_ns", 99), ("p999_ns", 99.9)):
        found[name] = round(statistics.median(float(np.percentile(row, at)) for row in heard)) if heard else None
    return found | {"max_ns": max((int(row.max()) for row in heard), default=None)}


def measure(market: Market, options: argparse.Namespace, disk: Path) -> dict[str, Any]:
    """The engine over all packets, then the floor over the same; bursts of `rounds` after the first `warm` packets."""
    warm, rounds, gap_ns = options.warm_up, options.rounds, round(options.gap_us * 1000)
    processors = sorted(os.sched_getaffinity(0))
    cpu = processors[0] if len(processors) > 1 else None
    if cpu is not None:
        os.sched_setaffinity(0, {processors[-1]})
    step = (market.count - warm) // rounds
    bursts = [(warm + n * step, warm + (n + 1) * step) for n in range(rounds)]
    found: dict[str, Any] = {}
    engine, floor = Meter(market), Meter(market)
    try:
        with contestant(serve_engine(market, options.pairs, options.warm_decisions_us, disk), cpu) as ends:
            for first in range(0, warm, CAPACITY):  # not measured: never more than the ring holds
                engine.send(ends, first, min(first + CAPACITY, warm), gap_ns)
            for burst in bursts:
                engine.send(ends, *burst, gap_ns)
        with contestant(serve_floor(engine.sizes), cpu) as ends:
            for burst in bursts:
                floor.send(ends, *burst, gap_ns)
    finally:
        os.sched_setaffinity(0, set(processors))
    found["engine"] = quantiles([engine.latencies(*burst) for burst in bursts])
    found["floor_native"] = quantiles([floor.latencies(*burst) for burst in bursts])
    if found["engine"]["p50_ns"] and found["floor_native"]["p50_ns"]:
        found["ratio_p50"] = round(found["engine"]["p50_ns"] / found["floor_native"]["p50_ns"], 2)
    told = {name: getattr(options, name) for name in ("pairs", "gap_us", "rounds", "warm_decisions_us")}
    return found | told | {"transport": "shared-memory"}


def run(options: argparse.Namespace, instruments: int, messages_per_packet: float) -> int:
    """The command, from the options of `tick-to-order`."""
    packets = options.warm_up + options.rounds * round(options.seconds * 1e6 / options.gap_us)
    print("generating the market", file=sys.stderr)
    market = make_market(int(packets * messages_per_packet), instruments)
    with tempfile.TemporaryDirectory(prefix="bench-tick-") as directory:
        try:
            found = measure(market, options, Path(directory))
        except RuntimeError as wrong:
            print(f"engine bench tick-to-order: {wrong}", file=sys.stderr)
            return 1
    for name in ("engine", "floor_native"):
        print(f"{name:12} {found[name]}")
    print(f"engine / floor_native over shared memory: p50 {found.get('ratio_p50')}")
    if options.json:
        print(json.dumps(found))
    return 0
