"""The timeline of an order: its requests, from receipt over the engine's stages to the venue's answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from django.test import Client

from desk.accounts.models import User
from desk.blotter.models import OrderEvent, OrderLatency
from desk.blotter.timeline import Step, timelines
from desk.link.latencies import keep_latency, newest_latency
from desk.link.projector import project
from desk.strategies.models import Strategy
from engine.messages.codes import OrderAction, OrderState, ReportKind, StampCause
from engine.messages.latency import LATENCY_ROW, NEVER
from tests.desk.journal_records import START_NS, Journal

pytestmark = pytest.mark.django_db
PACKET_NS = START_NS


def latency(sequence: int, order_id: int, **changed: int) -> np.ndarray:
    """A row of the engine's latency log."""
    row = np.zeros(1, LATENCY_ROW)
    usual = {"received_ns": PACKET_NS, "decided_ns": 300, "journaled_ns": 400, "sent_ns": 1_000}
    usual |= {"action": OrderAction.ENTER, "cause": StampCause.PACKET}
    for name, value in (usual | {"sequence": sequence, "order_id": order_id} | changed).items():
        row[name] = value
    return row


def events(order_id: int) -> list[OrderEvent]:
    return list(OrderEvent.objects.filter(order_id=order_id).order_by("sequence"))


def test_an_order_goes_from_packet_to_answer(strategy: Strategy) -> None:
    journal = Journal(strategy.pk, strategy.team_id)
    sequence = journal.enter(1)
    journal.report(1, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    project(journal.data)
    keep_latency(latency(sequence, 1))
    answered = events(1)[1].time_ns
    (line,) = timelines(1, events(1))
    assert (line.action, line.sequence, line.sent) == (OrderAction.ENTER, sequence, True)
    assert line.steps == [
        Step("Packet received", PACKET_NS),
        Step("Decided", PACKET_NS + 300, 300, 300, 0, 300),
        Step("Journaled", PACKET_NS + 400, 100, 400, 300, 100),
        Step("Sent", PACKET_NS + 1_000, 600, 1_000, 400, 600),
        Step("Venue: accepted", answered, answered - PACKET_NS - 1_000, answered - PACKET_NS),
    ]


def test_a_cancel_has_a_timeline_of_its_own_and_a_fill_is_no_answer_to_it(strategy: Strategy) -> None:
    journal = Journal(strategy.pk, strategy.team_id)
    entered = journal.enter(1)
    journal.report(1, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    canceled = journal.cancel(1)
    journal.fill(1, OrderState.PARTIALLY_FILLED, 40, 60)
    journal.report(1, ReportKind.CANCELED, OrderState.CANCELED, 0, quantity=40)
    project(journal.data)
    keep_latency(latency(entered, 1))
    keep_latency(latency(canceled, 1, action=OrderAction.CANCEL, cause=StampCause.COMMAND))
    first, second = timelines(1, events(1))
    assert [step.name for step in first.steps][-1] == "Venue: accepted"
    assert (second.action, second.steps[0].name, second.steps[-1].name) == (
        OrderAction.CANCEL,
        "Command received",
        "Venue: canceled",
    )


def test_what_was_never_sent_has_no_such_step(strategy: Strategy) -> None:
    journal = Journal(strategy.pk, strategy.team_id)
    sequence = journal.enter(1)
    project(journal.data)
    keep_latency(latency(sequence, 1, sent_ns=NEVER))
    (line,) = timelines(1, events(1))
    assert not line.sent
    assert [step.name for step in line.steps] == ["Packet received", "Decided", "Journaled"]


def test_the_same_row_again_changes_nothing(db: Any) -> None:
    assert newest_latency() == 0
    keep_latency(np.concatenate([latency(5, 1), latency(9, 2)]))
    keep_latency(latency(9, 2, sent_ns=7))
    assert newest_latency() == 9
    assert list(OrderLatency.objects.values_list("sequence", "order_id", "sent_ns")) == [(5, 1, 1_000), (9, 2, 1_000)]


def test_the_orders_page_shows_it(strategy: Strategy, alice: User, client: Client) -> None:
    journal = Journal(strategy.pk, strategy.team_id)
    sequence = journal.enter(1)
    project(journal.data)
    client.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    assert "Timeline" not in client.get("/blotter/orders/1/").content.decode()
    keep_latency(latency(sequence, 1))
    page = client.get("/blotter/orders/1/").content.decode()
    assert "Timeline: enter" in page
    assert '<td class="number">22:13:20.000000123</td>' in page
    assert (
        '<td class="number">22:13:20.000001123</td><td class="number">0.60 µs</td><td class="number">1.00 µs</td>'
        in page
    )
