"""Captures, packet headers and TCP streams, down to the payload."""

from __future__ import annotations

import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocols.captures import Frame, MalformedCapture, frames
from engine.protocols.internet import COOKED, ETHERNET, RAW_IP, TCP, UDP, segment
from engine.protocols.layouts import MalformedMessage
from engine.protocols.tcp_streams import Stream
from tests.engine.protocols import packets

TWO = [b"first frame", b"second"]


def read(raw: bytes) -> list[Frame]:
    return list(frames(io.BytesIO(raw)))


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcap_reads_in_either_byte_order_and_unit(order: str):
    micro = packets.pcap(TWO, order=order)
    nano = packets.pcap(TWO, order=order, magic=0xA1B23C4D)
    assert read(micro) == [Frame(1_000_005_000, 1, TWO[0]), Frame(2_000_005_000, 1, TWO[1])]
    assert read(nano) == [Frame(1_000_000_005, 1, TWO[0]), Frame(2_000_000_005, 1, TWO[1])]


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_reads_in_either_byte_order_and_unit(order: str):
    assert read(packets.pcapng(TWO, order=order)) == [Frame(1_000_000_005, 1, TWO[0]), Frame(2_000_000_005, 1, TWO[1])]
    micro = packets.pcapng(TWO, order=order, nanoseconds=False)
    assert read(micro) == [Frame(1_000_005_000, 1, TWO[0]), Frame(2_000_005_000, 1, TWO[1])]


@pytest.mark.parametrize("whole", [packets.pcap(TWO), packets.pcapng(TWO)])
def test_a_capture_that_breaks_off_gives_its_whole_frames_first(whole: bytes):
    found = frames(io.BytesIO(whole[:-3]))
    assert next(found).raw == TWO[0]
    with pytest.raises(MalformedCapture):
        next(found)


@given(st.sampled_from([packets.pcap(TWO), packets.pcapng(TWO)]), st.data())
def test_any_change_of_a_capture_is_read_or_refused_and_nothing_else(whole: bytes, data: st.DataObject):
    changed = bytearray(whole)
    changed[data.draw(st.integers(4, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(changed))
    except MalformedCapture:
        found = []
    assert len(found) <= len(whole)


@pytest.mark.parametrize("vlans", [0, 1, 2])
@pytest.mark.parametrize("network", [packets.ipv4, packets.ipv6])
def test_the_payload_lies_behind_vlan_tags_and_either_ip(network, vlans: int):
    found = segment(packets.ethernet(network(packets.udp(b"data")), vlans=vlans, trailer=b"card time"), ETHERNET)
    assert (found.transport, found.payload, found.flow[1], found.flow[3]) == (UDP, b"data", 26000, 26477)


def test_other_links_carry_the_same_packet():
    packet = packets.ipv4(packets.tcp(b"data", 77))
    assert segment(packet, RAW_IP).payload == b"data"
    cooked = segment(b"\0" * 14 + b"\x08\0" + packet, COOKED)
    assert (cooked.transport, cooked.payload, cooked.sequence) == (TCP, b"data", 77)


def test_what_is_not_udp_or_tcp_is_nothing():
    assert segment(packets.ethernet(packets.ipv4((1, b"ping"))), ETHERNET) is None
    assert segment(b"\1\2\3\4\5\6" + b"\6\5\4\3\2\1" + b"\x08\x06" + b"arp", ETHERNET) is None
    assert segment(b"", ETHERNET) is None
    assert segment(b"unknown link", 147) is None


def test_cut_and_fragmented_packets_are_malformed():
    whole = packets.ethernet(packets.ipv4(packets.udp(b"data")))
    for raw in (whole[:-1], whole[:20], packets.ethernet(packets.ipv4(packets.udp(b"data"), fragment=0x2000))):
        with pytest.raises(MalformedMessage):
            segment(raw, ETHERNET)


@given(st.binary(max_size=80), st.sampled_from([0, 1, 101, 113, 276]))
def test_any_bytes_are_a_segment_nothing_or_malformed(raw: bytes, link_type: int):
    try:
        found = segment(raw, link_type)
    except MalformedMessage:
        found = None
    assert found is None or found.payload in raw


def arrived(order: list[tuple[int, bytes]], first: int) -> bytes:
    """What a stream gives for segments in this order after an opening one."""
    stream, got = Stream(), []
    opening = segment(packets.ipv4(packets.tcp(b"", first - 1, opens=True)), RAW_IP)
    got += stream.add(opening)
    for sequence, payload in order:
        got += stream.add(segment(packets.ipv4(packets.tcp(payload, sequence)), RAW_IP))
    return b"".join(got)


@pytest.mark.parametrize("first", [1, 2**32 - 4])
def test_segments_in_any_order_with_repeats_give_the_stream(first: int):
    pieces = [(first, b"abc"), (first + 3, b"def"), (first + 6, b"ghi"), (first + 2, b"cdefg")]
    for order in itertools.permutations(pieces):
        assert arrived(list(order), first) == b"abcdefghi"


def test_a_stream_goes_on_after_bytes_that_never_came():
    stream = Stream()
    first, late = (segment(packets.ipv4(packets.tcp(*at)), RAW_IP) for at in ((b"abc", 1), (b"xyz", 100)))
    assert [*stream.add(first), *stream.add(late)] == [b"abc"]
    assert stream.skip_gap()
    assert list(stream.rest()) == [b"xyz"]
    assert not stream.skip_gap()
