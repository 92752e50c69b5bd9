"""An engine whose venues answer: requests that cross trade at once, those that rest trade now and then."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from engine.algorithms import compiled_algorithm
from engine.hotpath.entries import flush_unsent, pass_time
from engine.hotpath.timers import INTERVAL_NS
from engine.messages import control
from engine.messages.codes import OrderAction, ParentState, RecordKind, ReportKind, TimeInForce
from engine.messages.records import BodyRecord
from engine.protocols import itch50
from tests.engine.loop_builder import ALPHA, BUY, OPEN_NS, SECOND_NS, START_NS, TEAM, VENUE, Loop, as_dictionary

MIDDLE = 1_000_000
TICK = 100
TRADER = 42


@dataclass
class Child:
    """One child as the venue sees it."""

    order_id: int
    venue: int
    side: int
    price: int
    leaves: int
    at_ns: int
    at_close: bool = False


@dataclass
class Floor:
    """A loop, its venues' resting children, and everything that was journalled."""

    seed: int = 1
    venues: tuple[int, ...] = (VENUE,)
    passive: float = 0.0  # how likely a resting child is filled in a step
    shown: int = 500  # shares at each touch
    moves: bool = False
    loop: Loop = field(default_factory=lambda: Loop(strategy_count=8))
    resting: dict[int, Child] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    denials: list[dict[str, Any]] = field(default_factory=list)
    parents: list[dict[str, Any]] = field(default_factory=list)
    routes: list[dict[str, Any]] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)  # venues that show no book, and trade in the middle
    unanswered: set[int] = field(default_factory=set)  # venues that say nothing any more
    fills: list[tuple[int, int, int, int]] = field(default_factory=list)  # time, venue, price, quantity

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.loop.wide_limits()
        self.middle = dict.fromkeys(self.venues, MIDDLE)
        self.now_ns = START_NS
        for venue in self.hidden:
            self.loop.define_venue(venue, priced_by=str(VENUE))
        for venue in self.venues:
            if venue not in self.hidden:
                self.quote(venue)

    # the market

    def quote(self, venue: int, middle: int | None = None, spread: int = TICK) -> None:
        if middle is not None:
            self.middle[venue] = middle
        at = self.middle[venue]
        self.loop.quote(ALPHA, at - spread, at + spread, OPEN_NS + self.now_ns - START_NS, venue)
        self.answer()

    def trade(self, quantity: int, venue: int = VENUE) -> None:
        """Somebody else's trade."""
        message = itch50.encode(
            "trade", stock_locate=ALPHA, timestamp_ns=OPEN_NS + self.now_ns - START_NS, reference=0, side="B",
            quantity=quantity, instrument="ALPHA", price=MIDDLE, match_number=self.dice.randrange(1 << 30),
        )  # fmt: skip
        self.loop.packet([message], venue)
        self.answer()

    def top(self, venue: int) -> tuple[int, int]:
        return self.middle[venue] - TICK, self.middle[venue] + TICK

    # parent orders

    def enter(self, name: str, shares: int, seconds: float, side: int = BUY, **changes: Any) -> int:
        """A parent order of the trader's that begins now. Its number."""
        status = self.loop.command(self.parent(name, shares, seconds, side, **changes))
        assert status.applied, status.reason
        return int(status.body["parent_id"])

    def parent(self, name: str, shares: int, seconds: float, side: int = BUY, **changes: Any) -> Any:
        kind = compiled_algorithm(name)
        given = changes.pop("given", {})
        values = {parameter.name: parameter.default for parameter in kind.module.PARAMETERS} | given
        fields: dict[str, Any] = {
            "client_order_id": "first", "strategy": 0, "team": TEAM, "trader": TRADER, "algorithm": name,
            "kind_hash": kind.hash, "instrument": ALPHA, "venues": list(self.venues), "side": side,
            "quantity": shares, "price": 0, "start_ns": 0, "end_ns": self.now_ns + round(seconds * SECOND_NS),
            "parameters": values,
        }  # fmt: skip
        return control.EnterParent(**fields | changes)

    def state(self, number: int) -> Any:
        """What the algorithm and the loop share about a working parent order; None when it has ended."""
        memory = self.loop.memory
        for row in self.loop.commands.parents.working():
            if int(memory.rows[row]["parent"][0]) == number:
                return memory.rows[row][0]
        return None

    def ended(self, number: int) -> dict[str, Any]:
        """The last record of a parent order, which says how it ended."""
        record = [row for row in self.parents if row["parent_id"] == number][-1]
        assert record["state"] > ParentState.EXPIRING
        return record

    def cross(self, quantity: int, price: int = MIDDLE) -> None:
        """The closing cross: the children that wait for it get so much, and leave."""
        for child in [child for child in self.resting.values() if child.at_close]:
            if quantity:
                self.fill(child, min(quantity, child.leaves), price)
            if self.resting.pop(child.order_id, None):
                self.loop.report(ReportKind.CANCELED, child.order_id, child.leaves, venue=child.venue)
        self.answer()

    # time

    def step(self, duration_ns: int = INTERVAL_NS) -> None:
        """Time passes: the venues move and trade, the parent orders are called."""
        self.now_ns += duration_ns
        self.loop.clock(self.now_ns)
        for venue in self.venues:
            if self.moves and venue not in self.hidden:
                self.quote(venue, self.middle[venue] + self.dice.choice((-1, 0, 0, 1)) * TICK)
        for child in list(self.resting.values()):
            if child.at_close:
                continue
            if child.venue not in self.unanswered and self.dice.random() < self.passive:
                self.fill(child, self.dice.randrange(1, child.leaves + 1), child.price)
        self.answer()
        if self.loop.core["timer_ns"]:
            pass_time(self.loop.address)
        self.answer()

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds * SECOND_NS / INTERVAL_NS)):
            self.step()

    # the venues' answers

    def answer(self) -> None:
        """Take what the engine asked for, until it asks for nothing more."""
        while True:
            flush_unsent(self.loop.address)
            taken = [record for record in self.loop.taken() if isinstance(record, BodyRecord)]
            asked = [as_dictionary(r.body) for r in taken if r.kind == RecordKind.ORDER_REQUEST]
            self.denials += [as_dictionary(r.body) for r in taken if r.kind == RecordKind.DENIAL]
            self.parents += [as_dictionary(r.body) for r in taken if r.kind == RecordKind.PARENT]
            self.routes += [as_dictionary(r.body) for r in taken if r.kind == RecordKind.ROUTE]
            for venue in self.venues:
                self.loop.sent(venue)
            if not asked:
                return
            for request in asked:
                self.requests.append(request | {"at_ns": self.now_ns})
                self.take(request)

    def take(self, request: dict[str, Any]) -> None:
        order_id, venue = request["order_id"], request["venue"]
        if request["action"] == OrderAction.CANCEL:
            if venue in self.unanswered:
                return
            if child := self.resting.pop(request["target_order_id"], None):
                self.loop.report(ReportKind.CANCELED, child.order_id, child.leaves, venue=venue)
            return
        if request["action"] != OrderAction.ENTER:
            return  # about the venue as a whole
        child = Child(order_id, venue, request["side"], request["price"], request["quantity"], self.now_ns)
        child.at_close = request["time_in_force"] == TimeInForce.AT_CLOSE
        self.resting[order_id] = child
        if venue in self.unanswered:
            return
        self.loop.report(ReportKind.ACCEPTED, order_id, venue=venue)
        bid, ask = self.top(venue)
        if venue in self.hidden or request["time_in_force"] == TimeInForce.AT_CLOSE:
            return
        crosses = child.price >= ask if child.side == BUY else child.price <= bid
        if crosses:
            self.fill(child, min(child.leaves, self.shown), ask if child.side == BUY else bid)
        if request["time_in_force"] == TimeInForce.IOC and (rest := self.resting.pop(order_id, None)):
            self.loop.report(ReportKind.CANCELED, order_id, rest.leaves, venue=venue)

    def fill(self, child: Child, quantity: int, price: int) -> None:
        child.leaves -= quantity
        if child.leaves == 0:
            self.resting.pop(child.order_id, None)
        self.fills.append((self.now_ns, child.venue, price, quantity))
        self.loop.report(ReportKind.EXECUTED, child.order_id, quantity, price, child.venue)

    @property
    def done(self) -> int:
        return sum(quantity for *_, quantity in self.fills)
