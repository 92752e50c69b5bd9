"""A Parquet file of one table: one row group, one plain page a column, nothing compressed, no column empty.

Written by us because whole numbers, fractions and short texts are all that an export has; the format is Apache Parquet
2 (parquet.thrift, Encodings.md), its metadata in Thrift's compact protocol.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np

MAGIC = b"PAR1"
INT64, DOUBLE, BYTE_ARRAY = 2, 5, 6
UTF8 = 0  # ConvertedType
REQUIRED = 0
PLAIN, RLE = 0, 3
UNCOMPRESSED = 0
DATA_PAGE = 0
I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12  # types of the compact protocol
Column = tuple[int, bytes]


def write_parquet(path: Path, columns: dict[str, Any]) -> None:
    """`columns`: name -> whole numbers, fractions (NaN: not known) or texts, all equally many."""
    rows = {len(values) for values in columns.values()}
    if len(rows) > 1:
        raise ValueError(f"the columns have {sorted(rows)} rows")
    count = rows.pop() if rows else 0
    body = bytearray(MAGIC)
    chunks = []
    for name, values in columns.items():
        kind, data = _encoded(values)
        header = _page_header(len(data), count)
        chunks.append(_chunk(name, kind, count, len(body), len(header) + len(data)))
        body += header + data
    footer = _footer(columns, chunks, count, len(body) - len(MAGIC))
    path.write_bytes(bytes(body) + footer + struct.pack("<I", len(footer)) + MAGIC)


def _kind(values: Any) -> int:
    dtype = np.asarray(values).dtype
    if dtype.kind in "iub":
        return INT64
    return DOUBLE if dtype.kind == "f" else BYTE_ARRAY


def _encoded(values: Any) -> Column:
    """Type and PLAIN bytes of a column."""
    kind = _kind(values)
    if kind == BYTE_ARRAY:
        texts = [str(text).encode() for text in values]
        return kind, b"".join(struct.pack("<I", len(text)) + text for text in texts)
    return kind, np.asarray(values).astype("<i8" if kind == INT64 else "<f8").tobytes()


def _varint(number: int) -> bytes:
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


def _number(value: int) -> bytes:
    return _varint(value << 1 if value >= 0 else (-value << 1) - 1)


def _struct(fields: list[tuple[int, int, bytes]]) -> bytes:
    """Fields as (id, type, encoded value), ids rising by at most 15."""
    made, last = bytearray(), 0
    for identifier, kind, value in fields:
        made.append((identifier - last) << 4 | kind)
        made += value
        last = identifier
    return bytes(made) + b"\0"


def _list(kind: int, items: list[bytes]) -> bytes:
    size = bytes([len(items) << 4 | kind]) if len(items) < 15 else bytes([0xF0 | kind]) + _varint(len(items))
    return size + b"".join(items)


def _text(text: str) -> bytes:
    raw = text.encode()
    return _varint(len(raw)) + raw


def _page_header(size: int, count: int) -> bytes:
    data = _struct(
        [(1, I32, _number(count)), *((at, I32, _number(kind)) for at, kind in ((2, PLAIN), (3, RLE), (4, RLE)))]
    )
    sizes = [(1, I32, _number(DATA_PAGE)), (2, I32, _number(size)), (3, I32, _number(size))]
    return _struct([*sizes, (5, STRUCT, data)])


def _chunk(name: str, kind: int, count: int, offset: int, size: int) -> bytes:
    """ColumnChunk with its ColumnMetaData."""
    metadata = _struct(
        [
            (1, I32, _number(kind)),
            (2, LIST, _list(I32, [_number(PLAIN), _number(RLE)])),
            (3, LIST, _list(BINARY, [_text(name)])),
            (4, I32, _number(UNCOMPRESSED)),
            (5, I64, _number(count)),
            (6, I64, _number(size)),
            (7, I64, _number(size)),
            (9, I64, _number(offset)),
        ]
    )
    return _struct([(2, I64, _number(offset)), (3, STRUCT, metadata)])


def _footer(columns: dict[str, Any], chunks: list[bytes], count: int, size: int) -> bytes:
    """FileMetaData."""
    schema = [_struct([(4, BINARY, _text("table")), (5, I32, _number(len(columns)))])]
    for name, values in columns.items():
        kind = _kind(values)
        fields = [(1, I32, _number(kind)), (3, I32, _number(REQUIRED)), (4, BINARY, _text(name))]
        schema.append(_struct([*fields, (6, I32, _number(UTF8))] if kind == BYTE_ARRAY else fields))
    group = _struct([(1, LIST, _list(STRUCT, chunks)), (2, I64, _number(size)), (3, I64, _number(count))])
    return _struct(
        [
            (1, I32, _number(1)),
            (2, LIST, _list(STRUCT, schema)),
            (3, I64, _number(count)),
            (4, LIST, _list(STRUCT, [group])),
            (6, BINARY, _text("desk")),
        ]
    )
