"""The small engine of the warm decisions (`engine.hotpath.warming`): two instruments, a pair that always wants to
trade, limits that let it, a venue of OUCH 5.0 without a connection, logs in memory that are written over and over.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from engine.control.commands import Commands
from engine.control.configuration import Configuration
from engine.hotpath.entries import session_event, take_datagram
from engine.hotpath.memory import EngineMemory
from engine.hotpath.warming import ITS_VENUE, WARMING
from engine.journal.scratch import ScratchJournal
from engine.messages import control
from engine.messages.codes import EngineState, LimitName, Scope, SessionState
from engine.messages.instruments import Instrument
from engine.messages.risk import LARGEST, LimitsRow
from engine.native import address_of, touched
from engine.protocols import itch50, moldudp64
from engine.strategies import compiled_kind

ACTOR = "warming"
SESSION = "WARMING"
TEAM, STRATEGY = 1, 1
FIRST, SECOND = 1, 2
TICK = 100
BID, ASK = 1_000_000, 1_000_000 + 10 * TICK
ROOM = 1 << 16
STAMPS = 16  # rows of its ring of latency stamps: few cache lines
SETTINGS = {"order_address": "127.0.0.1:1", "user": "warm", "password": "warm", "feed_line_a": "127.0.0.1:1"}
PARAMETERS = {
    "hedge_ratio": 1.0,
    "centre": -100.0,  # far from the spread, which is 0: the pair wants to be sold
    "deviation": 1.0,
    "entry": 1.0,
    "exit": 0.0,
    "quantity": 100.0,
    "patience": 1.0,
    "memory": 0.0,
    "routing": 0.0,
}


class WarmDecisions:
    """Warm decisions of the loop of `memory`, one after every `every_us` idle microseconds. Its `cycles_per_us` must be
    known."""

    def __init__(self, memory: EngineMemory, every_us: int) -> None:
        instruments = [Instrument(FIRST, "FIRST", tick_size=TICK), Instrument(SECOND, "SECOND", tick_size=TICK)]
        self.memory = EngineMemory(
            instruments, venue_count=ITS_VENUE, strategy_count=2, order_capacity=64, book_orders=64, window=64
        )
        self._journal, self._recording = ScratchJournal(ROOM), ScratchJournal(ROOM)
        core = self.memory.core
        core["journal"], core["recording"] = self._journal.writer, self._recording.writer
        core["clock_ns"] = memory.core["clock_ns"]
        core["stamp_mask"] = STAMPS - 1
        self._configure({row.id: row.name for row in instruments})
        self._packets = self._open_books()
        self._block = touched(1, WARMING)
        self._block["engine"] = self.memory.address
        self._block["packets"] = [address_of(packet) for packet in self._packets]
        self._block["length"] = len(self._packets[0])
        self._block["journal_start"], self._block["recording_start"] = self._journal.start, self._recording.start
        self._loop = memory.core
        self._loop["warming_cycles"] = every_us * int(memory.core["cycles_per_us"][0])
        self._loop["warming"] = address_of(self._block)

    def close(self) -> None:
        """The loop does no more of them."""
        self._loop["warming"] = 0

    @property
    def count(self) -> int:
        """Warm decisions so far."""
        return int(self._block["turns"][0])

    def _configure(self, names: dict[int, str]) -> None:
        commands = Commands(Configuration(self.memory, names), self._journal.append_command)
        bounds = {name.name.lower(): LARGEST[name] for name in LimitName}
        scopes = ((Scope.FIRM, 0), (Scope.TEAM, TEAM), (Scope.STRATEGY, STRATEGY))
        kind_hash = compiled_kind("pairs").hash
        bodies = (
            control.ApplyLimits(0, [asdict(LimitsRow(int(scope), number, **bounds)) for scope, number in scopes]),
            control.DefineVenue(ITS_VENUE, "WARM", "ouch50", SETTINGS),
            control.StartStrategy(
                STRATEGY, "warm", TEAM, "pairs", kind_hash, ITS_VENUE, [FIRST, SECOND], dict(PARAMETERS)
            ),
        )
        for number, body in enumerate(bodies):
            status = commands.execute(control.command(body, ACTOR, f"warming-{number}"))
            if not status.applied:
                raise ValueError(status.reason)
        session_event(self.memory.address, ITS_VENUE, int(SessionState.UP), 1, 0, 0, 0)
        self.memory.core["state"] = EngineState.ACTIVE

    def _open_books(self) -> list[np.ndarray[Any, Any]]:
        """Orders on both sides of both books; then the packets that come later: the first book's bid goes up a tick,
        and down again."""
        adds = [
            itch50.encode(
                "add_order",
                stock_locate=instrument,
                timestamp_ns=1,
                reference=instrument * 10 + number,
                side=side,
                quantity=1000,
                instrument=name,
                price=price,
            )
            for instrument, name in ((FIRST, "FIRST"), (SECOND, "SECOND"))
            for number, (side, price) in enumerate((("B", BID), ("S", ASK)))
        ]
        opening = np.frombuffer(moldudp64.encode(SESSION, 1, adds), np.uint8)
        take_datagram(self.memory.address, ITS_VENUE, 0, address_of(opening), len(opening))
        there, elsewhere = FIRST * 10, FIRST * 10 + 5
        made = []
        for old, new, price in ((there, elsewhere, BID + TICK), (elsewhere, there, BID)):
            message = itch50.encode(
                "order_replace",
                stock_locate=FIRST,
                timestamp_ns=1,
                original_reference=old,
                new_reference=new,
                quantity=1000,
                price=price,
            )
            made.append(np.frombuffer(moldudp64.encode(SESSION, 1, [message]), np.uint8).copy())
        return made
