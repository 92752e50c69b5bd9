"""Cost reports: an example by hand, and random sessions against a slow implementation of the formulas."""

from __future__ import annotations

import csv
import json
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from engine.algorithms import ALGORITHMS
from engine.messages.codes import CORRECTED, OrderAction, OrderState, ReportKind
from engine.messages.costs import cost_of, read_costs
from engine.messages.tca import ALGORITHM, COSTS, MARKOUTS, MONEY_SCALE, SUMS
from engine.studies.command import main
from engine.studies.tca.door import GROUPINGS, Study
from tests.engine.algorithms.trading_floor import MIDDLE, TICK, Floor
from tests.engine.loop_builder import ALPHA, BRAVO, BUY, INSTRUMENTS, OTHER_VENUE, SECOND_NS, SELL, VENUE, Loop
from tests.engine.studies.tca_reference import slow_costs
from tests.engine.studies.tca_session import FEE, Session

SEEDS = range(12)


def by_hand() -> Session:
    """Buy 100 at a middle of 100.00; replaced at 100.02; 60 filled at 100.04 around 100.03; the rest given up at
    100.06."""
    session = Session()
    session.quote(ALPHA, 999_900, 1_000_100)
    session.wait(SECOND_NS)
    order = session.enter(BUY, 100, 999_800)
    session.print(ALPHA, 1_000_000, 200)
    session.wait(SECOND_NS)
    session.quote(ALPHA, 1_000_100, 1_000_300)
    order = session.replace(order, 1_000_500, 100)
    session.wait(SECOND_NS)
    session.quote(ALPHA, 1_000_200, 1_000_400)
    session.print(ALPHA, 1_000_400, 100)
    session.wait(SECOND_NS)
    session.fill(order, 60, 1_000_400)
    session.wait(2 * SECOND_NS)
    session.quote(ALPHA, 1_000_500, 1_000_700)
    session.cancel(order)
    session.wait(20 * SECOND_NS)
    session.quote(ALPHA, 1_000_900, 1_001_100)
    return session


def money(value: Any) -> Decimal:
    return Decimal(int(value)) / MONEY_SCALE


def test_the_costs_of_a_parent_are_those_computed_by_hand(tmp_path: Path) -> None:
    study = Study(by_hand().save(tmp_path))
    (parent,) = study.report.parents
    assert {name: money(parent[name]) for name in (*COSTS, "shortfall", "paper", "notional")} == {
        "spread": Decimal("0.60"),
        "impact": Decimal("0.60"),
        "timing": Decimal("1.20"),
        "opportunity": Decimal("2.40"),
        "fees": Decimal("0.18"),
        "shortfall": Decimal("4.98"),
        "paper": Decimal("10000"),
        "notional": Decimal("6002.40"),
    }
    # The market's average price was (200 x 100.00 + 100 x 100.04) / 300 = 100.0133; the close 100.10.
    assert (money(parent["against_vwap"]), money(parent["against_close"])) == (Decimal("1.6000"), Decimal("-3.60"))
    assert money(parent["against_middle"]) == Decimal("0.60")
    # One second later the middle was 100.03, ten seconds later 100.06; the recording ends before a minute.
    assert [money(parent[name]) for name in MARKOUTS] == [Decimal("-0.60"), Decimal("1.20"), 0, 0]
    assert [int(parent[f"marked_{at}"]) > 0 for at in range(4)] == [True, True, False, False]
    first, second = study.report.orders
    assert (OrderState(int(first["state"])), OrderState(int(second["state"]))) == (OrderState.CANCELED,) * 2
    assert (int(first["fills"]), int(second["fills"]), money(second["shortfall"])) == (0, 1, Decimal("2.58"))


