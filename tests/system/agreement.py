"""Does the engine's journal agree with the exchange's own log? Read as both grow, compared at one cut: the sequence
number of the last answer that the engine has journalled."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.journal.places import existing_places
from engine.journal.reader import LogReader
from engine.messages.codes import OPEN_STATES, OrderAction, OrderState, RecordKind, ReportKind, SessionState, Side
from engine.messages.records import TextRecord, bodies, runs

FIRST_FOREIGN = 1 << 32  # the exchange's own numbers, for OUCH 4.2 tokens that are no order's
SIGN = {"buy": 1, "sell": -1}
Fill = tuple[int, int]  # match number, our reference


@dataclass
class OracleLog:
    """The lines about one user on one venue, in order."""

    path: Path
    user: str
    venue: str
    lines: list[dict[str, Any]] = field(default_factory=list)
    _offset: int = 0

    def read(self) -> None:
        """Take what was written since."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            raw = file.read()
        whole = raw.rfind(b"\n") + 1
        self._offset += whole
        for text in raw[:whole].splitlines():
            line = json.loads(text)
            probe = line["user_reference"] >= FIRST_FOREIGN
            if line["user"] == self.user and line["venue"] == self.venue and not probe:
                self.lines.append(line)

    @property
    def last_sequence(self) -> int:
        """Number of the last message that tells the user something."""
        return max((line["sequence"] for line in self.lines[-50:]), default=0)


@dataclass
class EngineLog:
    """What the journal says about one venue's orders."""

    state: Path
    venue: int
    entered: list[int] = field(default_factory=list)
    orders: dict[int, tuple[OrderState, int]] = field(default_factory=dict)  # id: state, leaves
    fills: Counter[Fill] = field(default_factory=Counter)
    positions: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    last_sequence: int = 0
    starts: int = 0
    session_up: bool = False
    records: int = 0
    _reader: LogReader | None = None

    def read(self) -> None:
        """Take what was journalled since."""
        if self._reader is None:
            self._reader = LogReader(existing_places(self.state).journal)
        while (span := self._reader.next_span()) is not None:
            for run in runs(span.data):
                self.records += 1 if isinstance(run, TextRecord) else len(run)
                if not isinstance(run, TextRecord):
                    self._take(run)
                elif run.kind == RecordKind.ENGINE_STARTED:
                    self.starts += 1
                    self.session_up = False

    def _take(self, run: Any) -> None:
        for body in bodies(run, RecordKind.ORDER_REQUEST)[1]:
            if int(body["action"]) == OrderAction.ENTER and int(body["venue"]) == self.venue:
                self.entered.append(int(body["order_id"]))
                self.orders[int(body["order_id"])] = (OrderState.PENDING_NEW, int(body["quantity"]))
        for body in bodies(run, RecordKind.ORDER_REPORT)[1]:
            if int(body["venue"]) == self.venue:
                self._take_report(body)
        for body in bodies(run, RecordKind.SESSION_EVENT)[1]:
            if int(body["venue"]) == self.venue:
                self.session_up = int(body["state"]) == SessionState.UP

    def _take_report(self, body: Any) -> None:
        self.last_sequence = max(self.last_sequence, int(body["venue_sequence"]))
        order_id = int(body["order_id"])
        if int(body["state"]):
            self.orders[order_id] = (OrderState(int(body["state"])), int(body["leaves"]))
        if int(body["kind"]) == ReportKind.EXECUTED:
            self.fills[int(body["match_number"]), int(body["venue_reference"])] += 1
            sign = 1 if int(body["side"]) == Side.BUY else -1
            self.positions[int(body["instrument"])] += sign * int(body["quantity"])


def disagreements(exchange: OracleLog, engine: EngineLog, instruments: dict[str, int], *, quiet: bool) -> list[str]:
    """Every sentence that says where the two differ; empty when they agree.

    `quiet`: nothing is under way any more, so the cut is everything and no order may be without an outcome.
    """
    exchange.read()
    cut = [line for line in exchange.lines if quiet or line["sequence"] <= engine.last_sequence]
    return [
        *_of_fills(cut, engine, instruments),
        *_of_orders(cut, exchange.lines, engine, quiet),
        *([] if len(set(engine.entered)) == len(engine.entered) else ["a UserRefNum was used twice"]),
        *([] if engine.entered == sorted(engine.entered) else ["UserRefNums do not rise"]),
    ]


def _of_fills(cut: list[dict[str, Any]], engine: EngineLog, instruments: dict[str, int]) -> list[str]:
    truth: Counter[Fill] = Counter()
    positions: dict[int, int] = defaultdict(int)
    for line in cut:
        if line["kind"] == "executed":
            truth[line["match_number"], line["user_reference"]] += 1
            positions[instruments[line["instrument"]]] += SIGN[line["side"]] * line["quantity"]
    found = [f"fill {fill} happened {truth[fill]} times, was lost" for fill in truth - engine.fills]
    found += [f"fill {fill} was journalled {engine.fills[fill]} times" for fill in engine.fills - truth]
    if {i: q for i, q in positions.items() if q} != {i: q for i, q in engine.positions.items() if q}:
        found.append(f"positions: {dict(positions)} at the exchange, {dict(engine.positions)} here")
    return found


def _of_orders(cut: list[dict[str, Any]], lines: list[dict[str, Any]], engine: EngineLog, quiet: bool) -> list[str]:
    leaves: dict[int, int] = {}
    for line in cut:
        leaves[line["user_reference"]] = 0 if line["kind"] == "rejected" else line["leaves"]
    ever = {line["user_reference"] for line in lines}
    found = []
    for reference, left in leaves.items():
        state, here = engine.orders.get(reference, (None, 0))
        if state is None:
            found.append(f"order {reference} is not known here")
        elif (left > 0) != (state in OPEN_STATES) or left != here:
            found.append(f"order {reference}: {left} left at the exchange, {state.name} with {here} here")
    for order_id, (state, _) in engine.orders.items():
        if state == OrderState.DENIED and order_id in ever:
            found.append(f"order {order_id} reached the exchange, taken as never sent here")
        if quiet and order_id not in ever and state != OrderState.DENIED:
            found.append(f"order {order_id} never reached the exchange, {state.name} here")
    return found
