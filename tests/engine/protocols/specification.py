"""The specifications' own field tables, typed in from the documents and kept apart from the layouts under test.

Each message is its letter and the lengths and types of its fields after the type byte: I integer, T time
stamp, P price, A text.
nasdaq-protocols makes an independent encoder and decoder out of them.
"""

from __future__ import annotations

from typing import Any

from nasdaq_protocols.common import message as wire

ITCH_HEADER = "I2 I2 T6"
ITCH50 = {
    "S": "A1",
    "R": "A8 A1 A1 I4 A1 A1 A2 A1 A1 A1 A1 A1 I4 A1",
    "H": "A8 A1 A1 A4",
    "Y": "A8 A1",
    "L": "A4 A8 A1 A1 A1",
    "V": "P8 P8 P8",
    "W": "A1",
    "K": "A8 I4 A1 P4",
    "J": "A8 P4 P4 P4 I4",
    "h": "A8 A1 A1",
    "A": "I8 A1 I4 A8 P4",
    "F": "I8 A1 I4 A8 P4 A4",
    "E": "I8 I4 I8",
    "C": "I8 I4 I8 A1 P4",
    "X": "I8 I4",
    "D": "I8",
    "U": "I8 I8 I4 P4",
    "P": "I8 A1 I4 A8 P4 I8",
    "Q": "I8 A8 P4 I8 A1",
    "B": "I8",
    "I": "I8 I8 A1 A8 P4 P4 P4 A1 A1",
    "N": "A8 A1",
    "O": "A8 A1 P4 P4 P4 I8 P4 P4",
}
ITCH50_LENGTHS = {
    "S": 12, "R": 39, "H": 25, "Y": 20, "L": 26, "V": 35, "W": 12, "K": 28, "J": 35, "h": 21, "A": 36, "F": 40, "E": 31,
    "C": 36, "X": 23, "D": 19, "U": 35, "P": 44, "Q": 40, "B": 19, "I": 50, "N": 20, "O": 48,
}  # fmt: skip
OUCH50_INBOUND = {
    "O": "I4 A1 I4 A8 P8 A1 A1 A1 A1 A1 A14",
    "U": "I4 I4 I4 P8 A1 A1 A1 A14",
    "X": "I4 I4",
    "M": "I4 A1 I4",
    "C": "I4 A4 A8",
    "D": "I4 A4",
    "E": "I4 A4",
    "Q": "",
}
OUCH50_OUTBOUND = {
    "S": "T8 A1",
    "A": "T8 I4 A1 I4 A8 P8 A1 A1 I8 A1 A1 A1 A1 A14",
    "U": "T8 I4 I4 A1 I4 A8 P8 A1 A1 I8 A1 A1 A1 A1 A14",
    "C": "T8 I4 I4 A1",
    "D": "T8 I4 I4 A1 I4 P8 A1 A1",
    "E": "T8 I4 I4 P8 A1 I8",
    "B": "T8 I4 I8 A1 A14",
    "F": "T8 I4 I4 P8 A1 I8 A1 A14",
    "J": "T8 I4 I2 A14",
    "P": "T8 I4",
    "I": "T8 I4",
    "T": "T8 I4 P8 A1 I8",
    "M": "T8 I4 A1 I4",
    "R": "T8 I4 A1",
    "X": "T8 I4 A4 A8",
    "G": "T8 I4 A4",
    "K": "T8 I4 A4",
    "Q": "T8 I4",
}
OUCH50_INBOUND_LENGTHS = {"O": 45, "U": 38, "X": 9, "M": 10, "C": 17, "D": 9, "E": 9, "Q": 1}
OUCH50_OUTBOUND_LENGTHS = {
    "S": 10, "A": 62, "U": 66, "C": 18, "D": 32, "E": 34, "B": 36, "F": 49, "J": 29, "P": 13, "I": 13, "T": 30, "M": 18,
    "R": 14, "X": 25, "G": 17, "K": 17, "Q": 13,
}  # fmt: skip
OUCH42_INBOUND = {
    "O": "A14 A1 I4 A8 P4 I4 A4 A1 A1 A1 I4 A1 A1",
    "U": "A14 A14 I4 P4 I4 A1 A1 I4",
    "X": "A14 I4",
    "M": "A14 A1 I4",
}
OUCH42_OUTBOUND = {
    "S": "T8 A1",
    "A": "T8 A14 A1 I4 A8 P4 I4 A4 A1 I8 A1 A1 I4 A1 A1 A1",
    "U": "T8 A14 A1 I4 A8 P4 I4 A4 A1 I8 A1 A1 I4 A1 A1 A14 A1",
    "C": "T8 A14 I4 A1",
    "D": "T8 A14 I4 A1 I4 P4 A1 A1",
    "E": "T8 A14 I4 P4 A1 I8",
    "G": "T8 A14 I4 P4 A1 I8 P4 A1",
    "B": "T8 A14 I8 A1",
    "F": "T8 A14 I4 P4 A1 I8 A1",
    "J": "T8 A14 A1",
    "P": "T8 A14",
    "I": "T8 A14",
    "T": "T8 A14 P4 A1 I8",
    "M": "T8 A14 A1 I4",
}
OUCH42_INBOUND_LENGTHS = {"O": 49, "U": 47, "X": 19, "M": 20}
OUCH42_OUTBOUND_LENGTHS = {
    "S": 10, "A": 66, "U": 80, "C": 28, "D": 38, "E": 40, "G": 45, "B": 32, "F": 41, "J": 24, "P": 23, "I": 23, "T": 36,
    "M": 28,
}  # fmt: skip


class SixBytes(wire.IntBE):
    """The one type of the specifications that nasdaq-protocols does not have."""

    to_bytes = staticmethod(lambda value: (6, value.to_bytes(6, "big")))
    from_bytes = staticmethod(lambda raw: (6, int.from_bytes(raw[:6], "big")))


INTEGERS = {2: wire.UnsignedShortBE, 4: wire.UnsignedIntBE, 6: SixBytes, 8: wire.UnsignedLongBE}


def independent(fields: str) -> type[Any]:
    """A nasdaq-protocols record with fields f0, f1, ... of these types."""
    kinds = [(text[0], int(text[1:])) for text in fields.split()]
    made = [wire.FixedIsoString(length=size) if kind == "A" else INTEGERS[size] for kind, size in kinds]
    listed = [wire.Field(f"f{index}", kind) for index, kind in enumerate(made)]
    return type("Body", (wire.Record,), {"Fields": listed})


def independent_bytes(fields: str, values: list[Any]) -> bytes:
    """These values as nasdaq-protocols writes them."""
    body = independent(fields)
    record = body({f"f{index}": value for index, value in enumerate(values)})
    return bytes(body.to_bytes(record)[1])


def independent_values(fields: str, raw: bytes) -> list[Any]:
    """The values that nasdaq-protocols reads."""
    read, record = independent(fields).from_bytes(raw)
    assert read == len(raw)
    return [record.values[f"f{index}"] for index in range(len(fields.split()))]
