"""What the copier tells the engine through shared memory: that it lives, how far the disk is, and why it stopped."""

from __future__ import annotations

import mmap
import os
import time
from enum import IntEnum
from pathlib import Path

import numpy as np

LONGEST_SILENCE_NS = 1_000_000_000
KEPT_SYNCS = 1024
_OFFSET_BITS = 40


class CopierState(IntEnum):
    """FAILED is final: after a failed sync nobody knows what the disk holds, so nothing is tried again."""

    STARTING = 0
    RUNNING = 1
    FAILED = 2
    FINISHED = 3


COPIER_STATUS = np.dtype(
    [
        ("state", "<i8"),
        ("pid", "<i8"),
        ("heartbeat_ns", "<i8"),  # CLOCK_MONOTONIC
        ("journal_durable", "<i8"),  # segment number << 40 | offset up to which the disk has it
        ("recording_durable", "<i8"),
        ("syncs", "<i8"),
        ("disk_free_bytes", "<i8"),
        ("reserved", "<i8"),
        ("failure", "S448"),
        ("sync_ns", "<i8", (KEPT_SYNCS,)),  # how long the last syncs took, as a circle
    ]
)


class CopierStatus:
    """The status page, mapped. One process writes it, any may read."""

    def __init__(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDWR)
        try:
            self._memory = mmap.mmap(descriptor, COPIER_STATUS.itemsize)
        finally:
            os.close(descriptor)
        self.row = np.frombuffer(self._memory, COPIER_STATUS)

    @property
    def state(self) -> CopierState:
        return CopierState(int(self.row["state"][0]))

    @property
    def failure(self) -> str:
        """Why the copier stopped; empty while it has not failed."""
        return bytes(self.row["failure"][0]).decode(errors="replace")

    @property
    def silence_ns(self) -> int:
        """Nanoseconds since the copier's last sign of life. A hanging sync is silence too."""
        return time.monotonic_ns() - int(self.row["heartbeat_ns"][0])

    @property
    def disk_free_bytes(self) -> int:
        return int(self.row["disk_free_bytes"][0])

    def durable(self, word: str) -> tuple[int, int]:
        """(segment number, offset in it) up to which the disk has the log named `word`."""
        packed = int(self.row[f"{word}_durable"][0])
        return packed >> _OFFSET_BITS, packed & ((1 << _OFFSET_BITS) - 1)

    def set_durable(self, word: str, number: int, offset: int) -> None:
        self.row[f"{word}_durable"] = (number << _OFFSET_BITS) | offset

    def alive(self, longest_silence_ns: int = LONGEST_SILENCE_NS) -> bool:
        """Whether the copier runs. When it does not, the engine must stop sending."""
        return self.state == CopierState.RUNNING and self.silence_ns <= longest_silence_ns

    def beat(self) -> None:
        self.row["heartbeat_ns"] = time.monotonic_ns()

    def fail(self, reason: str) -> None:
        self.row["failure"] = reason.encode()[:448]
        self.row["state"] = CopierState.FAILED

    def add_sync(self, spent_ns: int) -> None:
        syncs = int(self.row["syncs"][0])
        self.row["sync_ns"][0, syncs % KEPT_SYNCS] = spent_ns
        self.row["syncs"] = syncs + 1

    def sync_ns(self) -> np.ndarray:
        """How long the last syncs took, unordered, nanoseconds."""
        return self.row["sync_ns"][0, : min(int(self.row["syncs"][0]), KEPT_SYNCS)].copy()


def create_copier_status(path: Path) -> CopierStatus:
    """A fresh page under a new inode: a copier that is still finishing keeps the old one."""
    unready = path.with_suffix(".unready")
    unready.write_bytes(bytes(COPIER_STATUS.itemsize))
    unready.replace(path)
    return CopierStatus(path)
