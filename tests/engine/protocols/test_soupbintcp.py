"""SoupBinTCP against nasdaq-protocols in both directions, and streams that are partial, garbled or oversized."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasdaq_protocols import soup

from engine.native import address_of
from engine.protocols import soupbintcp, soupbintcp_frames
from engine.protocols.layouts import MalformedMessage
from engine.protocols.soupbintcp import Splitter
from tests.engine.protocols.strategies import TEXT

payloads = st.binary(max_size=200)

PAIRS = [
    ("client_heartbeat", {}, b"", soup.ClientHeartbeat()),
    ("server_heartbeat", {}, b"", soup.ServerHeartbeat()),
    ("end_of_session", {}, b"", soup.EndOfSession()),
    ("logout_request", {}, b"", soup.LogoutRequest()),
    ("login_rejected", {"reason": "A"}, b"", soup.LoginRejected(soup.LoginRejectReason.NOT_AUTHORIZED)),
    ("login_rejected", {"reason": "S"}, b"", soup.LoginRejected(soup.LoginRejectReason.SESSION_NOT_AVAILABLE)),
    ("debug", {}, b"all well", soup.Debug("all well")),
    ("sequenced_data", {}, b"\0\1\2", soup.SequencedData(b"\0\1\2")),
    ("unsequenced_data", {}, b"\xff", soup.UnSequencedData(b"\xff")),
]


@pytest.mark.parametrize(("name", "values", "payload", "independent"), PAIRS, ids=lambda value: str(value)[:24])
def test_both_implementations_write_and_read_the_same_packet(name, values, payload, independent):
    raw = soupbintcp.encode(name, payload, **values)
    assert raw == bytes(independent.to_bytes()[1])
    assert soup.SoupMessage.from_bytes(raw)[1] == independent
    decoded = soupbintcp.decode(raw)
    assert (decoded.name, decoded.payload) == (name, payload)


@given(st.text(TEXT, max_size=6), st.text(TEXT, max_size=10), st.text(TEXT, max_size=10), st.integers(0, 10**18))
def test_logins_of_either_side_are_understood_by_the_other(user: str, password: str, session: str, sequence: int):
    ours = soupbintcp.encode("login_request", username=user, password=password, session=session, sequence=sequence)
    read = soup.SoupMessage.from_bytes(ours)[1]
    assert (read.user, read.password, read.session, read.sequence) == (user, password, session, str(sequence))
    theirs = bytes(soup.LoginRequest(user, password, session, str(sequence)).to_bytes()[1])
    expected = {"username": user, "password": password, "session": session, "sequence": sequence}
    assert soupbintcp.decode(theirs).values == {"packet_length": 47, "type": "L", **expected}


@given(st.text(TEXT, max_size=10), st.integers(1, 10**18))
def test_an_accepted_login_of_either_side_is_understood_by_the_other(session: str, sequence: int):
    read = soup.SoupMessage.from_bytes(soupbintcp.encode("login_accepted", session=session, sequence=sequence))[1]
    assert (read.session_id, read.sequence) == (session, sequence)
    theirs = soupbintcp.decode(bytes(soup.LoginAccepted(session, sequence).to_bytes()[1]))
    assert (theirs["session"], theirs["sequence"]) == (session, sequence)


def test_session_and_sequence_are_padded_on_the_left():
    raw = soupbintcp.encode("login_accepted", session="DAY1", sequence=42)
    assert raw == b"\0\x1fA" + b"      DAY1" + b"42".rjust(20)


def test_a_login_of_version_4_10_states_its_heartbeat_timeout():
    raw = soupbintcp.encode(
        "login_request", username="desk", password="x", session="", sequence=1, heartbeat_timeout_ms=5000
    )
    assert len(raw) == 54
    assert soupbintcp.decode(raw)["heartbeat_timeout_ms"] == 5000


@given(st.lists(payloads, max_size=8), st.lists(st.integers(1, 30), max_size=40))
def test_a_stream_is_cut_into_the_same_packets_however_it_arrives(contents: list[bytes], sizes: list[int]):
    packets = [soupbintcp.encode("sequenced_data", content) for content in contents]
    stream, splitter, found = b"".join(packets), Splitter(), []
    for size in [*sizes, len(stream)]:
        found += splitter.feed(stream[:size])
        stream = stream[size:]
    assert found == packets
    assert splitter.waiting == 0


def test_a_partial_packet_waits_for_the_rest():
    raw, splitter = soupbintcp.encode("sequenced_data", b"hello"), Splitter()
    assert list(splitter.feed(raw[:4])) == []
    assert splitter.waiting == 4
    assert list(splitter.feed(raw[4:])) == [raw]


@pytest.mark.parametrize("garbled", [b"\0\0", b"\x40\0S"])
def test_an_empty_or_oversized_packet_ends_the_stream(garbled: bytes):
    splitter, good = Splitter(longest=4096), soupbintcp.encode("server_heartbeat")
    packets = splitter.feed(good + garbled)
    assert next(packets) == good
    with pytest.raises(MalformedMessage):
        next(packets)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_packet_or_malformed_and_nothing_else(raw: bytes):
    try:
        decoded = soupbintcp.decode(raw)
    except MalformedMessage:
        return
    assert len(raw) == 2 + decoded["packet_length"]


def test_an_unknown_packet_type_and_a_wrong_length_are_malformed():
    for raw in (b"\0\1?", b"\0\2Hx", b"\0\3Hx", b"\0", b""):
        with pytest.raises(MalformedMessage):
            soupbintcp.decode(raw)


@given(st.binary(max_size=80))
def test_the_loop_frames_as_the_readable_splitter_does(raw: bytes):
    buffer = np.frombuffer(raw + b"\xee", np.uint8).copy()
    length = soupbintcp_frames.next_frame(address_of(buffer), len(raw))
    try:
        first = next(Splitter(soupbintcp_frames.LONGEST_PACKET).feed(raw), b"")
    except MalformedMessage:
        assert length == soupbintcp_frames.MALFORMED
    else:
        assert length == len(first)


def test_the_loop_writes_heartbeat_and_logout():
    buffer = np.zeros(8, np.uint8)
    for write, name in (
        (soupbintcp_frames.write_client_heartbeat, "client_heartbeat"),
        (soupbintcp_frames.write_logout_request, "logout_request"),
    ):
        assert bytes(buffer[: write(address_of(buffer))]) == soupbintcp.encode(name)
