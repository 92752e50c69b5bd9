"""Recorded quotes as a market: what the book shows after each line, and how our own orders trade with it."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.messages.codes import Side
from engine.messages.instruments import Instrument, write_instruments
from engine.simulator.assemble import Assembly
from engine.simulator.config import ConfigError, parse_config
from engine.simulator.simulation import Packet, Reports
from tests.engine.simulator.clients import enter

HALF_PAST_NINE_MS = 34_200_000
LINES = """\
34100000,138000,100,0,0,P,1,0
34150000,139000,200,0,0,N,1,0
34199000,0,0,139100,300,N,1,0
34200100,139000,500,0,0,N,1,0
34200100,139000,400,0,0,P,1,0
34200200,0,0,139100,100,P,1,0
34200300,138900,600,139000,700,N,1,0
34200400,0,0,139200,900,N,1,1
34200500,0,0,139000,0,N,1,0
57700000,100,1,0,0,N,1,0
"""


def simulated(directory: Path, text: str = LINES, participant: str = "all") -> Assembly:
    with zipfile.ZipFile(directory / "20131007_quote.zip", "w") as archive:
        archive.writestr("20131007_abc_Quote_Tick.csv", text)
    write_instruments(directory / "instruments.json", [Instrument(1, "ABC")])
    raw = {
        "out": "out",
        "instruments": "instruments.json",
        "replay": {"participant": participant, "files": {"ABC": str(directory / "20131007_quote.zip")}},
        "venues": [{"name": "XNYS", "id": 1, "packet_interval_ms": 0, "users": [{"name": "A"}]}],
    }
    assembly = Assembly(parse_config(raw, directory), log=False)
    assembly.open()
    return assembly


def levels(assembly: Assembly) -> tuple[list, list]:
    memory = assembly.venues[0].memory
    sides = []
    for side in (Side.BUY, Side.SELL):
        place = int(memory.instruments[1]["best_bid" if side == Side.BUY else "best_ask"])
        rows = []
        while place:
            level = memory.levels[place]
            rows.append((int(level["price"]), int(level["quantity"])))
            place = int(level["worse"])
        sides.append(rows)
    return sides[0], sides[1]


def shown(assembly: Assembly) -> list[tuple]:
    """(milliseconds since half past nine, bids, asks) after every packet of the session."""
    rows = []
    while (output := assembly.simulation.next_output()) is not None:
        if isinstance(output, Packet) and output.payload:
            milliseconds = (output.time_ns - assembly.midnight_ns) // 1_000_000 - HALF_PAST_NINE_MS
            rows.append((milliseconds, *levels(assembly)))
    return rows[1:]  # the first packet is the directory


def test_all_venues_in_one_book(tmp_path):
    assert shown(simulated(tmp_path)) == [
        (0, [(139000, 200), (138000, 100)], [(139100, 300)]),
        (100, [(139000, 900)], [(139100, 300)]),
        (200, [(139000, 900)], [(139100, 400)]),
        (300, [(138900, 600)], [(139000, 700), (139100, 100)]),
        (500, [(138900, 600)], [(139100, 100)]),
    ]


def test_one_venue_alone(tmp_path):
    assert shown(simulated(tmp_path, participant="N")) == [
        (0, [(139000, 200)], [(139100, 300)]),
        (100, [(139000, 500)], [(139100, 300)]),
        (300, [(138900, 600)], [(139000, 700)]),
        (500, [(138900, 600)], []),
    ]


def test_midnight_is_that_of_new_york(tmp_path):
    midnight = datetime(2013, 10, 7, 4, tzinfo=UTC).timestamp()
    assert simulated(tmp_path).midnight_ns == midnight * 1_000_000_000


def run_with_order(assembly: Assembly, order: bytes, after_ms: int) -> list[tuple[int, list[str]]]:
    """Submit an order after the packet of a time; the reports that come, by time."""
    simulation, venue = assembly.simulation, assembly.venues[0]
    account, told, waiting = venue.accounts["A"], [], True
    while (output := simulation.next_output()) is not None:
        milliseconds = (output.time_ns - assembly.midnight_ns) // 1_000_000 - HALF_PAST_NINE_MS
        if isinstance(output, Reports):
            told.append((milliseconds, [chr(message[0]) for message in output.messages]))
        elif waiting and milliseconds == after_ms and len(levels(assembly)[1]):
            waiting = False
            simulation.submit(venue, account, order, output.time_ns)
    return told


def test_our_order_takes_what_is_displayed(tmp_path):
    order = enter(1, "B", 250, "ABC", 139_100, "3")
    assert run_with_order(simulated(tmp_path), order, 100) == [(100, ["A", "E"])]


def test_our_resting_order_trades_when_a_quote_reaches_it(tmp_path):
    assembly = simulated(tmp_path)
    order = enter(1, "B", 300, "ABC", 139_000)
    assert run_with_order(assembly, order, 100) == [(100, ["A"]), (300, ["E"])]
    assert levels(assembly) == ([(138900, 600)], [(139100, 100)])


@pytest.mark.parametrize(
    ("text", "sentence"), [("1,2,3\n", "replay: "), ("x,1,1,1,1,N,1,0\n", "replay: ")], ids=["short", "letters"]
)
def test_a_file_that_is_not_quotes_is_refused(tmp_path, text, sentence):
    with pytest.raises(ConfigError, match=sentence):
        simulated(tmp_path, text)


def test_bank_of_america_and_american_international_on_one_morning(tmp_path, shared_data):
    write_instruments(tmp_path / "instruments.json", [Instrument(1, "BAC"), Instrument(2, "AIG")])
    folder = shared_data / "equity_ticks"
    files = {name: str(folder / name.lower() / "20131007_quote.zip") for name in ("BAC", "AIG")}
    raw = {
        "out": "out",
        "instruments": "instruments.json",
        "replay": {"participant": "all", "files": files, "last_time": "09:40:00"},
        "venues": [{"name": "XNYS", "id": 1, "packet_interval_ms": 0}],
    }
    assembly = Assembly(parse_config(raw, tmp_path), log=False)
    assembly.open()
    memory, packets, locked = assembly.venues[0].memory, 0, 0
    while assembly.simulation.next_output() is not None:
        packets += 1
        for entry in memory.instruments[1:]:
            if entry["best_bid"] and entry["best_ask"]:
                best = memory.levels["price"]
                locked += int(best[entry["best_bid"]] >= best[entry["best_ask"]])
    assert (packets > 1_000, locked, int(memory.book[0]["trade_count"])) == (True, 0, 0)
    bids, asks = levels(assembly)
    assert 130_000 < bids[0][0] < asks[0][0] < 145_000
