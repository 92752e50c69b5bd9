"""MoldUDP64 packets, readable and in the loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.native import address_of
from engine.protocols import moldudp64, moldudp64_blocks
from engine.protocols.layouts import MalformedMessage
from engine.protocols.moldudp64 import Packet, Request

SESSION = "000010059B"
messages = st.lists(st.binary(max_size=60), max_size=20)


def walked(raw: bytes) -> list[bytes] | int:
    """The messages that the loop's functions find, or MALFORMED."""
    buffer = np.frombuffer(raw + b"\xff", np.uint8).copy()
    start = address_of(buffer)
    count = moldudp64_blocks.packet_count(start, len(raw))
    if count in (moldudp64_blocks.MALFORMED, moldudp64_blocks.END_OF_SESSION):
        return [] if count > 0 else count
    found, place = [], start + moldudp64_blocks.HEADER_LENGTH
    for _ in range(count):
        length = moldudp64_blocks.next_block(place, start + len(raw))
        if length == moldudp64_blocks.MALFORMED:
            return length
        offset = place - start + moldudp64_blocks.BLOCK_HEADER_LENGTH
        found.append(raw[offset : offset + length])
        place += moldudp64_blocks.BLOCK_HEADER_LENGTH + length
    return found


@given(st.integers(0, 2**63 - 1), messages)
def test_a_packet_comes_back_as_it_was(sequence: int, contents: list[bytes]):
    raw = moldudp64.encode(SESSION, sequence, contents)
    assert moldudp64.decode(raw) == Packet(SESSION, sequence, tuple(contents))
    assert walked(raw) == contents


@given(messages.filter(bool), st.data())
def test_a_cut_packet_is_malformed_in_both_readers(contents: list[bytes], data: st.DataObject):
    raw = moldudp64.encode(SESSION, 1, contents)
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    with pytest.raises(MalformedMessage):
        moldudp64.decode(cut)
    assert walked(cut) == moldudp64_blocks.MALFORMED


@given(st.binary(max_size=80))
def test_any_bytes_are_a_packet_or_malformed_and_nothing_else(raw: bytes):
    found = walked(raw)
    try:
        assert list(moldudp64.decode_prefix(raw)[0].messages) == found
    except MalformedMessage:
        assert found == moldudp64_blocks.MALFORMED


def test_bytes_after_the_last_message_are_malformed():
    with pytest.raises(MalformedMessage, match="3 bytes after"):
        moldudp64.decode(moldudp64.encode(SESSION, 1, [b"one"]) + b"abc")


def test_a_packet_without_messages_is_a_heartbeat_with_the_next_sequence():
    heartbeat = moldudp64.decode(moldudp64.encode(SESSION, 7, []))
    assert (heartbeat.kind, heartbeat.sequence) == ("heartbeat", 7)


def test_the_end_of_the_session_carries_the_next_sequence():
    end = moldudp64.decode(moldudp64.encode_end_of_session(SESSION, 8))
    assert (end.kind, end.sequence, end.messages) == ("end_of_session", 8, ())


def test_a_request_names_session_first_message_and_count():
    assert moldudp64.encode_request(SESSION, 5, 3) == SESSION.encode() + b"\0\0\0\0\0\0\0\5\0\3"
    assert moldudp64.decode_request(moldudp64.encode_request(SESSION, 5, 3)) == Request(SESSION, 5, 3)
    with pytest.raises(MalformedMessage):
        moldudp64.decode_request(b"short")


def test_the_loop_writes_the_same_request_and_knows_its_session():
    session = np.frombuffer(SESSION.encode(), np.uint8).copy()
    buffer = np.zeros(32, np.uint8)
    length = moldudp64_blocks.write_request(address_of(buffer), address_of(session), 5, 3)
    assert bytes(buffer[:length]) == moldudp64.encode_request(SESSION, 5, 3)
    assert moldudp64_blocks.same_session(address_of(buffer), address_of(session))
    assert moldudp64_blocks.packet_sequence(address_of(buffer)) == 5
    session[9] ^= 1
    assert not moldudp64_blocks.same_session(address_of(buffer), address_of(session))
