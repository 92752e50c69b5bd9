"""Captures made by hand: payloads in UDP or TCP, IPv4 or IPv6, with VLAN tags, as pcap or pcapng."""

from __future__ import annotations

import struct
from collections.abc import Iterable

SOURCE, TARGET = b"\x0a\0\0\1", b"\x0a\0\0\2"


def udp(payload: bytes, source: int = 26000, target: int = 26477) -> tuple[int, bytes]:
    return 17, struct.pack(">HHHH", source, target, 8 + len(payload), 0) + payload


def tcp(payload: bytes, sequence: int = 1, *, opens: bool = False, source: int = 8001) -> tuple[int, bytes]:
    flags = 0x5002 if opens else 0x5018
    return 6, struct.pack(">HHIIHHHH", source, 40000, sequence % 2**32, 0, flags, 8192, 0, 0) + payload


def ipv4(segment: tuple[int, bytes], fragment: int = 0) -> bytes:
    kind, body = segment
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, fragment, 64, kind, 0)
    return head + SOURCE + TARGET + body


def ipv6(segment: tuple[int, bytes]) -> bytes:
    kind, body = segment
    return struct.pack(">IHBB", 6 << 28, len(body), kind, 64) + SOURCE * 4 + TARGET * 4 + body


def ethernet(packet: bytes, *, vlans: int = 0, trailer: bytes = b"") -> bytes:
    tags = b"".join(struct.pack(">HH", 0x8100, 100 + index) for index in range(vlans))
    kind = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    return b"\1\2\3\4\5\6" + b"\6\5\4\3\2\1" + tags + struct.pack(">H", kind) + packet + trailer


def pcap(frames: Iterable[bytes], *, link_type: int = 1, order: str = "<", magic: int = 0xA1B2C3D4) -> bytes:
    """Frames one second apart from second 1 on."""
    header = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, link_type)
    records = [
        struct.pack(f"{order}IIII", second, 5, len(frame), len(frame)) + frame for second, frame in enumerate(frames, 1)
    ]
    return header + b"".join(records)


def _block(kind: int, body: bytes, order: str) -> bytes:
    padded = body + bytes(-len(body) % 4)
    total = struct.pack(f"{order}I", 12 + len(padded))
    return struct.pack(f"{order}I", kind) + total + padded + total


def pcapng(frames: Iterable[bytes], *, order: str = "<", nanoseconds: bool = True) -> bytes:
    """The same frames; interfaces count in nanoseconds or, by default of the format, in microseconds."""
    options = struct.pack(f"{order}HHB3xHH", 9, 1, 9, 0, 0) if nanoseconds else b""
    parts = [
        _block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order),
        _block(1, struct.pack(f"{order}HHI", 1, 0, 0) + options, order),
    ]
    for second, frame in enumerate(frames, 1):
        stamp = second * (10**9 if nanoseconds else 10**6) + 5
        head = struct.pack(f"{order}IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(frame), len(frame))
        parts.append(_block(6, head + frame, order))
    return b"".join(parts)
