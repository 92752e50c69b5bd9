"""The page of an order says why the router sent it where it went."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from desk.accounts.models import User
from desk.blotter.routes import SENTENCES
from desk.link.projector import project
from desk.markets.models import Venue
from engine.messages.codes import RecordKind, RouteReason, Side
from tests.desk.journal_records import PRICE, Journal

pytestmark = pytest.mark.django_db


def test_each_venue_has_its_costs_and_the_reason(alice: User, market: Venue, client: Client) -> None:
    journal = Journal(0, alice.team_id or 0)
    journal.enter(9, quantity=300)
    decision = {"route_id": 8, "instrument": 1, "side": Side.BUY, "round": 1}
    journal.append(
        RecordKind.ROUTE, **decision, venue=1, reason=RouteReason.TAKEN, take_order_id=9, take_price=PRICE,
        take_quantity=300, displayed=500, price_part=50_000, fee_part=-4_000, risk_part=1_000, latency_us=800,
    )  # fmt: skip
    journal.append(RecordKind.ROUTE, **decision, venue=2, reason=RouteReason.OWN_ORDER, fee_part=30_000)
    project(journal.data)
    client.force_login(alice, "django.contrib.auth.backends.ModelBackend")
    page = client.get("/blotter/orders/9/").content.decode()
    panel = page[page.index('id="route-title"') :].split("</section>")[0]
    rows = [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in re.findall(r"<tr.*?</tr>", panel, re.S)]
    assert "decision 1 about routed order 8" in panel
    taken, passed = rows[1:]
    assert taken == "XSIM (this order) Takes here 300 100.00 500 0.0050 −0.0004 0.0001 0.0047 0 0 — — 800"
    why, costs = passed.split(" 0 ", 1)
    assert why == "2 Passed over: an order of our own is on the other side"
    assert costs == "— 0 0.0000 0.0030 0.0000 0.0030 0 0 — — —"
    assert "Route</h2>" not in client.get("/blotter/orders/").content.decode()


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(RouteReason) - {RouteReason.NONE}
