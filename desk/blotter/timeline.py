"""The timeline of an order: each request of ours, from what caused it to the answer of the venue.

Times of the engine are its own clock's; its stages are measured by the processor's counter from the time of receipt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from desk.blotter.models import OrderEvent, OrderLatency
from engine.messages.codes import OrderAction, ReportKind, StampCause

RECEIVED = {
    StampCause.PACKET: "Packet received",
    StampCause.ANSWER: "Answer received",
    StampCause.COMMAND: "Command received",
}
ANSWERS_TO_CANCEL = frozenset(
    {ReportKind.CANCELED, ReportKind.CANCEL_REJECTED, ReportKind.CANCEL_PENDING, ReportKind.EXPIRED}
)


@dataclass(frozen=True)
class Step:
    """One moment. `after_ns`: since the step before; `total_ns`: since receipt; both None for the first.
    `start` and `width` place what the engine did since the step before on a bar of 1,000."""

    name: str
    time_ns: int
    after_ns: int | None = None
    total_ns: int | None = None
    start: int = 0
    width: int = 0


@dataclass(frozen=True)
class Timeline:
    """One request. `sent`: whether it left the engine."""

    action: OrderAction
    sequence: int
    sent: bool
    steps: list[Step]


def timelines(order_id: int, events: Sequence[OrderEvent]) -> list[Timeline]:
    """Of every request about the order whose latency is known, the oldest first; `events` are the order's."""
    return [_timeline(row, events) for row in OrderLatency.objects.filter(order_id=order_id)]


def _timeline(row: OrderLatency, events: Sequence[OrderEvent]) -> Timeline:
    whole = max(row.sent_ns or row.journaled_ns, 1)
    steps = [Step(RECEIVED[StampCause(row.cause)], row.received_ns)]
    before = 0
    for name, at in (("Decided", row.decided_ns), ("Journaled", row.journaled_ns), ("Sent", row.sent_ns)):
        if at is None:
            continue
        start, end = 1000 * before // whole, 1000 * at // whole
        steps.append(Step(name, row.received_ns + at, at - before, at, start, end - start))
        before = at
    answer = _answer(row, events)
    if answer is not None and answer.kind is not None:
        total = answer.time_ns - row.received_ns
        name = f"Venue: {ReportKind(answer.kind).name.replace('_', ' ').lower()}"
        steps.append(Step(name, answer.time_ns, total - before, total))
    return Timeline(OrderAction(row.action), row.sequence, row.sent_ns is not None, steps)


def _answer(row: OrderLatency, events: Sequence[OrderEvent]) -> OrderEvent | None:
    """The venue's first word after the request; to a cancel, one that answers a cancel."""
    later = (event for event in events if event.kind is not None and event.sequence > row.sequence)
    if row.action == OrderAction.CANCEL:
        later = (event for event in later if event.kind in ANSWERS_TO_CANCEL)
    return next(later, None)
