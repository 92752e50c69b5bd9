"""The two logs open for writing: fresh ones, those a killed process left in memory, or those a reboot left on disk."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from engine.journal import append
from engine.journal.places import LogPlace, Places, places_of
from engine.journal.segments import Segment, begun, prepare_segment
from engine.journal.tails import JournalCorrupt, cut_torn_tail, scan_segment
from engine.messages.codes import RecordKind
from engine.native import address_of, touched

JOURNAL_SEGMENT_BYTES = 16 << 20
RECORDING_SEGMENT_BYTES = 32 << 20
KEEPER_WAIT_S = 0.005
DAY_NS = 86_400 * 1_000_000_000


class LogWriter:
    """One log open for writing. `writer` is the address that the functions of `engine.journal.append` take."""

    def __init__(self, place: LogPlace, session: int, capacity: int) -> None:
        self.place = place
        self.session = session
        self.capacity = capacity
        self._block = touched(1, append.WRITER)
        self.writer = address_of(self._block)
        self._mapped: list[Segment] = []
        self._next_number = 1
        self._adopt()
        self.prepare()
        if not self._block["segment"][0]:
            append.flip(self.writer)
            self.prepare()

    @property
    def sequence(self) -> int:
        """Sequence (or recording position) of the last record."""
        return int(self._block["sequence"][0])

    @property
    def full(self) -> bool:
        """Whether no prepared segment is waiting."""
        return int(self._block["following"][0]) == 0

    def roll(self) -> None:
        """Have the loop begin the prepared segment with its next record (a new day)."""
        self._block["soft_end"] = 0

    def prepare(self) -> None:
        """Prepare the next segment if the loop took the last one; unmap what it has left. Called by the keeper."""
        if self.full:
            segment = prepare_segment(self.place, self._next_number, self.session, self.capacity)
            self._mapped.append(segment)
            self._next_number += 1
            self._block["following_end"] = segment.address + segment.length
            # The loop reads `following` last (acquire): an aligned store after the one above, in this order.
            self._block["following"] = segment.address
        while len(self._mapped) > 3:
            self._mapped.pop(0).close()

    def close(self, on_disk: bool) -> None:
        """Unmap everything and remove what was only prepared, with `on_disk` also what the disk has whole.

        No hot function may touch this log afterwards.
        """
        self._block[:] = np.zeros(1, append.WRITER)
        if on_disk:
            self._remove_copied()
        for segment in self._mapped:
            if not begun(segment):
                segment.path.unlink(missing_ok=True)
            segment.close()
        self._mapped.clear()

    def _remove_copied(self) -> None:
        for number in self.place.shared_numbers():
            segment = Segment(self.place.shared_file(number), writable=False)
            copy = self.place.disk_file(number)
            if copy.exists() and copy.stat().st_size == segment.tail:
                segment.path.unlink()
            segment.close()

    def _adopt(self) -> None:
        """Continue where the last writer stopped. Raises JournalCorrupt when what it left is damaged."""
        for unready in self.place.shared.glob(f"{self.place.word}-*.unready"):
            unready.unlink()
        newest = None
        for number in reversed(self.place.shared_numbers()):
            segment = Segment(self.place.shared_file(number), writable=True)
            if begun(segment):
                newest = segment
                break
            segment.path.unlink()
            segment.close()
        on_disk = self.place.disk_numbers()
        if newest is None:
            last_number, last_sequence = cut_torn_tail(self.place)
            self._block["sequence"] = last_sequence
            self._next_number = last_number + 1
            return
        if on_disk and on_disk[-1] > newest.number:
            reason = f"it is newer than the newest in shared memory, {newest.number}"
            raise JournalCorrupt(self.place.disk_file(on_disk[-1]), reason)
        self._continue(newest)

    def _continue(self, segment: Segment) -> None:
        tail = segment.tail
        walk = scan_segment(self.place, segment, tail)
        segment.touch()
        segment.data[tail:] = 0  # a record may have been half written
        self._mapped.append(segment)
        self._next_number = segment.number + 1
        self._block["segment"] = segment.address
        self._block["tail"] = segment.address + tail
        self._block["end"] = self._block["soft_end"] = segment.address + segment.length
        self._block["sequence"] = walk.sequence


class Journal:
    """Both logs of one engine, open for writing by this process only.

    `journal.writer` and `recording.writer` are the addresses for the hot functions; `session` counts the starts of this
    engine; `failure` is a sentence when no further segment could be prepared (the loop stops at the end of this one).
    """

    def __init__(self, places: Places, journal_segment_bytes: int, recording_segment_bytes: int) -> None:
        self.places = places
        self.failure = ""
        self._lock = _lock(places.lock_file)
        try:
            self.session = _next_session(places)
            self.journal = LogWriter(places.journal, self.session, journal_segment_bytes)
            self.recording = LogWriter(places.recording, self.session, recording_segment_bytes)
        except BaseException:
            os.close(self._lock)
            raise
        self._day = time.time_ns() // DAY_NS
        self._stop = threading.Event()
        self._keeper: threading.Thread | None = None

    def append_text(self, kind: RecordKind, time_ns: int, document: dict[str, Any]) -> int:
        """Append a COMMAND or ENGINE_STARTED between two batches. Its sequence, or 0: the log is full, HALT."""
        text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
        writer = self.journal.writer
        body = append.reserve_text(writer, len(text))
        if body == 0:
            return 0
        position = self.recording.sequence.to_bytes(append.TEXT_OFFSET, "little")
        ctypes.memmove(int(body), position + text, append.TEXT_OFFSET + len(text))
        return int(append.commit_text(writer, int(kind), time_ns, len(text)))

    def roll_when_the_day_changes(self, time_ns: int) -> None:
        """Begin new segments with the next records if `time_ns` is of another UTC day than the last time."""
        if time_ns // DAY_NS != self._day:
            self._day = time_ns // DAY_NS
            self.journal.roll()
            self.recording.roll()

    def start_keeper(self) -> None:
        """Start the thread that prepares segments ahead of the loop, which must not hold the interpreter."""
        self._keeper = threading.Thread(target=self._keep, name="journal keeper", daemon=True)
        self._keeper.start()

    def keep(self) -> None:
        """What the keeper does each time; for a process without its thread. Raises OSError when there is no room."""
        self.journal.prepare()
        self.recording.prepare()

    def close(self, *, on_disk: bool = False) -> None:
        """Stop the keeper, unmap both logs, let another engine open them.

        `on_disk`: a copier has ended well, so that nothing needs to stay in shared memory.
        """
        self._stop.set()
        if self._keeper is not None:
            self._keeper.join()
        self.journal.close(on_disk)
        self.recording.close(on_disk)
        if on_disk:
            self.places.copier_file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # rings may be there
                self.places.journal.shared.rmdir()
        os.close(self._lock)

    def _keep(self) -> None:
        while not self._stop.wait(KEEPER_WAIT_S):
            try:
                self.keep()
                self.roll_when_the_day_changes(time.time_ns())
                self.failure = ""
            except OSError as error:
                self.failure = f"no further segment could be prepared: {error.strerror}"


def open_journal(
    state: Path,
    *,
    journal_segment_bytes: int = JOURNAL_SEGMENT_BYTES,
    recording_segment_bytes: int = RECORDING_SEGMENT_BYTES,
    shared: Path | None = None,
) -> Journal:
    """Open, adopt or begin the logs under `state`.

    Raises JournalCorrupt when a bad record lies before an intact one, BlockingIOError when another engine has them.
    """
    return Journal(places_of(state, shared), journal_segment_bytes, recording_segment_bytes)


def _lock(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise BlockingIOError(f"another engine has {path.parent} open") from None
    return descriptor


def _next_session(places: Places) -> int:
    """One more than any session before, kept in a file that is replaced whole."""
    last = int(places.session_file.read_text()) if places.session_file.exists() else 0
    fresh = places.session_file.with_suffix(".unready")
    with fresh.open("w") as file:
        file.write(f"{last + 1}\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(places.session_file)
    return last + 1
