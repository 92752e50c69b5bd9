"""`python -m engine study pairs`, against series whose answer is known and against published ones."""

import json
from pathlib import Path

import numpy as np
import pytest

from engine.__main__ import main
from engine.studies.cointegration import NotComparable, compare, half_life
from engine.studies.price_table import PriceTable, read_price_table


def walk(seed: int, rows: int = 1000) -> np.ndarray:
    return 100 + np.cumsum(np.random.default_rng(seed).normal(0, 0.1, rows))


def reverting(seed: int, keep: float, rows: int = 1000) -> np.ndarray:
    shocks = np.random.default_rng(seed).normal(0, 0.05, rows)
    values = np.zeros(rows)
    for row in range(1, rows):
        values[row] = keep * values[row - 1] + shocks[row]
    return values


def test_a_pair_that_shares_its_walk_is_found_with_its_ratio_and_half_life() -> None:
    second = walk(1)
    deviation = reverting(2, keep=0.9)
    found = compare(7 + 1.5 * second + deviation, second)
    assert found.cointegrated
    assert found.hedge_ratio == pytest.approx(1.5, abs=0.01)
    assert found.centre == pytest.approx(7, abs=1)
    assert found.spread_deviation == pytest.approx(np.std(deviation), rel=0.02)
    assert found.half_life == pytest.approx(np.log(2) / 0.1, rel=0.35)
    assert found.johansen_trace > 15.49


def test_two_walks_of_their_own_are_not_cointegrated() -> None:
    found = compare(walk(3), walk(4))
    assert not found.cointegrated
    assert found.engle_granger_p > 0.05


def test_a_spread_that_runs_away_has_no_half_life() -> None:
    assert half_life(np.exp(np.arange(50) / 10)) == float("inf")


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        (walk(1), np.full(1000, 5.0), "a price never moves"),
        (walk(1), 2 * walk(1), "the prices are the same up to a factor"),
        (walk(1, rows=19), walk(2, rows=19), "only 19 rows have both prices"),
    ],
)
def test_prices_that_cannot_be_compared_are_named(first: np.ndarray, second: np.ndarray, reason: str) -> None:
    with pytest.raises(NotComparable) as refused:
        compare(first, second)
    assert str(refused.value) == reason


def test_a_table_with_times_knows_the_seconds_of_a_row(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("\ufefftime_ns,AAA,BBB\n0,1.5,2\n500000000,,2.5\n1000000000,1.25,NaN\n")
    table = read_price_table(path)
    expected = PriceTable(["AAA", "BBB"], np.array([[1.5, 2], [np.nan, 2.5], [1.25, np.nan]]), 0.5)
    assert (table.names, table.row_seconds) == (expected.names, expected.row_seconds)
    np.testing.assert_array_equal(table.prices, expected.prices)


def test_a_table_with_iso_times_is_thinned_with_its_seconds(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    rows = [f"2026-11-20T10:00:{second:02}Z,{second},1" for second in range(0, 20, 2)]
    path.write_text("\n".join(["time,AAA,BBB", *rows]))
    table = read_price_table(path).thinned(5)
    assert table.row_seconds == 10
    np.testing.assert_array_equal(table.prices, [[0, 1], [10, 1]])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is not a price table: it needs a heading, a time column and two instruments"),
        ("Date,A,A\n1,2,3\n", ": every column needs a name of its own"),
        ("Date,A,B\n1,2\n", ", line 2: 2 columns where the heading has 3"),
        ("Date,A,B\n1,2,x\n", ", line 2: a price is not a number"),
        ("time_ns,A,B\n2,1,1\n1,1,1\n", ": times must rise from row to row"),
        ("time_ns,A,B\nnoon,1,1\n", ": a time_ns cannot be read"),
    ],
)
def test_a_file_that_is_no_price_table_is_refused_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(text)
    with pytest.raises(ValueError) as refused:
        read_price_table(path)
    assert str(refused.value).removeprefix(str(path)).strip() == sentence.strip()


def test_the_door_prints_every_pair_as_one_json_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    second = walk(1)
    rows = zip(7 + 1.5 * second + reverting(2, keep=0.9), second, walk(5), np.full(1000, 1.0), strict=True)
    lines = [f"{number * 10**9},{a:.4f},{b:.4f},{c:.4f},{d}" for number, (a, b, c, d) in enumerate(rows)]
    path = tmp_path / "prices.csv"
    path.write_text("\n".join(["time_ns,A,B,C,D", *lines]))
    assert main(["study", "pairs", str(path), "--format", "prices", "--lags", "1", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (answer["pairs"][0]["first"], answer["pairs"][0]["second"]) == ("A", "B")
    assert {tuple(sorted(pair)) for pair in answer["pairs"]} == {
        (
            "centre", "cointegrated", "engle_granger_p", "engle_granger_t", "file", "first", "half_life",
            "half_life_seconds", "hedge_ratio", "johansen_trace", "rows", "second", "spread_deviation",
        )
    }  # fmt: skip
    assert answer["pairs"][0]["half_life_seconds"] == answer["pairs"][0]["half_life"]
    assert [(pair["first"], pair["second"], pair["reason"]) for pair in answer["rejected"]] == [
        (name, "D", "a price never moves") for name in "ABC"
    ]


def test_a_missing_file_is_refused_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "pairs", "nowhere.csv", "--format", "prices"]) == 1
    assert capsys.readouterr().err == "study pairs: cannot read nowhere.csv: No such file or directory\n"


def test_the_published_pair_of_senior_living_operators_is_cointegrated(shared_data: Path) -> None:
    table = read_price_table(shared_data / "pairs/BKD_ESC_2009_2011.csv")
    found = compare(table.prices[:, 0], table.prices[:, 1])
    assert found.cointegrated
    assert round(found.hedge_ratio, 3) == 1.206