def test_the_published_example_of_a_part_filled_order(tmp_path: Path) -> None:
    """The one of the CFA curriculum: 1,000 shares wanted at 40.00, asked for at 40.04, 700 bought at 40.05, the rest
    given up at 40.08, 17 of commission: 0.04, 0.02, 0.07 and 0.06 per cent, 0.19 together."""
    session = Session()
    session.quote(ALPHA, 399_900, 400_100)
    order = session.enter(BUY, 1_000, 399_900)
    session.wait(SECOND_NS)
    session.quote(ALPHA, 400_300, 400_500)
    order = session.replace(order, 400_500, 1_000)
    session.wait(SECOND_NS)
    session.fill(order, 700, 400_500, fee=170_000)
    session.wait(SECOND_NS)
    session.quote(ALPHA, 400_700, 400_900)
    session.cancel(order)
    (parent,) = Study(session.save(tmp_path)).report.parents
    shares = {name: int(parent[name]) / int(parent["paper"]) * 100 for name in (*COSTS, "shortfall")}
    assert {name: round(share, 2) for name, share in shares.items()} == {
        "spread": 0.02, "impact": 0.0, "timing": 0.07, "opportunity": 0.06, "fees": 0.04, "shortfall": 0.19,
    }  # fmt: skip


def test_a_corrected_trade_is_measured_where_it_happened_at_the_price_that_holds(tmp_path: Path) -> None:
    session = Session()
    session.quote(ALPHA, 999_900, 1_000_100)
    order = session.enter(BUY, 100, 1_000_100)
    match = session.fill(order, 100, 1_000_100)
    happened_ns = session.now_ns
    session.wait(60 * SECOND_NS)
    session.quote(ALPHA, 1_009_900, 1_010_100)
    session.say(ReportKind.BROKEN, order, match_number=match, reason=CORRECTED)
    session.say(ReportKind.EXECUTED, order, 100, 1_000_000, match_number=match, reason=CORRECTED)
    session.wait(SECOND_NS)
    report = Study(session.save(tmp_path)).report
    (parent,), (fill,) = report.parents, report.fills
    assert (int(fill["time_ns"]), int(fill["price"]), int(fill["quantity"])) == (happened_ns, 1_000_000, 100)
    assert [money(parent[name]) for name in ("spread", "impact", "timing", "opportunity")] == [0, 0, 0, 0]


