"""Datagrams that are not what they should be: counted, never fatal, and nobody else's loss."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.hotpath import tables
from engine.protocols import moldudp64
from tests.engine.loop_builder import ALPHA, BUY, FEED_SESSION, OPEN_NS, VENUE, Loop

DAY_NS = 86_400_000_000_000


def sound(loop: Loop) -> bytes:
    return moldudp64.encode(FEED_SESSION, 1, [loop.add(ALPHA, BUY, 900_000), loop.add(ALPHA, BUY, 900_100)])


def line(loop: Loop) -> dict[str, int]:
    row = loop.memory.lines[VENUE * tables.LINES]
    return {name: int(row[name]) for name in ("packets", "messages", "malformed")}


def test_a_packet_cut_anywhere_is_malformed_and_the_whole_one_still_counts() -> None:
    loop = Loop()
    whole = sound(loop)
    for length in range(len(whole)):
        loop.datagram(whole[:length])
    assert line(loop) == {"packets": len(whole), "messages": 0, "malformed": len(whole)}
    loop.datagram(whole)
    assert int(loop.memory.venues[VENUE]["expected"]) == 3
    assert int(loop.memory.book.book[0]["live_orders"]) == 2


@pytest.mark.parametrize("spoil", ["bytes after the last block", "count too high", "count too low", "tiny message"])
def test_a_packet_whose_parts_do_not_fit_is_malformed(spoil: str) -> None:
    loop = Loop()
    whole = bytearray(sound(loop))
    if spoil == "bytes after the last block":
        whole += b"\0"
    elif spoil == "count too high":
        whole[19] = 3
    elif spoil == "count too low":
        whole[19] = 1
    else:
        whole = bytearray(moldudp64.encode(FEED_SESSION, 1, [b"A" * 10]))
    loop.datagram(bytes(whole))
    assert line(loop) == {"packets": 1, "messages": 0, "malformed": 1}
    assert int(loop.memory.venues[VENUE]["expected"]) == 1


@pytest.mark.parametrize("sequence", [(1 << 48) + 1, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1])
def test_a_sequence_number_beyond_all_sense_opens_no_gap(sequence: int) -> None:
    loop = Loop()
    for messages in ([], [loop.add(ALPHA, BUY, 900_000)]):
        loop.datagram(moldudp64.encode(FEED_SESSION, sequence, messages))
    assert line(loop) == {"packets": 2, "messages": 0, "malformed": 2}
    assert int(loop.memory.venues[VENUE]["gap_since_ns"]) == 0


def test_unknown_and_wrong_length_messages_are_counted_and_their_neighbours_applied() -> None:
    loop = Loop()
    good = loop.add(ALPHA, BUY, 900_000)
    loop.packet([b"!" + good[1:], good + b"\0", good[:-1], loop.delete(424_242), good])
    assert int(loop.memory.venues[VENUE]["expected"]) == 6
    assert loop.memory.book.counts_by_type() == {
        "!": {"unknown_type": 1},
        "A": {"wrong_length": 2, "applied": 1},
        "D": {"unknown_order": 1},
    }


def test_messages_about_an_instrument_that_nobody_follows_change_nothing() -> None:
    loop = Loop()
    stranger = bytearray(loop.add(ALPHA, BUY, 900_000))
    stranger[1:3] = (60_000).to_bytes(2, "big")
    loop.packet([bytes(stranger)])
    assert loop.memory.book.counts_by_type() == {"A": {"not_followed": 1}}
    assert not loop.memory.book.tops["bid_quantity"].any()


def test_a_stamp_that_no_day_has_does_not_move_the_clock() -> None:
    loop = Loop()
    loop.market_time(OPEN_NS)
    loop.market_time((1 << 48) - 1)
    loop.market_time(DAY_NS + 3_600_000_000_001)
    assert int(loop.core["market_time_ns"]) == OPEN_NS
    loop.market_time(DAY_NS)
    assert int(loop.core["market_time_ns"]) == DAY_NS


def test_time_never_goes_back_within_a_session() -> None:
    loop = Loop()
    loop.market_time(OPEN_NS)
    loop.market_time(OPEN_NS - 1)
    assert int(loop.core["market_time_ns"]) == OPEN_NS


@cache
def shared() -> Loop:
    return Loop()


def mutated(draw: st.DrawFn) -> bytes:
    raw = bytearray(sound(shared()))
    for _ in range(draw(st.integers(0, 6))):
        raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    return bytes(raw[: draw(st.integers(0, len(raw)))])


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.binary(max_size=120), st.composite(mutated)()), st.integers(0, 2))
def test_no_bytes_are_fatal(payload: bytes, which: int) -> None:
    loop = shared()
    row = loop.memory.lines[VENUE * tables.LINES + which]
    before = {name: int(row[name]) for name in ("packets", "malformed")}
    loop.datagram(payload, line=which)
    assert int(row["packets"]) == before["packets"] + 1
    try:
        moldudp64.decode(payload)
    except ValueError:
        assert int(row["malformed"]) == before["malformed"] + 1
    top = loop.memory.book.tops[loop.memory.listing(VENUE, ALPHA)]
    assert min(top.tolist()) >= 0
    loop.journal.take()
    loop.recording.forget(int(loop.core["position"]))
