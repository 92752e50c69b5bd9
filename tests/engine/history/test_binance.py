"""Recorded Binance sessions through the book door: the capture against the venue's own quotes, and what goes wrong."""

from __future__ import annotations

import bisect
import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from engine.history.book_door import main
from tests.engine.protocols.binance_messages import depth, quote, snapshot, trade


def book(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *more: str
) -> tuple[Any, list[list[str]], str]:
    out = tmp_path / "rows.csv"
    status = main([str(path), "--format", "binance", "--levels", "1", "--out", str(out), "--json", *more])
    said = capsys.readouterr()
    rows = list(csv.reader(out.open()))
    return json.loads(said.out) if status == 0 else status, rows, said.err


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "session"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_after_every_difference_of_the_capture_best_bid_and_offer_are_those_of_the_last_book_ticker(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shared_data / "binance" / "btcusdt_20240808.gz"
    quotes = {}
    with gzip.open(path, "rt") as lines:
        for line in lines:
            data = json.loads(line.partition(" ")[2]).get("data", {})
            if "e" not in data and "u" in data:
                quotes[data["u"]] = [data[name].rstrip("0") for name in "bBaA"]
    ids = sorted(quotes)
    summary, rows, _ = book(path, tmp_path, capsys)
    assert rows[0] == ["sequence", "time_ns", "bid_price_1", "bid_quantity_1", "ask_price_1", "ask_quantity_1"]
    different = [
        row
        for row in rows[1:]
        if [cell.rstrip("0") for cell in row[2:]] != quotes[ids[bisect.bisect_right(ids, int(row[0])) - 1]]
    ]
    assert (len(rows) - 1, different) == (3449, [])
    expected = {
        "messages": 41249, "rows": 3449, "crossed_rows": 0, "locked_rows": 0, "snapshots": 1, "gaps": 0,
        "agreeing_quotes": 3449, "disagreeing_quotes": 0, "malformed": 0,
        "by_type": {"bookTicker": 28040, "depthUpdate": 3451, "snapshot": 1, "trade": 9757},
    }  # fmt: skip
    assert {name: summary[name] for name in expected} == expected


def test_rows_begin_at_the_snapshot_stop_at_a_hole_and_go_on_after_another_snapshot(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(
        tmp_path,
        "100 " + depth(1, 2, [("10.00", "1")], time_ms=1),
        "101 " + depth(3, 5, [("10.01", "0.5")], time_ms=2),
        "102 " + snapshot(4, [("10.00", "1.000")], [("10.02", "2")]),
        "103 " + depth(6, 6, asks=[("10.02", "1.25")], time_ms=3),
        "104 " + depth(8, 8, [("10.01", "0.75")], time_ms=4),
        "105 " + depth(9, 9, [("10.01", "0.00")], time_ms=5),
        "106 " + snapshot(8, [("10.01", "0.75")], [("10.02", "1")]),
        "107 " + depth(10, 11, [("10.00", "3")], time_ms=6),
        "108 " + quote(11, "10.00", "3", "10.02", "1"),
        "109 " + trade(1, "10.02", "0.1", False),
    )
    summary, rows, complaints = book(path, tmp_path, capsys)
    assert rows[1:] == [
        ["5", "2000000", "10.01", "0.50", "10.02", "2.00"],
        ["6", "3000000", "10.01", "0.50", "10.02", "1.25"],
        ["9", "5000000", "", "", "10.02", "1.00"],
        ["11", "6000000", "10.00", "3.00", "10.02", "1.00"],
    ]
    assert (summary["gaps"], summary["snapshots"], summary["agreeing_quotes"], complaints) == (1, 2, 1, "")


def test_crossed_rows_and_quotes_that_disagree_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(
        tmp_path,
        depth(5, 5, [("10", "1")]),
        snapshot(4, [("9", "1")], [("11", "1")]),
        depth(6, 6, [("12", "1")]),
        quote(6, "10", "1", "11", "1"),
    )
    summary, rows, _ = book(path, tmp_path, capsys)
    assert [row[2] for row in rows[1:]] == ["10", "12"]
    assert (summary["crossed_rows"], summary["agreeing_quotes"], summary["disagreeing_quotes"]) == (1, 0, 1)


def test_prices_and_quantities_of_eight_places_and_of_many_digits_are_exact(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(
        tmp_path,
        depth(5, 5, [("0.00001393", "12345678901.20")], name="SHIBUSDT"),
        snapshot(4, asks=[("0.00001394", "0.5")]),
    )
    _, rows, _ = book(path, tmp_path, capsys)
    assert rows[1][2:] == ["0.00001393", "12345678901.2", "0.00001394", "0.5"]


def test_one_instrument_of_several_is_chosen_and_a_snapshot_goes_to_whose_updates_it_lies_among(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(
        tmp_path,
        depth(5, 5, [("10", "1")]),
        depth(905, 905, [("2.5", "7")], name="ETHUSDT"),
        snapshot(4, [("9", "1")], [("11", "1")]),
        snapshot(904, [("2", "1")], [("3", "1")]),
    )
    status, _, complaint = book(path, tmp_path, capsys)
    assert status == 1
    assert "name one instrument with --instrument" in complaint
    assert "BTCUSDT, ETHUSDT" in complaint
    _, rows, _ = book(path, tmp_path, capsys, "--instrument", "ethusdt")
    assert [row[2:] for row in rows[1:]] == [["2.5", "7", "3.0", "1"]]


def test_lines_that_are_no_event_are_counted_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path, "nonsense", depth(5, 5, [("10", "1")]), snapshot(4, [("9", "1")]), '7 {"e": "kline"}')
    summary, rows, complaints = book(path, tmp_path, capsys)
    assert (summary["messages"], summary["malformed"], len(rows)) == (2, 2, 2)
    assert complaints.splitlines() == [
        "session: line 1: not JSON: Expecting value: line 1 column 1 (char 0)",
        "session: line 4: no event that is read here: 'kline'",
    ]


def test_a_file_without_a_snapshot_says_so_and_has_no_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary, rows, complaint = book(written(tmp_path, depth(5, 5, [("10", "1")])), tmp_path, capsys)
    assert (summary["rows"], len(rows)) == (0, 1)
    assert "no snapshot that meets its updates" in complaint