def random_session(seed: int) -> Session:
    """Quotes, prints, orders, replacements, fills, busts on two venues; some orders are never answered for."""
    random, session = Random(seed), Session()
    session.ahead_ns = {VENUE: random.choice((0, -5 * SECOND_NS)), OTHER_VENUE: random.choice((0, 3_600 * SECOND_NS))}
    middles = {ALPHA: 1_000_000, BRAVO: 500_000}
    open_orders: list[tuple[int, int, int]] = []

    def quote() -> None:
        instrument, venue = random.choice((ALPHA, BRAVO)), random.choice((VENUE, OTHER_VENUE))
        middles[instrument] += random.randint(-3, 3) * 100
        width = random.randint(0, 4) * 100
        session.quote(instrument, middles[instrument] - width, middles[instrument] + 100, venue)

    def enter() -> None:
        instrument, venue = random.choice((ALPHA, BRAVO)), random.choice((VENUE, OTHER_VENUE))
        price = middles[instrument] + random.randint(-3, 3) * 100
        number = session.loop.enter(random.choice((BUY, SELL)), random.randint(1, 9) * 10, price, instrument=instrument,
            venue=venue)  # fmt: skip
        if number > 0:
            session.say(ReportKind.ACCEPTED, number, 0, price, venue=venue)
            open_orders.append((number, instrument, venue))

    def act() -> None:
        if not open_orders:
            return
        at = random.randrange(len(open_orders))
        number, instrument, venue = open_orders[at]
        left = int(session.loop.order(number)["leaves"])
        price = middles[instrument] + random.randint(-4, 4) * 50
        what = random.random()
        if what < 0.5:
            quantity = min(left, random.randint(1, 6) * 10) or 10
            happened_ns = session.event_ns(venue) - random.choice((0, 0, 1_000_000, SECOND_NS))
            session.wait(random.choice((0, 1_000_000, SECOND_NS)))
            added = random.random() < 0.3
            match = session.fill(number, quantity, price, venue=venue, added=added, venue_time_ns=happened_ns)
            if random.random() < 0.15:
                session.say(ReportKind.BROKEN, number, venue=venue, match_number=match)
        elif what < 0.75:
            session.cancel(number, venue)
        else:
            made = session.replace(number, price // 100 * 100, random.randint(1, 9) * 10, venue)
            open_orders[at] = (made or number, instrument, venue)

    def trade() -> None:
        instrument = random.choice((ALPHA, BRAVO))
        session.print(instrument, middles[instrument] + random.randint(-2, 2) * 100, random.randint(1, 50) * 10)
        if (VENUE, instrument) in session.loop.quoted and random.random() < 0.5:
            session.execute_bid(instrument, random.randint(1, 5))

    for _ in range(80):
        random.choice((quote, quote, enter, act, act, trade))()
        session.wait(random.choice((0, 1_000_000, 300_000_000, 2 * SECOND_NS, 9 * SECOND_NS)))
    return session


@pytest.mark.parametrize("seed", SEEDS)
def test_every_parent_of_a_random_session_costs_what_the_slow_implementation_says(seed: int, tmp_path: Path) -> None:
    path = random_session(seed).save(tmp_path)
    study = Study(path)
    slow = {parent["order_id"]: parent for parent in slow_costs(path)}
    assert len(slow) == len(study.report.parents) > 3
    for row in study.report.parents:
        expected = slow[int(row["order_id"])]
        names = (*COSTS, "shortfall", "against_middle", "notional")
        assert {n: Fraction(int(row[n]), 2) for n in names} == {n: expected[n] for n in names}
        assert [Fraction(int(row[n]), 2) for n in MARKOUTS] == expected["markouts"]
        counted = ("quantity", "filled", "interval_volume", "interval_value", "session_volume", "is_open")
        assert {n: int(row[n]) for n in counted} == {n: expected[n] for n in counted}
        for name in ("arrival", "end", "close"):
            assert Fraction(int(row[f"{name}_2"]), 2) == (expected[name] or 0), name


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_split_adds_up_exactly(seed: int, tmp_path: Path) -> None:
    study = Study(random_session(seed).save(tmp_path))
    parents, orders, fills = study.report.parents, study.report.orders, study.report.fills
    sign = np.where(parents["side"] == BUY, 1, -1)
    priced = parents["arrival_2"] > 0
    rest = np.maximum(parents["quantity"] - parents["filled"], 0)
    executed = sign * (parents["notional"] - parents["filled"] * parents["arrival_2"])
    paper_loss = executed + sign * rest * (parents["end_2"] - parents["arrival_2"]) + parents["fees"]
    assert (parents["shortfall"][priced] == paper_loss[priced]).all()
    for table in (orders, fills):
        own = np.zeros(len(parents), np.int64)
        np.add.at(own, table["parent_row"], table["shortfall"])
        assert (own + parents["opportunity"] == parents["shortfall"]).all()
    document = study.document()
    added = ("fills", "filled", "quantity", "shortfall", *COSTS, *MARKOUTS, "notional")
    for grouping in GROUPINGS:
        rows = [row for row in document["groups"] if row["grouping"] == grouping]
        sums = {name: sum(row[name] for row in rows) for name in added}
        overfilled = int(np.maximum(parents["filled"] - parents["quantity"], 0).sum())
        sums["quantity"] -= overfilled if grouping in ("venue", "liquidity") else 0
        assert sums == {name: document["totals"][name] for name in added}, grouping
    assert set(SUMS) <= set(document["totals"])


def test_the_command_writes_everything_and_says_what_it_cannot_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = by_hand().save(tmp_path / "made")
    files = {name: tmp_path / name for name in ("fills.csv", "fills.parquet", "costs.json")}
    wanted = ["--table", "fills", "--csv", str(files["fills.csv"]), "--parquet", str(files["fills.parquet"])]
    assert main(["tca", str(path), "--out", str(tmp_path / "out"), "--costs", str(files["costs.json"]), *wanted]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == "1 parents, 2 orders, 1 fills"
    assert printed.splitlines()[-1].split() == ["all", "60", "4.98", "4.98", "0.60", "0.60", "1.20", "2.40", "0.18"]
    (fill,) = csv.DictReader(files["fills.csv"].open())
    assert {name: fill[name] for name in ("instrument", "venue", "side", "price", "middle", "markout_10_s")} == {
        "instrument": "ALPHA", "venue": "X1", "side": "BUY", "price": "100.04000", "middle": "100.03000",
        "markout_10_s": "1.20000",
    }  # fmt: skip
    assert files["fills.parquet"].read_bytes()[:4] == b"PAR1"
    document = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (document["totals"]["shortfall"], document["labels"]["instrument"]) == (99_600, {"1": "ALPHA"})
    assert sorted(at.name for at in (tmp_path / "out" / "export").iterdir()) == [
        "fills.csv", "fills.parquet", "orders.csv", "orders.parquet", "parents.csv", "parents.parquet", "team-5",
    ]  # fmt: skip
    assert main(["tca", str(tmp_path)]) == 1
    assert f"{tmp_path} has no engine/journal and no journal directory" in capsys.readouterr().err
    (path / "recording.bin").unlink()
    assert main(["tca", str(path)]) == 1
    assert "run the backtest with --recording" in capsys.readouterr().err


def test_close_and_volume_are_those_of_the_day(tmp_path: Path) -> None:
    session = by_hand()
    session.wait(86_400 * SECOND_NS)
    session.quote(ALPHA, 1_100_000, 1_100_200)
    session.print(ALPHA, 1_100_100, 7_000)
    (parent,) = Study(session.save(tmp_path)).report.parents
    assert (money(parent["close_2"]), int(parent["session_volume"])) == (Decimal("100.10"), 300)


def test_children_belong_to_their_parent_and_one_that_was_not_filled_costs_what_it_missed(tmp_path: Path) -> None:
    loop, kept = Loop(strategy_count=8), bytearray()
    loop.journal.append_started({"instruments": [asdict(row) for row in INSTRUMENTS], "venue_count": 4})
    take = loop.journal.take
    loop.journal.take = lambda: (made := take(), kept.extend(made))[0]  # type: ignore[method-assign]
    floor = Floor(loop=loop)
    worked = floor.enter("twap", 400, 4, given={"slices": 4, "patience": 0.2})
    missed = floor.enter("twap", 100, 4, SELL, price=MIDDLE + 50 * TICK, client_order_id="second")
    floor.run(2)
    floor.quote(VENUE, MIDDLE - 100 * TICK)
    floor.run(3)
    floor.loop.taken()
    (tmp_path / "journal.bin").write_bytes(bytes(kept))
    (tmp_path / "recording.bin").write_bytes(loop.recording.take())
    study = Study(tmp_path)
    first, second = study.report.parents
    assert [int(row["parent_id"]) for row in (first, second)] == [worked, missed]
    assert [(int(row["quantity"]), int(row["filled"])) for row in (first, second)] == [(400, floor.done), (100, 0)]
    entered = [row["parent_id"] for row in floor.requests if row["action"] == OrderAction.ENTER]
    assert [int(row["orders"]) for row in (first, second)] == [entered.count(worked), entered.count(missed)]
    assert (int(first["fills"]), int(second["fills"])) == (len(floor.fills), 0)
    assert floor.done == 400
    assert money(first["notional"]) == sum(Decimal(price * quantity) for *_, price, quantity in floor.fills) / 10_000
    assert money(second["opportunity"]) == money(second["shortfall"]) == Decimal("100.00")
    key = ALGORITHM + ALGORITHMS["twap"][0]
    groups = {row["key"]: row["filled"] for row in study.document()["groups"] if row["grouping"] == "algorithm"}
    assert (groups, study.document()["labels"]["algorithm"]) == ({key: 400}, {str(key): "TWAP"})


def test_only_what_was_decided_on_a_day_or_by_a_strategy_is_reported(tmp_path: Path) -> None:
    path = by_hand().save(tmp_path)
    day = int(Study(path).report.parents["decided_ns"][0]) // 86_400_000_000_000 * 86_400_000_000_000
    assert len(Study(path, day).report.parents) == 1
    assert len(Study(path, day - 86_400_000_000_000).report.parents) == 0
    assert [len(Study(path, None, strategy).report.parents) for strategy in (0, 7)] == [1, 0]


def test_a_known_square_root_impact_and_share_of_the_spread_are_found_again(tmp_path: Path) -> None:
    session, random = Session(), Random(3)
    middle = 1_000_000
    for _ in range(60):
        session.quote(ALPHA, middle - 100, middle + 100)
        session.wait(SECOND_NS)
        quantity = random.choice((10, 40, 90))
        session.print(ALPHA, middle, 1_000)
        order = session.enter(BUY, quantity, middle + 2_000)
        session.wait(1_000_000)
        impact = round(100 * quantity**0.5 / 10) * 10
        session.fill(order, quantity, middle + 100 + impact)
        middle += random.randint(-4, 4) * 100
        session.wait(SECOND_NS)
    study = Study(session.save(tmp_path))
    study.write(tmp_path / "out")
    row = cost_of(read_costs(tmp_path / "out" / "costs.json"), VENUE, ALPHA)
    assert row is not None
    volume, volatility = int(study.report.parents["session_volume"][0]), row.volatility_basis_points
    expected = 100 / 1_000_000 * 10_000 * volume**0.5 / volatility
    assert row.impact_coefficient == pytest.approx(expected, rel=0.02)
    assert (row.spread_share, row.added_share) == (1.0, 0.0)
    assert row.half_spread_basis_points == pytest.approx(1.0, rel=0.01)
    assert row.fee_basis_points == pytest.approx(FEE / 1_000_000 * 10_000, rel=0.01)
    assert row.impact_error < 0.05 * row.impact_coefficient


def test_what_moved_against_resting_fills_and_how_long_a_venue_took_are_fitted(tmp_path: Path) -> None:
    """Three buys rest at 99.99 below a middle of 100.00 and fill; ten seconds later it stands at 99.98, 99.97 and
    99.99: 2, 3 and 1 basis points lower. The venue answers after 4, 6 and 5 ms."""
    session = Session()
    for ticks, answer_ms in ((2, 4), (3, 6), (1, 5)):
        session.quote(ALPHA, 999_900, 1_000_100)
        number = session.loop.enter(BUY, 100, 999_900)
        session.wait(answer_ms * 1_000_000)
        session.say(ReportKind.ACCEPTED, number, 100, 999_900)
        session.wait(SECOND_NS)
        session.fill(number, 100, 999_900, added=True)
        session.wait(SECOND_NS)
        session.quote(ALPHA, 999_900 - 100 * ticks, 1_000_100 - 100 * ticks)
        session.wait(20 * SECOND_NS)
    session.quote(ALPHA, 999_900, 1_000_100)  # so that the recording goes on for ten seconds after the last fill
    study = Study(session.save(tmp_path))
    (row,) = [row for row in study.costs if (row.venue, row.instrument) == (VENUE, ALPHA)]
    assert row.adverse_basis_points == pytest.approx(2.0 * 1_000_000 / 999_900)
    assert (row.latency_us, row.added_share) == (5_000, 1.0)
