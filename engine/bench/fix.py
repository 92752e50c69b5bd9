"""`bench fix`: what a FIX order costs beside an OUCH order, and beside QuickFIX.

fix_ns, ouch_ns      one packet received to one order encoded, in memory: arbitration, recording, ITCH, book, risk
                     gate, journal, encoding; p50, the two in turn, packet by packet. `ratio` is of these
encode_fix_ns, ...   the encoder alone, mean
round_trip_us, ...   an order and its fill over loopback, our codec at both ends and QuickFIX (from Python) at both
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from dataclasses import asdict
from typing import Any

import numpy as np

from engine.bench.fix_peers import OwnPair, QuickFixPair
from engine.control.commands import Commands
from engine.control.configuration import Configuration
from engine.hotpath import tables
from engine.hotpath.calibration import cycles_per_us, read_cycles
from engine.hotpath.feed import take_datagram
from engine.hotpath.memory import EngineMemory
from engine.hotpath.reports import own_report
from engine.hotpath.requests import enter
from engine.hotpath.sessions import session_event
from engine.hotpath.tables import ENGINE, VENUE, VENUES
from engine.journal.scratch import ScratchJournal
from engine.messages import control
from engine.messages.codes import EngineState, LimitName, ReportKind, Scope, SessionState, Side, TimeInForce
from engine.messages.instruments import Instrument
from engine.messages.risk import LARGEST, LimitsRow
from engine.native import address_of, cycle_counter, hot, store_be64, store_i64, touched, view
from engine.protocols import itch50, itch50_offsets, moldudp64, ouch50_encode
from engine.protocols.fix_encode import write_new_order
from engine.protocols.fix_wire import make_wire
from engine.protocols.moldudp64_blocks import BLOCK_HEADER_LENGTH, HEADER_LENGTH

OUCH_VENUE, FIX_VENUE, TEAM = 1, 2, 1
ORDERS = 20_000
ROOM = 1 << 24
SEQUENCE_AT = 10  # of a MoldUDP64 header
MESSAGE_AT = HEADER_LENGTH + BLOCK_HEADER_LENGTH
REFERENCE_AT = MESSAGE_AT + itch50_offsets.ADD_ORDER_REFERENCE
PRICE, QUANTITY = 1_000_000, 100
BUY, IOC = int(Side.BUY), int(TimeInForce.IOC)
NOT_SENT = int(ReportKind.NOT_SENT)
START_NS = 1_767_225_600_000_000_000
MILLISECOND_NS = 1_000_000
SETTINGS = {"order_address": "127.0.0.1:1", "user": "bench", "password": "bench", "feed_line_a": "127.0.0.1:1"}


@hot
def orders_from_packets(engine, packet, length, count, times):
    """`count` packets to each venue in turn, an order for each. Cycles of each at `times`, OUCH and FIX in turn."""
    core = view(engine, 1, ENGINE)[0]
    made = 0
    for number in range(2 * count):
        venue = OUCH_VENUE + number % 2
        row = view(core.venues, VENUES, VENUE)[venue]
        store_be64(packet + SEQUENCE_AT, row.expected)
        store_be64(packet + REFERENCE_AT, number + 1)
        core.clock_ns += MILLISECOND_NS
        start = cycle_counter()
        core.received_cycles = start
        take_datagram(engine, venue, 0, packet, length)
        order_id = enter(engine, 0, TEAM, -1, venue, 1, BUY, PRICE, QUANTITY, IOC, 0.0)
        store_i64(times + 8 * number, cycle_counter() - start)
        if order_id > 0 and row.outbound_used > 0:
            made += 1
        row.outbound_used = core.unsent = 0
        core.received_cycles = 0
        own_report(engine, venue, order_id, NOT_SENT)
    return made


@hot
def encode_fix(wire, packet, symbol, count):
    """The encoder alone, a new millisecond for each order. Bytes written."""
    written = 0
    for number in range(count):
        now = START_NS + number * MILLISECOND_NS
        written += write_new_order(wire, packet, 100_000 + number, BUY, QUANTITY, symbol, PRICE, IOC, 0, now)
    return written


@hot
def encode_ouch(packet, symbol, count):
    """The encoder alone. Bytes written."""
    written = 0
    for number in range(count):
        order_id = 100_000 + number
        written += ouch50_encode.write_enter_order(packet, order_id, BUY, QUANTITY, symbol, PRICE, IOC, order_id)
    return written


def _packet(side: str, price: int, reference: int) -> np.ndarray:
    """A packet of one order that somebody adds."""
    message = itch50.encode(
        "add_order", stock_locate=1, timestamp_ns=1, reference=reference, side=side, quantity=100, instrument="BENCH",
        price=price,
    )  # fmt: skip
    return np.frombuffer(moldudp64.encode("BENCH00001", 1, [message]), np.uint8).copy()


class Desk:
    """An engine in memory with a venue of each protocol, every limit set and none low."""

    def __init__(self) -> None:
        self.memory = EngineMemory([Instrument(1, "BENCH")], venue_count=2, strategy_count=2)
        self._configuration = Configuration(self.memory, {1: "BENCH"})
        self._journal, self._recording = ScratchJournal(ROOM), ScratchJournal(ROOM)
        core = self.memory.core
        core["journal"], core["recording"] = self._journal.writer, self._recording.writer
        core["clock_ns"] = START_NS
        commands = Commands(self._configuration, self._journal.append_command)
        bounds = {name.name.lower(): LARGEST[name] for name in LimitName}
        scopes = [(Scope.FIRM, 0), (Scope.TEAM, TEAM), (Scope.STRATEGY, 0)]
        rows = [asdict(LimitsRow(int(scope), number, **bounds)) for scope, number in scopes]
        bodies: list[Any] = [control.DefineVenue(v, f"X{v}", "ouch50", SETTINGS) for v in (OUCH_VENUE, FIX_VENUE)]
        for body in (*bodies, control.ApplyLimits(0, rows)):
            status = commands.execute(control.command(body, "benchmark"))
            if not status.applied:
                raise ValueError(status.reason)
        self._configuration.team_account(TEAM)
        self._number = touched(1, np.dtype("<i8"))
        self._number[0] = 1
        self.wire = make_wire(address_of(self._number), "4.4", "DESK", "VENUE")
        self.memory.venues[FIX_VENUE]["protocol"] = tables.FIX
        self.memory.venues[FIX_VENUE]["wire"] = address_of(self.wire)
        for venue in (OUCH_VENUE, FIX_VENUE):
            session_event(self.memory.address, venue, int(SessionState.UP), 1, 0, 0, 0)
        core["state"] = EngineState.ACTIVE
        self._packet = _packet("B", PRICE, 1)
        offer = _packet("S", PRICE + 100, 1 << 40)
        for venue in (OUCH_VENUE, FIX_VENUE):
            take_datagram(self.memory.address, venue, 0, address_of(offer), len(offer))

    def run(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Cycles of `count` orders of each protocol. RuntimeError when one was refused."""
        times = touched(2 * count, np.dtype("<i8"))
        packet = (address_of(self._packet), len(self._packet))
        made = orders_from_packets(self.memory.address, *packet, count, address_of(times))
        if made != 2 * count:
            raise RuntimeError(f"only {made} of {2 * count} orders were encoded")
        return times[0::2], times[1::2]


