"""Native CRC-32C of `engine.native`: by the processor's instruction where it has one.

A checksum of a record that was just written field by field must not be read in other pieces than it was written in: a
word that lies in two stores has to reach the cache before it can be loaded, and the next record waits for it.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from engine.native_llvm import I32, I64, hot, load_i64, load_le32, load_u8

WORD = 8


def _crc_instruction(bits: int) -> Any:
    """The processor's instruction for `bits` more bits."""
    register = I64 if bits == 64 else I32

    def generate(_ctx: Any, builder: Any, _sig: Any, args: Any) -> Any:
        kind = ir.FunctionType(register, [register, ir.IntType(bits)])
        name = f"llvm.x86.sse42.crc32.{register.width}.{bits}"
        crc = args[0] if bits == 64 else builder.trunc(args[0], register)
        value = args[1] if bits == 64 else builder.trunc(args[1], ir.IntType(bits))
        made = builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [crc, value])
        return made if bits == 64 else builder.zext(made, I64)

    @intrinsic
    def step(_context: Any, _crc: Any, _value: Any) -> Any:
        return types.int64(types.int64, types.int64), generate

    return step


def _crc_loop(bits: int) -> Any:
    """The same without such an instruction."""

    @njit(inline="always")
    def step(crc, value):
        for at in range(0, bits, 8):
            crc ^= (value >> at) & 0xFF
            for _ in range(8):
                crc = (crc >> 1) ^ (0x82F63B78 & -(crc & 1))
        return crc

    return step


_crc_of = _crc_instruction if llvm.get_host_cpu_features().get("sse4.2") else _crc_loop
crc32c_u8, crc32c_u32, crc32c_u64 = _crc_of(8), _crc_of(32), _crc_of(64)


def _add_word(crc, word):
    return crc32c_u64(crc, word)


@hot
def crc32c_more(crc, address, length):
    """The CRC register after `length` more bytes. Words are read where fields of eight bytes lie: one that was just
    written in two stores would have to reach the cache before it can be read."""
    at = address
    end = address + length
    if at & 4 != 0 and length >= 4:
        crc = crc32c_u32(crc, load_le32(at))
        at += 4
    while at + 8 <= end:
        crc = crc32c_u64(crc, load_i64(at))
        at += 8
    if at + 4 <= end:
        crc = crc32c_u32(crc, load_le32(at))
        at += 4
    while at < end:
        crc = crc32c_u8(crc, load_u8(at))
        at += 1
    return crc


@njit(inline="always")
def crc32c(address, length):
    """CRC-32C (Castagnoli) of `length` bytes."""
    return crc32c_more(0xFFFFFFFF, address, length) ^ 0xFFFFFFFF


def _pieces(record: types.Record) -> list[list[tuple[int, int]]]:
    """For each word of a record the fields in it, (offset in the word, bytes). What is no number, or lies in two words,
    is taken in whole words."""
    words: list[list[tuple[int, int]]] = [[] for _ in range(record.size // WORD)]
    for name in record.fields:
        at, kind = record.offset(name), record.typeof(name)
        size = kind.bitwidth // 8 if isinstance(kind, types.Number) else 0
        if size and at % WORD + size <= WORD:
            words[at // WORD].append((at % WORD, size))
    return [pieces if sum(size for _, size in pieces) == WORD else [(0, WORD)] for pieces in words]


def _load(builder: Any, address: Any, size: int) -> Any:
    """An atomic load, so that the compiler does not make one of several: it costs the same."""
    kind = ir.IntType(8 * size)
    pointer = builder.inttoptr(address, kind.as_pointer())
    return builder.zext(builder.load_atomic(pointer, "monotonic", size), I64) if size < WORD else builder.load(pointer)


@intrinsic
def crc32c_fields(_context: Any, _crc: Any, _address: Any, dtype: Any) -> Any:
    """The CRC register after a record of `dtype`, a multiple of eight bytes, at an address that is one. Each field is
    read as it is written."""
    words = _pieces(dtype.dtype)
    step = types.int64(types.int64, types.int64)

    def generate(context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        crc, address = args[0], args[1]
        for n, pieces in enumerate(words):
            word = I64(0)
            for at, size in pieces:
                value = _load(builder, builder.add(address, I64(WORD * n + at)), size)
                word = builder.or_(word, builder.shl(value, I64(8 * at)))
            crc = context.compile_internal(builder, _add_word, step, [crc, word])
        return crc

    return types.int64(types.int64, types.int64, dtype), generate
