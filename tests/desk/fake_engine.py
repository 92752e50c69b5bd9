"""An engine as the desk sees it over the wire: a ROUTER that answers commands and keeps what it was told."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zmq
from django.db import transaction

from engine.messages import control
from engine.messages.catalogue import AlgorithmKind, Catalogue, Parameter, StrategyKind, VenueField, VenueKind
from engine.messages.control import Command, Status, decode_command
from engine.messages.endpoints import engine_endpoints
from engine.messages.risk import LimitsRow, content_hash
from engine.messages.socket_folders import leave_socket_directory, make_socket_directory

PAIRS = StrategyKind(
    name="pairs",
    label="Pairs",
    summary="Trades the spread of two instruments.",
    instrument_labels=["First", "Second"],
    parameters=[
        Parameter("hedge_ratio", "Hedge ratio", "", 0.0, 10.0, 1.0),
        Parameter("quantity", "Quantity", "shares", 1, 10_000, 100, step=1),
    ],
    hash="a" * 64,
)
TWAP = AlgorithmKind(
    name="twap",
    number=101,
    label="TWAP",
    summary="The same quantity in every slice.",
    parameters=[Parameter("slices", "Slices", "", 1, 100, 10, step=1)],
    hash="c" * 16,
)
SNIPER = AlgorithmKind("sniper", 106, "Sniper", "Waits for its price.", [], "d" * 16, needs_price=True)
LEGS = AlgorithmKind(
    name="legs",
    number=110,
    label="Multi-leg",
    summary="A pair or a small basket in a ratio.",
    parameters=[Parameter("unhedged", "Most unhedged", "shares of the first leg", 1, 10_000, 200, step=1)],
    hash="e" * 16,
    most_legs=4,
)
GOOD_TILL = AlgorithmKind("good_till", 111, "Good till", "Stands for a time in force.", [], "f" * 16, emulates=True)
TOP = {"bid": 999_900, "bid_quantity": 500, "ask": 1_000_100, "ask_quantity": 300, "last_price": None}
EMULATED = {7: "good_till", 8: "good_till"}  # times in force that its venues do not have
MARKET_PRICE = {1: 1_005_100, 2: 995_000}  # of a market order, by side, at a protection of 50 basis points
BOUNDS = {
    "order_quantity": 1_000,
    "order_value": 1_000_000_000,
    "collar_basis_points": 500,
    "position": 5_000,
    "orders_per_second": 50,
    "daily_loss": 100_000_000,
}
OUCH = VenueKind(
    protocol="ouch50",
    label="OUCH 5.0",
    fields=[
        VenueField("orders", "Order entry", "address"),
        VenueField("username", "Username", "text"),
        VenueField("password", "Password", "secret", optional=True),
        VenueField("maker_fee", "Fee when adding", "integer", "0"),
    ],
)

SEEN: dict[str, Any] = {
    "protocol": "fix44",
    "session": "UP",
    "connected": True,
    "why": "",
    "next_inbound": 7,
    "next_outbound": 12,
    "numbered": True,
    "orders": 3,
    "fills": 2,
    "rejects": 0,
    "messages": [
        {
            "time": "10:20:30.123",
            "direction": "in",
            "type": "8",
            "name": "ExecutionReport",
            "fields": [[35, "MsgType", "8"], [150, "ExecType", "F"]],
            "order": 17,
        },
        {
            "time": "10:20:30.1",
            "direction": "out",
            "type": "A",
            "name": "Logon",
            "fields": [[554, "Password", "••••"]],
            "order": 0,
        },
        {"time": "10:20:30.0", "direction": "in", "type": "3", "name": "Reject", "fields": [], "order": -1},
    ],
    "why_no_messages": "",
    "note": "",
    "rates": {"sent_per_second": 0.5, "received_per_second": 1.5, "refused": 1, "of_messages": 40},
}


@dataclass
class FakeEngine:
    """Answers like the real one where the desk can tell; `silent` takes commands and does nothing,
    `silent_about` does those kinds without a word."""

    state: Path
    silent: bool = False
    silent_about: set[str] = field(default_factory=set)
    refuse_with: str = ""
    deny_with: dict[str, Any] = field(default_factory=dict)
    limits_version: int = 0
    limits: list[LimitsRow] = field(default_factory=list)
    venues: dict[int, dict[str, Any]] = field(default_factory=dict)
    received: list[Command] = field(default_factory=list)
    answers: dict[str, Status] = field(default_factory=dict)
    orders: dict[str, int] = field(default_factory=dict)
    gate: dict[str, Any] = field(default_factory=dict)  # what a preview says of the risk gate
    sequence: int = 100

    def __post_init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def start(self) -> "FakeEngine":
        self._socket = zmq.Context.instance().socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 0)
        make_socket_directory(self.state)
        self._socket.bind(engine_endpoints(self.state).control)
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()
        leave_socket_directory(self.state)

    def kinds(self) -> list[str]:
        """The commands that were received, without hello."""
        return [command.kind for command in self.received if command.kind not in (control.HELLO, control.VIEW_SESSION)]

    def last(self, kind: str) -> dict[str, Any]:
        """The body of the newest command of a kind."""
        return next(command.body for command in reversed(self.received) if command.kind == kind)

    def catalogue(self) -> Catalogue:
        venues = [{"venue": number, **body} for number, body in self.venues.items()]
        return Catalogue(
            build_hash="b" * 64,
            epoch=1,
            mode="PAPER",
            limits_version=self.limits_version,
            limits_hash=content_hash(self.limits),
            strategy_kinds=[PAIRS],
            algorithm_kinds=[TWAP, SNIPER, LEGS, GOOD_TILL],
            venue_kinds=[OUCH],
            venues=venues,
        )

    def _serve(self) -> None:
        while not self._stop.is_set():
            if not self._socket.poll(20):
                continue
            identity, *_, frame = self._socket.recv_multipart()
            command = decode_command(frame)
            self.received.append(command)
            answer = None if self.silent else self._answer(command)
            if answer is not None and command.kind not in self.silent_about:
                self._socket.send_multipart([identity, answer.encode()])

    def _answer(self, command: Command) -> Status:
        if command.kind == control.HELLO:
            return Status(command.id, control.APPLIED, body=self.catalogue().as_body())
        if command.id not in self.answers:
            self.sequence += 1
            self.answers[command.id] = self._apply(command)
        return self.answers[command.id]

    def _apply(self, command: Command) -> Status:
        if self.refuse_with:
            return Status(command.id, control.REFUSED, self.refuse_with)
        body: dict[str, Any] = {}
        if command.kind == control.APPLY_LIMITS:
            if command.body["based_on"] != self.limits_version:
                return Status(command.id, control.REFUSED, f"limits version {self.limits_version} is in force")
            self.limits = [LimitsRow(**row) for row in command.body["rows"]]
            self.limits_version += 1
            body = {"version": self.limits_version, "hash": content_hash(self.limits)}
        elif command.kind == control.VIEW_SESSION:
            body = SEEN | {"venue": command.body["venue"]}
        elif command.kind == control.DEFINE_VENUE:
            self.venues[command.body["venue"]] = {"name": command.body["name"]}
        elif command.kind == control.ENTER_ORDER and self.deny_with:
            return Status(command.id, control.REFUSED, "denied", self.deny_with, self.sequence)
        elif command.kind == control.ENTER_ORDER:
            name = command.body["client_order_id"]
            emulated = EMULATED.get(command.body["time_in_force"], "")
            body = {"parent_id" if emulated else "order_id": self.orders.setdefault(name, len(self.orders) + 1)}
        elif command.kind == control.ENTER_PARENT:
            body = {"parent_id": self.orders.setdefault(command.body["client_order_id"], len(self.orders) + 1)}
        elif command.kind == control.REPLACE_ORDER and self.deny_with:
            return Status(command.id, control.REFUSED, "denied", self.deny_with, self.sequence)
        elif command.kind == control.REPLACE_ORDER:
            body = {"order_id": command.body["order_id"] + 1}
        elif command.kind == control.PREVIEW:
            body = self._preview(command.body)
        return Status(command.id, control.APPLIED, body=body, journal_sequence=self.sequence)

    def _preview(self, asked: dict[str, Any]) -> dict[str, Any]:
        held = {"position": 100, "working_buy": 200, "working_sell": 0, "today": -500_000}
        accounts = [
            {"scope": scope, "scope_id": number, "bounds": BOUNDS} | held
            for scope, number in (("TEAM", asked["team"]), ("FIRM", 0))
        ]
        tops = [{"venue": venue} | TOP for venue in asked["venues"]]
        price = MARKET_PRICE[asked["side"]] if asked["protection"] else asked["price"]
        told = {"tops": tops, "accounts": accounts, "gate": self.gate, "limits_version": self.limits_version}
        return told | {"price": price, "emulated": EMULATED.get(asked["time_in_force"], ""), "emulated_ns": 0}


@contextmanager
def undone(engine: FakeEngine) -> Iterator[None]:
    """What is done inside, in the database and in the engine, is taken back at the end."""
    before = engine.limits, engine.limits_version, dict(engine.venues), dict(engine.orders)
    engine.received.clear()
    savepoint = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(savepoint)
        engine.limits, engine.limits_version, engine.venues, engine.orders = before
