"""The newest records of one venue, read backwards from the journal's head: a look for people, beside whoever writes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.journal.places import LogPlace
from engine.journal.segments import DATA_OFFSET, Segment, begun
from engine.messages.codes import RecordKind
from engine.messages.journal import BODIES, JOURNAL_HEADER, RECORD_SIZE
from engine.messages.records import RECORD, BodyRecord

KINDS = (RecordKind.ORDER_REQUEST, RecordKind.ORDER_REPORT, RecordKind.SESSION_EVENT)
MOST_BYTES = 16 << 20  # looked at, at most: one segment's worth


def newest_of_venue(place: LogPlace, venue: int, most: int) -> list[BodyRecord]:
    """At most `most` of the newest requests, reports and session events of a venue, the oldest of them first."""
    found: list[np.ndarray] = []
    missing, room = most, MOST_BYTES
    for data in _backwards(place):
        chosen = _of_venue(data[-room:].view(RECORD), venue)[-missing:]
        found.append(chosen)
        missing, room = missing - len(chosen), room - len(data)
        if missing <= 0 or room <= 0:
            break
    return [_record(row) for chosen in reversed(found) for row in chosen]


def _backwards(place: LogPlace) -> Iterator[np.ndarray]:
    """The whole records of each segment, the newest segment first."""
    for number in sorted({*place.disk_numbers(), *place.shared_numbers()}, reverse=True):
        segment, end = _segment(place, number)
        if segment is not None and end > DATA_OFFSET:
            yield segment.data[DATA_OFFSET : end - (end - DATA_OFFSET) % RECORD_SIZE]


def _segment(place: LogPlace, number: int) -> tuple[Segment | None, int]:
    try:
        segment = Segment(place.shared_file(number), writable=False)
    except (FileNotFoundError, ValueError):
        pass
    else:
        return (segment, segment.tail) if begun(segment) else (None, 0)
    try:
        segment = Segment(place.disk_file(number), writable=False)
    except (FileNotFoundError, ValueError):
        return None, 0
    return segment, segment.length


def _of_venue(rows: np.ndarray, venue: int) -> np.ndarray:
    """A text's own bytes are no record here: JSON has no zero byte, and the length of every record has some."""
    header = rows["header"]
    whole = (header["length"] == RECORD_SIZE) & (header["text_length"] == 0)
    wanted = np.zeros(len(rows), bool)
    for kind in KINDS:
        of_kind = np.flatnonzero(whole & (header["kind"] == kind))
        layout = np.dtype([("header", JOURNAL_HEADER), ("body", BODIES[kind])])
        wanted[of_kind] = rows[of_kind].view(layout)["body"]["venue"] == venue
    return rows[wanted]


def _record(row: np.void) -> BodyRecord:
    header = row["header"]
    kind = RecordKind(int(header["kind"]))
    body = np.frombuffer(row["body"].tobytes(), BODIES[kind])[0]
    return BodyRecord(kind, int(header["sequence"]), int(header["time_ns"]), int(body["position"]), body)
