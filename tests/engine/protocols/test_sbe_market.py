"""Our own SBE templates: bytes that another encoder made of our schema, and a recorded session turned into SBE."""

from __future__ import annotations

import csv
import gzip
import json
import struct
from itertools import islice
from pathlib import Path

import pytest

from engine.decode import main as decode_door
from engine.history.book_door import main as book_door
from engine.protocols import sbe_market
from engine.protocols.binance import DepthUpdate, Event, Quote, Snapshot, Trade
from engine.protocols.binance_lines import parse_line
from engine.protocols.layouts import MalformedMessage
from tests.engine.protocols.binance_messages import depth, quote, snapshot

# Made with the package `sbe` 0.4.3 (kizzx2/sbe-python) from sbe_market.xml; TRADING_STATUS by hand, it writes no data.
SNAPSHOT = bytes.fromhex(
    "24000100850301004254435553445400000000000000000000000000009a632b08e6e917b22bcaa90b00000010000200c03affc49f05"
    "0000106d94160000000080f8efc49f050000a077ad030000000010000100007d0ec59f0500004057910900000000"
)
DEPTH_UPDATE = bytes.fromhex(
    "2c000200850301004254435553445400000000000000000000000000009a632b08e6e917952bcaa90b000000a22bcaa90b0000001000"
    "0100c056f3709d050000000000000000000010000000"
)
TRADES = bytes.fromhex(
    "1c000300850301004254435553445400000000000000000000000000009a632b08e6e9171a000200bb00aade00000000c03affc49f05"
    "000080841e00000000000106bc00aade00000000007d0ec59f05000001000000000000000200"
)
BEST_PRICES = bytes.fromhex(
    "44000400850301004254435553445400000000000000000000000000ac2bcaa90b000000c03affc49f050000106d9416000000"
    "00007d0ec59f0500001081380900000000ffffffffffffffff"
)
TRADING_STATUS = struct.pack("<4H20sQcH10s", 29, 5, 901, 1, b"BTCUSDT", 1, b"P", 10, b"volatility")
TIME_NS = 1_723_161_255_208_000_000


def test_messages_of_another_encoder_become_the_events_that_went_into_it() -> None:
    bids, asks = (
        ((6_183_763_000_000, 378_826_000), (6_183_762_000_000, 61_700_000)),
        ((6_183_764_000_000, 160_520_000),),
    )
    assert sbe_market.decode(SNAPSHOT) == [Snapshot(50_093_239_218, bids, asks)]
    assert sbe_market.decode(DEPTH_UPDATE) == [
        DepthUpdate("BTCUSDT", TIME_NS, 50_093_239_189, 50_093_239_202, ((6_173_763_000_000, 0),), ())
    ]
    assert sbe_market.decode(TRADES) == [
        Trade("BTCUSDT", TIME_NS, 3_735_683_259, 6_183_763_000_000, 2_000_000, True),
        Trade("BTCUSDT", TIME_NS, 3_735_683_260, 6_183_764_000_000, 1, False),
    ]
    assert sbe_market.decode(BEST_PRICES) == [
        Quote("BTCUSDT", 50_093_239_212, 6_183_763_000_000, 378_826_000, 6_183_764_000_000, 154_698_000)
    ]
    assert sbe_market.decode(TRADING_STATUS) == []


def test_fields_that_are_no_event_are_there_too() -> None:
    decoder = sbe_market.market_decoder()
    rows = decoder.decode_one(TRADES).fields["trades"]
    assert [(row["conditions"], row["restingSide"]) for row in rows] == [(["block", "late"], "BUY"), ([], "SELL")]
    assert decoder.decode_one(BEST_PRICES).fields["time"] is None
    status = decoder.decode_one(TRADING_STATUS).fields
    assert (status["state"], status["reason"]) == ("PAUSED", "volatility")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (SNAPSHOT.replace(b"BTCUSDT", bytes(7)), "instrument is missing"),
        (TRADES[:64] + b"\x03" + TRADES[65:], "3 is not a side"),
        (DEPTH_UPDATE[:36] + DEPTH_UPDATE[44:52] + DEPTH_UPDATE[36:44] + DEPTH_UPDATE[52:], "is after the last"),
        (DEPTH_UPDATE[:56] + bytes(8) + DEPTH_UPDATE[64:], "bids holds a level without a price"),
    ],
)
def test_what_makes_no_event_is_malformed(raw: bytes, reason: str) -> None:
    with pytest.raises(MalformedMessage, match=reason):
        sbe_market.decode(raw)


