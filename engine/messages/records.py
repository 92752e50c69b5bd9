"""Journal records in bulk: bytes from the journal or the follow stream as structured arrays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from engine.messages.codes import RecordKind
from engine.messages.journal import BODIES, HEADER_SIZE, JOURNAL_HEADER, RECORD_SIZE, TEXT_KINDS

POSITION_SIZE = 8
RECORD = np.dtype([("header", JOURNAL_HEADER), ("body", f"V{RECORD_SIZE - HEADER_SIZE}")])


class TextRecord(NamedTuple):
    """A record whose body is JSON: COMMAND or ENGINE_STARTED."""

    kind: RecordKind
    sequence: int
    time_ns: int
    position: int
    document: dict[str, Any]


class BodyRecord(NamedTuple):
    """A record with a fixed body; `body` is one row of the dtype that BODIES names for the kind."""

    kind: RecordKind
    sequence: int
    time_ns: int
    position: int
    body: np.void


def runs(data: Any) -> Iterator[np.ndarray[Any, Any] | TextRecord]:
    """Split whole records, back to back, into arrays of RECORD (neighbours with fixed bodies) and single text records.

    `data`: bytes or a uint8 array. In the order of the journal.
    """
    slots = np.frombuffer(data, RECORD)
    header = slots["header"]
    texts = np.flatnonzero(np.isin(header["kind"], [int(kind) for kind in TEXT_KINDS]))
    start = 0
    for text in texts.tolist():
        if text < start:
            continue  # bytes inside a text that look like a header
        if text > start:
            yield slots[start:text]
        yield _text_record(slots, text)
        start = text + int(header["length"][text]) // RECORD_SIZE
    if start < len(slots):
        yield slots[start:]


def bodies(run: np.ndarray[Any, Any], kind: RecordKind) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Headers (JOURNAL_HEADER) and bodies (BODIES[kind]) of the records of one kind in a run, in order."""
    chosen = np.ascontiguousarray(run[run["header"]["kind"] == kind])
    layout = np.dtype([("header", JOURNAL_HEADER), ("body", BODIES[kind])])
    rows = chosen.view(layout)
    return rows["header"], rows["body"]


def records(data: Any) -> Iterator[BodyRecord | TextRecord]:
    """Every record, one by one: for reading, not for speed."""
    for run in runs(data):
        if isinstance(run, TextRecord):
            yield run
            continue
        for row in run:
            header = row["header"]
            kind = RecordKind(int(header["kind"]))
            body = np.frombuffer(row["body"].tobytes(), BODIES[kind])[0]
            yield BodyRecord(kind, int(header["sequence"]), int(header["time_ns"]), int(body["position"]), body)


def _text_record(slots: np.ndarray[Any, Any], index: int) -> TextRecord:
    header = slots["header"][index]
    count = int(header["length"]) // RECORD_SIZE
    raw = slots[index : index + count].tobytes()
    text_start = HEADER_SIZE + POSITION_SIZE
    text = raw[text_start : text_start + int(header["text_length"])]
    return TextRecord(
        RecordKind(int(header["kind"])),
        int(header["sequence"]),
        int(header["time_ns"]),
        int.from_bytes(raw[HEADER_SIZE:text_start], "little"),
        json.loads(text),
    )
