"""Which log, and where its segments are: live ones in shared memory, all of them on disk.

<state>/engine/journal/000001.journal        the disk copy, byte for byte what the loop wrote
<state>/engine/recording/000001.recording
<shared>/journal-000001  recording-000001    segments that the loop writes, until the disk has them
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from engine.messages.endpoints import shared_memory_directory, shared_memory_path


class LogKind(IntEnum):
    """JOURNAL: decisions, orders, commands, each citing a packet. RECORDING: the raw packets."""

    JOURNAL = 1
    RECORDING = 2


@dataclass(frozen=True)
class LogPlace:
    """One log's two directories."""

    log: LogKind
    disk: Path
    shared: Path

    @property
    def word(self) -> str:
        return self.log.name.lower()

    def disk_file(self, number: int) -> Path:
        return self.disk / f"{number:06d}.{self.word}"

    def shared_file(self, number: int) -> Path:
        return self.shared / f"{self.word}-{number:06d}"

    @property
    def chain_file(self) -> Path:
        return self.disk / "chain.jsonl"

    def disk_numbers(self) -> list[int]:
        """Numbers of the segments on disk, ascending."""
        return sorted(int(path.stem) for path in self.disk.glob(f"*.{self.word}") if path.stem.isdigit())

    def shared_numbers(self) -> list[int]:
        """Numbers of the segments in shared memory, ascending; prepared ones too."""
        names = (path.name.rpartition("-")[2] for path in self.shared.glob(f"{self.word}-*"))
        return sorted(int(name) for name in names if name.isdigit())


@dataclass(frozen=True)
class Places:
    """Every file of the two logs of one engine."""

    journal: LogPlace
    recording: LogPlace
    lock_file: Path
    session_file: Path
    copier_file: Path
    copier_lock_file: Path

    @property
    def logs(self) -> tuple[LogPlace, LogPlace]:
        return (self.journal, self.recording)


def places_of(state: Path, shared: Path | None = None) -> Places:
    """Places under a state directory; creates the directories. `shared` replaces the shared-memory directory."""
    places = _places(state.resolve() / "engine", shared or shared_memory_directory(state))
    for place in places.logs:
        place.disk.mkdir(mode=0o700, parents=True, exist_ok=True)
    return places


def existing_places(path: Path) -> Places:
    """Places for reading; creates nothing. `path`: a state directory, or one with journal/ and recording/ in it.

    Raises FileNotFoundError when neither is there.
    """
    for engine, shared in ((path / "engine", shared_memory_path(path)), (path, path / "shared")):
        if (engine / "journal").is_dir():
            return _places(engine, shared)
    raise FileNotFoundError(f"{path} has no engine/journal and no journal directory")


def _places(engine: Path, shared: Path) -> Places:
    journal, recording = (LogPlace(log, engine / log.name.lower(), shared) for log in LogKind)
    return Places(
        journal=journal,
        recording=recording,
        lock_file=engine / "engine.lock",
        session_file=engine / "session",
        copier_file=shared / "copier",
        copier_lock_file=engine / "copier.lock",
    )
