"""The QuickFIX session process in FIX 4.2 and 5.0 SP2, real, against an acceptor of that version."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.messages.codes import Liquidity, SessionState, TimeInForce
from engine.messages.endpoints import shared_memory_directory
from engine.venues.fix44_config import session_directory
from tests.engine.venues.fix44_engine import VENUE_ID, Engine, wait_for
from tests.engine.venues.fix44_venue import BEGIN, VenueManager

DIALECT = """
[fields.D]
9001 = "DESK7"
[answers]
liquidity_tag = 9730
added = "A"
removed = "R"
"""


@pytest.fixture(params=["4.2", "5.0SP2"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def venue(tmp_path: Path, venues: VenueManager, version: str) -> Iterator[Any]:
    made = venues.Venue(tmp_path / "venue", version)  # type: ignore[attr-defined]  # registered by name
    yield made
    assert made.errors() == []


@pytest.fixture
def engine(tmp_path: Path, venue: Any, version: str) -> Iterator[Engine]:
    state = tmp_path / "state"
    (state / "dialects").mkdir(parents=True)
    (state / "dialects" / "ours.toml").write_text(DIALECT)
    name, port = venue.address()
    made = Engine(state, port, name, version=version, dialect="ours")
    made.wait_session(SessionState.UP)
    yield made
    made.kill()
    shutil.rmtree(shared_memory_directory(state))


def log_of(engine: Engine, venue: Any, version: str) -> Path:
    name = f"{BEGIN[version]}-DESK-{venue.address()[0]}.messages.current.log"
    return session_directory(engine.state, VENUE_ID) / "log" / name


def test_orders_go_and_answers_come_in_the_versions_words(engine: Engine, venue: Any, version: str) -> None:
    engine.enter(1, time_in_force=TimeInForce.IOC)
    engine.wait_reports(3)
    engine.enter(2)
    engine.wait_reports(4)
    engine.cancel(2)
    engine.wait_reports(5)
    assert engine.told() == [
        ("ACCEPTED", 1, 100, 100),
        ("EXECUTED", 1, 50, 50),
        ("EXECUTED", 1, 50, 0),
        ("ACCEPTED", 2, 100, 100),
        ("CANCELED", 2, 100, 0),
    ]
    sent = venue.received("D")[0]
    assert (sent[8], sent.get(21), sent[9001]) == (BEGIN[version], "1" if version == "4.2" else None, "DESK7")
    assert len(sent[60]) == len("20260102-10:20:30.123")
    logon = venue.admin("A")[0]
    wanted = {96: "secret", 95: "6"} if version == "4.2" else {553: "desk", 554: "secret", 1137: "9"}
    assert {tag: logon.get(tag) for tag in wanted} == wanted
    venue.report("1", "F", {31: "12.34", 32: "10", 9730: "A"})
    engine.wait_reports(6)
    assert engine.journal[-1]["liquidity"] == Liquidity.ADDED


def test_numbers_survive_a_kill_orders_are_asked_for_and_never_sent_again(
    engine: Engine, venue: Any, version: str
) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    before = int(venue.received("D")[0][34])
    engine.kill()
    venue.fill("1", 40)
    engine.start()
    engine.wait_session(SessionState.UP)
    engine.enter(2)
    engine.wait_reports(4)
    said_again = ("ACCEPTED", 1, 60, 60)  # what the venue answered when it was asked
    assert engine.told() == [
        ("ACCEPTED", 1, 100, 100),
        ("EXECUTED", 1, 40, 60),
        said_again,
        ("ACCEPTED", 2, 100, 100),
    ]
    assert [fields[11] for fields in venue.received("H")] == ["1"]
    assert int(venue.received("D")[1][34]) > before + 1
    venue.send("ResendRequest", {7: "1", 16: "0"})
    messages = log_of(engine, venue, version)
    wait_for(lambda: "\x01123=Y\x01" in messages.read_text(), "a gap fill")
    engine.wait_session(SessionState.UP)
    assert [fields[11] for fields in venue.received("D")] == ["1", "2"]
    assert not any("\x0135=D\x01" in line and "\x0143=Y\x01" in line for line in messages.read_text().splitlines())


def test_a_fill_that_the_venue_takes_back_is_broken(engine: Engine, venue: Any) -> None:
    engine.enter(1)
    engine.wait_reports(1)
    execution = venue.fill("1", 40)
    engine.wait_reports(2)
    venue.report("1", "H", {19: execution, 32: "40", 31: "12.34"})
    engine.wait_reports(3)
    assert engine.told()[1:] == [("EXECUTED", 1, 40, 60), ("BROKEN", 1, 40, 60)]
    assert engine.journal[2]["match_number"] == engine.journal[1]["match_number"]
