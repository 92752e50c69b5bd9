"""Whether the logs are whole: every record intact and in sequence, every finished segment as the chain says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.journal.chain import Link, file_sha256, read_chain
from engine.journal.places import LogPlace, Places
from engine.journal.reader import LogReader
from engine.journal.segments import DATA_OFFSET, Segment
from engine.journal.tails import JournalCorrupt


@dataclass(frozen=True)
class LogReport:
    """What verifying one log found. `first_bad` is None when every record before the torn tail is intact."""

    records: int
    first: int
    last: int
    torn_tail_bytes: int
    first_bad: dict[str, Any] | None
    sealed: int
    chain_fault: str

    @property
    def intact(self) -> bool:
        return self.first_bad is None and not self.chain_fault


def verify_log(place: LogPlace) -> LogReport:
    """Read one log from its first record to its head, then its chain."""
    first = _first_sequence(place)
    reader = LogReader(place, max(first - 1, 0))
    records, first_bad = 0, None
    try:
        while (span := reader.next_span()) is not None:
            records += span.last - span.first + 1
    except JournalCorrupt as damage:
        first_bad = {"file": damage.file.name, "offset": damage.offset, "after": damage.after, "reason": damage.reason}
    sealed, chain_fault = _verify_chain(place)
    return LogReport(records, first, reader.sequence, reader.torn_tail_bytes, first_bad, sealed, chain_fault)


def verify_logs(places: Places) -> dict[str, Any]:
    """The report of both logs, as the door prints it."""
    journal, recording = verify_log(places.journal), verify_log(places.recording)
    chain_fault = journal.chain_fault or recording.chain_fault
    return {
        "records": journal.records,
        "packets": recording.records,
        "intact": journal.intact and recording.intact,
        "torn_tail_bytes": journal.torn_tail_bytes + recording.torn_tail_bytes,
        "first_bad": journal.first_bad or recording.first_bad,
        "chain": {"sealed": journal.sealed + recording.sealed, "intact": not chain_fault, "fault": chain_fault},
        "last_sequence": journal.last,
        "last_position": recording.last,
    }


def _first_sequence(place: LogPlace) -> int:
    for number in place.disk_numbers() or place.shared_numbers():
        path = place.disk_file(number) if place.disk_file(number).exists() else place.shared_file(number)
        if path.stat().st_size <= DATA_OFFSET:
            continue
        segment = Segment(path, writable=False)
        first = segment.first
        segment.close()
        return first
    return 0


def _verify_chain(place: LogPlace) -> tuple[int, str]:
    try:
        links = read_chain(place.chain_file)
    except ValueError as error:
        return 0, str(error)
    for before, link in zip([None, *links], links, strict=False):
        fault = _link_fault(place, before, link)
        if fault:
            return len(links), fault
    return len(links), ""


def _link_fault(place: LogPlace, before: Link | None, link: Link) -> str:
    if before is not None and (link.segment != before.segment + 1 or link.first != before.last + 1):
        return f"the chain of the {place.word} leaps from segment {before.segment} to {link.segment}"
    path = place.disk_file(link.segment)
    if not path.exists():
        return f"{path} is in the chain and not on disk"
    if file_sha256(path) != link.sha256:
        return f"{path} is not what the chain says"
    return ""
