"""The book benchmark on a small session: the same levels as a dict, in every way to run it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from engine.bench.book import WAYS, main, run
from engine.bench.itch_session import MIX, ItchSession, generate_session
from engine.hotpath.book import quantity_ahead
from engine.hotpath.book_depth import level
from engine.protocols import binaryfile, itch50
from engine.protocols.itch50_offsets import LENGTHS
from tests.engine.hotpath.dict_book import DictBook

SIDES = {"B": 1, "S": 2}


@pytest.fixture(scope="module")
def session() -> ItchSession:
    return generate_session(30_000, listings=50)


def slow_book(session: ItchSession) -> DictBook:
    """The session through the readable decoder into the dict."""
    book = DictBook(session.listings, len(session.blocks))
    raw = session.blocks.tobytes()
    place = 0
    while place < len(raw):
        length = int.from_bytes(raw[place : place + 2], "big")
        message = itch50.decode(raw[place + 2 : place + 2 + length])
        place += 2 + length
        kind, found = message.type, message.values
        if kind in "AF":
            side, price = SIDES[found["side"]], found["price"]
            outcome = book.add(1, found["stock_locate"] - 1, found["reference"], side, price, found["quantity"])
        elif kind in "ECX":
            outcome = book.reduce(1, found["reference"], found["quantity"])
        elif kind == "D":
            outcome = book.delete(1, found["reference"])
        elif kind == "U":
            old, new = found["original_reference"], found["new_reference"]
            outcome = book.replace(1, old, new, found["price"], found["quantity"])
        assert outcome == 0
    return book


def test_every_way_ends_with_the_levels_and_queues_of_a_slow_book(session: ItchSession) -> None:
    slow = slow_book(session)
    own = [reference for reference, _ in session.own_orders(2000).tolist() if (1, reference) in slow.orders]
    assert len(own) > 20
    for way in WAYS:
        _, memory = run(session, way)
        for listing in range(session.listings):
            for side in (1, 2):
                levels = [tuple(row) for row in level(memory, listing, side, 2000).tolist()]
                assert levels == slow.levels(listing, side), (way.name, listing, side)
        if way.queues:
            ahead = [quantity_ahead(memory.address, 1, reference) for reference in own]
            assert ahead == [slow.quantity_ahead(1, reference) for reference in own]


def test_a_session_has_the_mix_of_a_real_day_and_the_same_seed_gives_the_same_bytes(session: ItchSession) -> None:
    assert generate_session(30_000, listings=50).blocks.tobytes() == session.blocks.tobytes()
    counts = run(session, WAYS[0])[1].counts_by_type()
    for kind, share in MIX.items():
        found = sum(counts[kind].values()) / session.messages
        assert found == pytest.approx(share / 1000, rel=0.2, abs=0.002), kind
    assert all(set(outcomes) <= {"applied", "not_book"} for outcomes in counts.values())


def test_the_door_measures_every_way_and_puts_a_peer_beside_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "session.bin"
    small = ["--messages", "5000", "--instruments", "20", "--rounds", "1", "--json"]
    assert main([*small, "--write", str(file), "--ratio-to", "1.5"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    names = {way.name for way in WAYS}
    assert set(found["ns_per_message_by_way"]) == set(found["ratio"]) == names
    assert (found["messages"], found["refused"], found["peer_seconds"]) == (5000, 0, 1.5)
    assert found["ns_per_message"] == found["ns_per_message_by_way"]["aggregate_bulk"]

    raw = file.read_bytes()
    with file.open("rb") as source:
        assert sum(1 for _ in binaryfile.messages(source)) == 5000
    file.write_bytes(gzip.compress(raw))
    assert main(["--file", str(file), "--rounds", "1", "--json"]) == 0
    again = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (again["messages"], again["instruments"], again["refused"]) == (5000, 20, 0)


def test_a_file_that_is_no_session_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "empty.bin"
    file.write_bytes(b"\0\0")
    assert main(["--file", str(file)]) == 1
    said = capsys.readouterr().err
    assert said == "engine bench book: not a BinaryFILE of ITCH 5.0: 0 messages, highest stock locate 0\n"


def test_malformed_messages_in_bulk_change_what_they_change_one_at_a_time(session: ItchSession) -> None:
    random = np.random.default_rng(3)
    raw = bytearray(session.blocks.tobytes())
    blocks, place = [], 0
    while place < len(raw):
        length = int.from_bytes(raw[place : place + 2], "big")
        message = raw[place + 2 : place + 2 + length]
        place += 2 + length
        match random.integers(0, 12):
            case 0:
                message = message[: random.integers(1, length)]
            case 1:
                message[0] = random.integers(0, 256)
            case 2:
                message[random.integers(1, length)] ^= 0xFF
            case 3:
                message = random.bytes(int(LENGTHS[message[0]]))
        blocks.append(len(message).to_bytes(2, "big") + message)
    garbled = ItchSession(np.frombuffer(b"".join(blocks), np.uint8), len(blocks), session.listings, 20_000)
    seen = []
    for way in WAYS:
        _, memory = run(garbled, way)
        sides = [level(memory, n, s, 3000).tolist() for n in range(garbled.listings) for s in (1, 2)]
        seen.append((sides, memory.tops.tolist(), memory.counts_by_type()))
    assert seen == [seen[0]] * len(WAYS)
    outcomes = {name for counts in seen[0][2].values() for name in counts}
    assert outcomes >= {"applied", "unknown_order", "wrong_length", "unknown_type", "bad_value", "not_followed"}
