"""The LOBSTER sample's own order book file is the oracle of its messages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.history.book_door import main
from engine.history.lobster import Event, EventType, Levels, MalformedLine, parse_event, parse_levels, read_lines
from engine.history.lobster_book import LobsterBook
from engine.hotpath.book_depth import level
from engine.messages.codes import Side


@pytest.fixture
def sample(shared_data: Path) -> tuple[Path, Path]:
    messages = sorted((shared_data / "lobster").glob("*_message_*.csv"))
    if not messages:
        pytest.skip("no LOBSTER sample in the recorded market data")
    return messages[0], Path(str(messages[0]).replace("_message_", "_orderbook_"))


def expected_row(line: str) -> list[str]:
    """A row of the order book file as the door writes it."""
    levels = parse_levels(line)
    cells = []
    for bid, ask in zip(levels.bids, levels.asks, strict=True):
        for price, quantity in (bid, ask):
            cells += [f"{price // 10000}.{price % 10000:04d}", str(quantity)]
    return cells


def test_after_every_event_the_ten_levels_are_those_of_the_sample(
    sample: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    messages, orderbook = sample
    out = tmp_path / "levels.csv"
    arguments = [str(messages), "--format", "lobster", "--seed-from", str(orderbook), "--out", str(out), "--json"]
    assert main(arguments) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    names, *rows = out.read_text().splitlines()
    assert names.startswith("sequence,time_ns,bid_price_1,bid_quantity_1,ask_price_1,ask_quantity_1,bid_price_2,")
    events = [parse_event(line) for line in read_lines(messages)]
    assert len(rows) == len(events) == 999
    for number, (row, line, event) in enumerate(zip(rows, read_lines(orderbook), events, strict=True), 1):
        assert row.split(",") == [str(number), str(event.time_ns), *expected_row(line)]
    shown = {name: summary[name] for name in ("messages", "rows", "crossed_rows", "seeded_levels", "malformed")}
    assert shown == {"messages": 999, "rows": 999, "crossed_rows": 0, "seeded_levels": 318, "malformed": 0}
    assert summary["by_type"] == {"1": 471, "3": 369, "4": 98, "5": 61}


def test_without_a_seed_the_book_is_what_the_messages_alone_say(
    sample: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(sample[0]), "--format", "lobster", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["messages"], summary["seeded_levels"], summary["malformed"]) == (999, 0, 0)
    assert summary["unknown_orders"] > 0


def event(kind: EventType, reference: int, quantity: int, price: int = 1_000_000) -> Event:
    return Event(0, kind, reference, quantity, price, Side.BUY)


def shown(book: LobsterBook) -> list[tuple[int, int, int]]:
    return [tuple(row) for row in level(book.memory, 0, Side.BUY, 10).tolist()]


def test_hidden_executions_crosses_and_halts_change_no_visible_order() -> None:
    book = LobsterBook(order_capacity=100)
    book.apply(event(EventType.SUBMISSION, 1, 100))
    for kind in (EventType.HIDDEN_EXECUTION, EventType.CROSS_TRADE):
        book.apply(event(kind, 0, 40))
    book.apply(parse_event("36023,7,0,0,-1,-1"))
    assert shown(book) == [(1_000_000, 100, 1)]
    book.apply(event(EventType.EXECUTION, 1, 40))
    book.apply(event(EventType.PARTIAL_CANCELLATION, 1, 10))
    assert shown(book) == [(1_000_000, 50, 1)]
    book.apply(event(EventType.DELETION, 1, 50))
    assert (shown(book), book.unknown_orders, book.refused) == ([], 0, 0)


def test_a_level_is_seeded_once_and_forgotten_when_it_leaves_the_view() -> None:
    book = LobsterBook(depth=1, order_capacity=100)
    book.apply(event(EventType.SUBMISSION, 1, 100, 900_000))
    book.reconcile(Levels([(900_000, 100)], []))
    book.apply(event(EventType.SUBMISSION, 2, 10, 910_000))
    book.reconcile(Levels([(910_000, 10)], []))
    assert shown(book) == [(910_000, 10, 1)]
    book.apply(event(EventType.DELETION, 2, 10, 910_000))
    book.reconcile(Levels([(900_000, 130)], []))
    book.apply(event(EventType.DELETION, 1, 100, 900_000))
    book.reconcile(Levels([(900_000, 30)], []))
    assert (shown(book), book.seeded_levels, book.unknown_orders) == ([(900_000, 30, 1)], 1, 0)


@pytest.mark.parametrize("line", ["", "1,2,3", "34200.1,9,1,1,1,1", "a,b,c,d,e,f", "34200.0,1,x,1,1,1"])
def test_a_line_that_is_no_event_is_malformed(line: str) -> None:
    with pytest.raises(MalformedLine):
        parse_event(line)


def test_absent_levels_are_left_out() -> None:
    assert parse_levels("9999999999,0,-9999999999,0,11,1,10,2") == Levels([(10, 2)], [(11, 1)])
    with pytest.raises(MalformedLine, match="3 columns"):
        parse_levels("1,2,3")
