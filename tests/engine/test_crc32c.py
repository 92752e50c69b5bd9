"""CRC-32C of every backend, against the vectors of RFC 3720 (B.4) and, step by step, against itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import native
from engine.messages.codes import RecordKind
from engine.messages.journal import BODIES
from engine.native import address_of, hot

Bytes = np.ndarray[Any, Any]
PUBLISHED = [
    (b"123456789", 0xE3069283),  # the check value of the Castagnoli polynomial
    (bytes(32), 0x8A9136AA),
    (b"\xff" * 32, 0x62A8AB43),
    (bytes(range(32)), 0x46DD794E),
    (bytes(range(31, -1, -1)), 0x113FDB5C),
]


@hot
def whole(address, length):
    return native.crc32c(address, length)


@hot
def in_steps(address, words):
    """The first `words` words of eight bytes by the word, then one of four bytes and one byte."""
    crc = 0xFFFFFFFF
    for at in range(words):
        crc = native.crc32c_u64(crc, native.load_i64(address + at * 8))
    crc = native.crc32c_u32(crc, native.load_le32(address + words * 8))
    return native.crc32c_u8(crc, native.load_u8(address + words * 8 + 4)) ^ 0xFFFFFFFF


def placed(data: bytes, offset: int = 0) -> Bytes:
    """The bytes, `offset` bytes after an address that eight divides."""
    memory = np.zeros(len(data) + 16, np.uint8)
    start = (-address_of(memory) % 8) + offset
    memory[start : start + len(data)] = np.frombuffer(data, np.uint8)
    return memory[start : start + len(data)]


@pytest.mark.parametrize(("data", "expected"), PUBLISHED)
@pytest.mark.parametrize("offset", [0, 1, 4, 7])
def test_published_values_wherever_the_bytes_lie(data: bytes, expected: int, offset: int) -> None:
    there = placed(data, offset)
    assert whole(address_of(there), len(data)) == expected


@given(st.binary(min_size=5, max_size=69).filter(lambda data: len(data) % 8 == 5))
def test_steps_of_every_width_give_what_the_whole_gives(data: bytes) -> None:
    there = placed(data)
    assert in_steps(address_of(there), len(data) // 8) == whole(address_of(there), len(data))


@pytest.mark.parametrize("kind", sorted(BODIES.keys() - {RecordKind.STRATEGY_STATE}))  # which the loop does not write
def test_field_by_field_a_record_gives_what_the_whole_gives(kind: RecordKind) -> None:
    """Whatever the widths of its fields: numbers, arrays of bytes, padding."""
    dtype = BODIES[kind]

    @hot
    def by_fields(address):
        return native.crc32c_fields(0xFFFFFFFF, address, dtype) ^ 0xFFFFFFFF

    there = placed(np.random.default_rng(int(kind)).bytes(dtype.itemsize))
    assert by_fields(address_of(there)) == whole(address_of(there), dtype.itemsize)


@pytest.mark.skipif(native.BACKEND != "native", reason="about compiled code")
def test_a_processor_without_the_instruction_gets_the_same() -> None:
    from engine.native_checksums import _crc_loop

    steps = {bits: _crc_loop(bits) for bits in (8, 32, 64)}
    step_8, step_32, step_64 = steps[8], steps[32], steps[64]

    @hot
    def without(address):
        crc = step_64(0xFFFFFFFF, native.load_i64(address))
        crc = step_32(crc, native.load_le32(address + 8))
        return step_8(crc, native.load_u8(address + 12)) ^ 0xFFFFFFFF

    there = placed(b"\xff123456789\x80\x00\xfe")
    assert without(address_of(there)) == whole(address_of(there), 13)
