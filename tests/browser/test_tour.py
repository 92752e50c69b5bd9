"""The tour of the README in a real browser against the real desk: from the first fill to KILL."""

import re

import pytest
from playwright.sync_api import Browser, expect

from desk.operations.demo import FIX_LINE_A_PORT, FIX_LINE_B_PORT, FIX_ORDER_PORT, FIX_RETRANSMISSION_PORT, Market
from tests.browser.people import WAIT_MS, Person
from tests.running_desk import RunningDesk

pytestmark = [
    pytest.mark.browser,
    pytest.mark.system,
    pytest.mark.xdist_group("launcher"),
    pytest.mark.timeout(900),
]
BACKTEST_MS = 300_000
EAGER = {"Entry": "0.1", "Exit": "0.05", "Patience": "0.5", "Memory of the centre": "5"}


@pytest.fixture(scope="module")
def desk(browser: Browser, request: pytest.FixtureRequest) -> RunningDesk:
    """Asked for after the browser, so that without one nothing is started."""
    made: RunningDesk = request.getfixturevalue("first_desk")
    return made


def test_the_tour(browser: Browser, desk: RunningDesk) -> None:
    trader = Person.signed_in(browser, desk.address, "trader", desk.passwords["trader"])
    risk = Person.signed_in(browser, desk.address, "risk", desk.passwords["risk"])
    sees_the_desk_move(trader)
    strategy = defines_and_starts(trader, "Tour", venue="XSIM", pair=1)
    gives_a_parent_order(trader)
    backtest = submits_a_backtest(trader, strategy)
    sees_an_order_refused_with_its_reason(trader, strategy)
    proposes_a_wider_limit_that_risk_approves(trader, risk, strategy)
    defines_a_fix_venue(risk, Market(desk.state))
    on_fix = defines_and_starts(trader, "Tour on FIX", venue="XFIX", pair=2)
    sees_fills_of(trader, on_fix, venue="XFIX")
    stops(trader, strategy)
    sees_the_result(trader, backtest)
    kills_the_firm(risk)
    assert trader.complaints + risk.complaints == []


def sees_the_desk_move(trader: Person) -> None:
    trader.go("/")
    expect(trader.status("mode")).to_have_text("PAPER", timeout=WAIT_MS)
    expect(trader.status("engine")).to_have_text("Active", timeout=WAIT_MS)
    expect(trader.status("feeds")).to_contain_text("6 lines", timeout=WAIT_MS)
    expect(trader.status("venues")).to_contain_text("4 of 4 up", timeout=WAIT_MS)
    expect(trader.status("pnl")).to_have_text(re.compile(r"\d+\.\d\d"), timeout=WAIT_MS)
    expect(trader.page.locator("#fills tbody tr.new").first).to_be_visible(timeout=2 * WAIT_MS)
    expect(trader.page.locator("#pnl-chart canvas")).to_be_visible(timeout=WAIT_MS)
    expect(trader.page.locator("#positions tbody tr").first).to_be_visible(timeout=WAIT_MS)


def defines_and_starts(trader: Person, name: str, venue: str, pair: int) -> str:
    """Define a strategy from a pair and start it; return its address."""
    trader.go("/strategies/new/")
    page = trader.page
    page.get_by_label("Start from a pair").select_option(index=pair)
    expect(page.get_by_label("First", exact=True)).not_to_have_value("")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Venue").select_option(label=venue)
    for label, value in EAGER.items():
        page.get_by_label(re.compile(f"^{label} ")).fill(value)
    trader.press("Define strategy")
    trader.reads(f"{name} is defined")
    trader.press("Start")
    trader.reads(f"{name} is started.")
    expect(trader.figure("state")).to_have_text("Running", timeout=WAIT_MS)
    trader.waits_for_number(trader.figure("orders"))
    return page.url.removeprefix(trader.address)


def gives_a_parent_order(trader: Person) -> None:
    """A TWAP of two minutes, looked at before it is sent, and seen keeping its schedule."""
    trader.go("/blotter/ticket/")
    page = trader.page
    page.get_by_label("How").select_option(label="TWAP")
    expect(page.get_by_label(re.compile("^Slices"))).to_be_visible(timeout=WAIT_MS)
    page.get_by_label("Instrument").select_option(index=1)
    page.get_by_label("Side").select_option(label="Buy")
    for label, value in {"Quantity": "2000", "Lasts": "2", "Slices": "20", "Patience": "1"}.items():
        page.get_by_label(re.compile(rf"^{label}\b")).fill(value)
    trader.press("Preview")
    trader.sees("heading", "Before it is sent")
    trader.press("Enter parent order")
    trader.reads("is entered and works")
    working = page.locator("#parents tbody tr").first
    expect(working.locator("[data-k=filled]")).to_have_text(re.compile("[1-9]"), timeout=WAIT_MS)
    with page.expect_response(re.compile("/cancel")) as answered:
        working.get_by_role("button", name="Cancel").click()
    assert answered.value.status == 200, "answered in its place, without another page"
    expect(working).to_be_hidden(timeout=WAIT_MS)
    expect(page).to_have_url(re.compile("/blotter/parents/"))


