"""LEAN quotes through the book door."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from engine.history.book_door import main
from engine.history.lean import MalformedQuote, Quote, parse_quote

LINES = [
    "34200000,1823300,300,0,0,N,1,0",
    "34200000,0,0,1823400,200,K,1,0",
    "not a quote",
    "34200001,1823500,100,0,0,Q,1,0",
    "34200001,0,0,1823600,400,N,1,0",
]
ROWS = """\
sequence,time_ns,bid_price_1,bid_quantity_1,ask_price_1,ask_quantity_1
1,34200000000000,182.3300,300,,
2,34200000000000,182.3300,300,182.3400,200
4,34200001000000,182.3500,100,182.3400,200
5,34200001000000,182.3500,100,182.3600,400
"""


def test_a_line_changes_one_side_of_the_best_bid_and_offer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "ibm"
    folder.mkdir()
    with zipfile.ZipFile(folder / "20131007_quote.zip", "w") as archive:
        archive.writestr("20131007_ibm_Quote_Tick.csv", "\r\n".join(LINES))
    out = tmp_path / "rows.csv"
    arguments = [str(folder / "20131007_quote.zip"), "--format", "lean", "--levels", "1", "--out", str(out), "--json"]
    assert main(arguments) == 0
    assert out.read_text() == ROWS
    shown = capsys.readouterr()
    summary = json.loads(shown.out)
    assert (summary["messages"], summary["rows"], summary["crossed_rows"], summary["malformed"]) == (4, 4, 1, 1)
    assert summary["by_type"] == {"ask": 2, "bid": 2}
    assert shown.err == "20131007_quote.zip: line 3: not a LEAN quote: 'not a quote'\n"


def test_another_instrument_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "20131007_quote.csv"
    file.write_text(LINES[0])
    assert main([str(file), "--format", "lean", "--instrument", "XYZ"]) == 1
    assert capsys.readouterr().err == f"engine book: {file} is about {tmp_path.name.upper()}, not XYZ\n"


def test_a_quote_is_read_whole() -> None:
    assert parse_quote("14400054,0,0,1836300,100,Q,1,1\r\n") == Quote(14_400_054_000_000, 0, 0, 1836300, 100, "Q", True)


@pytest.mark.parametrize("line", ["", "1,2,3", "1,-5,0,0,0,N,1,0", "x,0,0,0,0,N,1,0"])
def test_a_line_that_is_no_quote_is_malformed(line: str) -> None:
    with pytest.raises(MalformedQuote):
        parse_quote(line)


def test_the_recorded_best_bid_and_offer_of_bac_never_cross(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shared_data / "equity_ticks" / "bac" / "20131007_quote.zip"
    if not file.is_file():
        pytest.skip("no BAC quotes in the recorded market data")
    assert main([str(file), "--format", "lean", "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["messages"], summary["crossed_rows"], summary["malformed"]) == (476_855, 0, 0)