def encoded(event: Event) -> bytes:
    """An encoder of the test's own: the layout written out again, by hand."""

    def message(template: int, block: bytes, rest: bytes = b"") -> bytes:
        return struct.pack("<4H", len(block), template, 901, 1) + block + rest

    def levels(rows: tuple[tuple[int, int], ...]) -> bytes:
        return struct.pack("<HH", 16, len(rows)) + b"".join(struct.pack("<QQ", *row) for row in rows)

    if isinstance(event, Snapshot):
        block = struct.pack("<20sQQ", b"BTCUSDT", 0, event.last)
        return message(1, block, levels(event.bids) + levels(event.asks))
    name = event.instrument.encode()
    if isinstance(event, DepthUpdate):
        block = struct.pack("<20sQQQ", name, event.time_ns, event.first, event.last)
        return message(2, block, levels(event.bids) + levels(event.asks))
    if isinstance(event, Trade):
        row = struct.pack("<QQQBB", event.number, event.price, event.quantity, 1 if event.buyer_is_maker else 2, 0)
        return message(3, struct.pack("<20sQ", name, event.time_ns), struct.pack("<HH", 26, 1) + row)
    prices = (event.bid, event.bid_quantity, event.ask, event.ask_quantity)
    return message(4, struct.pack("<20s6Q", name, event.last, *prices, 2**64 - 1))


def test_a_recorded_session_in_sbe_has_the_events_that_it_has_in_json(shared_data: Path) -> None:
    with gzip.open(shared_data / "binance" / "btcusdt_20240808.gz") as lines:
        events = [parse_line(line.strip()) for line in islice(lines, 3000)]
    assert [sbe_market.decode(encoded(event)) for event in events] == [[event] for event in events]


def framed(raw: bytes) -> bytes:
    return (len(raw) + 6).to_bytes(4, "big") + b"\xeb\x50" + raw


def test_the_book_of_an_sbe_file_is_that_of_the_same_events_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [
        depth(5, 5, [("10.01", "1.5")]),
        snapshot(4, [("10", "1")], [("11", "2")]),
        quote(5, "10.01", "1.5", "11", "2"),
        depth(6, 8, [("10.01", "0")], [("11", "0.25")]),
    ]
    (tmp_path / "json").write_text("\n".join(lines))
    (tmp_path / "sbe").write_bytes(b"".join(framed(encoded(parse_line(line.encode()))) for line in lines))
    tables = []
    for name, form in (("json", "binance"), ("sbe", "sbe")):
        out = tmp_path / f"{name}.csv"
        assert book_door([str(tmp_path / name), "--format", form, "--levels", "2", "--out", str(out), "--json"]) == 0
        tables.append(list(csv.reader(out.open())))
    assert tables[0] == tables[1]
    assert len(tables[0]) == 3
    summaries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(summary["rows"], summary["agreeing_quotes"]) for summary in summaries] == [(2, 1), (2, 1)]


def test_the_decode_door_takes_a_schema_and_files_with_and_without_frames(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(framed(DEPTH_UPDATE) + framed(TRADES))
    assert decode_door([str(path), "--protocol", "sbe"]) == 0
    first = capsys.readouterr().out.splitlines()
    path.write_bytes(DEPTH_UPDATE + TRADES)
    assert decode_door([str(path), "--protocol", "sbe", "--schema", str(sbe_market.SCHEMA_PATH)]) == 0
    assert capsys.readouterr().out.splitlines() == first
    assert json.loads(first[0]) == {
        "type": "2", "name": "DepthUpdate", "instrument": "BTCUSDT", "time": TIME_NS, "first": 50_093_239_189,
        "last": 50_093_239_202, "bids": [{"price": "61737.63000000", "quantity": "0.00000000"}], "asks": [],
    }  # fmt: skip
    assert json.loads(first[-1]) == {
        "messages": 2, "by_type": {"2": 1, "3": 1}, "by_name": {"DepthUpdate": 1, "Trades": 1}, "malformed": 0,
    }  # fmt: skip


def test_a_schema_that_is_none_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"<a/>")
    assert decode_door([str(path), "--protocol", "sbe", "--schema", str(path)]) == 1
    assert "the document is a 'a', not a messageSchema" in capsys.readouterr().err
