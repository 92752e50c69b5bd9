"""Simple Binary Encoding 1.0: a decoder generated from a schema, and the offsets that hot code reads with.

Every block becomes a list of readers, made once. A message says its own version and block length (section 5 of the
specification): what it is too old for is absent, and what a newer one has beyond its block is passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from engine.protocols.layouts import Layout, MalformedMessage, Message
from engine.protocols.sbe_schema import (
    HEADER,
    SIZES,
    Block,
    Choices,
    Composite,
    Data,
    Enumeration,
    Group,
    Place,
    Schema,
    Simple,
    Type,
)

FRAME_LENGTH = 6  # Simple Open Framing Header: length with the header, then the encoding, both big-endian
FRAME_ENCODINGS = {b"\xeb\x50": "<", b"\x5b\xe0": ">"}
Read = Callable[[bytes, int], Any]


@dataclass(frozen=True)
class Decoded:
    """One message. `fields` holds fields, groups (lists) and data by name; None is a null or absent value."""

    block: Block
    version: int
    fields: dict[str, Any]
    length: int

    @property
    def name(self) -> str:
        return self.block.name


@dataclass(frozen=True)
class _Field:
    name: str
    end: int
    since: int
    read: Read | None  # None: the constant
    constant: Any
    offset: int


@dataclass(frozen=True)
class _Group:
    name: str
    since: int
    dimensions: Read
    dimension_size: int
    entry: _Block
    least: int  # bytes of the smallest entry beside its block


@dataclass(frozen=True)
class _Data:
    name: str
    since: int
    length: Read
    length_size: int
    encoding: str


@dataclass(frozen=True)
class _Block:
    fields: tuple[_Field, ...]
    groups: tuple[_Group, ...]
    data: tuple[_Data, ...]


class Decoder:
    """Decodes the messages of one schema."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._header = self._composite(schema.header, as_decimal=False)
        self._header_size = schema.header.size
        self._blocks = {number: self._block(block) for number, block in schema.messages.items()}

    def decode(self, raw: bytes, at: int = 0) -> Decoded:
        """The message at `at`; `length` says how many bytes it took. MalformedMessage when there is none."""
        if at + self._header_size > len(raw):
            raise MalformedMessage(f"a message header has {self._header_size} bytes, not {len(raw) - at}")
        header = self._header(raw, at)
        block_length, template, schema, version = (header[name] for name in HEADER)
        if schema != self.schema.id:
            raise MalformedMessage(f"schema {schema}; this one is {self.schema.id}")
        if template not in self._blocks:
            raise MalformedMessage(f"schema {schema} has no message {template}")
        fields, end = self._read(self._blocks[template], raw, at + self._header_size, block_length, version)
        return Decoded(self.schema.messages[template], version, fields, end - at)

    def decode_one(self, raw: bytes) -> Decoded:
        """The message that fills `raw`. MalformedMessage when bytes are left over."""
        decoded = self.decode(raw)
        if decoded.length != len(raw):
            raise MalformedMessage(f"{len(raw) - decoded.length} bytes after {decoded.name}")
        return decoded

    def _read(self, block: _Block, raw: bytes, at: int, length: int, version: int) -> tuple[dict[str, Any], int]:
        if at + length > len(raw):
            raise MalformedMessage(f"a block of {length} bytes goes beyond the end of the message")
        fields: dict[str, Any] = {}
        for item in block.fields:
            if item.since > version or item.end > length:
                fields[item.name] = None
            else:
                fields[item.name] = item.read(raw, at + item.offset) if item.read else item.constant
        at += length
        for group in block.groups:
            fields[group.name], at = self._entries(group, raw, at, version)
        for data in block.data:
            fields[data.name], at = _variable(data, raw, at, version)
        return fields, at

    def _entries(self, group: _Group, raw: bytes, at: int, version: int) -> tuple[list[dict[str, Any]] | None, int]:
        if group.since > version:
            return None, at
        if at + group.dimension_size > len(raw):
            raise MalformedMessage(f"the message ends before group {group.name}")
        dimensions = group.dimensions(raw, at)
        length, count = dimensions["blockLength"], dimensions["numInGroup"]
        at += group.dimension_size
        if count * max(1, length + group.least) > len(raw) - at:
            raise MalformedMessage(f"{count} entries of {group.name} do not fit into {len(raw) - at} bytes")
        entries = []
        for _ in range(count):
            entry, at = self._read(group.entry, raw, at, length, version)
            entries.append(entry)
        return entries, at

    # Making the readers.

    def _block(self, block: Block) -> _Block:
        return _Block(
            tuple(self._field(place) for place in block.places),
            tuple(self._group(group) for group in block.groups),
            tuple(self._data(data) for data in block.data),
        )

    def _field(self, place: Place) -> _Field:
        read = None if place.presence == "constant" else self._reader(place.type, place.presence)
        return _Field(place.name, place.end, place.since, read, place.constant, place.offset)

    def _group(self, group: Group) -> _Group:
        least = sum(inner.dimensions.size for inner in group.block.groups if inner.block.since == 0)
        least += sum(SIZES[data.length.code] for data in group.block.data if data.since == 0)
        read = self._composite(group.dimensions, as_decimal=False)
        return _Group(group.block.name, group.block.since, read, group.dimensions.size, self._block(group.block), least)

    def _data(self, data: Data) -> _Data:
        read = self._simple(data.length, "required")
        return _Data(data.name, data.since, read, SIZES[data.length.code], data.encoding)

    def _reader(self, kind: Type, presence: str) -> Read:
        if isinstance(kind, Simple):
            return self._simple(kind, presence)
        if isinstance(kind, Enumeration):
            return self._enumeration(kind)
        if isinstance(kind, Choices):
            return self._choices(kind)
        return self._composite(kind, as_decimal=True)

    def _simple(self, kind: Simple, presence: str) -> Read:
        if kind.presence == "constant":
            return lambda raw, at: kind.constant
        if kind.code == "c" and kind.length != 1:
            return lambda raw, at: _text(raw[at : at + kind.length])
        unpack = struct.Struct(self.schema.order + f"{kind.length}{kind.code}").unpack_from
        if kind.length != 1:
            return lambda raw, at: list(unpack(raw, at))
        if kind.code == "c":
            return lambda raw, at: _text(unpack(raw, at)[0]) or None
        null, optional = kind.null, "optional" in (presence, kind.presence)

        def read(raw: bytes, at: int) -> Any:
            value = unpack(raw, at)[0]
            return None if optional and (value == null or value != value) else value

        return read

    def _enumeration(self, kind: Enumeration) -> Read:
        value_of, names, null = self._simple(kind.encoding, "required"), kind.names, kind.encoding.null

        def read(raw: bytes, at: int) -> Any:
            value = value_of(raw, at)
            return names.get(value, None if value == null else value)

        return read

    def _choices(self, kind: Choices) -> Read:
        value_of, bits = self._simple(kind.encoding, "required"), kind.bits
        return lambda raw, at: [name for bit, name in bits.items() if value_of(raw, at) >> bit & 1]

    def _composite(self, kind: Composite, as_decimal: bool) -> Read:
        members = tuple(
            (place.name, place.offset, self._reader(place.type, place.presence), place.constant)
            for place in kind.places
        )
        names = {place.name for place in kind.places}

        def read(raw: bytes, at: int) -> Any:
            return {name: value(raw, at + offset) for name, offset, value, _ in members}

        if as_decimal and names == {"mantissa", "exponent"}:
            return lambda raw, at: decimal_of(**read(raw, at))
        return read


