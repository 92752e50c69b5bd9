"""Latency in a real browser: the table of the Desk page, the alarm in the bar, the timeline of an order."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from desk.accounts.models import User
from desk.link.latencies import keep_latency
from desk.link.projector import project
from desk.strategies.models import Strategy
from engine.messages import control
from engine.messages.codes import OrderState, ReportKind
from tests.browser.conftest import browser  # noqa: F401  a fixture
from tests.desk.blotter.test_timeline import latency
from tests.desk.journal_records import Journal
from tests.desk.live.fake_follow import FakeFollow
from tests.desk.live.test_browser import (  # noqa: F401  fixtures
    WAIT_MS,
    address,
    follow,
    orm_beside_playwright,
    page_of,
    running_state,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
SENTENCE = "99 % of the last minute's orders took at most 2.4 µs from packet to send; the budget is 2 µs"


def stages(n: int, scale: int) -> dict[str, Any]:
    """Quantiles of the four stages, in nanoseconds."""
    bases = {"decide": 210, "journal": 70, "send": 160, "whole": 440}
    return {
        stage: {
            "n": n,
            "p50_ns": base * scale,
            "p90_ns": base * scale * 2,
            "p99_ns": base * scale * 3,
            "p999_ns": base * scale * 9,
            "max_ns": base * scale * 90,
        }
        for stage, base in bases.items()
    }


def test_latency_of_minute_and_day_is_live_and_a_broken_budget_is_in_the_bar(
    browser: Browser,  # noqa: F811
    address: str,  # noqa: F811
    follow: FakeFollow,  # noqa: F811
    alice: User,
    strategy: Strategy,
) -> None:
    numbers = {"minute": stages(812, 1), "day": stages(93_412, 2), "lost": 0, "logged": 0, "failure": ""}
    follow.state = running_state(strategy, latency=numbers)
    page = page_of(browser, address, alice)
    page.goto(address)
    whole = page.locator('tr[data-row="whole"]')
    expect(whole.locator('[data-k="minute_p99_ns"]')).to_have_text("1.32 µs", timeout=WAIT_MS)
    expect(whole.locator('[data-k="day_p999_ns"]')).to_have_text("7.92 µs")
    expect(whole.locator('[data-k="day_n"]')).to_have_text("93,412")
    expect(page.locator("[data-alarms]")).to_be_hidden()
    alarm = {"name": "latency_p99", "sentence": SENTENCE, "since_ns": 1}
    follow.state = running_state(strategy, latency=numbers, alarms=[alarm])
    expect(page.locator("[data-alarms]")).to_have_text("Latency p99", timeout=WAIT_MS)
    expect(page.locator("[data-alarms]")).to_have_attribute("title", SENTENCE)
    follow.state = running_state(strategy, latency=numbers)
    expect(page.locator("[data-alarms]")).to_be_hidden(timeout=WAIT_MS)


def test_alarms_that_are_over_stay_on_the_operations_page_and_an_order_has_its_timeline(
    browser: Browser,  # noqa: F811
    address: str,  # noqa: F811
    alice: User,
    strategy: Strategy,
) -> None:
    journal = Journal(strategy.pk, strategy.team_id)
    sequence = journal.enter(11)
    journal.report(11, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    for raised, sentence in ((1, SENTENCE), (0, "well again")):
        journal.command(control.command(control.Alarm("latency_p99", raised, sentence, 2_400, 2_000), "engine"))
    project(journal.data)
    keep_latency(latency(sequence, 11))
    page = page_of(browser, address, alice)
    page.goto(f"{address}/operations/")
    rows = page.locator("#alarms tbody tr")
    expect(rows.nth(0)).to_contain_text("Over")
    expect(rows.nth(0)).to_contain_text("well again")
    expect(rows.nth(1)).to_contain_text(SENTENCE)
    page.goto(f"{address}/blotter/orders/11/")
    steps = page.locator('section[aria-labelledby^="timeline"] tbody tr th')
    expect(steps).to_have_text(["Packet received", "Decided", "Journaled", "Sent", "Venue: accepted"])
    assert page.locator(".timeline-bar rect").count() == 3
