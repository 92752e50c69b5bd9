"""Ethernet, VLAN tags, IPv4, IPv6, UDP and TCP headers: a captured frame as one segment with its payload."""

from __future__ import annotations

from dataclasses import dataclass

from engine.protocols.layouts import MalformedMessage

NULL_LINK, ETHERNET, RAW_IP, COOKED, COOKED_2 = 0, 1, 101, 113, 276
RAW_LINKS = frozenset({12, 14, RAW_IP, 228, 229})
IPV4, IPV6 = 0x0800, 0x86DD
VLAN_TAGS = frozenset({0x8100, 0x88A8, 0x9100})
TCP, UDP = 6, 17
FRAGMENT = 44
EXTENSIONS = frozenset({0, 43, 60})
SYN = 2


@dataclass(frozen=True)
class Segment:
    """A UDP datagram or a TCP segment. `flow` names both ends in the direction of travel."""

    transport: int
    flow: tuple[bytes, int, bytes, int]
    payload: bytes
    sequence: int = 0
    opens: bool = False


def segment(raw: bytes, link_type: int) -> Segment | None:
    """The segment in a frame; None for what is neither UDP nor TCP. Cut and fragmented packets raise MalformedMessage.

    Bytes after the IP packet (padding, time stamps of a capture card) are not part of it.
    """
    network, offset = _network(raw, link_type)
    if network == IPV4:
        return _ipv4(raw[offset:])
    if network == IPV6:
        return _ipv6(raw[offset:])
    return None


def _network(raw: bytes, link_type: int) -> tuple[int, int]:
    """EtherType of the packet in the frame and where it starts; (0, 0) for links that are not known."""
    if link_type in RAW_LINKS or link_type == NULL_LINK:
        offset = 4 if link_type == NULL_LINK else 0
        version = raw[offset] >> 4 if len(raw) > offset else 0
        return {4: IPV4, 6: IPV6}.get(version, 0), offset
    place = {ETHERNET: 12, COOKED: 14, COOKED_2: 0}.get(link_type)
    if place is None:
        return 0, 0
    kind = int.from_bytes(raw[place : place + 2], "big")
    offset = 20 if link_type == COOKED_2 else place + 2
    while kind in VLAN_TAGS:
        kind = int.from_bytes(raw[offset + 2 : offset + 4], "big")
        offset += 4
    return kind, offset


def _ipv4(raw: bytes) -> Segment | None:
    if len(raw) < 20:
        raise MalformedMessage("an IPv4 header that is cut")
    header, total = (raw[0] & 15) * 4, int.from_bytes(raw[2:4], "big")
    if header < 20 or total < header or total > len(raw):
        raise MalformedMessage(f"an IPv4 packet of {total} bytes of which {len(raw)} are here")
    if int.from_bytes(raw[6:8], "big") & 0x3FFF:
        raise MalformedMessage("a fragment of an IPv4 packet")
    return _transport(raw[9], raw[12:16], raw[16:20], raw[header:total])


def _ipv6(raw: bytes) -> Segment | None:
    if len(raw) < 40:
        raise MalformedMessage("an IPv6 header that is cut")
    total, kind, place = 40 + int.from_bytes(raw[4:6], "big"), raw[6], 40
    if total > len(raw):
        raise MalformedMessage(f"an IPv6 packet of {total} bytes of which {len(raw)} are here")
    while kind in EXTENSIONS and place + 8 <= total:
        kind, place = raw[place], place + 8 + raw[place + 1] * 8
    if kind == FRAGMENT:
        raise MalformedMessage("a fragment of an IPv6 packet")
    return _transport(kind, raw[8:24], raw[24:40], raw[place:total])


def _transport(kind: int, source: bytes, target: bytes, raw: bytes) -> Segment | None:
    if kind not in (TCP, UDP):
        return None
    if len(raw) < (8 if kind == UDP else 20):
        raise MalformedMessage("a transport header that is cut")
    flow = (source, int.from_bytes(raw[0:2], "big"), target, int.from_bytes(raw[2:4], "big"))
    if kind == UDP:
        length = int.from_bytes(raw[4:6], "big")
        if length < 8 or length > len(raw):
            raise MalformedMessage(f"a UDP datagram of {length} bytes of which {len(raw)} are here")
        return Segment(UDP, flow, raw[8:length])
    header = (raw[12] >> 4) * 4
    if header < 20 or header > len(raw):
        raise MalformedMessage(f"a TCP header of {header} bytes")
    return Segment(TCP, flow, raw[header:], int.from_bytes(raw[4:8], "big"), bool(raw[13] & SYN))