def decimal_of(mantissa: int | None, exponent: int | None) -> str | None:
    """mantissa x 10^exponent as exact decimal text (2.8); None when a part is null."""
    if mantissa is None or exponent is None:
        return None
    if exponent >= 0:
        return str(mantissa) + ("0" * exponent if mantissa else "")
    digits = str(abs(mantissa)).rjust(1 - exponent, "0")
    return f"{'-' if mantissa < 0 else ''}{digits[:exponent]}.{digits[exponent:]}"


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("latin-1")


def _variable(data: _Data, raw: bytes, at: int, version: int) -> tuple[Any, int]:
    if data.since > version:
        return None, at
    if at + data.length_size > len(raw):
        raise MalformedMessage(f"the message ends before {data.name}")
    length = data.length(raw, at)
    at += data.length_size
    if at + length > len(raw):
        raise MalformedMessage(f"{data.name} of {length} bytes goes beyond the end of the message")
    content = raw[at : at + length]
    if not data.encoding:
        return content.hex(), at + length
    try:
        return content.decode(data.encoding), at + length
    except (UnicodeDecodeError, LookupError):
        raise MalformedMessage(f"{data.name} is not {data.encoding} text") from None


def split_frames(raw: bytes) -> Iterator[bytes | MalformedMessage]:
    """Messages of a file: each behind a Simple Open Framing Header. What cannot be split further ends the reading."""
    at = 0
    while at < len(raw):
        length = int.from_bytes(raw[at : at + 4], "big")
        if raw[at + 4 : at + FRAME_LENGTH] not in FRAME_ENCODINGS or length < FRAME_LENGTH or at + length > len(raw):
            yield MalformedMessage(f"no whole frame {at} bytes into the file")
            return
        yield raw[at + FRAME_LENGTH : at + length]
        at += length


