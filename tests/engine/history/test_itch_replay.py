"""ITCH files of every kind through the book door."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from engine.history.book_door import main
from engine.history.itch_file import ItchFile
from engine.history.itch_replay import ItchReplay
from engine.hotpath.book_depth import level
from engine.protocols import itch50, moldudp64
from engine.protocols.itch50_layouts import BY_CODE
from tests.engine.protocols import packets


def message(code: str, locate: int = 1, time_ns: int = 0, **values: Any) -> bytes:
    header = {"stock_locate": locate, "tracking_number": 0, "timestamp_ns": time_ns}
    return itch50.encode(BY_CODE[code].name, **header, **values)


def add(reference: int, side: str, price: int, quantity: int, instrument: str = "AAPL", locate: int = 1) -> bytes:
    return message(
        "A",
        locate,
        reference,
        reference=reference,
        side=side,
        quantity=quantity,
        instrument=instrument,
        price=price,
    )


SESSION = [
    message("S", 0, event="O"),
    add(1, "B", 1_000_000, 100),
    add(2, "S", 1_000_200, 200),
    add(3, "B", 500_000, 7, "MSFT", 2),
    message("E", 1, 4, reference=1, quantity=30, match_number=1),
    message("U", 1, 5, original_reference=2, new_reference=5, quantity=150, price=1_000_100),
    message("X", 1, 6, reference=5, quantity=50),
    message("D", 2, 7, reference=3),
    message("C", 1, 8, reference=5, quantity=20, match_number=2, printable="Y", price=1_000_050),
    message("P", 1, 9, reference=0, side="B", quantity=5, instrument="AAPL", price=1_000_050, match_number=3),
]
ROWS = """\
sequence,time_ns,bid_price_1,bid_quantity_1,ask_price_1,ask_quantity_1
2,1,100.0000,100,,
3,2,100.0000,100,100.0200,200
5,4,100.0000,70,100.0200,200
6,5,100.0000,70,100.0100,150
7,6,100.0000,70,100.0100,100
9,8,100.0000,70,100.0100,80
10,9,100.0000,70,100.0100,80
"""


def binary_file(messages: list[bytes]) -> bytes:
    return b"".join(len(raw).to_bytes(2, "big") + raw for raw in messages) + b"\0\0"


def capture(payloads: list[bytes]) -> bytes:
    frames = [b"\xd4\xc3\xb2\xa1" + b"\2\0\4\0" + bytes(8) + b"\xff\xff\0\0" + b"\1\0\0\0"]
    for packet in payloads:
        udp = bytes([0, 1, 0, 2]) + (8 + len(packet)).to_bytes(2, "big") + bytes(2) + packet
        ip = b"\x45\0" + (20 + len(udp)).to_bytes(2, "big") + bytes(4) + b"\x40\x11" + bytes(10) + udp
        frame = bytes(12) + b"\x81\x00\0\5" + b"\x08\x00" + ip
        frames.append(bytes(8) + len(frame).to_bytes(4, "little") * 2 + frame)
    return b"".join(frames)


def two_lines(messages: list[bytes]) -> bytes:
    made = []
    for first in range(0, len(messages), 3):
        made += [moldudp64.encode("SESSION001", first + 1, messages[first : first + 3])] * 2
    return capture(made)


def framed(capture_of: Any, vlans: int) -> bytes:
    """The session in one MoldUDP64 packet per message, in a capture of this kind."""
    payloads = [moldudp64.encode("SESSION001", at, [raw]) for at, raw in enumerate(SESSION, start=1)]
    return bytes(capture_of([packets.ethernet(packets.ipv4(packets.udp(raw)), vlans=vlans) for raw in payloads]))


CONTENTS = {
    "binary": binary_file(SESSION),
    "bare": b"".join(SESSION),
    "gzip": gzip.compress(binary_file(SESSION)),
    "capture": two_lines(SESSION),
    "gzipped bare": gzip.compress(b"".join(SESSION)),
    "gzipped capture": gzip.compress(two_lines(SESSION)),
    "capture in two VLANs": framed(packets.pcap, vlans=2),
    "pcapng": framed(packets.pcapng, vlans=0),
    "pcapng in a VLAN": framed(packets.pcapng, vlans=1),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_rows_of_an_instrument_after_each_of_its_events(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "session", tmp_path / "rows.csv"
    file.write_bytes(CONTENTS[kind])
    arguments = [str(file), "--format", "itch50", "--instrument", "AAPL", "--levels", "1", "--out", str(out), "--json"]
    assert main(arguments) == 0
    assert out.read_text() == ROWS
    summary = json.loads(capsys.readouterr().out)
    assert (summary["messages"], summary["rows"], summary["malformed"]) == (10, 7, 0)
    assert summary["by_type"] == dict.fromkeys("CDEPSUX", 1) | {"A": 3}


def test_rows_of_a_file_with_several_instruments_need_one_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "session"
    file.write_bytes(CONTENTS["binary"])
    assert main([str(file), "--format", "itch50", "--out", str(tmp_path / "rows.csv")]) == 1
    said = capsys.readouterr().err
    assert said == f"engine book: name the instrument with --instrument: {file} has AAPL, MSFT and others\n"
    assert main([str(file), "--format", "itch50", "--instrument", "IBM"]) == 1
    assert capsys.readouterr().err == f"engine book: {file} names no instrument IBM\n"


def test_malformed_messages_are_counted_by_type_and_change_nothing(tmp_path: Path) -> None:
    file = tmp_path / "session"
    bad = [
        add(2, "S", 1_000_200, 200)[:-1],  # cut
        add(2, "S", 1_000_200, 200) + b"\0",  # oversized
        b"z" * 20,  # unknown type
        add(2, "Q", 1_000_200, 200),  # no such side
        add(2, "S", 1_000_200, 0),
        add(2, "S", 0xFFFFFFFF, 1),
        add(1, "S", 1_000_200, 1),  # a reference that is in use
        message("D", 1, reference=99),
        message("E", 1, reference=99, quantity=1, match_number=1),
        b"D",
    ]
    file.write_bytes(binary_file([add(1, "B", 1_000_000, 100), *bad])[:-2] + b"\0\x24A")
    replay = ItchReplay(ItchFile(file))
    assert list(replay.events()) == []
    assert replay.memory.counts_by_type() == {
        "A": {"applied": 1, "bad_value": 3, "duplicate": 1, "wrong_length": 2},
        "D": {"unknown_order": 1, "wrong_length": 1},
        "E": {"unknown_order": 1},
        "z": {"unknown_type": 1},
    }
    assert (replay.messages, replay.malformed()) == (11, 9)
    assert level(replay.memory, 0, 1, 5).tolist() == [(1_000_000, 100, 1)]
    assert level(replay.memory, 0, 2, 5).tolist() == []


def test_a_file_cut_into_any_pieces_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "session"
    seen = []
    for kind in ("binary", "bare"):
        file.write_bytes(CONTENTS[kind])
        for chunk_bytes in (1, 7, 1 << 20):
            monkeypatch.setattr("engine.history.itch_file.CHUNK_BYTES", chunk_bytes)
            seen.append(list(ItchReplay(ItchFile(file), "AAPL").events()))
    assert seen == [seen[0]] * 6
    assert len(seen[0]) == 7


def test_every_capture_of_the_recorded_data_is_read(shared_data: Path) -> None:
    files = sorted((shared_data / "pcap").glob("*Itch*/*.pcap"))
    if not files:
        pytest.skip("no ITCH captures in the recorded market data")
    for file in files:
        replay = ItchReplay(ItchFile(file))
        list(replay.events())
        assert replay.messages > 0
        assert replay.malformed() == 0, file
