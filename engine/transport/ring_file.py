"""A single-producer single-consumer ring of records in shared memory, for a process without the compiled loop.

The file holds a 256-byte header and `capacity` slots of 128 bytes. Header words (64 bit, little endian): magic at 0,
capacity at 8, creation time at 16, when the producer last heard its counterparty at 24; `head` (records consumed,
written by the consumer only) at 64 and `tail` (records produced, written by the producer only) at 128, each on a cache
line of its own. A slot is its sequence (from 1), kind, length, and 96 bytes of body. Both counters only grow, and
memory outlives a killed process, so either side may die and attach again: what was pushed is still there, what was not
published never happened, and a record stays until its consumer has finished with it (`peek`, process, `advance`).
`engine.transport.rings` is the same ring for the loop.

Plain stores are enough here: the interpreter neither reorders nor tears an aligned 64-bit store through ctypes, and x86
keeps stores in order with stores and loads with loads. A processor that promises less is refused at `open_ring`.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import time
from pathlib import Path

from engine.memory_regions import register

SLOT_SIZE = 128
BODY_SIZE = 96
HEADER_SIZE = 256
DEFAULT_CAPACITY = 8192

MAGIC = 0x31474E49524B5344  # "DSKRING1"
CAPACITY_AT, CREATED_AT, HEARD_AT, HEAD_AT, TAIL_AT = 8, 16, 24, 64, 128
SEQUENCE_AT, KIND_AT, LENGTH_AT, BODY_AT = 0, 8, 16, 32


class RingFile:
    """One attached ring: one process pushes, one other peeks and advances.

    `address` is where the mapping starts, for the functions of `engine.transport.rings`; valid while this object lives.
    """

    def __init__(self, path: Path, memory: mmap.mmap, capacity: int) -> None:
        self.path = path
        self.capacity = capacity
        self._memory = memory
        self._whole = (ctypes.c_char * len(memory)).from_buffer(memory)
        self.address = ctypes.addressof(self._whole)
        register(self.address, len(memory), self)
        self._head = ctypes.c_uint64.from_address(self.address + HEAD_AT)
        self._tail = ctypes.c_uint64.from_address(self.address + TAIL_AT)

    @property
    def created_ns(self) -> int:
        """When the file was made: with a sequence it names one record for ever."""
        return self._word(CREATED_AT)

    @property
    def heard_ns(self) -> int:
        """When the producer last heard its counterparty, heartbeats included, that are no records; 0 for never."""
        return self._word(HEARD_AT)

    @heard_ns.setter
    def heard_ns(self, time_ns: int) -> None:
        self._store(HEARD_AT, time_ns)

    @property
    def head(self) -> int:
        """Records consumed so far."""
        return int(self._head.value)

    @property
    def tail(self) -> int:
        """Records produced so far."""
        return int(self._tail.value)

    def push(self, kind: int, body: bytes) -> bool:
        """Append one record (kind 1..2^63, body at most 96 bytes, zero padded). False when the ring is full."""
        if kind <= 0 or len(body) > BODY_SIZE:
            raise ValueError(f"kind {kind} with {len(body)} bytes is not a ring record")
        tail = self.tail
        if tail - self.head >= self.capacity:
            return False
        slot = self._slot(tail)
        self._store(slot + SEQUENCE_AT, tail + 1)
        self._store(slot + KIND_AT, kind)
        self._store(slot + LENGTH_AT, len(body))
        ctypes.memmove(self.address + slot + BODY_AT, body.ljust(BODY_SIZE, b"\0"), BODY_SIZE)
        self._tail.value = tail + 1
        return True

    def peek(self) -> tuple[int, int, bytes] | None:
        """Sequence, kind and 96-byte body of the oldest record; None when there is none. It stays until `advance`."""
        head = self.head
        if head >= self.tail:
            return None
        slot = self._slot(head)
        sequence = self._word(slot + SEQUENCE_AT)
        if sequence != head + 1:
            raise RuntimeError(f"{self.path}: slot {head} holds record {sequence}, not {head + 1}")
        body = ctypes.string_at(self.address + slot + BODY_AT, BODY_SIZE)
        return sequence, self._word(slot + KIND_AT), body

    def advance(self) -> None:
        """Give the oldest record back: it is processed and will not be seen again."""
        if self.head >= self.tail:
            raise RuntimeError(f"{self.path}: nothing to advance over")
        self._head.value = self.head + 1

    def newest(self) -> tuple[int, bytes] | None:
        """Kind and body of the last record that was ever pushed, taken or not; None in a new ring."""
        return self._at(self.tail - 1) if self.tail else None

    def taken(self) -> tuple[int, bytes] | None:
        """Kind and body of the last record that was given back; None when there is none, or its slot is used again."""
        return self._at(self.head - 1) if self.head else None

    def kind(self, sequence: int) -> int:
        """Kind of the record with this sequence, which must still be in its slot."""
        return self._word(self._slot(sequence - 1) + KIND_AT)

    def rewrite(self, sequence: int, offset: int, replacement: bytes) -> None:
        """Change bytes in the body of a record that nobody has taken, while neither side is at work."""
        place = self.address + self._slot(sequence - 1) + BODY_AT + offset
        ctypes.memmove(place, replacement, len(replacement))

    def _at(self, index: int) -> tuple[int, bytes] | None:
        slot = self._slot(index)
        if self._word(slot + SEQUENCE_AT) != index + 1:
            return None
        return self._word(slot + KIND_AT), ctypes.string_at(self.address + slot + BODY_AT, BODY_SIZE)

    def _slot(self, index: int) -> int:
        return HEADER_SIZE + (index & (self.capacity - 1)) * SLOT_SIZE

    def _word(self, offset: int) -> int:
        return int(ctypes.c_uint64.from_address(self.address + offset).value)

    def _store(self, offset: int, value: int) -> None:
        ctypes.c_uint64.from_address(self.address + offset).value = value


def open_ring(path: Path, capacity: int = DEFAULT_CAPACITY) -> RingFile:
    """Attach the ring at `path`, making it if absent. `capacity` is a power of two, in records.

    ValueError when the file is not a ring of that capacity; RuntimeError on a processor that is not x86-64.
    """
    if platform.machine() not in ("x86_64", "AMD64"):
        raise RuntimeError(f"rings need the store order of x86-64; this machine is {platform.machine()}")
    if capacity < 2 or capacity & (capacity - 1):
        raise ValueError(f"a ring's capacity is a power of two, not {capacity}")
    if not path.exists():
        _create(path, capacity)
    with path.open("r+b") as file:
        size = os.fstat(file.fileno()).st_size
        if size != HEADER_SIZE + capacity * SLOT_SIZE:
            raise ValueError(f"{path} has {size} bytes: not a ring of {capacity} records")
        memory = mmap.mmap(file.fileno(), size)
    if int.from_bytes(memory[:8], "little") != MAGIC or int.from_bytes(memory[8:16], "little") != capacity:
        raise ValueError(f"{path} is not a ring of {capacity} records")
    return RingFile(path, memory, capacity)


def _create(path: Path, capacity: int) -> None:
    # Made whole under another name first: nobody ever attaches half a header. `link` keeps the first one if two race.
    header = MAGIC.to_bytes(8, "little") + capacity.to_bytes(8, "little") + time.time_ns().to_bytes(8, "little")
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft.write_bytes(header.ljust(HEADER_SIZE, b"\0") + bytes(capacity * SLOT_SIZE))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
