"""Plain backend of `engine.native`: the same primitives in ordinary Python. Slow, and obviously right."""

from __future__ import annotations

import ctypes
import time
from functools import cache, lru_cache
from typing import Any

import numpy as np

_libc = ctypes.CDLL(None, use_errno=True)
_STRATEGIES: list[Any] = []
_SIGN = 1 << 63
_ALL = (1 << 64) - 1
MOST_ARGUMENTS = 11


def hot(function: Any) -> Any:
    """Nothing to compile."""
    return function


hot_inlined = hot_entry = hot


def compile_strategy(function: Any) -> Any:
    """Remember the strategy hook; its number stands for its address."""
    _STRATEGIES.append(function)
    return len(_STRATEGIES)


def address_of_function(compiled: Any) -> int:
    """The number that `call_strategy` takes."""
    return int(compiled)


def address_of_entry(compiled: Any) -> int:
    """The number that `call_entry` takes."""
    return compile_strategy(compiled)


def call_entry(entry: int, *arguments: int) -> int:
    """Call the function numbered `entry`; the rest of its arguments are 0."""
    return int(_STRATEGIES[entry - 1](*arguments, *(0,) * (MOST_ARGUMENTS - len(arguments))))


def call_strategy(entry: int, context: int, row: int, event: int) -> int:
    """Call the strategy hook numbered `entry`."""
    return int(_STRATEGIES[entry - 1](context, row, event))


