"""Where a log ends, and whether it is whole: a torn tail is cut, a bad record before an intact one stops the engine."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.journal.places import LogPlace
from engine.journal.scan import SCAN, Fault, find_intact, scan
from engine.journal.segments import (
    DATA_OFFSET,
    HEADER_CHECKED_BYTES,
    HEADER_CHECKED_OFFSET,
    MAGIC,
    SEGMENT_VERSION,
    TAIL_OFFSET,
    Segment,
)
from engine.native import address_of, crc32c

ALL = 1 << 62


class JournalCorrupt(Exception):
    """A log is damaged before its tail. Nothing may be cut or sent; an operator decides.

    `file` and `offset` say where, `after` is the last sequence before it (0: none of that segment).
    """

    def __init__(self, file: Path, reason: str, offset: int = 0, after: int = 0) -> None:
        super().__init__(f"{file}: {reason}")
        self.file, self.reason, self.offset, self.after = file, reason, offset, after


@dataclass(frozen=True)
class Walk:
    """How far a walk over a segment came. `offset` is where it stopped, `sequence` that of the last whole record."""

    offset: int
    sequence: int
    records: int
    fault: Fault


def walk_segment(segment: Segment, log: int, start: int, end: int, sequence: int, most: int, last: int) -> Walk:
    """Walk from offset `start`, where the record after `sequence` is, over `most` records and none after `last`."""
    result = np.zeros(1, SCAN)
    result["offset"], result["sequence"] = start, sequence
    scan(address_of(result), segment.address, end, log, most, last)
    row = result[0]
    return Walk(int(row["offset"]), int(row["sequence"]), int(row["records"]), Fault(int(row["fault"])))


def header_fault(place: LogPlace, segment: Segment) -> str:
    """What is wrong with a begun segment's header page, or nothing."""
    header = segment.header[0]
    checked = crc32c(segment.address + HEADER_CHECKED_OFFSET, HEADER_CHECKED_BYTES)
    if int(header["checksum"]) != checked:
        return "the header's checksum is wrong"
    if int(header["magic"]) != MAGIC or int(header["log"]) != place.log:
        return f"it is not a segment of the {place.word}"
    if int(header["version"]) != SEGMENT_VERSION:
        return f"its layout version is {header['version']}, this engine reads {SEGMENT_VERSION}"
    unused = TAIL_OFFSET + 8 if segment.path.parent == place.shared else TAIL_OFFSET
    if segment.data[unused:DATA_OFFSET].any():
        return "the header page has bytes where none belong"
    return ""


def scan_segment(place: LogPlace, segment: Segment, end: int) -> Walk:
    """Walk over a whole segment up to `end`. Raises JournalCorrupt unless every byte of it is right."""
    fault = header_fault(place, segment)
    if fault:
        raise JournalCorrupt(segment.path, fault)
    walk = walk_segment(segment, place.log, DATA_OFFSET, end, segment.first - 1, ALL, ALL)
    if walk.fault:
        raise corrupt(segment, walk)
    return walk


def corrupt(segment: Segment, walk: Walk, addition: str = "") -> JournalCorrupt:
    """The error that says where a walk stopped and why."""
    word = walk.fault.name.lower()
    reason = f"the record after {walk.sequence}, at offset {walk.offset}, has a bad {word}{addition}"
    return JournalCorrupt(segment.path, reason, walk.offset, walk.sequence)


def torn_tail_start(place: LogPlace, segment: Segment) -> Walk:
    """Walk over the newest segment on disk. Raises JournalCorrupt when an intact record follows a bad one."""
    fault = header_fault(place, segment)
    if fault:
        raise JournalCorrupt(segment.path, fault)
    walk = walk_segment(segment, place.log, DATA_OFFSET, segment.length, segment.first - 1, ALL, ALL)
    if walk.fault and find_intact(segment.address, walk.offset, segment.length, int(place.log)) >= 0:
        raise corrupt(segment, walk, " and an intact record follows it")
    return walk


def cut_torn_tail(place: LogPlace) -> tuple[int, int]:
    """Cut the torn tail of a log that is on disk only (after a reboot). Number and last sequence of its newest segment.

    (0, 0) for a log that does not exist yet.
    """
    numbers = place.disk_numbers()
    while numbers:
        path = place.disk_file(numbers[-1])
        if path.stat().st_size <= DATA_OFFSET:
            path.unlink()
            numbers.pop()
            continue
        segment = Segment(path, writable=False)
        try:
            walk = torn_tail_start(place, segment)
            length = segment.length
        finally:
            segment.close()
        if walk.offset < length:
            _truncate(path, walk.offset)
        if walk.records:
            return numbers[-1], walk.sequence
        path.unlink()
        numbers.pop()
    return 0, 0


def _truncate(path: Path, length: int) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.ftruncate(descriptor, length)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
