"""Towards the engine: reports are remembered, numbered and pushed in order; a full ring makes them wait."""

from __future__ import annotations

from collections import deque

import numpy as np

from engine.messages.codes import RecordKind, SessionState
from engine.messages.journal import ORDER_REPORT, SESSION_EVENT
from engine.transport.ring_file import RingFile
from engine.venues.fix44_orders import Orders
from engine.venues.fix44_records import NO_DIGEST, Record, RecordFile, digest_of
from engine.venues.fix44_reports import Report

LONGEST_BACKLOG = 1_000_000
_STATE_AT = int(SESSION_EVENT.fields["state"][1])  # type: ignore[index]


class Outbox:
    """Not thread-safe: the session holds its lock around every call."""

    def __init__(self, records: RecordFile, orders: Orders, ring: RingFile, venue: int, after: int) -> None:
        self._records, self._orders, self._ring, self._venue = records, orders, ring, venue
        self._waiting: deque[tuple[int, bytes]] = deque()
        pushed = max(after, last_pushed(ring))
        self._number = max(records.last_number, pushed)
        for record in records:
            orders.apply(record)
            if record.kind == RecordKind.ORDER_REPORT and record.number > pushed:
                self._waiting.append((record.kind, record.body))

    def report(self, report: Report) -> bool:
        """Remember, number and pass on one report. False when its cause was reported before."""
        digest = digest_of(report.cause) if report.cause else NO_DIGEST
        if report.cause and self._records.find_report(digest) is not None:
            return False
        order = self._orders.find(report.values["order_id"])
        own = {"venue": self._venue, "venue_reference": report.values["order_id"]}
        known = {"strategy": order.strategy, "instrument": order.instrument, "side": order.side} if order else {}
        number = self._number + 1
        values = own | report.values | known | {"venue_sequence": number}
        body = Report(report.cause, values).body()
        self._records.append_report(number, body, digest)
        self._number = number
        self._orders.apply(Record(RecordKind.ORDER_REPORT, number, digest, body))
        self._push(RecordKind.ORDER_REPORT, body)
        return True

    def fill(self, execution_id: str) -> dict[str, int]:
        """Price, quantity and match number of a fill that was reported; empty when it was not."""
        record = self._records.find_report(digest_of(execution_id))
        if record is None:
            return {}
        report = np.frombuffer(record.body, ORDER_REPORT)[0]
        return {name: int(report[name]) for name in ("price", "quantity", "match_number")}

    def contradicts(self, report: Report) -> bool:
        """Whether its cause was reported before with another order, kind, price or quantity."""
        record = self._records.find_report(digest_of(report.cause))
        if record is None:
            return False
        first = np.frombuffer(record.body, ORDER_REPORT)[0]
        return any(first[name] != report.values.get(name, 0) for name in ("order_id", "kind", "price", "quantity"))

    def session(self, state: SessionState, next_reference: int = 0) -> None:
        """Pass on what became of the session. It is not remembered: a new process says its own.

        `next_reference`, if not 0: no order from that number on was ever asked for here.
        """
        event = np.zeros((), SESSION_EVENT)
        event["venue"], event["state"], event["venue_sequence"] = self._venue, state, self._number
        event["next_reference"] = next_reference
        self._push(RecordKind.SESSION_EVENT, event.tobytes())

    def pump(self) -> None:
        """Push what waits, as far as the ring has room. RuntimeError when the engine has stopped listening."""
        while self._waiting and self._ring.push(*self._waiting[0]):
            self._waiting.popleft()
        if len(self._waiting) > LONGEST_BACKLOG:
            raise RuntimeError("the engine does not take its reports")

    def _push(self, kind: int, body: bytes) -> None:
        self._waiting.append((kind, body))
        self.pump()


def last_pushed(ring: RingFile) -> int:
    """Number of the newest report that was ever pushed into the ring, 0 when there is none."""
    newest = ring.newest()
    return 0 if newest is None else _number(*newest)


def forget_session(ring: RingFile) -> None:
    """What an earlier process said of its session is no longer true: unread events say DOWN from now on."""
    for sequence in range(ring.head + 1, ring.tail + 1):
        if ring.kind(sequence) == RecordKind.SESSION_EVENT:
            ring.rewrite(sequence, _STATE_AT, bytes([SessionState.DOWN]))


def last_taken(ring: RingFile) -> int:
    """Number of the newest report that the engine has taken out of the ring, 0 when there is none."""
    taken = ring.taken()
    return 0 if taken is None else _number(*taken)


def _number(kind: int, body: bytes) -> int:
    layout = ORDER_REPORT if kind == RecordKind.ORDER_REPORT else SESSION_EVENT
    return int(np.frombuffer(body, layout)[0]["venue_sequence"])
