"""Reading a log from any sequence: disk and shared memory as one, catching up and living at the head the same code.

reader = LogReader(places.journal, after=41)
while (span := reader.next_span()) is not None:       # None: at the head; ask again later
    for record in records(span.data): ...             # engine.messages.records

for event in merged(places): ...                      # Packet and journal records in the order they happened
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from engine.journal.places import LogPlace, Places
from engine.journal.scan import find_intact
from engine.journal.segments import DATA_OFFSET, Segment, begun
from engine.journal.tails import ALL, JournalCorrupt, Walk, corrupt, header_fault, walk_segment
from engine.memory_regions import register
from engine.messages.journal import RECORDING_HEADER
from engine.messages.records import BodyRecord, TextRecord, records

_PACKET_OFFSET = RECORDING_HEADER.itemsize


@dataclass(frozen=True)
class Span:
    """Whole, intact records with sequences `first` to `last`, back to back. `data` is a view, not a copy."""

    first: int
    last: int
    data: np.ndarray[Any, Any]

    @property
    def address(self) -> int:
        """Where the records are, for hot code; valid as long as this span is kept."""
        address = int(self.data.ctypes.data)
        register(address, self.data.nbytes, self.data)
        return address


class Packet(NamedTuple):
    """A recorded packet."""

    position: int
    time_ns: int
    venue: int
    line: int
    payload: bytes


class LogReader:
    """Reads one log after sequence `after`, checking every record. `sequence` is the last one read.

    Raises LookupError when the log does not reach back, or not up, to `after`; JournalCorrupt at a bad record that is
    not the torn tail of a log left on disk. `torn_tail_bytes` says how much was left out there.
    """

    def __init__(self, place: LogPlace, after: int = 0) -> None:
        self.place = place
        self.sequence = after
        self.torn_tail_bytes = 0
        self._segment: Segment | None = None
        self._shared = False
        self._number = 0
        self._offset = 0
        self._prepared: Segment | None = None
        self._prepared_inode = 0

    def next_span(self, most_records: int = ALL, limit: tuple[int, int] | None = None) -> Span | None:
        """The records that follow, at most to the end of a segment; None at the head of the log.

        `limit`: (segment number, offset) not to be passed, such as what the disk has.
        """
        if self._segment is None and not self._locate():
            return None
        while True:
            segment = self._segment
            assert segment is not None
            end = self._limited(self._end(segment), limit)
            if self._offset < end:
                return self._walk(segment, end, most_records)
            if limit is not None and limit[0] <= self._number:
                return None
            following = self._open_following()
            if following is None:
                self._refuse_a_hole(segment)
                return None
            if self._offset == self._end(segment):  # read after the following was begun: final
                self._enter(following, self._number + 1)

    def last_sequence(self) -> int:
        """Read to the head. The last sequence there."""
        while self.next_span() is not None:
            pass
        return self.sequence

    def _walk(self, segment: Segment, end: int, most_records: int) -> Span | None:
        walk = walk_segment(segment, self.place.log, self._offset, end, self.sequence, most_records, ALL)
        if walk.records:
            span = Span(self.sequence + 1, walk.sequence, segment.data[self._offset : walk.offset])
            self.sequence, self._offset = walk.sequence, walk.offset
            return span
        self._refuse_unless_torn(segment, walk, end)
        self.torn_tail_bytes = end - walk.offset
        return None

    def _refuse_unless_torn(self, segment: Segment, walk: Walk, end: int) -> None:
        if self._shared or self._open_following() is not None:
            raise corrupt(segment, walk)
        if find_intact(segment.address, walk.offset, end, int(self.place.log)) >= 0:
            raise corrupt(segment, walk, " and an intact record follows it")

    def _refuse_a_hole(self, segment: Segment) -> None:
        if self._shared:
            return
        newest, following = max(self.place.disk_numbers() + self.place.shared_numbers()), self._number + 1
        # Looked for after the list was made, and first where a segment is first: the writer and the copier go on.
        files = (self.place.shared_file(following), self.place.disk_file(following))
        if newest > following and not any(file.exists() for file in files):
            raise JournalCorrupt(segment.path, f"segment {following} is missing, {newest} is there")

    def _end(self, segment: Segment) -> int:
        return segment.tail if self._shared else segment.length

    def _limited(self, end: int, limit: tuple[int, int] | None) -> int:
        if limit is None or self._number < limit[0]:
            return end
        number, offset = limit
        return min(end, offset) if self._number == number else 0

    def _locate(self) -> bool:
        """Open the segment that holds, or will hold, the record after `sequence`. False while there is no log."""
        numbers = sorted({*self.place.disk_numbers(), *self.place.shared_numbers()}, reverse=True)
        oldest = None
        for number in numbers:
            segment = self._open(number)
            if segment is None:
                continue
            fault = header_fault(self.place, segment)
            if fault:
                raise JournalCorrupt(segment.path, fault)
            oldest = segment.first
            if oldest <= self.sequence + 1:
                wanted, self.sequence = self.sequence, oldest - 1
                self._enter(segment, number)
                self._skip_to(wanted)
                return True
        if oldest is not None:
            raise LookupError(f"the {self.place.word} begins at {oldest}, {self.sequence + 1} was asked for")
        if self.sequence:
            raise LookupError(f"the {self.place.word} is empty, {self.sequence + 1} was asked for")
        return False

    def _skip_to(self, wanted: int) -> None:
        segment = self._segment
        assert segment is not None
        walk = walk_segment(segment, self.place.log, self._offset, self._end(segment), self.sequence, ALL, wanted)
        self.sequence, self._offset = walk.sequence, walk.offset
        if walk.fault and walk.sequence < wanted:
            self._refuse_unless_torn(segment, walk, self._end(segment))
        if walk.sequence < wanted:
            raise LookupError(f"the {self.place.word} ends at {walk.sequence}, {wanted + 1} was asked for")

    def _enter(self, segment: Segment, number: int) -> None:
        fault = header_fault(self.place, segment)
        if not fault and segment.first != self.sequence + 1:
            fault = f"it begins at {segment.first}, not at {self.sequence + 1}"
        if fault:
            raise JournalCorrupt(segment.path, fault)
        self._segment, self._number, self._offset = segment, number, DATA_OFFSET
        self._shared = segment.path.parent == self.place.shared
        self._prepared, self._prepared_inode = None, 0

    def _open_following(self) -> Segment | None:
        """The segment after this one, if the loop has begun it. Mapped once: this is asked often at the head."""
        path = self.place.shared_file(self._number + 1)
        try:
            inode = path.stat().st_ino
        except FileNotFoundError:
            return self._open(self._number + 1)
        if self._prepared is None or self._prepared_inode != inode:
            self._prepared, self._prepared_inode = self._open_shared(self._number + 1), inode
        if self._prepared is None:  # taken away since we looked: the copier has it whole on disk
            return self._open(self._number + 1)
        return self._prepared if begun(self._prepared) else None

    def _open_shared(self, number: int) -> Segment | None:
        try:
            return Segment(self.place.shared_file(number), writable=False)
        except FileNotFoundError:
            return None

    def _open(self, number: int) -> Segment | None:
        """The segment, if the loop has begun it: from shared memory while it is there, from disk after."""
        segment = self._open_shared(number)
        if segment is not None:
            return segment if begun(segment) else None
        path = self.place.disk_file(number)
        if not path.exists():
            return None
        if path.stat().st_size <= DATA_OFFSET:
            self.torn_tail_bytes = path.stat().st_size
            return None
        return Segment(path, writable=False)


def packets(span: Span) -> Iterator[Packet]:
    """The packets of a span of the recording."""
    offset, end = 0, len(span.data)
    while offset < end:
        header = span.data[offset : offset + _PACKET_OFFSET].view(RECORDING_HEADER)[0]
        start = offset + _PACKET_OFFSET
        payload = span.data[start : start + int(header["payload_length"])].tobytes()
        yield Packet(
            int(header["position"]), int(header["time_ns"]), int(header["venue"]), int(header["line"]), payload
        )
        offset += int(header["length"])


def all_packets(reader: LogReader) -> Iterator[Packet]:
    """Packets up to the head of the recording."""
    while (span := reader.next_span()) is not None:
        yield from packets(span)


def all_records(reader: LogReader) -> Iterator[BodyRecord | TextRecord]:
    """Records up to the head of the journal."""
    while (span := reader.next_span()) is not None:
        yield from records(span.data)


def merged(places: Places, after: int = 0, after_position: int = 0) -> Iterator[Packet | BodyRecord | TextRecord]:
    """Both logs in the order in which things happened: a journal record follows the packet whose position it cites."""
    recorded = all_packets(LogReader(places.recording, after_position))
    packet = next(recorded, None)
    for record in all_records(LogReader(places.journal, after)):
        while packet is not None and packet.position <= record.position:
            yield packet
            packet = next(recorded, None)
        yield record
    while packet is not None:
        yield packet
        packet = next(recorded, None)
