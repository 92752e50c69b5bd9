"""A segment: one file of a log, mapped and pre-touched, so that the loop never waits for a page.

    offset 0     SEGMENT_HEADER, 64 bytes, fixed once the segment is begun; `checksum` is CRC-32C of the rest of it
    offset 64    the published tail: offset of the end of the last whole record, 0 while the segment is only prepared.
                 In shared memory only; zero on disk, where the end of the file says it
    offset 4096  records, back to back

A killed process loses nothing: the pages belong to the kernel. No numba here: the copier imports this file.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import time
from pathlib import Path

import numpy as np

from engine.journal.places import LogPlace
from engine.memory_regions import register

MAGIC = int.from_bytes(b"DESKLOG\0", "little")
SEGMENT_VERSION = 1
DATA_OFFSET = 4096
TAIL_OFFSET = 64

SEGMENT_HEADER = np.dtype(
    [
        ("checksum", "<u4"),
        ("version", "<u4"),
        ("magic", "<i8"),
        ("log", "<i8"),
        ("number", "<i8"),
        ("first", "<i8"),
        ("session", "<i8"),
        ("capacity", "<i8"),
        ("time_ns", "<i8"),
    ]
)
HEADER_CHECKED_OFFSET = 4  # the checksum does not cover itself
HEADER_CHECKED_BYTES = SEGMENT_HEADER.itemsize - HEADER_CHECKED_OFFSET

_MADV_POPULATE_WRITE = 23
_libc = ctypes.CDLL(None, use_errno=True)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


class Segment:
    """A mapped segment. `address` is where it starts; `data` is its bytes."""

    def __init__(self, path: Path, *, writable: bool) -> None:
        """Map the file. FileNotFoundError when it is gone, ValueError when it is shorter than its header page."""
        descriptor = os.open(path, os.O_RDWR if writable else os.O_RDONLY)
        try:
            length = os.fstat(descriptor).st_size
            if length < DATA_OFFSET:
                raise ValueError(f"{path} has {length} bytes; a segment has at least {DATA_OFFSET}")
            access = mmap.PROT_READ | (mmap.PROT_WRITE if writable else 0)
            memory = mmap.mmap(descriptor, length, mmap.MAP_SHARED, access)
        finally:
            os.close(descriptor)
        self.path = path
        self.length = length
        self.data = np.frombuffer(memory, np.uint8)
        self.address = int(self.data.ctypes.data)
        register(self.address, length, self)
        self.header = self.data[: SEGMENT_HEADER.itemsize].view(SEGMENT_HEADER)
        self._tail = self.data[TAIL_OFFSET : TAIL_OFFSET + 8].view("<i8")

    @property
    def number(self) -> int:
        return int(self.header["number"][0])

    @property
    def first(self) -> int:
        """Sequence (or recording position) of the first record."""
        return int(self.header["first"][0])

    @property
    def session(self) -> int:
        return int(self.header["session"][0])

    @property
    def tail(self) -> int:
        """The published tail: one aligned 64-bit load. 0 while the segment is only prepared, and on disk."""
        return int(self._tail[0])

    def touch(self) -> None:
        """Map every page for writing now: a first touch in the loop costs 2.5 us. Other threads keep running."""
        if _libc.madvise(self.address, self.length, _MADV_POPULATE_WRITE) != 0:
            self.data[:: mmap.PAGESIZE] |= 0

    def close(self) -> None:
        """Unmap, once the last array over it is gone. Every address into the segment is void afterwards."""
        del self.data, self.header, self._tail


def prepare_segment(place: LogPlace, number: int, session: int, capacity: int) -> Segment:
    """Create a segment file of `capacity` bytes, every page allocated and mapped, not begun.

    Raises OSError when there is no room: a full shared memory must be found here, never by the loop.
    """
    path = place.shared_file(number)
    unready = path.with_suffix(".unready")
    descriptor = os.open(unready, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, capacity)
    except OSError:
        unready.unlink()
        raise
    finally:
        os.close(descriptor)
    segment = Segment(unready, writable=True)
    segment.touch()
    values = (0, SEGMENT_VERSION, MAGIC, int(place.log), number, 0, session, capacity, time.time_ns())
    segment.header[0] = values
    unready.rename(path)
    segment.path = path
    return segment


def begun(segment: Segment) -> bool:
    """Whether the loop has begun to write the segment."""
    return segment.tail != 0
