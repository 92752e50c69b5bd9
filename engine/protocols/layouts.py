"""Declarative message tables. One `Layout` says everything about a message: offsets, numpy dtype, decoder, encoder,
documentation.

All integers on the wire are big-endian and unsigned unless the type says `i`. A layout may end in a tail: an OUCH
appendage, or a payload that another protocol reads.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any

import numpy as np


class MalformedMessage(ValueError):
    """Bytes that are not a message of the protocol. The only exception that a decoder raises."""


@dataclass(frozen=True)
class Kind:
    """A wire type: its name in the documents, length in bytes, struct and numpy formats, and special conversions."""

    name: str
    length: int
    code: str
    array: str
    read: Callable[[Any], Any] | None = None
    write: Callable[[Any], Any] | None = None
    scale: int = 0


def _text(raw: bytes) -> str:
    return raw.decode("latin-1").rstrip(" ")


def _number(raw: bytes) -> int:
    digits = raw.strip(b" \0")
    if digits and not digits.isdigit():
        raise MalformedMessage(f"{raw!r} is not a number")
    return int(digits or b"0")


def _big(raw: bytes) -> int:
    return int.from_bytes(raw, "big")


def _padded(length: int) -> Callable[[Any], bytes]:
    def write(value: str) -> bytes:
        raw = value.encode("latin-1").ljust(length)
        if len(raw) != length:
            raise ValueError(f"{value!r} is longer than {length} bytes")
        return raw

    return write


def _right(length: int) -> Callable[[Any], bytes]:
    def write(value: Any) -> bytes:
        raw = str(value).encode("latin-1").rjust(length)
        if len(raw) != length:
            raise ValueError(f"{value!r} is longer than {length} bytes")
        return raw

    return write


U8 = Kind("u8", 1, "B", "u1")
U16 = Kind("u16", 2, "H", ">u2")
U32 = Kind("u32", 4, "I", ">u4")
U64 = Kind("u64", 8, "Q", ">u8")
U48 = Kind("u48", 6, "6s", "V6", _big, lambda value: int(value).to_bytes(6, "big"))
PRICE4 = Kind("Price(4), u32", 4, "I", ">u4", scale=4)
PRICE8 = Kind("Price(8), u64", 8, "Q", ">u8", scale=8)
LONG_PRICE = Kind("Price(4), u64", 8, "Q", ">u8", scale=4)
SIGNED_PRICE = Kind("Price(4), i32", 4, "i", ">i4", scale=4)


def alpha(length: int) -> Kind:
    """ASCII text padded with spaces on the right."""
    return Kind(f"alpha({length})", length, f"{length}s", f"S{length}", _text, _padded(length))


def left_padded(length: int) -> Kind:
    """ASCII text padded with spaces on the left; read without either padding."""
    return Kind(
        f"alpha({length})", length, f"{length}s", f"S{length}", lambda raw: _text(raw).lstrip(" "), _right(length)
    )


def numeric(length: int) -> Kind:
    """A decimal number in ASCII, padded with spaces on the left."""
    return Kind(f"numeric({length})", length, f"{length}s", f"S{length}", _number, _right(length))


@dataclass(frozen=True)
class Field:
    """One field of a message; `offset` counts from the message's first byte."""

    name: str
    kind: Kind
    meaning: str
    offset: int


class Tail(Enum):
    """What may follow the fixed fields."""

    NONE = "none"
    APPENDAGE = "appendage"
    OPTIONAL_APPENDAGE = "optional appendage"
    PAYLOAD = "payload"


Row = tuple[str, Kind, str]


