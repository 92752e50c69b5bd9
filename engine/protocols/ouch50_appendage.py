"""The optional fields at the end of OUCH 5.0 messages: a two-byte length, then elements of length, tag and value."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from engine.protocols.layouts import Kind, MalformedMessage
from engine.protocols.ouch50_layouts import OPTIONS, TAGS

LENGTH_FIELD = 2


def decode(raw: bytes) -> dict[str, Any]:
    """`raw` is the length field and all elements. Unknown tags are kept as `tag_N`, their value in hexadecimal."""
    if len(raw) < LENGTH_FIELD:
        raise MalformedMessage("the length of an OUCH appendage is cut")
    stated = int.from_bytes(raw[:LENGTH_FIELD], "big")
    if stated != len(raw) - LENGTH_FIELD:
        raise MalformedMessage(f"an OUCH appendage states {stated} bytes and has {len(raw) - LENGTH_FIELD}")
    options: dict[str, Any] = {}
    place = LENGTH_FIELD
    while place < len(raw):
        length = raw[place]
        if length == 0 or place + 1 + length > len(raw):
            raise MalformedMessage(f"an element of {length} bytes does not fit its OUCH appendage")
        tag, value = raw[place + 1], raw[place + 2 : place + 1 + length]
        name = OPTIONS[tag][0] if tag in OPTIONS else f"tag_{tag}"
        if name in options:
            raise MalformedMessage(f"an OUCH appendage has {name} twice")
        options[name] = _read(name, OPTIONS[tag][1], value) if tag in OPTIONS else value.hex()
        place += 1 + length
    return options


def _read(name: str, kind: Kind, value: bytes) -> Any:
    if len(value) != kind.length:
        raise MalformedMessage(f"option {name} has {kind.length} bytes, not {len(value)}")
    (plain,) = struct.unpack(f">{kind.code}", value)
    return kind.read(plain) if kind.read else plain


def encode(options: Mapping[str, Any]) -> bytes:
    """Length field and elements, in the order given."""
    elements = b""
    for name, value in options.items():
        if name not in TAGS:
            raise ValueError(f"OUCH 5.0 has no option {name}")
        kind = OPTIONS[TAGS[name]][1]
        try:
            packed = struct.pack(f">{kind.code}", kind.write(value) if kind.write else value)
        except struct.error as wrong:
            raise ValueError(f"option {name}: {wrong}") from wrong
        elements += bytes((1 + kind.length, TAGS[name])) + packed
    return len(elements).to_bytes(LENGTH_FIELD, "big") + elements
