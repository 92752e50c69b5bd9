"""Numbers of a FIX session that outlive its process, and the messages that may be asked for again.

`FixNumbers` is a small shared-memory file: what the loop stores there survives a killed process. A machine that lost
power may have lost the newest stores; then our numbers go on far above the last known one, the other side asks for what
it believes to have missed, and gets a gap fill.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from pathlib import Path

from engine.memory_regions import register

SIZE = 4096
MAGIC = b"DSKFIX01"
OUTBOUND_AT, INBOUND_AT, DAY_AT, BOOT_AT, BOOT_BYTES = 64, 128, 192, 8, 36
SKIPPED_AFTER_BOOT = 100_000
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def this_boot() -> bytes:
    """What is another text after the machine started again."""
    return BOOT_ID.read_bytes().strip()[:BOOT_BYTES].ljust(BOOT_BYTES)


class FixNumbers:
    """MsgSeqNum(34) of the next message we send and of the next one we expect. ValueError when the file is another."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = not path.exists()
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if made:
                os.ftruncate(descriptor, SIZE)
            if os.fstat(descriptor).st_size != SIZE:
                raise ValueError(f"{path} does not hold the numbers of a FIX session")
            self._memory = mmap.mmap(descriptor, SIZE)
        finally:
            os.close(descriptor)
        if self._memory[:8] == bytes(8):
            self._memory[: len(MAGIC)] = MAGIC
            self._memory[BOOT_AT : BOOT_AT + BOOT_BYTES] = this_boot()
        elif self._memory[:8] != MAGIC:
            raise ValueError(f"{path} does not hold the numbers of a FIX session")
        self._whole = (ctypes.c_char * SIZE).from_buffer(self._memory)
        start = ctypes.addressof(self._whole)
        register(start, SIZE, self)
        self.outbound_address = start + OUTBOUND_AT
        self._outbound = ctypes.c_int64.from_address(start + OUTBOUND_AT)
        self._inbound = ctypes.c_int64.from_address(start + INBOUND_AT)
        self._day = ctypes.c_int64.from_address(start + DAY_AT)
        self._outbound.value = max(self._outbound.value, 1)
        self._inbound.value = max(self._inbound.value, 1)
        if self._memory[BOOT_AT : BOOT_AT + BOOT_BYTES] != this_boot():
            self._memory[BOOT_AT : BOOT_AT + BOOT_BYTES] = this_boot()
            self._outbound.value += SKIPPED_AFTER_BOOT
        self.sync()

    @property
    def next_outbound(self) -> int:
        return int(self._outbound.value)

    @next_outbound.setter
    def next_outbound(self, number: int) -> None:
        self._outbound.value = number

    @property
    def next_inbound(self) -> int:
        return int(self._inbound.value)

    @next_inbound.setter
    def next_inbound(self, number: int) -> None:
        self._inbound.value = number

    @property
    def day(self) -> int:
        """Number of the day (UTC) in which the numbers began, 0 when nobody said."""
        return int(self._day.value)

    @day.setter
    def day(self, day: int) -> None:
        self._day.value = day

    def save(self, number: int, raw: bytes) -> None:
        """Nothing is kept: what is asked for again is filled."""

    def saved(self, number: int) -> bytes:
        """Nothing was kept."""
        return b""

    def reset(self) -> None:
        """Both numbers are 1."""
        self._outbound.value = self._inbound.value = 1
        self.sync()

    def sync(self) -> None:
        """Have the numbers on disk now."""
        self._memory.flush()


class FixMessages(FixNumbers):
    """The numbers in `directory`, and beside them every message that was saved."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory / "numbers")
        self._file = os.open(directory / "messages", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._places: dict[int, tuple[int, int]] = {}
        self._end = 0
        size = os.fstat(self._file).st_size
        while self._end + 16 <= size:
            head = os.pread(self._file, 16, self._end)
            number, length = int.from_bytes(head[:8], "little"), int.from_bytes(head[8:], "little")
            if number == 0 or self._end + 16 + length > size:
                break
            self._places[number] = (self._end + 16, length)
            self._end += 16 + length
        os.ftruncate(self._file, self._end)

    def save(self, number: int, raw: bytes) -> None:
        """Keep a sent message."""
        record = number.to_bytes(8, "little") + len(raw).to_bytes(8, "little") + raw
        if os.pwrite(self._file, record, self._end) != len(record):
            raise OSError(f"message {number} could not be written")
        self._places[number] = (self._end + 16, len(raw))
        self._end += len(record)

    def saved(self, number: int) -> bytes:
        """A sent message, empty when it was not kept."""
        place = self._places.get(number)
        return os.pread(self._file, place[1], place[0]) if place else b""

    def reset(self) -> None:
        """Both numbers are 1 and nothing was sent."""
        super().reset()
        self._places.clear()
        self._end = 0
        os.ftruncate(self._file, 0)

    def close(self) -> None:
        """Close the file of messages."""
        os.close(self._file)