def split_messages(raw: bytes, decoder: Decoder) -> Iterator[Decoded | MalformedMessage]:
    """Messages behind each other: each in a frame, or bare, as they end where they say. Where the next one begins is
    lost behind a bare message that is none."""
    if is_framed(raw):
        for piece in split_frames(raw):
            try:
                yield piece if isinstance(piece, MalformedMessage) else decoder.decode_one(piece)
            except MalformedMessage as wrong:
                yield wrong
        return
    at = 0
    while at < len(raw):
        try:
            decoded = decoder.decode(raw, at)
        except MalformedMessage as wrong:
            yield MalformedMessage(f"{at} bytes into it: {wrong}")
            return
        yield decoded
        at += decoded.length


def is_framed(raw: bytes) -> bool:
    """Whether bytes begin with a Simple Open Framing Header."""
    return raw[4:FRAME_LENGTH] in FRAME_ENCODINGS


def as_message(decoded: Decoded) -> Message:
    """For the decode door: named and typed by the schema."""
    shown = {f"field_{name}" if name in ("type", "name") else name: value for name, value in decoded.fields.items()}
    return Message(Layout(decoded.name, str(decoded.block.id), decoded.name, ()), shown)


def offsets(schema: Schema) -> dict[str, int]:
    """Named integers for hot code, as `layouts.offsets` gives them.

    For a message `DepthUpdate` with a field `last` and a group `bids`: DEPTH_UPDATE (template id), DEPTH_UPDATE_LENGTH,
    DEPTH_UPDATE_LAST, DEPTH_UPDATE_BIDS_LENGTH, DEPTH_UPDATE_BIDS_PRICE. Fields count from the start of their block.
    """
    named = {"HEADER_LENGTH": schema.header.size}
    named |= {f"HEADER_{_upper(place.name)}": place.offset for place in schema.header.places}
    for number, block in schema.messages.items():
        named[_upper(block.name)] = number
        named |= dict(_block_offsets(_upper(block.name), block))
    return named


def _block_offsets(prefix: str, block: Block) -> Iterator[tuple[str, int]]:
    yield f"{prefix}_LENGTH", block.length
    for place in block.places:
        if place.presence != "constant":
            yield f"{prefix}_{_upper(place.name)}", place.offset
    for group in block.groups:
        yield from _block_offsets(f"{prefix}_{_upper(group.block.name)}", group.block)


def _upper(name: str) -> str:
    parts = "".join(f"_{letter}" if letter.isupper() and at else letter for at, letter in enumerate(name))
    return parts.upper()
