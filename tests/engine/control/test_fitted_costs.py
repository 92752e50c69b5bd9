"""Fitted costs as the router has them: what they change in a route, by hand; the file; a replay; what is refused."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.messages import control
from engine.messages.codes import RecordKind
from engine.messages.costs import CostRow, costs_hash, read_costs, write_costs
from engine.messages.records import TextRecord
from engine.run import Engine
from tests.engine.control.test_replay import Lived, replayed
from tests.engine.hotpath.test_router_orders import ASK, asked, quoted_loop, smart
from tests.engine.loop_builder import ALPHA, BRAVO, BUY, OTHER_VENUE, VENUE, Loop

# Impact of one share: 1 x 100 basis points / sqrt(1,000,000) = 0.1 of a basis point.
ROW = CostRow(
    venue=OTHER_VENUE,
    instrument=ALPHA,
    fills=50,
    quantity=9_000,
    half_spread_basis_points=1.0,
    spread_share=1.0,
    added_share=0.0,
    impact_coefficient=1.0,
    impact_error=0.2,
    volatility_basis_points=100.0,
    volume=1_000_000,
    fee_basis_points=0.1,
)
CHEAP = replace(ROW, venue=VENUE, impact_coefficient=0.0)


def apply(rows: list[CostRow]) -> control.ApplyCosts:
    return control.ApplyCosts(costs_hash(rows), [asdict(row) for row in rows])


def learned(loop: Loop, venue: int, instrument: int = ALPHA) -> tuple[int, int, int]:
    row = loop.memory.learned[loop.memory.listing(venue, instrument)]
    return int(row["impact_scale"]), int(row["adverse"]), int(row["latency_ns"])


def test_a_route_with_and_without_fitted_costs_by_hand() -> None:
    """300 shares at 100.01, both venues show 500: a fee of 30 at the first, of 10 at the second. Fitted: taking 300 at
    the second moves the middle by 0.1 x sqrt(300) = 1.732 basis points, 173.217 price units a share."""
    loop = quoted_loop()
    loop.applied(smart(BUY, 300, ASK))
    risks = {row["venue"]: row["risk_part"] for row in loop.bodies(RecordKind.ROUTE)}
    assert risks == {VENUE: 5_000, OTHER_VENUE: 5_000}  # a displayed share is there 950 times in 1,000: 50 x a tick
    without = quoted_loop()
    without.applied(smart(BUY, 300, ASK))
    assert asked(without) == [(OTHER_VENUE, 300, ASK, 2)]

    loop = quoted_loop()
    loop.applied(apply([CHEAP, ROW]))
    loop.taken()
    loop.applied(smart(BUY, 300, ASK))
    records = {row["venue"]: row for row in loop.bodies(RecordKind.ROUTE)}
    assert [records[venue]["risk_part"] for venue in (VENUE, OTHER_VENUE)] == [5_000, 5_000 + 173_217]
    assert [records[venue]["take_quantity"] for venue in (VENUE, OTHER_VENUE)] == [300, 0]


def test_fills_that_the_market_runs_over_make_a_venue_a_worse_place_to_rest() -> None:
    """Both venues cost the same to rest at; at the first the middle moves two basis points against who was filled."""
    for adverse, place in ((0.0, VENUE), (2.0, OTHER_VENUE)):
        loop = quoted_loop()
        loop.applied(apply([replace(CHEAP, added_share=1.0, adverse_basis_points=adverse), ROW]))
        loop.taken()
        loop.applied(smart(BUY, 1, 999_900))
        assert [venue for venue, *_ in asked(loop)] == [place]


def test_a_venue_or_instrument_without_a_row_of_its_own_has_the_nearest_one() -> None:
    loop = Loop()
    everything = replace(ROW, venue=0, instrument=0, impact_coefficient=4.0, latency_us=9_000)
    of_venue = replace(ROW, instrument=0, impact_coefficient=3.0, added_share=0.5, adverse_basis_points=-1.5)
    few = replace(ROW, impact_error=0.0, latency_us=700)  # too few orders took to say anything of impact
    loop.applied(apply([everything, of_venue, few]))
    assert learned(loop, OTHER_VENUE, ALPHA) == (300_000, -1_500, 700_000)
    assert learned(loop, OTHER_VENUE, BRAVO) == (300_000, -1_500, 0)
    assert learned(loop, VENUE, ALPHA) == (400_000, 0, 0)
    loop.applied(apply([]))
    assert learned(loop, OTHER_VENUE, BRAVO) == (0, 0, 0)


def test_what_was_measured_is_not_forgotten_for_a_fitted_latency() -> None:
    loop = Loop()
    loop.memory.learned[loop.memory.listing(VENUE, ALPHA)]["latency_ns"] = 5_000
    loop.applied(apply([replace(CHEAP, latency_us=700)]))
    assert learned(loop, VENUE)[2] == 5_000


def test_a_replay_routes_by_the_same_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    lived = Lived()
    lived.applied(apply([CHEAP, ROW]))
    for _ in range(3):
        lived.swing(0)
        status = lived.command(smart(BUY, 300, 1_000_100))
        assert status.applied, status.reason
    places = learned(lived, OTHER_VENUE)
    again = replayed(lived, monkeypatch)
    row = again.memory.learned[again.memory.listing(OTHER_VENUE, ALPHA)]
    assert (int(row["impact_scale"]), int(row["adverse"]), int(row["latency_ns"])) == places
    assert again.commands.configuration.costs_hash == costs_hash([CHEAP, ROW])


def test_costs_that_make_no_sense_are_refused_and_those_before_stay() -> None:
    loop = Loop()
    loop.applied(apply([ROW]))
    good = apply([CHEAP])
    refused = {
        "not those of their hash": control.ApplyCosts("0" * 64, good.rows),
        "unknown or missing field": control.ApplyCosts(good.hash, [{"venue": 1}]),
        "whole number": control.ApplyCosts(good.hash, [good.rows[0] | {"volume": 1.5}]),
        "which there is not": apply([replace(ROW, instrument=99)]),
        "two rows of costs": apply([ROW, ROW]),
    }
    for sentence, body in refused.items():
        assert sentence in loop.command(body).reason
    assert learned(loop, OTHER_VENUE)[0] == 100_000


def test_an_engine_that_starts_takes_the_file_once_and_a_bad_one_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loop, path = Loop(), tmp_path / "costs.json"
    started: Any = SimpleNamespace(
        config=SimpleNamespace(costs=path), configuration=loop.configuration, commands=loop.commands
    )

    def start() -> tuple[list[str], str]:
        loop.taken()
        Engine._apply_costs(started)
        given = [record.document["kind"] for record in loop.taken() if isinstance(record, TextRecord)]
        return given, capsys.readouterr().err

    assert start() == ([], f"there are no fitted costs at {path} yet\n")
    write_costs(path, [ROW], 0, 0)
    assert start() == (["apply_costs"], f"fitted costs: the router reckons with {path}\n")
    assert start() == ([], "")
    path.write_text("{}")
    given, said = start()
    assert (given, said.endswith("the router goes on with what it knows\n")) == ([], True)
    write_costs(path, [replace(ROW, instrument=99)], 0, 0)
    assert start() == ([], "fitted costs: there are costs of venue 2, instrument 99, which there is not\n")
    assert learned(loop, OTHER_VENUE)[0] == 100_000


def test_the_file_is_read_as_written_and_a_changed_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "costs.json"
    write_costs(path, [CHEAP, ROW], 1, 2)
    assert read_costs(path) == [CHEAP, ROW]
    document = json.loads(path.read_text())
    assert (document["version"], document["hash"]) == (2, costs_hash([ROW, CHEAP]))
    document["rows"][0]["volume"] += 1
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match="changed by hand"):
        read_costs(path)
    older = [{name: value for name, value in asdict(ROW).items() if name not in ("adverse_basis_points", "latency_us")}]
    path.write_text(json.dumps({"version": 1, "from_ns": 0, "to_ns": 0, "rows": older}))
    assert read_costs(path) == [ROW]
    for broken in ("", "[]", "3", '{"version": 2}', '{"version": 9, "rows": []}', '{"version": 1, "rows": [3]}'):
        path.write_text(broken)
        with pytest.raises(ValueError, match="costs"):
            read_costs(path)
