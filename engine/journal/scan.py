"""Walking records: where each ends, whether it is intact, whether the sequence is dense. Compiled like the loop."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from engine.journal.append import RECORDING_ALIGNMENT, RECORDING_HEADER_SIZE
from engine.journal.places import LogKind
from engine.messages.journal import HEADER_SIZE, JOURNAL_HEADER, RECORD_SIZE, RECORDING_HEADER
from engine.native import crc32c, hot, view


class Fault(IntEnum):
    """Why a walk stopped before its end."""

    NONE = 0
    LENGTH = 1
    CHECKSUM = 2
    SEQUENCE = 3


SCAN = np.dtype(
    [
        ("offset", "<i8"),  # in: where to start; out: where the walk stopped
        ("sequence", "<i8"),  # in: of the record before; out: of the last record walked over
        ("records", "<i8"),  # out: records walked over
        ("fault", "<i8"),  # out: Fault of the record at `offset`
    ]
)

JOURNAL = int(LogKind.JOURNAL)


@hot
def record_length(address, room, log):
    """Length of the record at `address` if it can be one: aligned, not longer than `room`. 0 otherwise."""
    if log == JOURNAL:
        if room < RECORD_SIZE:
            return 0
        length = np.int64(view(address, 1, JOURNAL_HEADER)[0].length)
        text_length = np.int64(view(address, 1, JOURNAL_HEADER)[0].text_length)
        possible = length >= RECORD_SIZE and length % RECORD_SIZE == 0 and text_length <= length - HEADER_SIZE
    else:
        if room < RECORDING_HEADER_SIZE:
            return 0
        length = np.int64(view(address, 1, RECORDING_HEADER)[0].length)
        payload_length = np.int64(view(address, 1, RECORDING_HEADER)[0].payload_length)
        possible = (
            length >= RECORDING_HEADER_SIZE
            and length % RECORDING_ALIGNMENT == 0
            and payload_length <= length - RECORDING_HEADER_SIZE
        )
    return length if possible and length <= room else 0


@hot
def record_sequence(address, log):
    """Sequence (journal) or position (recording) of the record at `address`."""
    if log == JOURNAL:
        return np.int64(view(address, 1, JOURNAL_HEADER)[0].sequence)
    return np.int64(view(address, 1, RECORDING_HEADER)[0].position)


@hot
def intact(address, length):
    """Whether the checksum of the record at `address` is right."""
    return np.int64(view(address, 1, JOURNAL_HEADER)[0].checksum) == crc32c(address + 4, length - 4)


@hot
def scan(result, address, end, log, most_records, last_sequence):
    """Walk over whole, intact, dense records of a segment at `address`, from result.offset to offset `end`.

    Stops after `most_records`, after the record with `last_sequence`, or before a bad record. `result` is the address
    of a SCAN.
    """
    walk = view(result, 1, SCAN)[0]
    offset, sequence, records, fault = walk.offset, walk.sequence, 0, 0
    while offset < end and records < most_records and sequence < last_sequence:
        length = record_length(address + offset, end - offset, log)
        if length == 0:
            fault = 1
            break
        if not intact(address + offset, length):
            fault = 2
            break
        if record_sequence(address + offset, log) != sequence + 1:
            fault = 3
            break
        offset += length
        sequence += 1
        records += 1
    walk.offset = offset
    walk.sequence = sequence
    walk.records = records
    walk.fault = fault
    return fault


@hot
def find_intact(address, start, end, log):
    """Offset of the first intact record at or after `start`, or -1: what follows is only a torn tail."""
    step = RECORD_SIZE if log == JOURNAL else RECORDING_ALIGNMENT
    offset = start
    while offset < end:
        length = record_length(address + offset, end - offset, log)
        if length != 0 and intact(address + offset, length):
            return offset
        offset += step
    return -1
