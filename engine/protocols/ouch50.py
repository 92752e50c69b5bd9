"""OUCH 5.0: bytes <-> messages of both directions, readable and slow. The payload of SoupBinTCP data packets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any

from engine.protocols import ouch50_appendage
from engine.protocols.layouts import Layout, MalformedMessage, Message, Tail
from engine.protocols.ouch50_layouts import INBOUND, OUTBOUND


class Direction(Enum):
    """Inbound: to the venue, unsequenced. Outbound: from it, sequenced. The same letter means two things."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


def _codes(layouts: Iterable[Layout]) -> dict[str, Layout]:
    return {layout.code: layout for layout in layouts}


_BY_CODE = {Direction.INBOUND: _codes(INBOUND), Direction.OUTBOUND: _codes(OUTBOUND)}
_BY_NAME = {
    Direction.INBOUND: {layout.name: layout for layout in INBOUND},
    Direction.OUTBOUND: {layout.name: layout for layout in OUTBOUND},
}


def decode(raw: bytes, direction: Direction) -> Message:
    """One whole message. Empty, unknown, cut and too long bytes and wrong appendages raise MalformedMessage."""
    if not raw:
        raise MalformedMessage("an OUCH 5.0 message has at least its type byte")
    layout = _BY_CODE[direction].get(chr(raw[0]))
    if layout is None:
        raise MalformedMessage(f"OUCH 5.0 has no {direction.value} message type {chr(raw[0])!r}")
    length = _fixed_length(layout, raw)
    rest = raw[length:]
    # Revisions disagree on whether an answer without options still carries its appendage length.
    bare_allowed = layout.tail is not Tail.APPENDAGE or direction is Direction.OUTBOUND
    if len(raw) < length or (rest and layout.tail is Tail.NONE) or not (rest or bare_allowed):
        raise MalformedMessage(f"{layout.name} has {layout.length} bytes before its appendage, not {len(raw)} in all")
    return Message(layout, layout.read(raw, length), ouch50_appendage.decode(rest) if rest else {})


def _fixed_length(layout: Layout, raw: bytes) -> int:
    """Which revision's length these bytes have: all of them, or all but a well-formed appendage."""
    for length in sorted(layout.lengths, reverse=True):
        if len(raw) == length or int.from_bytes(raw[length : length + 2], "big") == len(raw) - length - 2:
            return length
    return layout.length


def decode_inbound(raw: bytes) -> Message:
    """A message to the venue."""
    return decode(raw, Direction.INBOUND)


def decode_outbound(raw: bytes) -> Message:
    """A message from the venue."""
    return decode(raw, Direction.OUTBOUND)


def encode(direction: Direction, name: str, appendage: Mapping[str, Any] | None = None, **values: Any) -> bytes:
    """One message by name. An optional appendage is written only when `appendage` is given."""
    layout = _BY_NAME[direction][name]
    fixed = layout.write({"type": layout.code} | values)
    if layout.tail is Tail.NONE:
        if appendage:
            raise ValueError(f"{name} has no appendage")
        return fixed
    if layout.tail is Tail.OPTIONAL_APPENDAGE and not appendage:
        return fixed
    return fixed + ouch50_appendage.encode(appendage or {})


def encode_inbound(name: str, appendage: Mapping[str, Any] | None = None, **values: Any) -> bytes:
    """A message to the venue."""
    return encode(Direction.INBOUND, name, appendage, **values)


def encode_outbound(name: str, appendage: Mapping[str, Any] | None = None, **values: Any) -> bytes:
    """A message from the venue."""
    return encode(Direction.OUTBOUND, name, appendage, **values)