def sees_an_order_refused_with_its_reason(trader: Person, strategy: str) -> None:
    propose_limit(trader, "Tour", order_quantity="1", reason="nothing may leave")
    trader.reads("Tightened: the engine runs limits version")
    trader.go(strategy)
    trader.page.get_by_role("tab", name=re.compile("Denied")).click()
    sentence = re.compile(r"shares are over the strategy's limit of shares per order of 1\.")
    expect(trader.page.locator("#denials tbody tr", has_text=sentence).first).to_be_visible(timeout=WAIT_MS)


def proposes_a_wider_limit_that_risk_approves(trader: Person, risk: Person, strategy: str) -> None:
    propose_limit(trader, "Tour", order_quantity="1000", reason="the test is over")
    trader.reads("waits for a second person")
    risk.go("/risk/approvals/")
    change = risk.page.locator("section.panel", has_text="limits of strategy Tour")
    expect(change.locator("tr", has_text="Order quantity")).to_contain_text("1,000")
    change.get_by_role("button", name=re.compile("^Approve change")).click()
    risk.reads("is approved and applied")
    trader.go(strategy)
    before = trader.waits_for_number(trader.figure("orders"))
    expect(trader.figure("orders")).not_to_have_text(f"{before:,}", timeout=WAIT_MS)


def propose_limit(trader: Person, strategy: str, order_quantity: str, reason: str) -> None:
    trader.go("/risk/limits/")
    trader.follow(f"Propose change for strategy {strategy}")
    trader.page.get_by_label("Order quantity").fill(order_quantity)
    trader.page.get_by_label("Reason").fill(reason)
    trader.press("Propose")


def defines_a_fix_venue(risk: Person, market: Market) -> None:
    risk.go("/markets/venues/new/")
    page = risk.page
    risk.follow(re.compile("FIX 4.4"))
    typed = {
        "name": "XFIX",
        "order_address": market.address(FIX_ORDER_PORT),
        "sender_comp_id": "ENGINE",
        "target_comp_id": "XFIX",
        "feed_line_a": market.address(FIX_LINE_A_PORT),
        "feed_line_b": market.address(FIX_LINE_B_PORT),
        "retransmission": market.address(FIX_RETRANSMISSION_PORT),
        "maker_fee": "0",
        "taker_fee": "15",
    }
    for name, value in typed.items():
        page.locator(f"#field-{name}").fill(value)
    risk.press("Define and connect")
    risk.reads("The engine took XFIX")
    expect(page.locator("tr", has_text="XFIX").locator('[data-k="session"]')).to_have_text("Up", timeout=WAIT_MS)


def sees_fills_of(trader: Person, strategy: str, venue: str) -> None:
    trader.go(strategy)
    expect(trader.page.locator("#fills tbody tr", has_text=venue).first).to_be_visible(timeout=2 * WAIT_MS)


def stops(trader: Person, strategy: str) -> None:
    trader.go(strategy)
    trader.press("Stop")
    trader.reads("is stopped; its working orders are being canceled.")
    expect(trader.figure("state")).to_have_text("Stopped", timeout=WAIT_MS)
    expect(trader.figure("working")).to_have_text("0", timeout=WAIT_MS)


def submits_a_backtest(trader: Person, strategy: str) -> str:
    """Submit it and see its progress; return its address."""
    trader.go(strategy)
    trader.follow("Backtest")
    trader.press("Submit")
    expect(trader.page.get_by_role("progressbar")).to_have_attribute(
        "aria-valuenow", re.compile("[1-9]"), timeout=BACKTEST_MS
    )
    return trader.page.url.removeprefix(trader.address)


def sees_the_result(trader: Person, backtest: str) -> None:
    trader.go(backtest)
    expect(trader.page.locator(".page-head .badge")).to_have_text("Done", timeout=BACKTEST_MS)
    expect(trader.page.locator("#equity-chart canvas")).to_be_visible(timeout=WAIT_MS)
    expect(trader.page.locator("dl.facts div", has_text="Fills")).to_contain_text(re.compile("[1-9]"))
    expect(trader.page.locator("section", has_text="Fills").locator("tbody tr").first).to_be_visible()


def kills_the_firm(risk: Person) -> None:
    risk.go("/")
    button = risk.page.locator("form[data-second-click] button")
    button.click()
    expect(button).to_have_text("Again: the firm")
    button.click()
    risk.reads("Every working order is being canceled and no new one leaves.")
    risk.reads("KILL holds on the firm.")
    risk.go("/markets/venues/")
    orders = risk.page.locator('tr[data-row="1"] [data-k="orders"]')
    left = risk.waits_for_number(orders)
    risk.go("/blotter/orders/?state=working")
    expect(risk.page.get_by_text("Nothing matches")).to_be_visible()
    risk.go("/markets/venues/")
    assert risk.waits_for_number(orders) == left
