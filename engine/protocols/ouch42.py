"""OUCH 4.2: bytes <-> messages of both directions, readable and slow. The payload of SoupBinTCP data packets."""

from __future__ import annotations

from typing import Any

from engine.protocols.layouts import MalformedMessage, Message
from engine.protocols.ouch42_layouts import INBOUND, OUTBOUND
from engine.protocols.ouch50 import Direction

_LAYOUTS = {Direction.INBOUND: INBOUND, Direction.OUTBOUND: OUTBOUND}
_BY_CODE = {direction: {layout.code: layout for layout in layouts} for direction, layouts in _LAYOUTS.items()}
_BY_NAME = {direction: {layout.name: layout for layout in layouts} for direction, layouts in _LAYOUTS.items()}


def decode(raw: bytes, direction: Direction) -> Message:
    """One whole message. Empty, unknown and wrong-length bytes raise MalformedMessage."""
    if not raw:
        raise MalformedMessage("an OUCH 4.2 message has at least its type byte")
    layout = _BY_CODE[direction].get(chr(raw[0]))
    if layout is None:
        raise MalformedMessage(f"OUCH 4.2 has no {direction.value} message type {chr(raw[0])!r}")
    if len(raw) not in layout.lengths:
        raise MalformedMessage(f"{layout.name} has {layout.length} bytes, not {len(raw)}")
    return Message(layout, layout.read(raw, len(raw)))


def encode(direction: Direction, name: str, **values: Any) -> bytes:
    """One message by name."""
    layout = _BY_NAME[direction][name]
    return layout.write({"type": layout.code} | values)
