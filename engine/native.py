"""The one place where compilation is decided, and every primitive of the hot path: memory, clock, sockets.

`ENGINE_BACKEND` chooses at process start how the same source runs:
  native   compiled by numba; memory through LLVM loads and stores (the default)
  plain    interpreted; memory through ctypes. The reference for tests, and what a debugger steps through
  checked  as plain, and every load and store by address has to lie in memory that was registered

Addresses are plain integers. Whoever takes an address keeps its owner alive. Integers are signed 64 bit in every
backend; hot code masks anything that could pass that (see `wrap`).
"""

# ruff: noqa: F401
from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.build import cache_directory
from engine.memory_regions import register
from engine.pages import take

BACKEND = os.environ.get("ENGINE_BACKEND", "native")
if BACKEND not in ("native", "plain", "checked"):
    raise SystemExit(f"ENGINE_BACKEND is {BACKEND!r}; it must be native, plain or checked")

if BACKEND == "native":
    import numba

    # Said to numba itself: its environment variable goes unread when something imported it before.
    numba.config.CACHE_DIR = str(cache_directory())
    from engine import native_library, native_reading

    native_library.install()
    native_reading.install()
    from engine.native_checksums import crc32c, crc32c_fields, crc32c_more, crc32c_u8, crc32c_u32, crc32c_u64
    from engine.native_llvm import (
        address_of_entry,
        address_of_function,
        call_entry,
        call_strategy,
        clock_gettime,
        compile_strategy,
        copy_bytes,
        count_leading_zeros,
        count_trailing_zeros,
        cycle_counter,
        errno,
        hot,
        hot_entry,
        hot_inlined,
        load_acquire,
        load_be16,
        load_be32,
        load_be48,
        load_be64,
        load_f64,
        load_i64,
        load_le16,
        load_le32,
        load_u8,
        pause,
        poll,
        prefetch,
        recv,
        send,
        sendto,
        store_be16,
        store_be32,
        store_be48,
        store_be64,
        store_f64,
        store_i64,
        store_le16,
        store_le32,
        store_release,
        store_u8,
        wrap,
        zero_bytes,
    )
    from engine.native_views import fix_fields, view
elif BACKEND == "checked":
    from engine.native_checked import (
        address_of_entry,
        address_of_function,
        call_entry,
        call_strategy,
        clock_gettime,
        compile_strategy,
        copy_bytes,
        count_leading_zeros,
        count_trailing_zeros,
        crc32c,
        crc32c_fields,
        crc32c_more,
        crc32c_u8,
        crc32c_u32,
        crc32c_u64,
        cycle_counter,
        errno,
        hot,
        hot_entry,
        hot_inlined,
        load_acquire,
        load_be16,
        load_be32,
        load_be48,
        load_be64,
        load_f64,
        load_i64,
        load_le16,
        load_le32,
        load_u8,
        pause,
        poll,
        prefetch,
        recv,
        send,
        sendto,
        store_be16,
        store_be32,
        store_be48,
        store_be64,
        store_f64,
        store_i64,
        store_le16,
        store_le32,
        store_release,
        store_u8,
        view,
        wrap,
        zero_bytes,
    )
else:
    from engine.native_plain import (
        address_of_entry,
        address_of_function,
        call_entry,
        call_strategy,
        clock_gettime,
        compile_strategy,
        copy_bytes,
        count_leading_zeros,
        count_trailing_zeros,
        crc32c,
        crc32c_fields,
        crc32c_more,
        crc32c_u8,
        crc32c_u32,
        crc32c_u64,
        cycle_counter,
        errno,
        hot,
        hot_entry,
        hot_inlined,
        load_acquire,
        load_be16,
        load_be32,
        load_be48,
        load_be64,
        load_f64,
        load_i64,
        load_le16,
        load_le32,
        load_u8,
        pause,
        poll,
        prefetch,
        recv,
        send,
        sendto,
        store_be16,
        store_be32,
        store_be48,
        store_be64,
        store_f64,
        store_i64,
        store_le16,
        store_le32,
        store_release,
        store_u8,
        view,
        wrap,
        zero_bytes,
    )
if BACKEND != "native":

    def fix_fields(dtype: Any, names: tuple[str, ...]) -> None:
        """Nothing to say to an interpreter (see `engine.native_views`)."""


AGAIN = 11  # errno EAGAIN: nothing to read yet
DONT_WAIT = 0x40  # MSG_DONTWAIT
NO_SIGNAL = 0x4000  # MSG_NOSIGNAL: a closed socket is an answer, not a signal


def address_of(array: np.ndarray[Any, Any]) -> int:
    """Address of an array's first byte. The caller keeps the array alive as long as the address is used."""
    address = int(array.ctypes.data)
    register(address, array.nbytes, array)
    return address


def touched(count: int, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """`count` zeroed records whose every page is already mapped (a first touch costs 2.5 us), aligned to 64 bytes."""
    made: np.ndarray[Any, Any] = take(count * dtype.itemsize).view(dtype)
    address_of(made)  # nobody may need its address again, but its neighbours must not be touched through it
    return made


Hot = Callable[..., Any]

__all__ = [name for name in dir() if not name.startswith("_")]
