"""The router study: its model of fills on made-up days, its doors, and what it says of the recorded day."""

from __future__ import annotations

import json
import os
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest

from engine.history.lean_day import QUOTE_LINE, TRADE_LINE, LeanDay, read_day
from engine.messages.codes import Side
from engine.studies import router
from engine.studies.contesting_routers import BestPriceOnly, Proportional, Wish, apportion
from engine.studies.fill_model import Resting, Taken, rest, take
from engine.studies.recorded_venues import CLOSE_MS, NOON_MS, OPEN_MS, RecordedVenues
from engine.studies.venue_assumptions import TERMS, VenueTerms, read_terms

BUY, SELL = int(Side.BUY), int(Side.SELL)
BID, ASK = 1_000_000, 1_000_100
START = OPEN_MS + 1_000_000
DATA = Path(os.environ.get("DESK_SHARED_DATA", Path(__file__).resolve().parents[4] / "shared" / "data"))


def quotes(*rows: tuple[int, str, int, int, str]) -> np.ndarray:
    """Quote lines: time, side, price, quantity, venue."""
    made = np.zeros(len(rows), QUOTE_LINE)
    for line, (time_ms, side, price, quantity, venue) in zip(made, rows, strict=True):
        line["time_ms"], line["venue"], line[side], line[f"{side}_quantity"] = time_ms, venue, price, quantity
    return made


def trades(*rows: tuple[int, int, int, str]) -> np.ndarray:
    """Trade lines: time, price, quantity, venue."""
    made = np.zeros(len(rows), TRADE_LINE)
    for line, (time_ms, price, quantity, venue) in zip(made, rows, strict=True):
        line["time_ms"], line["price"], line["quantity"], line["venue"] = time_ms, price, quantity, venue
    return made


def market(
    *lines: tuple[int, str, int, int, str], printed: tuple[tuple[int, int, int, str], ...] = ()
) -> RecordedVenues:
    """A day on which N and Q quote in the morning, then `lines`, and the same again in the afternoon."""
    first = [(OPEN_MS, "bid", BID, 500, "N"), (OPEN_MS, "ask", ASK, 400, "Q"), (OPEN_MS, "ask", ASK, 500, "N")]
    last = [(NOON_MS, "bid", BID, 500, "N"), (NOON_MS, "ask", ASK, 500, "N")]
    return RecordedVenues(LeanDay("MADE", quotes(*first, *lines, *last), trades(*printed)))


def test_a_venue_stands_until_a_line_proves_it_gone() -> None:
    made = market((START, "ask", ASK, 300, "N"), (START + 10, "ask", ASK + 100, 900, "Q"))
    n, q = 0, 1
    assert made.standing(SELL, q, START - 1)[:2] == (ASK, 400)
    assert made.standing(SELL, q, START)[:2] == (0, 0)  # N displays most with 300: Q cannot have its 400
    assert made.standing(SELL, n, START + 9)[:2] == (ASK, 300)
    assert made.standing(SELL, n, START + 10)[:2] == (0, 0)
    assert made.best(SELL, START + 10) == (ASK + 100, 900, q)


def test_trades_take_from_what_stands() -> None:
    made = market(printed=((START, ASK, 150, "N"),))
    assert made.standing(SELL, 0, START)[:2] == (ASK, 350)


def test_an_order_takes_what_is_displayed_when_it_arrives_and_not_twice() -> None:
    made = market()
    taken = Taken(made)
    first = take(made, BUY, 0, ASK, 700, START, taken, 25)
    assert [(fill.quantity, fill.price, fill.fee) for fill in first] == [(500, ASK, 25)]
    assert take(made, BUY, 0, ASK, 700, START + 5, taken, 25) == []


def test_what_others_got_a_moment_later_was_there_for_us_too() -> None:
    made = market(printed=((START + 10, ASK, 800, "N"), (START + 60, ASK, 800, "N")))
    fills = take(made, BUY, 0, ASK, 1000, START, Taken(made), 25)
    assert [fill.quantity for fill in fills] == [500, 300]


def test_nothing_is_taken_beyond_the_limit() -> None:
    made = market()
    assert take(made, BUY, 0, ASK - 100, 700, START, Taken(made), 25) == []


def test_a_resting_order_waits_behind_the_queue() -> None:
    made = market(printed=((START + 5, BID, 450, "N"), (START + 9, BID, 100, "N"), (START + 9, BID, 100, "Q")))
    order = Resting(0, 200, START, -15)
    fills = rest(made, BUY, BID, [order], START + 20)
    assert [(fill.time_ms, fill.quantity, fill.through) for fill in fills[0]] == [(START + 9, 50, False)]


