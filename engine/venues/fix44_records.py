"""What a FIX session process remembers: every request before it is sent, every report before the engine sees it.

An append-only file of 128-byte records, each written by one call, so a kill leaves whole records and at most a torn
tail, which is cut. Reports are numbered densely from 1 for ever; the engine asks for those after the last one that it
journalled, as it does with SoupBinTCP, so neither a lost ring nor a killed process can lose or double one. Execution
ids are remembered by digest: a resent ExecutionReport is recognised after any restart.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.messages.codes import RecordKind

RECORD = np.dtype(
    [
        ("checksum", "<u4"),  # CRC-32 of the bytes after it
        ("kind", "<u2"),  # RecordKind.ORDER_REQUEST or ORDER_REPORT
        ("reserved", "<u2"),
        ("number", "<u8"),  # report: its number; request: its sequence in the ring, 0 when it did not come from there
        ("digest", "V16"),  # report: of the execution id, zero without one; request: creation time of the ring
        ("body", "V96"),
    ]
)
RECORD_SIZE = 128
NO_DIGEST = bytes(16)


class Record(NamedTuple):
    """One record as it was appended."""

    kind: int
    number: int
    digest: bytes
    body: bytes


def digest_of(text: str) -> bytes:
    """16 bytes that stand for an execution id."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


class RecordFile:
    """The file, opened by one process at a time (`open_records`). `last_number` is that of its last report."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock
        self._file = -1
        self.reopen()

    def reopen(self) -> None:
        """Read the file from its start, cutting a torn tail. ValueError when a record in the middle is damaged."""
        if self._file >= 0:
            os.close(self._file)
        self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.count = self.last_number = 0
        self._places: dict[bytes, int] = {}
        for record in self._intact():
            self._note(record)
        os.ftruncate(self._file, self.count * RECORD_SIZE)

    def append_request(self, body: bytes, ring_created_ns: int = 0, ring_sequence: int = 0) -> None:
        """Remember a request before it may be sent. OSError when that failed: then it must not be sent."""
        self._append(Record(RecordKind.ORDER_REQUEST, ring_sequence, ring_created_ns.to_bytes(16, "little"), body))

    def append_report(self, number: int, body: bytes, digest: bytes = NO_DIGEST) -> None:
        """Remember a report before the engine may see it. `number` is above every earlier one."""
        if number <= self.last_number:
            raise ValueError(f"report {number} after {self.last_number}")
        self._append(Record(RecordKind.ORDER_REPORT, number, digest, body))

    def find_report(self, digest: bytes) -> Record | None:
        """The first report of an execution."""
        place = self._places.get(digest)
        return None if place is None else self._read(place)

    def __iter__(self) -> Iterator[Record]:
        for place in range(self.count):
            yield self._read(place)

    def close(self) -> None:
        """Give the file to the next process."""
        os.close(self._file)
        os.close(self._lock)

    def _append(self, record: Record) -> None:
        raw = _encode(record)
        written = os.pwrite(self._file, raw, self.count * RECORD_SIZE)
        if written != RECORD_SIZE:
            raise OSError(f"{self.path}: only {written} bytes of a record could be written")
        self._note(record)

    def _note(self, record: Record) -> None:
        if record.kind == RecordKind.ORDER_REPORT:
            self.last_number = record.number
            if record.digest != NO_DIGEST:
                self._places.setdefault(record.digest, self.count)
        self.count += 1

    def _read(self, place: int) -> Record:
        return _decode(os.pread(self._file, RECORD_SIZE, place * RECORD_SIZE))

    def _intact(self) -> Iterator[Record]:
        whole, tail = divmod(os.fstat(self._file).st_size, RECORD_SIZE)
        for place in range(whole):
            try:
                yield self._read(place)
            except ValueError:
                if place + 1 < whole or tail:
                    raise ValueError(f"{self.path}: record {place} is damaged and others follow it") from None
                return


def _encode(record: Record) -> bytes:
    made = np.zeros((), RECORD)
    made["kind"], made["number"] = record.kind, record.number
    made["digest"], made["body"] = np.void(record.digest), np.void(record.body.ljust(96, b"\0"))
    raw = made.tobytes()
    return zlib.crc32(raw[4:]).to_bytes(4, "little") + raw[4:]


def _decode(raw: bytes) -> Record:
    if len(raw) != RECORD_SIZE or zlib.crc32(raw[4:]) != int.from_bytes(raw[:4], "little"):
        raise ValueError("not an intact record")
    return Record(
        int.from_bytes(raw[4:6], "little"), int.from_bytes(raw[8:16], "little"), raw[16:32], raw[32:RECORD_SIZE]
    )


def open_records(directory: Path, wait_s: float = 10.0) -> RecordFile:
    """Open (or make) the records of one session in `directory`, waiting for a predecessor to die.

    TimeoutError when another process keeps them; ValueError when a record in the middle is damaged.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(lock)
                raise TimeoutError(f"another process runs the session in {directory}") from None
            time.sleep(0.01)
    return RecordFile(directory / "records", lock)
