"""The simulated market answers to owners' orders by the fitted square-root law, and comes back: by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.backtest import Backtest
from engine.hotpath.fitted_costs import part_of_price, square_root_impact, whole_root
from engine.messages.backtest import BacktestConfig
from engine.messages.codes import OrderAction, RecordKind, ReportKind, Scope, Side, TimeInForce
from engine.messages.control import DefineVenue, EnterOrder, command
from engine.messages.costs import CostRow, write_costs
from engine.messages.records import BodyRecord, TextRecord, records
from engine.messages.risk import LimitsRow
from engine.native import address_of
from engine.simulator.impact import HALF_LIFE_NS, pressure
from engine.simulator.layout import FLOW
from engine.simulator.simulation import Reports
from engine.simulator.sources import RecordedFlow
from tests.engine.loop_builder import TEAM, WIDE
from tests.engine.simulator.books import TestBook

BUY, SELL, IOC = int(Side.BUY), int(Side.SELL), int(TimeInForce.IOC)
PRICE, TICK = 1_000_000, 100
SECOND_NS = 1_000_000_000
# Impact of one share: 1 x 100 basis points / sqrt(1,000,000) = 0.1 of a basis point: of 400 shares 2, of 100 one.
ROW = CostRow(1, 1, 50, 9_000, 1.0, 1.0, 0.0, 1.0, 0.2, 100.0, 1_000_000, 0.1, latency_us=3_000)


@given(st.integers(0, 1 << 62))
def test_the_root_is_whole(number: int) -> None:
    root = whole_root(number)
    assert root * root <= number < (root + 1) * (root + 1)


def test_the_law_by_hand() -> None:
    assert square_root_impact(100_000, 400) == 2_000  # 0.1 of a basis point x 20
    assert part_of_price(2_000, PRICE) == 200_000  # 200 price units
    assert part_of_price(-2_001, 50_000) == -10_005
    assert [square_root_impact(scale, shares) for scale, shares in ((0, 400), (100_000, 0), (1 << 60, 1 << 60))] == [
        0, 0, 10_000_000,
    ]  # fmt: skip


def impressed() -> TestBook:
    """1,000 shares offered at 100.00 in a market that answers."""
    book = TestBook()
    book.memory.instruments[1]["impact_scale"] = 100_000
    book.enter(0, 1, 1, SELL, PRICE, 1_000)
    return book


def play(book: TestBook, *rows: tuple[int, int, int, int]) -> None:
    """Limit orders of the market: (time, side, price, quantity)."""
    records = np.zeros(len(rows), FLOW)
    for number, (time_ns, side, price, quantity) in enumerate(rows, start=100):
        records[number - 100] = (time_ns, number, 0, price, quantity, 1, OrderAction.ENTER, side, 1, 1, 0)
    RecordedFlow(book.memory, records).run_until(1 << 62)


def pressed(book: TestBook, time_ns: int) -> int:
    return int(pressure(address_of(book.memory.book), 1, time_ns))


def test_what_the_market_enters_next_is_priced_further_by_the_fitted_impact() -> None:
    book = impressed()
    book.enter(1, 1, 1, BUY, PRICE, 400)
    play(book, (1, SELL, PRICE + TICK, 50), (1, BUY, PRICE - TICK, 70), (2, BUY, PRICE - 4 * TICK, 60))
    assert book.queue(1, SELL) == [(PRICE, 1, 600 - 70), (PRICE + 3 * TICK, 100, 50)]
    assert book.queue(1, BUY) == [(PRICE - 2 * TICK, 102, 60)]


def test_selling_presses_down_and_evens_out_what_was_bought() -> None:
    book = impressed()
    book.enter(0, 2, 1, BUY, PRICE - TICK, 1_000)
    book.enter(1, 1, 1, SELL, PRICE - TICK, 400)
    assert pressed(book, 0) == -2 * TICK
    book.enter(1, 2, 1, BUY, PRICE, 500)
    assert pressed(book, 0) == TICK
    book.enter(2, 1, 1, SELL, PRICE - TICK, 100)
    assert pressed(book, 0) == 0


def test_it_halves_the_shares_every_half_life_and_is_gone_in_the_end() -> None:
    book = impressed()
    book.enter(1, 1, 1, BUY, PRICE, 400)
    moved = [pressed(book, at * HALF_LIFE_NS) for at in range(5)]
    # 400, 199, 99, 49 and 24 whole shares: 2, 1.41, 0.99, 0.7 and 0.49 ticks.
    assert moved == [2 * TICK, TICK, TICK, TICK, 0]
    assert (pressed(book, 100 * HALF_LIFE_NS), int(book.memory.instruments[1]["taken"])) == (0, 0)


def test_others_orders_and_resting_ones_press_nothing_and_without_costs_nobody_does() -> None:
    book = impressed()
    book.enter(0, 2, 1, BUY, PRICE, 100)
    book.enter(1, 1, 1, BUY, PRICE - TICK, 100)
    book.enter(0, 3, 1, SELL, PRICE - TICK, 100)
    assert pressed(book, 0) == 0
    plain = TestBook()
    plain.enter(0, 1, 1, SELL, PRICE, 1_000)
    plain.enter(1, 1, 1, BUY, PRICE, 400)
    assert pressed(plain, 0) == 0


def fill(record: BodyRecord | TextRecord) -> bool:
    return (
        isinstance(record, BodyRecord)
        and record.kind == RecordKind.ORDER_REPORT
        and record.body["kind"] == ReportKind.EXECUTED
    )


def recorded(directory: Path) -> Path:
    """A session of one instrument: 400 shares offered at 100.00; two seconds later 500 at 100.01."""
    directory.mkdir()
    start = 1_700_000_000 * SECOND_NS
    told = {"start_ns": start, "end_ns": start + 9 * SECOND_NS, "packet_interval_ms": 0}
    (directory / "recording.json").write_text(json.dumps(told))
    listed = [{"id": 1, "name": "ABC", "tick_size": TICK, "open_price": PRICE}]
    (directory / "instruments.json").write_text(json.dumps(listed))
    rows = [(0, BUY, PRICE - TICK, 900), (0, SELL, PRICE, 400), (2, SELL, PRICE + TICK, 500), (8, BUY, 100, 1)]
    flow = np.zeros(len(rows), FLOW)
    for number, (at, side, price, quantity) in enumerate(rows, start=1):
        flow[number - 1] = (
            start + at * SECOND_NS, number, 0, price, quantity, 1, OrderAction.ENTER, side, 1, 1, 0,
        )  # fmt: skip
    np.save(directory / "flow.npy", flow)
    return directory


def bought(tmp_path: Path, costs: str) -> list[tuple[int, int, int]]:
    """A backtest in which somebody buys 400 at once and 100 after two seconds: price and shares of each fill, and
    how many milliseconds after its request it came."""
    settings = {"order_address": "127.0.0.1:1", "user": "desk", "password": "x", "feed_line_a": "127.0.0.1:2"}
    venue = DefineVenue(1, "XSIM", "ouch50", settings | {"taker_fee": "30"})
    limits = [LimitsRow(int(scope), number, **WIDE) for scope, number in ((Scope.FIRM, 0), (Scope.TEAM, TEAM))]
    recording = recorded(tmp_path / f"session{bool(costs)}")
    backtest = Backtest(BacktestConfig(str(recording), [venue], [], limits, costs), tmp_path)
    backtest._configure(backtest.assembly.start_ns)
    backtest.assembly.open()
    wanted, sent_ns = [400, 100], 0
    answers: list[tuple[int, int, int]] = []
    while (output := backtest.simulation.next_output(backtest.assembly.start_ns + 9 * SECOND_NS)) is not None:
        backtest._take(output)
        top = backtest.memory.book.tops[backtest.memory.listing(1, 1)]
        if wanted and top["ask_quantity"] > 0 and (len(wanted) == 2 or answers):
            order = EnterOrder(f"client-{len(wanted)}", TEAM, 1, 1, BUY, wanted.pop(0), PRICE + 9 * TICK, IOC)
            status = backtest.commands.execute(command(order, "alice"))
            assert status.applied, status.reason
            sent_ns = output.time_ns
            backtest._submit(1, sent_ns)
        if isinstance(output, Reports):
            made = [(record.body, record.time_ns) for record in records(backtest.journal.take()) if fill(record)]
            answers += [(int(b["price"]), int(b["quantity"]), (at - sent_ns) // 1_000_000) for b, at in made]
    return answers


def test_a_backtest_with_and_without_fitted_costs_by_hand(tmp_path: Path) -> None:
    """400 bought at 100.00 move the market by two basis points: what is offered next at 100.01 is offered at 100.03, so
    the next 100 cost two dollars more; and an order takes three milliseconds."""
    write_costs(tmp_path / "costs.json", [replace(ROW, instrument=0), ROW], 0, 0)
    without, answered = bought(tmp_path, ""), bought(tmp_path, str(tmp_path / "costs.json"))
    assert without == [(PRICE, 400, 0), (PRICE + TICK, 100, 0)]
    assert answered == [(PRICE, 400, 3), (PRICE + 3 * TICK, 100, 3)]