def from_packets(rounds: int, count: int) -> dict[str, float]:
    """p50 and p99 of both protocols, medians over the rounds."""
    read_cycles()
    speed = cycles_per_us() / 1000
    rows = []
    for _ in range(rounds + 1):  # the first one warms up
        ouch, fix = Desk().run(count)
        rows.append([np.percentile(times, share) / speed for times in (ouch, fix) for share in (50, 99)])
    ouch_p50, ouch_p99, fix_p50, fix_p99 = (statistics.median(column) for column in zip(*rows[1:], strict=True))
    ratio = statistics.median(row[2] / row[0] for row in rows[1:])
    return {
        "ouch_ns": round(ouch_p50, 1), "ouch_p99_ns": round(ouch_p99, 1), "fix_ns": round(fix_p50, 1),
        "fix_p99_ns": round(fix_p99, 1), "ratio": round(ratio, 3),
    }  # fmt: skip


def encoders(rounds: int, count: int) -> dict[str, float]:
    """Mean nanoseconds of one order, medians over the rounds."""
    number, packet = touched(1, np.dtype("<i8")), touched(512, np.dtype("u1"))
    number[0] = 1
    wire, symbol = make_wire(address_of(number), "4.4", "DESK", "VENUE"), np.frombuffer(b"BENCH   ", np.uint8).copy()
    found: dict[str, list[float]] = {"encode_fix_ns": [], "encode_ouch_ns": []}
    for _ in range(rounds + 1):
        for name, encode, arguments in (
            ("encode_fix_ns", encode_fix, (address_of(wire), address_of(packet), address_of(symbol))),
            ("encode_ouch_ns", encode_ouch, (address_of(packet), address_of(symbol))),
        ):
            started = time.thread_time_ns()
            encode(*arguments, count)
            found[name].append((time.thread_time_ns() - started) / count)
    return {name: round(statistics.median(values[1:]), 1) for name, values in found.items()}


def round_trips(rounds: int, count: int) -> dict[str, float]:
    """p50 of both pairs in microseconds, in turn; medians over the rounds."""
    own, theirs = OwnPair(), QuickFixPair()
    rows = []
    try:
        for number in range(rounds + 1):
            pair = [float(np.percentile(end.run(count), 50)) / 1000 for end in (own, theirs)]
            if number:
                rows.append(pair)
    finally:
        own.close()
        theirs.close()
    return {
        "round_trip_us": round(statistics.median(row[0] for row in rows), 2),
        "quickfix_round_trip_us": round(statistics.median(row[1] for row in rows), 2),
        "round_trip_ratio": round(statistics.median(row[1] / row[0] for row in rows), 1),
    }


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m engine bench fix", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--orders", type=int, default=ORDERS, help="of each protocol in a round")
    parser.add_argument("--trips", type=int, default=1000, help="round trips in a round")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args(arguments)
    if options.rounds < 1 or not 100 <= options.orders <= 2 * ORDERS or options.trips < 10:
        parser.error(f"--rounds starts at 1, --orders goes from 100 to {2 * ORDERS}, --trips starts at 10")
    found: dict[str, float] = {"rounds": options.rounds}
    print("packet to order", file=sys.stderr)
    found |= from_packets(options.rounds, options.orders)
    found |= encoders(options.rounds, options.orders)
    print("round trips", file=sys.stderr)
    found |= round_trips(options.rounds, options.trips)
    print(f"packet to order: FIX {found['fix_ns']} ns, OUCH {found['ouch_ns']} ns, {found['ratio']} x")
    print(f"encoder alone: FIX {found['encode_fix_ns']} ns, OUCH {found['encode_ouch_ns']} ns")
    print(
        f"order and fill over loopback: {found['round_trip_us']} us, QuickFIX from Python "
        f"{found['quickfix_round_trip_us']} us, {found['round_trip_ratio']} x"
    )
    if options.json:
        print(json.dumps(found))
    return 0
