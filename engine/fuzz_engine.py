"""What packets and answers do to a whole engine in memory, fuzzed: feed, books, statuses, strategy, gate, orders.

The parsers of the loop by themselves are `engine.protocols.fuzz_loops`; here what they read is also applied, by the
compiled code that trades. Every input ends right before an untouchable page, is aimed (the session and number that the
engine expects, an order that it has) so that most get through, and follows from the seed. Now and then orders are
entered and changed, sessions break, feeds begin anew, and what the engine reserves must be what its orders have left.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import asdict
from random import Random
from typing import Any

import numpy as np

from engine.control.commands import Commands
from engine.control.configuration import Configuration
from engine.hotpath.entries import cancel, enter, modify, replace, session_event, take_answer, take_datagram
from engine.hotpath.memory import EngineMemory
from engine.journal.scratch import ScratchJournal
from engine.messages import control
from engine.messages.codes import OPEN_STATES, EngineState, LimitName, Scope, SessionState, Side, TimeInForce
from engine.messages.instruments import Instrument
from engine.messages.risk import LARGEST, LimitsRow
from engine.native import address_of, touched
from engine.protocols import itch50, itch50_layouts, moldudp64, ouch50_layouts, ouch50_offsets
from engine.protocols.fuzz_loops import Spoiler, next_input
from engine.protocols.fuzz_targets import Near, any_message
from engine.strategies import compiled_kind

NAMES = ("ALPHA", "BRAVO", "CHARLIE")
VENUE, TEAM, STRATEGY = 1, 1, 1
MIDDLE = 1_000_000
START_NS, SECOND_NS = 1_767_225_600_000_000_000, 1_000_000_000
OPEN_NS = 34_200 * SECOND_NS
SMALL = {"venue_count": 2, "strategy_count": 4, "order_capacity": 1 << 9, "book_orders": 1 << 12, "window": 64}
LOG_BYTES = 1 << 22
TURNS = 256  # inputs between looks at the books of the firm
FEED_LINES = (0, 0, 1, 2)  # A twice as often as B and the retransmission
SESSION_AT, SEQUENCE_AT, PAYLOAD_AT = 0, 10, 20
BUY, SELL = int(Side.BUY), int(Side.SELL)
TIMES_IN_FORCE = [int(item) for item in TimeInForce]
SETTINGS = {"order_address": "127.0.0.1:1", "user": "fuzz", "password": "fuzz", "feed_line_a": "127.0.0.1:1"}

NEAR_ITCH: Near = {
    "stock_locate": lambda random: random.randrange(5),
    "instrument": lambda random: random.choice(NAMES),
    "timestamp_ns": lambda random: OPEN_NS + random.randrange(SECOND_NS),
    "side": lambda random: random.choice("BS"),
    "quantity": lambda random: random.randrange(600),
    "price": lambda random: MIDDLE + 100 * random.randrange(-90, 90),
    **{name: lambda random: random.randrange(1, 300) for name in ("reference", "original_reference", "new_reference")},
    "match_number": lambda random: random.randrange(1, 40),
}
NEAR_OUCH: Near = {
    "timestamp_ns": lambda random: OPEN_NS + random.randrange(SECOND_NS),
    "side": lambda random: random.choice("BS"),
    "quantity": lambda random: random.choice((0, 1, 40, 100, 200)),
    "price": lambda random: MIDDLE + 100 * random.randrange(-90, 90),
    "order_state": lambda random: random.choice("LLLD"),
    "match_number": lambda random: random.randrange(1, 40),
}


def good_feed(random: Random) -> bytes:
    """A packet of messages about three instruments, most of them about orders."""
    layouts = itch50_layouts.MESSAGES
    books = [layout for layout in layouts if layout.code in "AFECXDU"]
    chosen = [random.choice(books if random.random() < 0.8 else layouts) for _ in range(random.randrange(1, 6))]
    return moldudp64.encode("FUZZ000001", 1, [any_message(layout, random, NEAR_ITCH) for layout in chosen])


def good_answer(random: Random) -> bytes:
    """Any answer of OUCH 5.0."""
    return any_message(random.choice(ouch50_layouts.OUTBOUND), random, NEAR_OUCH)


class FedEngine:
    """An engine in memory with one venue, every limit set and a pair that trades."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        instruments = [Instrument(at, name, tick_size=100) for at, name in enumerate(NAMES, 1)]
        self.memory = EngineMemory(instruments, **SMALL)
        self.core: Any = self.memory.core[0]
        self._journal, self._recording = ScratchJournal(LOG_BYTES), ScratchJournal(LOG_BYTES)
        self.core["journal"], self.core["recording"] = self._journal.writer, self._recording.writer
        self.core["clock_ns"] = START_NS
        commands = Commands(Configuration(self.memory, dict(enumerate(NAMES, 1))), self._journal.append_command)
        for number, body in enumerate(self._beginning()):
            status = commands.execute(control.command(body, "fuzz", f"fuzz-{number:06d}"))
            if not status.applied:
                raise ValueError(status.reason)
        self.row: Any = self.memory.venues[VENUE]
        self._feeds = 1
        self._bytes = touched(1 << 12, np.dtype("u1"))
        self._quote()
        self._session(SessionState.UP)
        self.core["state"] = EngineState.ACTIVE

    def _beginning(self) -> list[Any]:
        bounds = {name.name.lower(): LARGEST[name] for name in LimitName}
        scopes = ((Scope.FIRM, 0), (Scope.TEAM, TEAM), (Scope.STRATEGY, STRATEGY))
        limits = [asdict(LimitsRow(int(scope), number, **bounds)) for scope, number in scopes]
        kind = compiled_kind("pairs")
        values = {parameter.name: parameter.default for parameter in kind.module.PARAMETERS}
        values |= {"deviation": 0.05, "entry": 1.0, "exit": 0.5, "patience": 0.1}
        pair = control.StartStrategy(STRATEGY, "pair", TEAM, "pairs", kind.hash, VENUE, [1, 2], values)
        return [control.ApplyLimits(0, limits), control.DefineVenue(VENUE, "FUZZ", "ouch50", SETTINGS), pair]

    def packet(self, place: int, length: int) -> bool:
        """A datagram on some line. Whether it was taken for a packet."""
        malformed = int(self.memory.lines["malformed"].sum())
        if length >= PAYLOAD_AT and self.random.random() < 0.98:
            sequence = max(1, int(self.row["expected"]) + self.random.choice((0, 0, 0, 0, 0, 0, -1, 1)))
            ctypes.memmove(place + SESSION_AT, b"FUZZ%06d" % self._feeds, 10)
            ctypes.memmove(place + SEQUENCE_AT, sequence.to_bytes(8, "big"), 8)
        self.core["clock_ns"] += 100_000
        take_datagram(self.memory.address, VENUE, self.random.choice(FEED_LINES), place, length)
        return int(self.memory.lines["malformed"].sum()) == malformed

    def answer(self, place: int, length: int) -> bool:
        """One sequenced message on the order session. Whether it was taken for an answer."""
        malformed = int(self.row["malformed"])
        at, newest = ouch50_offsets.OUTBOUND_USER_REFERENCE, int(self.core["next_order_id"]) - 1
        for place_of in (at, at + 4) if length and ctypes.string_at(place, 1) == b"U" else (at,):
            if length >= place_of + 4 and self.random.random() < 0.95:
                number = max(0, newest - self.random.randrange(24))
                ctypes.memmove(place + place_of, number.to_bytes(4, "big"), 4)
        self.core["clock_ns"] += 100_000
        take_answer(self.memory.address, VENUE, place, length)
        if self.random.random() < 0.2:
            self._ask()
        return int(self.row["malformed"]) == malformed

    def _ask(self) -> None:
        """What people and strategies may ask for, about orders that may be gone."""
        random, engine = self.random, self.memory.address
        number = int(self.core["next_order_id"]) - 1 - random.randrange(24)
        price, quantity = MIDDLE + 100 * random.randrange(-9, 9), random.choice((1, 40, 100))
        what = random.randrange(6)
        if what == 0:
            cancel(engine, number)
        elif what == 1:
            replace(engine, number, price, quantity, 0.0)
        elif what == 2:
            modify(engine, number, quantity)
        else:
            enter(
                engine, 0, 1, -1, VENUE, 1, random.choice((BUY, SELL)), price, quantity, random.choice(TIMES_IN_FORCE)
            )

    def look(self) -> None:
        """After some inputs: the books of the firm are right, logs and buffers have room, now and then all begins anew.

        AssertionError when exposure is not what the orders have left.
        """
        orders, cells = self.memory.orders, self.memory.cells
        working = np.isin(orders["state"], [int(state) for state in OPEN_STATES])
        for instrument in range(1, len(NAMES) + 1):
            for side, name in ((BUY, "working_buy"), (SELL, "working_sell")):
                mine = working & (orders["instrument"] == instrument) & (orders["side"] == side)
                left, reserved = int(orders["leaves"][mine].sum()), int(cells[instrument][name])
                assert left == reserved, f"{name} of {NAMES[instrument - 1]}: {reserved} reserved, orders have {left}"
        assert (orders["leaves"] >= 0).all(), "an order has less than nothing left"
        self._journal.take()
        self._recording.forget(int(self.core["position"]))
        self.row["outbound_used"] = self.row["lost"] = self.core["attention"] = 0
        if self.random.random() < 0.2:
            self._session(SessionState.DOWN)
            self._session(SessionState.UP, fresh=self.random.random() < 0.1)
        if self.random.random() < 0.2 or self.row["ended"]:
            self._feeds += 1
            self.core["clock_ns"] += 4 * SECOND_NS
            self._quote()

    def _session(self, state: SessionState, fresh: bool = False) -> None:
        expected = max(1, int(self.core["next_order_id"]) - self.random.randrange(4)) if state == SessionState.UP else 0
        session_event(self.memory.address, VENUE, int(state), expected, int(fresh), 0, 0)

    def _quote(self) -> None:
        """The first packet of a feed's session: both sides of every instrument."""
        fields = {"timestamp_ns": OPEN_NS, "quantity": 300}
        messages = [
            itch50.encode(
                "add_order", stock_locate=at, instrument=name, reference=1_000 * at + spread, side=side,
                price=MIDDLE + spread, **fields,
            )
            for at, name in enumerate(NAMES, 1)
            for side, spread in (("B", -100), ("S", 100))
        ]  # fmt: skip
        raw = moldudp64.encode(f"FUZZ{self._feeds:06d}", 1, messages)
        self._bytes[: len(raw)] = np.frombuffer(raw, np.uint8)
        take_datagram(self.memory.address, VENUE, 0, address_of(self._bytes), len(raw))


Feed = Callable[[FedEngine, int, int], bool]
ENGINES: dict[str, tuple[Feed, Callable[[Random], bytes]]] = {
    "engine-answers": (FedEngine.answer, good_answer),
    "engine-feed": (FedEngine.packet, good_feed),
}


def fuzz_engine(name: str, seed: int, count: int) -> tuple[int, int, str]:
    """`count` inputs into one of ENGINES: how many were fed, how many accepted, what went wrong ("" for nothing)."""
    feed, good = ENGINES[name]
    spoiler, fed, accepted = Spoiler(good, seed), FedEngine(seed), 0
    for done in range(1, count + 1):
        length = int(next_input(spoiler.address))
        place = spoiler.end - length
        raw = ctypes.string_at(place, length)
        try:
            accepted += feed(fed, place, length)
            if done % TURNS == 0 or done == count:
                fed.look()
        except Exception as wrong:  # noqa: BLE001 whatever happens but an answer is what we look for
            return done, accepted, f"{type(wrong).__name__}: {wrong}; input {raw.hex()}"
    return count, accepted, ""
