"""Every packet of a session on disk, so that whoever joins late can be sent all of it while memory stays small."""

from __future__ import annotations

import os
import tempfile
from array import array
from bisect import bisect_right
from pathlib import Path


class History:
    """Packets by the number of their first message. A file from an earlier session is written over."""

    def __init__(self, path: Path | None = None) -> None:
        self._file = path.open("w+b", buffering=0) if path else tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
        self._firsts = array("Q")
        self._ends = array("Q")

    def __len__(self) -> int:
        return len(self._firsts)

    def append(self, first: int, packet: bytes) -> None:
        """Keep a packet; `first` is above every earlier one."""
        written = self._file.write(packet)
        if written != len(packet):
            raise OSError("the disk is full: the feed's history cannot be kept")
        self._firsts.append(first)
        self._ends.append(self._start(len(self._ends)) + len(packet))

    def find(self, sequence: int) -> int:
        """Index of the packet that message `sequence` is in; -1 for none."""
        return bisect_right(self._firsts, sequence) - 1

    def packet(self, index: int) -> bytes:
        """A packet by its index."""
        start = self._start(index)
        return os.pread(self._file.fileno(), self._ends[index] - start, start)

    def first(self, index: int) -> int:
        """Number of the first message of a packet."""
        return self._firsts[index]

    def _start(self, index: int) -> int:
        return self._ends[index - 1] if index else 0

    def close(self) -> None:
        """Close the file."""
        self._file.close()