@dataclass(frozen=True)
class Layout:
    """The table of one message. `rows` are all of its fixed fields in wire order, the type byte among them.

    `droppable` counts fields at the end that older revisions of the specification do not have.
    """

    name: str
    code: str
    title: str
    rows: tuple[Row, ...]
    tail: Tail = Tail.NONE
    droppable: int = 0
    section: str = ""
    names: tuple[str, ...] = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(row[0] for row in self.rows))

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The fields with their offsets."""
        placed, offset = [], 0
        for name, kind, meaning in self.rows:
            placed.append(Field(name, kind, meaning, offset))
            offset += kind.length
        return tuple(placed)

    @cached_property
    def length(self) -> int:
        """Bytes of the fixed fields."""
        return sum(kind.length for _, kind, _ in self.rows)

    @cached_property
    def lengths(self) -> frozenset[int]:
        """Every length that the fixed fields may have, over the revisions of the specification."""
        kept = [self.rows[: len(self.rows) - count] for count in range(self.droppable + 1)]
        return frozenset(sum(kind.length for _, kind, _ in rows) for rows in kept)

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Packed big-endian structured dtype of the fixed fields."""
        return np.dtype([(name, kind.array) for name, kind, _ in self.rows])

    @cached_property
    def _structs(self) -> dict[int, struct.Struct]:
        """One struct per length that the fixed fields may have."""
        made = {}
        for count in range(self.droppable + 1):
            packed = struct.Struct(">" + "".join(kind.code for _, kind, _ in self.rows[: len(self.rows) - count]))
            made[packed.size] = packed
        return made

    @cached_property
    def _readers(self) -> tuple[tuple[int, Callable[[Any], Any]], ...]:
        return tuple((i, kind.read) for i, (_, kind, _) in enumerate(self.rows) if kind.read)

    @cached_property
    def _writers(self) -> tuple[Callable[[Any], Any] | None, ...]:
        return tuple(kind.write for _, kind, _ in self.rows)

    def read(self, raw: bytes, length: int) -> dict[str, Any]:
        """The fixed fields of the first `length` bytes as integers and text. `length` is one of `lengths`."""
        values = list(self._structs[length].unpack_from(raw))
        for index, read in self._readers:
            if index < len(values):
                values[index] = read(values[index])
        return dict(zip(self.names, values, strict=False))

    def write(self, values: Mapping[str, Any]) -> bytes:
        """The fixed fields as bytes. Every field must be given; a value that does not fit is a ValueError."""
        if len(values) != len(self.names):
            unknown = sorted(set(values) ^ set(self.names))
            raise ValueError(f"{self.name} has other fields: {', '.join(unknown)}")
        try:
            packed = [
                write(values[name]) if write else values[name]
                for name, write in zip(self.names, self._writers, strict=True)
            ]
            return self._structs[self.length].pack(*packed)
        except KeyError as missing:
            raise ValueError(f"{self.name} lacks {missing}") from missing
        except (struct.error, OverflowError, AttributeError) as wrong:
            raise ValueError(f"{self.name}: {wrong}") from wrong


@dataclass(frozen=True)
class Message:
    """A decoded message: integers and text by field name. Prices are integers in the scale of their type."""

    layout: Layout = field(repr=False)
    values: dict[str, Any]
    appendage: dict[str, Any] = field(default_factory=dict)
    payload: bytes = b""

    @property
    def name(self) -> str:
        return self.layout.name

    @property
    def type(self) -> str:
        return self.layout.code

    def __getitem__(self, name: str) -> Any:
        return self.values[name] if name in self.values else self.appendage[name]


def decimal_text(value: int, scale: int) -> str:
    """An integer price as exact decimal text: decimal_text(242700, 4) is "24.2700"."""
    sign, digits = ("-" if value < 0 else ""), str(abs(value)).rjust(scale + 1, "0")
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}"


def offsets(layouts: Iterable[Layout]) -> dict[str, int]:
    """Named integers for hot code. For a message `add_order` with a field `price`:

    ADD_ORDER (its type byte), ADD_ORDER_LENGTH, ADD_ORDER_PRICE (offset in bytes).
    """
    named: dict[str, int] = {}
    for layout in layouts:
        message = layout.name.upper()
        if layout.code:
            named[message] = ord(layout.code)
        named[f"{message}_LENGTH"] = layout.length
        for place in layout.fields:
            named[f"{message}_{place.name.upper()}"] = place.offset
    return named


def unsigned48(column: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A column of six-byte numbers (dtype V6, any strides) as int64."""
    raw = np.frombuffer(column.tobytes(), np.uint8).reshape(-1, 6).astype(np.int64)
    return np.asarray(raw @ (256 ** np.arange(5, -1, -1, dtype=np.int64)))


def table(layout: Layout) -> Iterator[str]:
    """The message's table in Markdown, line by line."""
    code = f" (`{layout.code}`)" if layout.code else ""
    yield f"### {layout.title}{code}"
    yield ""
    notes = [f"`{layout.name}`, {layout.length} bytes"]
    if layout.tail is not Tail.NONE:
        notes.append(f"then {layout.tail.value}")
    if layout.section:
        notes.append(f"specification: {layout.section}")
    yield "; ".join(notes) + "."
    yield ""
    yield "| offset | length | field | type | meaning |"
    yield "|---|---|---|---|---|"
    last = len(layout.rows) - layout.droppable
    for index, place in enumerate(layout.fields):
        older = " (absent in older revisions)" if index >= last else ""
        yield f"| {place.offset} | {place.kind.length} | `{place.name}` | {place.kind.name} | {place.meaning}{older} |"
    yield ""
