"""Where a journal and its recording are: logs of an engine, or the files that a backtest leaves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.journal.places import Places, existing_places
from engine.journal.reader import LogReader
from engine.memory_regions import register
from engine.messages.codes import RecordKind
from engine.messages.instruments import Instrument
from engine.messages.journal import RECORD_SIZE
from engine.messages.records import TextRecord, runs

Run = np.ndarray[Any, Any] | TextRecord


@dataclass
class Start:
    """What the newest start of the engine in a journal says."""

    instruments: list[Instrument] = field(default_factory=list)
    venue_count: int = 4


class Sources:
    """A journal and the recording that belongs to it."""

    def __init__(self, path: Path) -> None:
        """`path`: a state directory, one with journal/ and recording/ in it, or a backtest's. Raises FileNotFoundError
        with a sentence when it is none of them."""
        self.path = path
        self._places: Places | None = None
        if not (path / "journal.bin").is_file():
            self._places = existing_places(path)
        elif not (path / "recording.bin").is_file():
            raise FileNotFoundError(f"{path} has no recording.bin: run the backtest with --recording")

    def journal(self) -> Iterator[Run]:
        """Runs of journal records, in order."""
        if self._places is None:
            data = np.fromfile(self.path / "journal.bin", np.uint8)
            yield from runs(data[: len(data) // RECORD_SIZE * RECORD_SIZE])
            return
        reader = LogReader(self._places.journal)
        while (span := reader.next_span()) is not None:
            yield from runs(span.data)

    def recording(self) -> Iterator[np.ndarray[Any, Any]]:
        """Whole recorded packets back to back (RECORDING_HEADER and payload), as bytes, in order."""
        if self._places is None:
            yield from _mapped(self.path / "recording.bin")
            return
        reader = LogReader(self._places.recording)
        while (span := reader.next_span()) is not None:
            register(int(span.data.ctypes.data), span.data.nbytes, span.data)
            yield span.data

    def start(self) -> Start:
        """ValueError when no engine ever started in the journal."""
        found = None
        for run in self.journal():
            if isinstance(run, TextRecord) and run.kind == RecordKind.ENGINE_STARTED:
                found = run.document
        if found is None:
            raise ValueError(f"the journal of {self.path} has no start of an engine")
        return Start([Instrument(**row) for row in found["instruments"]], int(found["venue_count"]))


def _mapped(path: Path) -> Iterator[np.ndarray[Any, Any]]:
    if path.stat().st_size == 0:
        return
    data = np.memmap(path, np.uint8, "r")
    register(int(data.ctypes.data), data.nbytes, data)
    yield data