def test_trades_elsewhere_at_a_worse_price_reach_one_order_of_the_parent_once() -> None:
    lines = ((START + 5, "bid", BID - 100, 500, "Q"),)
    made = market(*lines, printed=((START + 8, BID - 100, 150, "Q"),))
    fills = rest(made, BUY, BID, [Resting(0, 100, START, 0), Resting(1, 100, START, 0)], START + 20)
    assert [[(fill.quantity, fill.through) for fill in made] for made in fills] == [[(50, True)], [(100, True)]]


def test_the_simple_routers_do_what_their_names_say() -> None:
    made = market()
    wish = Wish(BUY, ASK, 900, START, 1000)
    assert BestPriceOnly(made).take(wish, Taken(made)) == {0: 900}
    assert Proportional(made, [1, 3]).take(wish, Taken(made)) == {0: 500, 1: 400}
    assert Proportional(made, [1, 3]).rest(wish) == {0: 225, 1: 675}
    assert apportion(10, [1, 1, 1]) == {0: 4, 1: 3, 2: 3}


def test_terms_come_from_a_file_or_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "terms.toml"
    file.write_text("[N]\nmaker_fee = -1\ntaker_fee = 2\nlatency_ms = 3\n")
    assert read_terms(file) == TERMS | {"N": VenueTerms(-1, 2, 3)}
    file.write_text("[N]\nmaker_fee = 1\n")
    with pytest.raises(ValueError, match="venue 'N'"):
        read_terms(file)


def write_day(folder: Path, seed: int) -> Path:
    """A day of made-up quotes and trades of three venues in the format of the recorded ones."""
    chance = random.Random(seed)
    quoted, traded, middle = [], [], BID
    for time_ms in range(OPEN_MS, CLOSE_MS, 4_000):
        middle += chance.choice((-100, 0, 0, 100))
        quoted.append(f"{time_ms},{middle},{chance.randrange(1, 9) * 100},0,0,{chance.choice('NQZ')},1,0")
        quoted.append(f"{time_ms},0,0,{middle + 100},{chance.randrange(1, 9) * 100},{chance.choice('NQZ')},1,0")
        traded.append(f"{time_ms + 1},{middle + chance.choice((0, 100))},{chance.randrange(1, 4) * 100},N,1,0")
    folder.mkdir()
    for name, lines in (("quote", quoted), ("trade", traded)):
        with zipfile.ZipFile(folder / f"20200101_{name}.zip", "w") as archive:
            archive.writestr(f"20200101_{name}.csv", "\n".join(lines) + "\n")
    return folder / "20200101_quote.zip"


def test_the_same_seed_says_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.studies.router_fitting.PROBES", 10)
    files = [str(write_day(tmp_path / name, seed)) for seed, name in enumerate(("one", "two"))]
    said = []
    for _ in range(2):
        assert router.main(["--data", *files, "--orders", "10", "--seed", "3", "--json"]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    answer = json.loads(said[0].splitlines()[-1])
    assert set(answer["routers"]) == {"router", "best_price", "primary", "proportional"}
    assert set(answer["instruments"]) == {"ONE", "TWO"}
    for row in answer["routers"].values():
        assert set(row) == {"shortfall_bps", "stderr_bps", "fill_rate", "orders"}
        assert row["orders"] == sum(part["routers"]["router"]["orders"] for part in answer["instruments"].values())


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("1_quote.zip", "1,2,3\n", "not a LEAN file"),
        ("1_quote.zip", "9,1,1,0,0,N,1,0\n5,1,1,0,0,N,1,0\n", "order of time"),
        ("1_quote.zip", f"{OPEN_MS},1,1,0,0,N,1,0\n", "no quotes of both sides"),
        ("1_bars.zip", "1\n", "no quote file"),
    ],
)
def test_a_file_that_is_no_such_day_is_refused_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, text: str, sentence: str
) -> None:
    (tmp_path / name).write_text(text)
    (tmp_path / "1_trade.zip").write_text("")
    assert router.main(["--data", str(tmp_path / name)]) == 1
    assert sentence in capsys.readouterr().err


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert router.main(["--data", str(tmp_path / "1_quote.zip")]) == 1
    assert "1_quote.zip" in capsys.readouterr().err


def test_on_the_recorded_day_our_router_costs_less_and_fills_no_less() -> None:
    file = DATA / "equity_ticks" / "ibm" / "20131007_quote.zip"
    if not file.exists():
        pytest.skip(f"no recorded quotes at {file}")
    if os.environ.get("ENGINE_BACKEND", "native") != "native":
        pytest.skip("a whole day takes compiled code")
    found = router.summary(router.study(RecordedVenues(read_day(file)), TERMS, orders=300, seed=1))
    ours = found["routers"]["router"]
    for name in router.SIMPLE:
        assert ours["fill_rate"] >= found["routers"][name]["fill_rate"], name
        assert found["differences"][name]["shortfall_bps"] < 0, name
