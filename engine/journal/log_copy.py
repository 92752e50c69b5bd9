"""Copying one log to disk: bytes up to a published end, sealed segments into the chain, shared memory given back."""

from __future__ import annotations

import os
from typing import NamedTuple

from engine.journal.chain import append_link, digest_of, read_chain
from engine.journal.places import LogPlace
from engine.journal.segments import DATA_OFFSET, SEGMENT_HEADER, Segment, begun

MOST_BYTES = 1 << 20  # of one write, so that a round stays short
KEPT_SEGMENTS = 1  # finished segments left in shared memory for followers


class End(NamedTuple):
    """How far a log may be copied: the offset in the segment being copied, and whether that segment is finished."""

    offset: int
    finished: bool


class LogCopy:
    """One log on its way to disk. `number` and `offset`: segment, and bytes of it, that the disk file has."""

    def __init__(self, place: LogPlace) -> None:
        self.place = place
        self.number, self.offset = 0, 0
        self.unsynced_bytes = 0
        self._segment: Segment | None = None
        self._following: Segment | None = None
        self._file = -1
        self._sealed = {link.segment for link in read_chain(place.chain_file)}
        self._begin(self._first_unsealed())

    def find_end(self) -> End:
        """Where the loop has come to in the segment being copied."""
        if self._segment is None:
            self._begin(self.number)
        if self._segment is None:
            return End(0, False)
        if self._following is None:
            self._following = self._open(self.number + 1)
        finished = self._following is not None and begun(self._following)
        # The tail is read after the following segment was seen begun: then it is final.
        return End(self._segment.tail, finished)

    def copy_to(self, end: End) -> int:
        """Append bytes up to `end` to the disk file; seal it when they were the last. How many bytes were copied."""
        if self._segment is None:
            return 0
        stop = min(end.offset, self.offset + MOST_BYTES)
        count = stop - self.offset
        if count > 0:
            chunk = self._segment.data[self.offset : stop].data
            self._write(chunk, self.offset)
            self._digest.update(chunk)
            self.offset = stop
            self.unsynced_bytes += count
        if end.finished and self.offset == end.offset:
            self._seal()
            return max(count, 1)
        return max(count, 0)

    def sync(self) -> None:
        """Make what was copied durable. Raises OSError: what the disk holds is then unknown."""
        os.fdatasync(self._file)
        self.unsynced_bytes = 0

    def leave_unsynced(self) -> None:
        """Leave what was copied to the kernel."""
        self.unsynced_bytes = 0

    def release(self) -> None:
        """Remove segments from shared memory that are sealed on disk, but for the newest few."""
        for number in [number for number in self._sealed if number < self.number - KEPT_SEGMENTS]:
            self.place.shared_file(number).unlink(missing_ok=True)
            self._sealed.discard(number)

    def close(self) -> None:
        for segment in (self._segment, self._following):
            if segment is not None:
                segment.close()
        self._segment = self._following = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _open(self, number: int) -> Segment | None:
        try:
            return Segment(self.place.shared_file(number), writable=False)
        except FileNotFoundError:
            return None

    def _first_unsealed(self) -> int:
        unsealed = [n for n in self.place.disk_numbers() + self.place.shared_numbers() if n not in self._sealed]
        return min(unsealed, default=max(self._sealed, default=0) + 1)

    def _begin(self, number: int) -> None:
        """Start or continue the disk file of a segment, if the loop has begun it."""
        segment = self._following or self._open(number)
        self._following = None
        if segment is None and self.place.disk_file(number).exists() and self._seal_from_disk(number):
            number += 1
            segment = self._open(number)
        self.number, self.offset = number, 0
        if segment is None or not begun(segment):
            if segment is not None:
                segment.close()
            return
        self._segment = segment
        path = self.place.disk_file(number)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self.offset = os.fstat(self._file).st_size
        if self.offset < DATA_OFFSET:
            page = bytes(segment.data[: SEGMENT_HEADER.itemsize]).ljust(DATA_OFFSET, b"\0")
            self._write(memoryview(page), 0)
            self.offset = DATA_OFFSET
            sync_directory(self.place)
        if self.offset > segment.tail:
            raise ValueError(f"{path} has {self.offset} bytes, more than the {segment.tail} that were written")
        self._digest = digest_of(path, self.offset)
        self.unsynced_bytes += self.offset  # a copier that was killed may have left it unsynced

    def _seal(self) -> None:
        """Enter the finished segment into the chain and go on to the next."""
        assert self._segment is not None
        assert self._following is not None
        os.fdatasync(self._file)
        self.unsynced_bytes = 0
        append_link(
            self.place.chain_file,
            self.number,
            self._segment.first,
            self._following.first - 1,
            self._digest.hexdigest(),
        )
        self._sealed.add(self.number)
        self._segment.close()
        self._segment = None
        os.close(self._file)
        self._file = -1
        self._begin(self.number + 1)

    def _seal_from_disk(self, number: int) -> bool:
        """After a reboot the last segment is on disk only: seal it once the loop has begun the next."""
        following = self._open(number + 1)
        if following is None:
            return False
        try:
            if not begun(following):
                return False
            path = self.place.disk_file(number)
            segment = Segment(path, writable=False)
            digest = digest_of(path, segment.length).hexdigest()
            append_link(self.place.chain_file, number, segment.first, following.first - 1, digest)
            segment.close()
            self._sealed.add(number)
            return True
        finally:
            following.close()

    def _write(self, data: memoryview, offset: int) -> None:
        while data:
            written = os.pwrite(self._file, data, offset)
            data, offset = data[written:], offset + written


def sync_directory(place: LogPlace) -> None:
    """Make the name of a new file durable."""
    descriptor = os.open(place.disk, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
