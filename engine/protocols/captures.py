"""Packet captures: pcap (micro- and nanoseconds, both byte orders) and pcapng, as link-layer frames."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

PCAP_MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
PCAPNG_MAGIC = b"\x0a\x0d\x0d\x0a"
LONGEST_FRAME = 1 << 20

SECTION, INTERFACE, SIMPLE_PACKET, ENHANCED_PACKET = 0x0A0D0D0A, 1, 3, 6
TIME_RESOLUTION = 9


class MalformedCapture(ValueError):
    """A file that is not a whole capture; what came before is good."""


@dataclass(frozen=True)
class Frame:
    """One captured frame. `link_type` is the capture's number for the kind of link (1 is Ethernet)."""

    time_ns: int
    link_type: int
    raw: bytes


def is_capture(start: bytes) -> bool:
    """True when a file that starts with these bytes is a capture."""
    return start[:4] in PCAP_MAGICS or start[:4] == PCAPNG_MAGIC


def frames(source: BinaryIO) -> Iterator[Frame]:
    """Every frame of the capture, in the order of the file. MalformedCapture at the first bytes that are not one."""
    magic = source.read(4)
    if magic in PCAP_MAGICS:
        yield from _pcap(source, *PCAP_MAGICS[magic])
    elif magic == PCAPNG_MAGIC:
        yield from _pcapng(source)
    else:
        raise MalformedCapture("the file does not start as a pcap or pcapng capture")


def _exactly(source: BinaryIO, length: int, what: str) -> bytes:
    raw = source.read(length)
    if len(raw) != length:
        raise MalformedCapture(f"the capture ends inside {what}")
    return raw


def _pcap(source: BinaryIO, order: str, unit_ns: int) -> Iterator[Frame]:
    header = _exactly(source, 20, "its header")
    (link_type,) = struct.unpack(f"{order}I", header[16:20])
    record = struct.Struct(f"{order}IIII")
    while head := source.read(record.size):
        if len(head) != record.size:
            raise MalformedCapture("the capture ends inside a record header")
        seconds, fraction, captured, _ = record.unpack(head)
        if captured > LONGEST_FRAME:
            raise MalformedCapture(f"a record of {captured} bytes")
        raw = _exactly(source, captured, "a frame")
        yield Frame(seconds * 1_000_000_000 + fraction * unit_ns, link_type & 0xFFFF, raw)


@dataclass
class _Interface:
    link_type: int
    units_per_second: int


def _pcapng(source: BinaryIO) -> Iterator[Frame]:
    order, interfaces = "<", list[_Interface]()
    kind_bytes = PCAPNG_MAGIC
    while kind_bytes:
        if kind_bytes == PCAPNG_MAGIC:
            length_bytes, mark = _exactly(source, 4, "a section"), _exactly(source, 4, "a section")
            order, interfaces = ("<" if mark == b"\x4d\x3c\x2b\x1a" else ">"), []
            kind, body = SECTION, mark + _block(source, order, length_bytes, 16)
        else:
            (kind,) = struct.unpack(f"{order}I", kind_bytes)
            body = _block(source, order, _exactly(source, 4, "a block"), 12)
        if kind == INTERFACE:
            interfaces.append(_interface(body, order))
        elif kind in (ENHANCED_PACKET, SIMPLE_PACKET):
            yield _packet(kind, body, order, interfaces)
        kind_bytes = source.read(4)


def _block(source: BinaryIO, order: str, length_bytes: bytes, overhead: int) -> bytes:
    (total,) = struct.unpack(f"{order}I", length_bytes)
    if total < overhead or total % 4 or total > LONGEST_FRAME:
        raise MalformedCapture(f"a block of {total} bytes")
    body = _exactly(source, total - overhead, "a block")
    if _exactly(source, 4, "a block") != length_bytes:
        raise MalformedCapture("a block whose two lengths differ")
    return body


def _interface(body: bytes, order: str) -> _Interface:
    if len(body) < 8:
        raise MalformedCapture("an interface block that is cut")
    (link_type,) = struct.unpack_from(f"{order}H", body)
    units, place = 1_000_000, 8
    while place + 4 <= len(body):
        code, length = struct.unpack_from(f"{order}HH", body, place)
        if code == TIME_RESOLUTION and length == 1 and place + 5 <= len(body):
            power = body[place + 4]
            units = 2 ** (power & 0x7F) if power & 0x80 else 10**power
        place += 4 + length + (-length % 4)
    return _Interface(link_type, units)


def _packet(kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> Frame:
    head = 20 if kind == ENHANCED_PACKET else 4
    if len(body) < head:
        raise MalformedCapture("a packet block that is cut")
    if kind == SIMPLE_PACKET:
        number, units, (original,) = 0, 0, struct.unpack_from(f"{order}I", body)
        captured = min(original, len(body) - head)
    else:
        number, high, low, captured, _ = struct.unpack_from(f"{order}IIIII", body)
        units = (high << 32) | low
    if number >= len(interfaces) or captured > len(body) - head:
        raise MalformedCapture("a packet block of an unknown interface, or longer than itself")
    interface = interfaces[number]
    time_ns = units * 1_000_000_000 // interface.units_per_second
    return Frame(time_ns, interface.link_type, body[head : head + captured])
