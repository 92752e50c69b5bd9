"""Checked backend of `engine.native`: the plain one, and every access by address has to lie in registered memory.

A wrong address is an OutOfBounds exception at the line that used it, where compiled code would read its neighbour.
"""

# ruff: noqa: F401
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine import native_plain as plain
from engine.memory_regions import check
from engine.native_plain import (
    address_of_entry,
    address_of_function,
    call_entry,
    call_strategy,
    clock_gettime,
    compile_strategy,
    count_leading_zeros,
    count_trailing_zeros,
    crc32c_u8,
    crc32c_u32,
    crc32c_u64,
    cycle_counter,
    errno,
    hot,
    hot_entry,
    hot_inlined,
    pause,
    prefetch,
    wrap,
)

POLL_BYTES = 8


def _loading(load: Callable[[int], Any], length: int) -> Callable[[int], Any]:
    def checked(address: int) -> Any:
        check(int(address), length)
        return load(address)

    return checked


def _storing(store: Callable[[int, Any], None], length: int) -> Callable[[int, Any], None]:
    def checked(address: int, value: Any) -> None:
        check(int(address), length)
        store(address, value)

    return checked


load_u8 = _loading(plain.load_u8, 1)
load_be16, load_le16 = _loading(plain.load_be16, 2), _loading(plain.load_le16, 2)
load_be32, load_le32 = _loading(plain.load_be32, 4), _loading(plain.load_le32, 4)
load_be48 = _loading(plain.load_be48, 6)
load_be64, load_i64 = _loading(plain.load_be64, 8), _loading(plain.load_i64, 8)
load_f64 = _loading(plain.load_f64, 8)
store_u8 = _storing(plain.store_u8, 1)
store_be16, store_le16 = _storing(plain.store_be16, 2), _storing(plain.store_le16, 2)
store_be32, store_le32 = _storing(plain.store_be32, 4), _storing(plain.store_le32, 4)
store_be48 = _storing(plain.store_be48, 6)
store_be64, store_i64 = _storing(plain.store_be64, 8), _storing(plain.store_i64, 8)
store_f64 = _storing(plain.store_f64, 8)
load_acquire, store_release = load_i64, store_i64


def view(address: int, count: int, dtype: np.dtype[Any]) -> Any:
    """As in the plain backend, of registered memory only."""
    check(int(address), int(count) * dtype.itemsize)
    return plain.view(address, count, dtype)


def copy_bytes(target: int, source: int, length: int) -> None:
    """Copy `length` bytes between addresses that do not overlap."""
    check(int(target), int(length))
    check(int(source), int(length))
    plain.copy_bytes(target, source, length)


def zero_bytes(target: int, length: int) -> None:
    """Set `length` bytes to zero."""
    check(int(target), int(length))
    plain.zero_bytes(target, length)


def crc32c_more(crc: int, address: int, length: int) -> int:
    """The CRC register after `length` more bytes."""
    check(int(address), int(length))
    return plain.crc32c_more(crc, address, length)


def crc32c_fields(crc: int, address: int, dtype: np.dtype[Any]) -> int:
    """The CRC register after a record of `dtype`."""
    return crc32c_more(crc, address, dtype.itemsize)


def crc32c(address: int, length: int) -> int:
    """CRC-32C (Castagnoli) of `length` bytes."""
    check(int(address), int(length))
    return plain.crc32c(address, length)


def recv(fd: int, address: int, length: int, flags: int) -> int:
    """libc's recv."""
    check(int(address), int(length))
    return int(plain.recv(fd, address, length, flags))


def send(fd: int, address: int, length: int, flags: int) -> int:
    """libc's send."""
    check(int(address), int(length))
    return int(plain.send(fd, address, length, flags))


def sendto(fd: int, address: int, length: int, flags: int, peer: int, peer_length: int) -> int:
    """libc's sendto."""
    check(int(address), int(length))
    check(int(peer), int(peer_length))
    return int(plain.sendto(fd, address, length, flags, peer, peer_length))


def poll(address: int, count: int, timeout_ms: int) -> int:
    """libc's poll."""
    check(int(address), int(count) * POLL_BYTES)
    return int(plain.poll(address, count, timeout_ms))
