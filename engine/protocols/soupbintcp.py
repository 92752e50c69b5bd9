"""SoupBinTCP: bytes of a TCP stream <-> logical packets, readable and slow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from engine.protocols.layouts import MalformedMessage, Message, Tail
from engine.protocols.soupbintcp_layouts import BY_CODE, BY_NAME, LENGTH_FIELD


def decode(raw: bytes) -> Message:
    """One whole packet, its length field included. Anything else raises MalformedMessage."""
    if len(raw) < LENGTH_FIELD + 1:
        raise MalformedMessage(f"a SoupBinTCP packet has at least {LENGTH_FIELD + 1} bytes, not {len(raw)}")
    stated = LENGTH_FIELD + int.from_bytes(raw[:LENGTH_FIELD], "big")
    if stated != len(raw):
        raise MalformedMessage(f"a SoupBinTCP packet states {stated} bytes and has {len(raw)}")
    layout = BY_CODE.get(chr(raw[LENGTH_FIELD]))
    if layout is None:
        raise MalformedMessage(f"SoupBinTCP has no packet type {chr(raw[LENGTH_FIELD])!r}")
    if layout.tail is Tail.PAYLOAD:
        return Message(layout, layout.read(raw, layout.length), payload=raw[layout.length :])
    if len(raw) not in layout.lengths:
        raise MalformedMessage(f"{layout.name} has {layout.length} bytes, not {len(raw)}")
    return Message(layout, layout.read(raw, len(raw)))


def encode(name: str, payload: bytes = b"", **values: Any) -> bytes:
    """One packet by name. A login request without `heartbeat_timeout_ms` is that of version 3.00."""
    layout = BY_NAME[name]
    if payload and layout.tail is not Tail.PAYLOAD:
        raise ValueError(f"{name} carries no payload")
    length = layout.length
    if layout.droppable and "heartbeat_timeout_ms" not in values:
        values["heartbeat_timeout_ms"], length = 0, min(layout.lengths)
    total = length + len(payload)
    if total - LENGTH_FIELD > 0xFFFF:
        raise ValueError(f"{name}: a payload of {len(payload)} bytes does not fit a SoupBinTCP packet")
    return layout.write({"packet_length": total - LENGTH_FIELD, "type": layout.code} | values)[:length] + payload


class Splitter:
    """Cuts a TCP stream into whole packets. Partial packets wait; a garbled or oversized one ends the stream.

    After MalformedMessage the stream has no packet boundary left: the session must be dropped.
    """

    def __init__(self, longest: int = LENGTH_FIELD + 0xFFFF) -> None:
        self.longest = longest
        self._waiting = b""

    @property
    def waiting(self) -> int:
        """Bytes of the packet that is not whole yet."""
        return len(self._waiting)

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """The packets, length field included, that these bytes complete."""
        self._waiting += raw
        return self._whole_packets()

    def _whole_packets(self) -> Iterator[bytes]:
        while len(self._waiting) >= LENGTH_FIELD:
            stated = LENGTH_FIELD + int.from_bytes(self._waiting[:LENGTH_FIELD], "big")
            if stated == LENGTH_FIELD or stated > self.longest:
                raise MalformedMessage(
                    f"a SoupBinTCP packet of {stated} bytes; {LENGTH_FIELD + 1} to {self.longest} are allowed"
                )
            if len(self._waiting) < stated:
                return
            packet, self._waiting = self._waiting[:stated], self._waiting[stated:]
            yield packet
