"""Message schemas of Simple Binary Encoding 1.0 (FIX Trading Community): the XML read into types with their places.

Section numbers are the specification's: 2 field encoding, 3 message structure, 4 schema, 5 extension. What the XML
leaves open has the specification's default; what it gets wrong is a ValueError with a sentence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree

HEADER = ("blockLength", "templateId", "schemaId", "version")
FORMATS = {
    "char": "c", "int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q",
    "uint64": "Q", "float": "f", "double": "d",
}  # fmt: skip
SIZES = {"c": 1, "b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "q": 8, "Q": 8, "f": 4, "d": 8}
PRESENCES = ("required", "optional", "constant")
LARGEST_BLOCK = 1 << 16


@dataclass(frozen=True)
class Simple:
    """An encoding of one primitive type (2.4 to 2.9). `null` is what stands for no value; a constant has no bytes."""

    name: str
    code: str
    length: int = 1
    presence: str = "required"
    null: int | float | None = None
    constant: str | int | float | None = None
    since: int = 0

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return 0 if self.presence == "constant" else self.length * SIZES[self.code]


@dataclass(frozen=True)
class Enumeration:
    """Names of values of a primitive type (2.13)."""

    name: str
    encoding: Simple
    names: dict[int | str, str]

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return self.encoding.size


@dataclass(frozen=True)
class Choices:
    """Names of the bits of an unsigned integer (2.14)."""

    name: str
    encoding: Simple
    bits: dict[int, str]

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return self.encoding.size


@dataclass(frozen=True)
class Place:
    """A part of a block: a field of a message or group, or a member of a composite, `offset` bytes from its start."""

    name: str
    id: int
    type: Type
    offset: int
    presence: str = "required"
    since: int = 0
    constant: str | int | float | None = None

    @property
    def end(self) -> int:
        """Where it ends in its block."""
        return self.offset + (0 if self.presence == "constant" else self.type.size)


@dataclass(frozen=True)
class Composite:
    """Several encodings behind each other (2.10)."""

    name: str
    places: tuple[Place, ...]

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return max((place.end for place in self.places), default=0)

    def place(self, name: str) -> Place:
        """A member. ValueError when there is none."""
        for member in self.places:
            if member.name == name:
                return member
        raise ValueError(f"composite {self.name!r} has no {name!r}")


Type = Simple | Enumeration | Choices | Composite


@dataclass(frozen=True)
class Data:
    """A field of variable length (3.5): `length` bytes follow their count. `encoding` empty: bytes, not text."""

    name: str
    id: int
    length: Simple
    encoding: str
    since: int = 0


@dataclass(frozen=True)
class Block:
    """Fields, then groups, then data (3.3): a message's root or an entry of a group. `length` is that of the schema's
    own version; a message says its own."""

    name: str
    id: int
    length: int
    places: tuple[Place, ...]
    groups: tuple[Group, ...] = ()
    data: tuple[Data, ...] = ()
    since: int = 0
    semantic_type: str = ""


@dataclass(frozen=True)
class Group:
    """A repeating group (3.4): its dimensions, then that many entries."""

    block: Block
    dimensions: Composite


@dataclass(frozen=True)
class Schema:
    """Everything one XML document says. `order` is struct's letter for the byte order."""

    package: str
    id: int
    version: int
    order: str
    header: Composite
    messages: dict[int, Block] = field(default_factory=dict)

    def named(self, name: str) -> Block:
        """A message by name. KeyError when there is none."""
        return {message.name: message for message in self.messages.values()}[name]