class _Row(ctypes.Structure):
    """A record in memory. Its fields read as Python numbers: numpy's of different signs do not mix."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value.item() if isinstance(value, np.generic) else value)


@cache
def _row_kind(dtype: np.dtype[Any]) -> type[_Row]:
    fields = []
    for name in dtype.names or ():
        kind = dtype.fields[name][0]  # type: ignore[index]
        if kind.base.kind in "iuf":
            single = np.ctypeslib.as_ctypes_type(kind.base)
            fields.append((name, single * kind.shape[0] if kind.shape else single))
        else:
            fields.append((name, ctypes.c_char * kind.itemsize))
    made = type("Row", (_Row,), {"_pack_": 1, "_fields_": fields})
    if ctypes.sizeof(made) != dtype.itemsize:
        raise TypeError(f"{dtype} has gaps between its fields")
    return made


class _Rows:
    """Records behind each other; an index beyond them is an error here, in compiled code it is not."""

    def __init__(self, address: int, count: int, dtype: np.dtype[Any]) -> None:
        self._address, self._count, self._kind, self._size = address, count, _row_kind(dtype), dtype.itemsize

    def __getitem__(self, index: int) -> _Row:
        if not 0 <= index < self._count:
            raise IndexError(f"record {index} of {self._count}")
        return self._kind.from_address(self._address + int(index) * self._size)


@lru_cache(maxsize=65536)
def _view(address: int, count: int, dtype: np.dtype[Any]) -> Any:
    if dtype.names:
        return _Rows(address, count, dtype)
    return np.frombuffer(memoryview((ctypes.c_char * (count * dtype.itemsize)).from_address(address)), dtype)


def view(address: int, count: int, dtype: np.dtype[Any]) -> Any:
    """`count` records of `dtype` at `address`, as an array that owns nothing."""
    return _view(int(address), int(count), dtype)


def wrap(value: int) -> int:
    """The value as a signed 64-bit integer, as compiled code would hold it."""
    value = int(value) & _ALL
    return value - (1 << 64) if value & _SIGN else value


def _load(address: int, length: int, order: Any) -> int:
    return int.from_bytes(ctypes.string_at(int(address), length), order)


def _store(address: int, value: int, length: int, order: Any) -> None:
    masked = int(value) & ((1 << (8 * length)) - 1)
    ctypes.memmove(int(address), masked.to_bytes(length, order), length)


def load_u8(address: int) -> int:
    return _load(address, 1, "little")


def load_be16(address: int) -> int:
    return _load(address, 2, "big")


def load_be32(address: int) -> int:
    return _load(address, 4, "big")


def load_be48(address: int) -> int:
    return _load(address, 6, "big")


def load_be64(address: int) -> int:
    return wrap(_load(address, 8, "big"))


def load_le16(address: int) -> int:
    return _load(address, 2, "little")


def load_le32(address: int) -> int:
    return _load(address, 4, "little")


def load_i64(address: int) -> int:
    return wrap(_load(address, 8, "little"))


def store_u8(address: int, value: int) -> None:
    _store(address, value, 1, "little")


def store_be16(address: int, value: int) -> None:
    _store(address, value, 2, "big")


def store_be32(address: int, value: int) -> None:
    _store(address, value, 4, "big")


def store_be48(address: int, value: int) -> None:
    _store(address, value, 6, "big")


def store_be64(address: int, value: int) -> None:
    _store(address, value, 8, "big")


def store_le16(address: int, value: int) -> None:
    _store(address, value, 2, "little")


def store_le32(address: int, value: int) -> None:
    _store(address, value, 4, "little")


def store_i64(address: int, value: int) -> None:
    _store(address, value, 8, "little")


def load_f64(address: int) -> float:
    return ctypes.c_double.from_address(int(address)).value


def store_f64(address: int, value: float) -> None:
    ctypes.c_double.from_address(int(address)).value = float(value)


load_acquire = load_i64
store_release = store_i64


def cycle_counter() -> int:
    return time.perf_counter_ns()


def pause() -> None:
    time.sleep(0)


def prefetch(address: int) -> None:
    """Nothing to bring near."""


def count_trailing_zeros(value: int) -> int:
    value = int(value) & _ALL
    return (value & -value).bit_length() - 1 if value else 64


def count_leading_zeros(value: int) -> int:
    return 64 - (int(value) & _ALL).bit_length()


def _crc_table() -> list[int]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


_CRC_TABLE = _crc_table()


def _crc_of(crc: int, data: bytes) -> int:
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc


def crc32c_u8(crc: int, value: int) -> int:
    """The CRC register after one more byte."""
    return _crc_of(crc, bytes([int(value) & 0xFF]))


def crc32c_u32(crc: int, value: int) -> int:
    """The CRC register after four more bytes, little endian."""
    return _crc_of(crc, (int(value) & 0xFFFFFFFF).to_bytes(4, "little"))


def crc32c_u64(crc: int, value: int) -> int:
    """The CRC register after eight more bytes, little endian."""
    return _crc_of(crc, (int(value) & _ALL).to_bytes(8, "little"))


def crc32c_more(crc: int, address: int, length: int) -> int:
    """The CRC register after `length` more bytes."""
    return _crc_of(crc, ctypes.string_at(int(address), int(length)))


def crc32c_fields(crc: int, address: int, dtype: np.dtype[Any]) -> int:
    """The CRC register after a record of `dtype`."""
    return crc32c_more(crc, address, dtype.itemsize)


def crc32c(address: int, length: int) -> int:
    """CRC-32C (Castagnoli) of `length` bytes."""
    return crc32c_more(0xFFFFFFFF, address, length) ^ 0xFFFFFFFF


def copy_bytes(target: int, source: int, length: int) -> None:
    """Copy `length` bytes between addresses that do not overlap."""
    ctypes.memmove(int(target), int(source), int(length))


def zero_bytes(target: int, length: int) -> None:
    """Set `length` bytes to zero."""
    ctypes.memset(int(target), 0, int(length))


def clock_gettime(clock: int, timespec: int) -> int:
    """Nanoseconds of `clock` (0 realtime, 1 monotonic)."""
    return time.clock_gettime_ns(int(clock))


def errno() -> int:
    """The error number of this thread's last libc call."""
    return ctypes.get_errno()


def _call(name: str, result: Any, *kinds: Any) -> Any:
    function = getattr(_libc, name)
    function.restype, function.argtypes = result, kinds
    return lambda *args: function(*(int(a) for a in args))


recv = _call("recv", ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
send = _call("send", ctypes.c_ssize_t, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
sendto = _call(
    "sendto",
    ctypes.c_ssize_t,
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_int,
)
poll = _call("poll", ctypes.c_int, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_int)
