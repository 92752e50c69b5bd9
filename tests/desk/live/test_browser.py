"""Pages in a real browser behind a real web server, with an engine that the test plays."""

import os
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import OriginValidator
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, expect

from desk.accounts.models import User
from desk.positions.models import PnlPoint
from desk.risk.models import KillState
from desk.strategies.models import Strategy
from engine.messages.codes import OrderState, ReportKind, Scope
from tests.browser.conftest import browser  # noqa: F401  a fixture
from tests.desk.journal_records import Journal
from tests.desk.live.fake_follow import FakeFollow, state_of, strategy_state

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]
WAIT_MS = 15_000
SCRIPT = "<img src=x onerror=document.title='hacked'>"


@pytest.fixture(scope="module", autouse=True)
def orm_beside_playwright() -> Iterator[None]:
    """Playwright's loop runs in this thread and Django would take every query for one from a coroutine."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def follow(engine_state: Path) -> Iterator[FakeFollow]:
    running = FakeFollow(engine_state).start()
    yield running
    running.stop()


@pytest.fixture
def address(follow: FakeFollow, settings: Any) -> Iterator[str]:
    from desk.asgi import pages
    from desk.live.routing import websocket_urlpatterns

    listening = socket.create_server(("127.0.0.1", 0))
    origin = f"http://localhost:{listening.getsockname()[1]}"
    settings.CSRF_TRUSTED_ORIGINS = [origin]
    sockets = OriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)), [origin])
    server = uvicorn.Server(
        uvicorn.Config(
            ProtocolTypeRouter({"http": pages, "websocket": sockets}),
            log_level="error",
            lifespan="off",
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield origin
    server.should_exit = True
    thread.join(WAIT_MS / 1000)
    listening.close()


def page_of(chromium: Browser, address: str, user: User, **options: Any) -> Page:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    context = chromium.new_context(**options)
    context.set_default_timeout(WAIT_MS)
    context.add_cookies([{"name": "session", "value": client.cookies["session"].value, "url": address}])
    return context.new_page()


def running_state(strategy: Strategy, **changes: Any) -> dict[str, Any]:
    pnl = {"realised": 12_345_600, "unrealised": 0, "fees": 0, "net": 12_345_600, "today": 12_345_600}
    row = strategy_state(strategy.pk, realised=12_345_600, fills=3)
    return state_of(strategies=[row], pnl=pnl) | changes


def test_numbers_of_a_silent_engine_are_called_stale_and_live_again_when_it_speaks(
    browser: Browser,  # noqa: F811
    address: str,
    follow: FakeFollow,
    alice: User,
    strategy: Strategy,
) -> None:
    follow.state = running_state(strategy)
    page = page_of(browser, address, alice)
    page.goto(address)
    today = page.locator(f'tr[data-row="{strategy.pk}"] [data-k="today"]')
    expect(today).to_have_text("+1,234.56", timeout=WAIT_MS)
    expect(page.locator(".stale-word").first).to_be_hidden()
    follow.silent = True
    expect(page.locator("#engine-unreachable")).to_be_visible(timeout=WAIT_MS)
    expect(page.locator(".stale-word").first).to_be_visible()
    expect(today).to_have_text("+1,234.56")
    follow.silent = False
    follow.state = running_state(strategy, mode="LIVE", kills=[{"scope": "TEAM", "scope_id": 1}])
    expect(page.locator("#engine-unreachable")).to_be_hidden(timeout=WAIT_MS)
    expect(page.locator('[data-status="mode"]')).to_have_text("LIVE", timeout=WAIT_MS)
    expect(page.locator("[data-kill-count]")).to_have_text("1 kill active")


def test_an_unknown_order_is_counted_on_its_tab_and_a_filled_one_leaves_the_list(
    browser: Browser,  # noqa: F811
    address: str,
    follow: FakeFollow,
    alice: User,
    strategy: Strategy,
) -> None:
    journal = Journal(strategy.pk, strategy.team_id)
    journal.enter(11)
    journal.enter(12)
    journal.report(11, ReportKind.ACCEPTED, OrderState.UNKNOWN, 100)
    follow.records = journal.records
    page = page_of(browser, address, alice)
    page.goto(address)
    expect(page.locator('[data-unknown-of="working"]')).to_have_text("1 UNKNOWN", timeout=WAIT_MS)
    expect(page.locator('[data-count-of="working"]')).to_have_text("2")
    journal.fill(12, OrderState.FILLED, 0, 100)
    expect(page.locator('[data-count-of="working"]')).to_have_text("1", timeout=WAIT_MS)
    expect(page.locator("#fills tbody tr")).to_contain_text("AAA / BBB")
    expect(page.locator("#fills tbody tr.undone")).to_have_count(0)
    journal.report(12, ReportKind.BROKEN, OrderState.FILLED, 0, quantity=100, match_number=120)
    expect(page.locator("#fills tbody tr.undone")).to_have_count(1, timeout=WAIT_MS)
    journal.fill(12, OrderState.FILLED, 0, 100)  # a correction: another fill under the same number
    expect(page.locator("#fills tbody tr:not(.undone)")).to_have_count(1, timeout=WAIT_MS)
    expect(page.locator("#fills tbody tr.undone")).to_have_count(1)


def test_names_are_text_and_never_markup(
    browser: Browser,  # noqa: F811
    address: str,
    follow: FakeFollow,
    alice: User,
    strategy: Strategy,
) -> None:
    Strategy.objects.filter(pk=strategy.pk).update(name=SCRIPT)
    journal = Journal(strategy.pk, strategy.team_id)
    follow.state = running_state(strategy)
    page = page_of(browser, address, alice)
    page.goto(address)
    page.wait_for_selector('body[data-stream="live"]')
    journal.fill(12, OrderState.FILLED, 0, 100)
    follow.records = journal.records
    expect(page.locator("#fills tbody tr td").nth(1)).to_have_text(SCRIPT, timeout=WAIT_MS)
    expect(page).to_have_title("Desk")


def test_kill_works_without_scripts(
    browser: Browser,  # noqa: F811
    address: str,
    alice: User,
    strategy: Strategy,
) -> None:
    page = page_of(browser, address, alice, java_script_enabled=False)
    page.goto(address)
    page.locator("form[data-second-click] button").click()
    expect(page.locator(".notice.danger")).to_contain_text("KILL holds on team Pairs.")
    assert KillState.objects.get().confirmed


@pytest.mark.parametrize(
    "path", ["/", "/strategies/", "/strategies/new/", "/risk/limits/", "/risk/kill/", "/accounts/"]
)
def test_a_page_fits_a_phone_and_names_all_its_controls(
    browser: Browser,  # noqa: F811
    address: str,
    alice: User,
    strategy: Strategy,
    path: str,
) -> None:
    page = page_of(browser, address, alice, viewport={"width": 390, "height": 844})
    page.goto(f"{address}{path}")
    page.wait_for_selector('body[data-stream="live"], body[data-stream="stale"]')
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    nameless = """() => [...document.querySelectorAll("input, select, textarea, button, a")]
        .filter((one) => one.type !== "hidden" && !one.labels?.length)
        .filter((one) => !one.textContent.trim() && !one.getAttribute("aria-label"))
        .map((one) => one.outerHTML)"""
    assert page.evaluate(nameless) == []
    repeated = """() => { const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
        return ids.filter((id, index) => ids.indexOf(id) !== index); }"""
    assert page.evaluate(repeated) == []


def test_the_chart_is_drawn_in_a_browser_that_has_no_locale(
    browser: Browser,  # noqa: F811
    address: str,
    follow: FakeFollow,
    alice: User,
    strategy: Strategy,
) -> None:
    follow.state = running_state(strategy)
    for seconds in (60, 30):
        PnlPoint.objects.create(
            time=timezone.now() - timedelta(seconds=seconds),
            scope=Scope.TEAM,
            scope_id=strategy.team_id,
            realised=seconds,
            unrealised=0,
            fees=0,
        )
    page = page_of(browser, address, alice, locale="en-US@posix")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    expect(page.locator("#pnl-chart canvas")).to_be_visible(timeout=WAIT_MS)
    assert errors == []


def test_a_choice_that_is_made_before_the_scripts_ran_is_followed(
    browser: Browser,  # noqa: F811
    address: str,
    alice: User,
    strategy: Strategy,
) -> None:
    page = page_of(browser, address, alice)
    held: list[Route] = []
    page.route("**/htmx*.js", lambda route: held.append(route))
    page.goto(f"{address}/blotter/ticket/", wait_until="commit")
    page.get_by_label("How").select_option(label="TWAP")
    expect(page.get_by_label("Slices")).to_have_count(0)
    for route in held:
        route.continue_()
    expect(page.get_by_label("Slices")).to_be_visible(timeout=WAIT_MS)