def _local(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _number(element: ElementTree.Element, name: str, default: int) -> int:
    text = element.get(name)
    if text is None:
        return default
    try:
        return int(text, 0)
    except ValueError:
        raise ValueError(f"{_local(element)} {element.get('name')!r}: {name} {text!r} is no number") from None


def _name(element: ElementTree.Element) -> str:
    name = element.get("name")
    if not name:
        raise ValueError(f"a {_local(element)} has no name")
    return name


def _constant(code: str, length: int, text: str) -> str | int | float:
    if code == "c":
        return text if length != 1 or len(text) <= 1 else text.strip()
    return float(text) if code in "fd" else int(text, 0)


def _null_of(code: str, text: str | None) -> int | float | None:
    """The value that means none (2.4.3): the greatest unsigned, the least signed, NaN, NUL."""
    if text is not None:
        return (
            (ord(text) if len(text) == 1 and not text.isdigit() else int(text, 0))
            if code == "c"
            else (float(text) if code in "fd" else int(text, 0))
        )
    if code == "c":
        return 0
    if code in "fd":
        return float("nan")
    bits = 8 * SIZES[code]
    return (1 << bits) - 1 if code.isupper() else -(1 << (bits - 1))


class Reader:
    """The types of a document by name, and what is made of them."""

    def __init__(self, root: ElementTree.Element) -> None:
        self.types: dict[str, Type] = {
            name: Simple(name, code, null=_null_of(code, None)) for name, code in FORMATS.items()
        }
        self._elements: dict[str, ElementTree.Element] = {}
        for types in root:
            if _local(types) == "types":
                for element in types:
                    self._elements[_name(element)] = element
        self._open: list[str] = []

    def type(self, name: str) -> Type:
        """A type by name. ValueError when it is not declared, or made of itself."""
        element = self._elements.get(name)
        if element is None:
            if name not in self.types:
                raise ValueError(f"there is no type {name!r}")
            return self.types[name]
        if name in self._open:
            raise ValueError(f"type {name!r} is made of itself")
        if name not in self.types or self.types[name].name in FORMATS:
            self._open.append(name)
            self.types[name] = self.read(element)
            self._open.pop()
        return self.types[name]

    def composite(self, name: str) -> Composite:
        """A composite by name."""
        found = self.type(name)
        if not isinstance(found, Composite):
            raise ValueError(f"{name!r} is not a composite")
        return found

    def read(self, element: ElementTree.Element) -> Type:
        """What one element of `types` declares."""
        kind = _local(element)
        if kind == "type":
            return self._simple(element)
        if kind == "composite":
            return self._composite(element)
        if kind == "enum":
            encoding = self._encoding(element)
            names: dict[int | str, str] = {}
            for value in element:
                text = (value.text or "").strip()
                names[text if encoding.code == "c" else int(text, 0)] = _name(value)
            return Enumeration(_name(element), encoding, names)
        if kind == "set":
            bits = {int((choice.text or "").strip(), 0): _name(choice) for choice in element}
            return Choices(_name(element), self._encoding(element), bits)
        if kind == "ref":
            return self.type(element.get("type", ""))
        raise ValueError(f"types has an element {kind!r}")

    def _encoding(self, element: ElementTree.Element) -> Simple:
        found = self.type(element.get("encodingType", ""))
        if not isinstance(found, Simple) or found.length != 1:
            raise ValueError(f"{_name(element)!r} is encoded as {found.name!r}, which is not one number")
        return found

    def _simple(self, element: ElementTree.Element) -> Simple:
        name, primitive = _name(element), element.get("primitiveType", "")
        if primitive not in FORMATS:
            raise ValueError(f"type {name!r}: there is no primitive type {primitive!r}")
        code, presence = FORMATS[primitive], element.get("presence", "required")
        if presence not in PRESENCES:
            raise ValueError(f"type {name!r}: presence {presence!r}")
        text = element.text or ""
        length = _number(element, "length", len(text) if presence == "constant" and code == "c" and text else 1)
        if not 0 <= length <= LARGEST_BLOCK:
            raise ValueError(f"type {name!r}: length {length}")
        constant = (
            _constant(code, length, text) if presence == "constant" and text and not element.get("valueRef") else None
        )
        if element.get("valueRef"):
            constant = self.value_of(element.get("valueRef", ""))
        null = _null_of(code, element.get("nullValue"))
        return Simple(name, code, length, presence, null, constant, _number(element, "sinceVersion", 0))

    def value_of(self, reference: str) -> str:
        """The name that a valueRef ("enum.name") means; the value itself is the enumeration's business."""
        enum_name, dot, name = reference.partition(".")
        found = self.type(enum_name)
        if not dot or not isinstance(found, Enumeration) or name not in found.names.values():
            raise ValueError(f"valueRef {reference!r} names no value")
        return name

    def _composite(self, element: ElementTree.Element) -> Composite:
        places, offset = [], 0
        for member in element:
            kind = self.read(member)
            at = _number(member, "offset", offset)
            if at < offset:
                raise ValueError(f"composite {_name(element)!r}: {_name(member)!r} lies over the one before it")
            presence = kind.presence if isinstance(kind, Simple) else "required"
            constant = kind.constant if isinstance(kind, Simple) else None
            places.append(Place(_name(member), 0, kind, at, presence, _number(member, "sinceVersion", 0), constant))
            offset = places[-1].end
        return Composite(_name(element), tuple(places))

    def block(self, element: ElementTree.Element) -> Block:
        """A message or the entry of a group."""
        places: list[Place] = []
        groups: list[Group] = []
        data: list[Data] = []
        for member in element:
            kind = _local(member)
            if kind == "field":
                if groups or data:
                    raise ValueError(f"{_name(element)!r}: field {_name(member)!r} stands behind a group or data")
                places.append(self._field(member, places[-1].end if places else 0))
            elif kind == "group":
                if data:
                    raise ValueError(f"{_name(element)!r}: group {_name(member)!r} stands behind data")
                dimensions = self.composite(member.get("dimensionType", "groupSizeEncoding"))
                for part in ("blockLength", "numInGroup"):
                    dimensions.place(part)
                groups.append(Group(self.block(member), dimensions))
            elif kind == "data":
                data.append(self._data(member))
            else:
                raise ValueError(f"{_name(element)!r} has an element {kind!r}")
        end = max((place.end for place in places), default=0)
        length = _number(element, "blockLength", end)
        if not end <= length < LARGEST_BLOCK:
            raise ValueError(f"{_name(element)!r}: blockLength {length} does not hold its fields, which end at {end}")
        return Block(
            _name(element), _number(element, "id", 0), length, tuple(places), tuple(groups), tuple(data),
            _number(element, "sinceVersion", 0), element.get("semanticType", ""),
        )  # fmt: skip

    def _field(self, element: ElementTree.Element, following: int) -> Place:
        kind = self.type(element.get("type", ""))
        presence = element.get("presence", kind.presence if isinstance(kind, Simple) else "required")
        if presence not in PRESENCES:
            raise ValueError(f"field {_name(element)!r}: presence {presence!r}")
        constant = kind.constant if isinstance(kind, Simple) else None
        if presence == "constant" and element.get("valueRef"):
            constant = self.value_of(element.get("valueRef", ""))
        if presence == "constant" and constant is None:
            raise ValueError(f"field {_name(element)!r} is constant and has no value")
        offset = _number(element, "offset", following)
        if offset < following:
            raise ValueError(f"field {_name(element)!r} lies over the one before it")
        since = _number(element, "sinceVersion", 0)
        return Place(_name(element), _number(element, "id", 0), kind, offset, presence, since, constant)

    def _data(self, element: ElementTree.Element) -> Data:
        kind = self.composite(element.get("type", ""))
        length, content = kind.place("length").type, kind.place("varData").type
        if not isinstance(length, Simple) or length.code not in "BHI" or not isinstance(content, Simple):
            raise ValueError(f"data {_name(element)!r}: its type counts no bytes")
        declared = self._elements[kind.name]
        encoding = next((m.get("characterEncoding", "") for m in declared if m.get("name") == "varData"), "")
        if element.get("semanticType", "").lower() == "string" or content.code == "c":
            encoding = encoding or "ISO-8859-1"
        return Data(_name(element), _number(element, "id", 0), length, encoding, _number(element, "sinceVersion", 0))


def read_schema(text: bytes) -> Schema:
    """The schema of an XML document. ValueError with a sentence when it is none."""
    if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
        raise ValueError("a schema has no document type: entities can be made to fill the memory")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314  without a document type nothing can expand
    except ElementTree.ParseError as wrong:
        raise ValueError(f"not XML: {wrong}") from None
    if _local(root) != "messageSchema":
        raise ValueError(f"the document is a {_local(root)!r}, not a messageSchema")
    reader = Reader(root)
    orders = {"littleEndian": "<", "bigEndian": ">"}
    order = root.get("byteOrder", "littleEndian")
    if order not in orders:
        raise ValueError(f"byteOrder {order!r}")
    header = reader.composite(root.get("headerType", "messageHeader"))
    for part in HEADER:
        header.place(part)
    messages: dict[int, Block] = {}
    for element in _messages(root):
        block = reader.block(element)
        if block.id in messages:
            raise ValueError(f"two messages have the id {block.id}")
        messages[block.id] = block
    return Schema(
        root.get("package", ""), _number(root, "id", 0), _number(root, "version", 0), orders[order], header, messages
    )


def _messages(root: ElementTree.Element) -> Iterator[ElementTree.Element]:
    return (element for element in root if _local(element) == "message")
