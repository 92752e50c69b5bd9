"""One engine in memory for tests of the loop: limits by command, books by real ITCH packets, a scratch journal."""

from __future__ import annotations

import ctypes
from dataclasses import asdict
from typing import Any

import numpy as np

from engine.control.commands import Commands
from engine.control.configuration import Configuration
from engine.hotpath import tables
from engine.hotpath.entries import (
    complete_report,
    enter,
    flush_unsent,
    session_event,
    take_answer,
    take_datagram,
    take_report,
)
from engine.hotpath.memory import EngineMemory
from engine.journal.scratch import ScratchJournal
from engine.messages import control
from engine.messages.codes import (
    DenialReason,
    EngineState,
    RecordKind,
    ReportKind,
    Scope,
    SessionState,
    Side,
    TimeInForce,
)
from engine.messages.control import Status
from engine.messages.instruments import Instrument
from engine.messages.journal import ORDER_REPORT
from engine.messages.records import BodyRecord, TextRecord, records
from engine.messages.risk import LimitsRow
from engine.native import address_of, touched
from engine.protocols import itch50, moldudp64
from engine.strategies import compiled_kind

ALPHA, BRAVO, CHARLIE = 1, 2, 3
INSTRUMENTS = [
    Instrument(ALPHA, "ALPHA", tick_size=100),
    Instrument(BRAVO, "BRAVO", tick_size=100),
    Instrument(CHARLIE, "CHARLIE", tick_size=50, lot_size=10),
]
TEAM, OTHER_TEAM, STRATEGY = 5, 6, 70
VENUE, OTHER_VENUE = 1, 2
BUY, SELL, DAY = int(Side.BUY), int(Side.SELL), int(TimeInForce.DAY)
UP, DOWN = int(SessionState.UP), int(SessionState.DOWN)
SECOND_NS = 1_000_000_000
FEED_SESSION = "TEST000001"
START_NS = 1_700_000_000 * SECOND_NS
OPEN_NS = 34_200 * SECOND_NS  # the venue's nanoseconds since midnight

WIDE = {
    "order_quantity": 10_000,
    "order_value": 10_000_000_000,
    "collar_basis_points": 1_000,
    "position": 10_000,
    "orders_per_second": 1_000,
    "daily_loss": 1_000_000_000,
}
PARAMETERS = {
    "hedge_ratio": 1.0,
    "centre": 0.0,
    "deviation": 0.05,
    "entry": 2.0,
    "exit": 0.5,
    "quantity": 100,
    "patience": 2.0,
    "memory": 0.0,
    "routing": 0.0,
}


