"""Memory that ends at a page nobody may touch: one byte read too far kills the process instead of going unnoticed."""

from __future__ import annotations

import ctypes
import mmap

from engine.memory_regions import forget, register

PROT_NONE = 0


class GuardedBuffer:
    """`size` bytes of room whose end is the start of an untouchable page."""

    def __init__(self, size: int) -> None:
        pages = -(-size // mmap.PAGESIZE)
        self._map = mmap.mmap(-1, (pages + 1) * mmap.PAGESIZE)
        self._start = ctypes.addressof(ctypes.c_char.from_buffer(self._map))
        self._end = pages * mmap.PAGESIZE
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        if libc.mprotect(self._start + self._end, mmap.PAGESIZE, PROT_NONE) != 0:
            raise OSError(ctypes.get_errno(), "mprotect failed")

        self._placed = 0

    @property
    def end(self) -> int:
        """Address of the untouchable page. Whoever asks may touch all the room before it."""
        register(self._start, self._end, self)
        return self._start + self._end

    def place(self, raw: bytes) -> int:
        """Put the bytes right before the untouchable page. Returns their address, good until the next call."""
        if len(raw) > self._end:
            raise ValueError(f"{len(raw)} bytes do not fit a guarded buffer of {self._end}")
        self._map[self._end - len(raw) : self._end] = raw
        forget(self._placed)
        self._placed = self._start + self._end - len(raw)
        register(self._placed, len(raw), self)
        return self._placed
