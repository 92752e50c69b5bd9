"""The latency log: one row per order request, kept in files by UTC day beside the journal.

    <state>/engine/latency/2026-11-29.latency      rows of `engine.messages.latency`, back to back, by journal sequence

It is no input of anything that decides and takes no part in a replay. Files may be removed at any time.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from engine.messages.latency import LATENCY_ROW

DAY_NS = 86_400 * 1_000_000_000
Rows = np.ndarray[Any, Any]


def day_of(time_ns: int) -> str:
    """The UTC day, as files are named."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d")


class LatencyLog:
    """Appends rows and finds them again. One thread appends; any may read. `sequence` is that of the last row."""

    def __init__(self, state: Path, last_sequence: int) -> None:
        """Rows after `last_sequence` of the journal are of records that a power cut took: they are dropped, and so is
        a torn row."""
        self.directory = state / "engine" / "latency"
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.sequence = 0
        for path in reversed(self._files()):
            rows = self._rows(path)
            whole = int(np.searchsorted(rows["sequence"], last_sequence, side="right")) if len(rows) else 0
            if path.stat().st_size != whole * LATENCY_ROW.itemsize:
                os.truncate(path, whole * LATENCY_ROW.itemsize)
            if whole:
                self.sequence = int(rows["sequence"][whole - 1])
                break

    def append(self, rows: Rows) -> None:
        """Append rows that follow those that are there. OSError when the disk does not take them."""
        start = 0
        while start < len(rows):
            day = int(rows["received_ns"][start]) // DAY_NS
            later = np.flatnonzero(rows["received_ns"][start:] // DAY_NS != day)
            end = start + int(later[0]) if len(later) else len(rows)
            with (self.directory / f"{day_of(day * DAY_NS)}.latency").open("ab") as file:
                file.write(rows[start:end].tobytes())
            start = end
        if len(rows):
            self.sequence = int(rows["sequence"][-1])

    def after(self, sequence: int, most: int) -> Rows:
        """At most `most` rows after journal sequence `sequence`, the oldest first."""
        found: list[Rows] = []
        left = most
        for path in self._files():
            rows = self._rows(path)
            if not left or not len(rows) or int(rows["sequence"][-1]) <= sequence:
                continue
            start = int(np.searchsorted(rows["sequence"], sequence, side="right"))
            found.append(np.array(rows[start : start + left]))
            left -= len(found[-1])
        return np.concatenate(found) if found else np.empty(0, LATENCY_ROW)

    def day(self, time_ns: int) -> Rows:
        """Every row of the UTC day of `time_ns`."""
        path = self.directory / f"{day_of(time_ns)}.latency"
        return self._rows(path) if path.exists() else np.empty(0, LATENCY_ROW)

    def _files(self) -> list[Path]:
        return sorted(self.directory.glob("*.latency"))

    def _rows(self, path: Path) -> Rows:
        count = path.stat().st_size // LATENCY_ROW.itemsize
        if not count:
            return np.empty(0, LATENCY_ROW)
        return np.memmap(path, LATENCY_ROW, mode="r", shape=(count,))