class Loop:
    """Memory, configuration, commands and journal of one engine whose venues are in memory and up."""

    def __init__(
        self,
        *,
        order_capacity: int = 1 << 10,
        strategy_count: int = 8,
        venues: tuple[int, ...] = (1, 2),
        instruments: list[Instrument] = INSTRUMENTS,
    ) -> None:
        self.memory = EngineMemory(
            instruments,
            venue_count=4,
            strategy_count=strategy_count,
            order_capacity=order_capacity,
            book_orders=1 << 12,
            window=64,
        )
        self.address = self.memory.address
        self.core: Any = self.memory.core[0]
        self.configuration = Configuration(self.memory, {row.id: row.name for row in instruments})
        self.journal, self.recording = ScratchJournal(1 << 22), ScratchJournal(1 << 22)
        self.core["journal"], self.core["recording"] = self.journal.writer, self.recording.writer
        self.commands = Commands(self.configuration, self._append)
        self.clock(START_NS)
        self.next_sequence = dict.fromkeys(range(1, 9), 1)
        self.next_reference = 1
        self.quoted: dict[tuple[int, int], tuple[int, int]] = {}
        self._bytes = touched(1 << 12, np.dtype("u1"))
        for venue in venues:
            self.define_venue(venue)
            self.session(venue)
        self.core["state"] = EngineState.ACTIVE

    # commands

    def _append(self, document: dict[str, Any]) -> int:
        self.journal.stamp(int(self.core["clock_ns"]), int(self.core["position"]))
        return self.journal.append_command(document)

    def command(self, body: Any, actor: str = "alice", command_id: str | None = None) -> Status:
        return self.commands.execute(control.command(body, actor, command_id))

    def applied(self, body: Any) -> dict[str, Any]:
        status = self.command(body)
        assert status.applied, status.reason
        return status.body

    def define_venue(self, venue: int, **settings: str) -> None:
        basic = {"order_address": "127.0.0.1:1", "user": "desk", "password": "secret", "feed_line_a": "127.0.0.1:2"}
        self.applied(control.DefineVenue(venue, f"X{venue}", "ouch50", basic | settings))
        self.memory.venues[venue]["protocol"] = tables.IN_MEMORY
        self.memory.venues[venue]["largest_price"] = 0

    def limits(self, *rows: LimitsRow) -> int:
        version = self.configuration.limits_version
        return int(self.applied(control.ApplyLimits(version, [asdict(row) for row in rows]))["version"])

    def wide_limits(self, **narrow: dict[str, int]) -> int:
        """Wide bounds for firm, team and strategy; `firm`, `team` and `strategy` say what is narrower there."""
        scopes = {"firm": (Scope.FIRM, 0), "team": (Scope.TEAM, TEAM), "strategy": (Scope.STRATEGY, STRATEGY)}
        return self.limits(
            *(LimitsRow(int(scope), number, **WIDE | narrow.get(name, {})) for name, (scope, number) in scopes.items())
        )

    def start_pairs(self, strategy: int = STRATEGY, team: int = TEAM, **changes: Any) -> Status:
        fields = {
            "strategy": strategy,
            "name": "pair",
            "team": team,
            "kind": "pairs",
            "kind_hash": compiled_kind("pairs").hash,
            "venue": VENUE,
            "instruments": [ALPHA, BRAVO],
            "parameters": PARAMETERS,
        }
        return self.command(control.StartStrategy(**fields | changes))  # type: ignore[arg-type]

    def kill(self, scope: Scope, scope_id: int = 0) -> dict[str, Any]:
        return self.applied(control.Kill(int(scope), scope_id, "test"))

    # market

    def clock(self, time_ns: int) -> None:
        self.core["clock_ns"] = time_ns

    def pass_time(self, duration_ns: int) -> None:
        self.clock(int(self.core["clock_ns"]) + duration_ns)

    def market_time(self, time_ns: int, venue: int = VENUE) -> None:
        """The market's clock, by a message that changes no book."""
        self.packet([itch50.encode("system_event", timestamp_ns=int(time_ns), event="Q")], venue)

    def packet(self, messages: list[bytes], venue: int = VENUE, line: int = 0) -> None:
        """The next packet of a venue's feed."""
        self.datagram(moldudp64.encode(FEED_SESSION, self.next_sequence[venue], messages), venue, line)
        self.next_sequence[venue] += len(messages)

    def datagram(self, payload: bytes, venue: int = VENUE, line: int = 0) -> None:
        take_datagram(self.address, venue, line, self.place(payload), len(payload))

    def place(self, payload: bytes) -> int:
        self._bytes[: len(payload)] = np.frombuffer(payload, np.uint8)
        return address_of(self._bytes)

    def add(self, instrument: int, side: int, price: int, quantity: int = 500, time_ns: int = OPEN_NS) -> bytes:
        """An ITCH add of a resting order of somebody else."""
        reference, self.next_reference = self.next_reference, self.next_reference + 1
        return itch50.encode(
            "add_order",
            stock_locate=instrument,
            timestamp_ns=time_ns,
            reference=reference,
            side="B" if side == BUY else "S",
            quantity=quantity,
            instrument=INSTRUMENTS[instrument - 1].name,
            price=price,
        )

    def delete(self, reference: int, time_ns: int = OPEN_NS, instrument: int = ALPHA) -> bytes:
        return itch50.encode("order_delete", stock_locate=instrument, timestamp_ns=time_ns, reference=reference)

    def quote(self, instrument: int, bid: int, ask: int, time_ns: int = OPEN_NS, venue: int = VENUE) -> None:
        """A new top: what was quoted there before is taken away."""
        key = (venue, instrument)
        messages = [self.delete(reference, time_ns) for reference in self.quoted.pop(key, ())]
        first = self.next_reference
        messages += [self.add(instrument, BUY, bid, time_ns=time_ns), self.add(instrument, SELL, ask, time_ns=time_ns)]
        self.quoted[key] = (first, first + 1)
        self.packet(messages, venue)

    # orders

    def enter(
        self,
        side: int = BUY,
        quantity: int = 100,
        price: int = 1_000_000,
        *,
        instrument: int = ALPHA,
        venue: int = VENUE,
        time_in_force: int = DAY,
        strategy: int = 0,
        leg: int = -1,
        team: int = TEAM,
    ) -> int:
        """Ask the gate; `strategy` and `leg` are rows. The order's number, or minus the DenialReason."""
        account = self.configuration.team_account(team)
        number = int(
            enter(self.address, strategy, account, leg, venue, instrument, side, price, quantity, time_in_force)
        )
        flush_unsent(self.address)
        return number

    def enter_for_strategy(self, side: int = BUY, quantity: int = 100, price: int = 1_000_000, **changes: Any) -> int:
        """An order of the strategy's first leg."""
        row = self.configuration.strategy_rows[STRATEGY]
        leg = row * tables.LEGS_PER_STRATEGY
        return self.enter(side, quantity, price, strategy=row, leg=leg, **changes)

    def report(self, kind: ReportKind, order_id: int, quantity: int = 0, price: int = 0, venue: int = VENUE) -> None:
        """One answer of the venue."""
        body = touched(1, ORDER_REPORT)
        body["kind"], body["venue_reference"], body["quantity"], body["price"] = kind, order_id, quantity, price
        sequence = int(self.memory.venues[venue]["next_inbound"])
        complete_report(self.address, venue, address_of(body), sequence)
        take_report(self.address, address_of(body))
        self.memory.venues[venue]["next_inbound"] = sequence + 1

    def answer(self, payload: bytes, venue: int = VENUE) -> None:
        """One sequenced OUCH message."""
        take_answer(self.address, venue, self.place(payload), len(payload))

    def session(self, venue: int = VENUE, state: int = UP, next_reference: int = 0, fresh: int = 0) -> None:
        session_event(self.address, venue, state, next_reference, fresh, 0, 0)

    # what happened

    def order(self, order_id: int) -> Any:
        return self.memory.orders[order_id & (len(self.memory.orders) - 1)]

    def taken(self) -> list[BodyRecord | TextRecord]:
        """Every journal record since the last look."""
        return list(records(self.journal.take()))

    def bodies(self, kind: RecordKind) -> list[dict[str, Any]]:
        """Bodies of one kind since the last look, as dictionaries without reserved fields."""
        return [as_dictionary(r.body) for r in self.taken() if isinstance(r, BodyRecord) and r.kind == kind]

    def sent(self, venue: int = VENUE) -> bytes:
        """What lies in an in-memory venue's outbound buffer, taken."""
        row = self.memory.venues[venue]
        raw = ctypes.string_at(int(row["outbound"]), int(row["outbound_used"]))
        row["outbound_used"] = 0
        return raw

    def leg(self, at: int = 0, strategy: int = STRATEGY) -> Any:
        return self.memory.legs[self.configuration.strategy_rows[strategy] * tables.LEGS_PER_STRATEGY + at]

    def cell(self, account: int, instrument: int = ALPHA) -> Any:
        return self.memory.cells[account * self.memory.width + instrument]


def as_dictionary(body: np.void) -> dict[str, Any]:
    """A record's fields without its reserved ones."""
    return {name: body[name].item() for name in (body.dtype.names or ()) if name not in ("reserved", "unused")}


def reason(outcome: int) -> DenialReason:
    """What `enter` answered."""
    return DenialReason(-min(outcome, 0))
