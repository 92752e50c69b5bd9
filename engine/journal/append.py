"""The loop's side of the two logs: reserve, write, commit. No allocation, no system call, nothing that can wait.

A writer block (WRITER) describes one log; hot code takes its address. There is one writer thread per log.

    body = reserve_journal(writer)                 # address of the body, or 0: the log is full, the caller must HALT
    view(body, 1, ORDER_REQUEST)[0].price = ...    # write every field of the body
    sequence = commit_journal(writer, kind, time_ns)        # commit_fields(writer, ORDER_REQUEST, kind, time_ns)

    position = append_recording(writer, venue, line, time_ns, packet, length)      # 0: the log is full, HALT

A record is published whole: its bytes first, then the tail with a release store, so that a reader in another process
and the next start after a kill see all of it or nothing. When a segment is full the loop flips to the prepared one; it
never overwrites and never waits.
"""

from __future__ import annotations

import numpy as np

from engine.journal.segments import (
    DATA_OFFSET,
    HEADER_CHECKED_BYTES,
    HEADER_CHECKED_OFFSET,
    SEGMENT_HEADER,
    TAIL_OFFSET,
)
from engine.messages.codes import SCHEMA_VERSION
from engine.messages.journal import HEADER_SIZE, JOURNAL_HEADER, RECORD_SIZE, RECORDING_HEADER
from engine.native import (
    copy_bytes,
    crc32c,
    crc32c_fields,
    crc32c_more,
    crc32c_u32,
    crc32c_u64,
    hot,
    hot_inlined,
    load_acquire,
    load_i64,
    prefetch,
    store_i64,
    store_release,
    view,
)

WRITER = np.dtype(
    [
        ("segment", "<i8"),  # address of the segment being written, 0 before the first
        ("tail", "<i8"),  # address of the next record
        ("end", "<i8"),  # address after the segment's last byte
        ("soft_end", "<i8"),  # where to flip if a segment is prepared; 0 asks for a roll now
        ("sequence", "<i8"),  # sequence or position of the last record
        ("following", "<i8"),  # address of the prepared segment, 0 when there is none
        ("following_end", "<i8"),
        ("flips", "<i8"),  # segments begun by this process
    ]
)
FOLLOWING_OFFSET = int(WRITER.fields["following"][1])  # type: ignore[index]
TEXT_OFFSET = 8  # in the body of a text record, after the recording position
RECORDING_HEADER_SIZE = RECORDING_HEADER.itemsize
RECORDING_ALIGNMENT = 16
LONGEST_PACKET = 65_535
CACHE_LINE = 64
WORD = 8
JOURNAL_AHEAD = 4  # the record that is asked for, from this one
RECORDING_AHEAD = 3  # lines of the next record that are asked for


@hot
def flip(writer):
    """Begin the prepared segment. 1, or 0 when none is prepared."""
    log = view(writer, 1, WRITER)[0]
    following = load_acquire(writer + FOLLOWING_OFFSET)
    if following == 0:
        return 0
    header = view(following, 1, SEGMENT_HEADER)[0]
    header.first = log.sequence + 1
    header.checksum = crc32c(following + HEADER_CHECKED_OFFSET, HEADER_CHECKED_BYTES)
    log.segment = following
    log.tail = following + DATA_OFFSET
    log.end = log.following_end
    log.soft_end = log.following_end
    log.flips += 1
    store_release(following + TAIL_OFFSET, DATA_OFFSET)
    store_release(writer + FOLLOWING_OFFSET, 0)
    return 1


@hot
def make_room(writer, length):
    """Room for `length` bytes at `tail`. 1, or 0: the log is full and nothing may be sent any more."""
    flip(writer)
    log = view(writer, 1, WRITER)[0]
    return 1 if log.tail + length <= log.end else 0


@hot
def reserve_journal(writer):
    """Address of the next record's body (96 zeroed bytes), or 0: the log is full, the engine must halt.

    A body that was reserved is written whole and committed before anything else is appended to this log.
    """
    log = view(writer, 1, WRITER)[0]
    if log.tail + RECORD_SIZE > log.soft_end and make_room(writer, RECORD_SIZE) == 0:
        return 0
    prefetch(log.tail + JOURNAL_AHEAD * RECORD_SIZE)
    prefetch(log.tail + JOURNAL_AHEAD * RECORD_SIZE + CACHE_LINE)
    return log.tail + HEADER_SIZE


@hot_inlined
def write_header(writer, length, text_length, kind, time_ns):
    """Write the header of the record at `tail`, but for its checksum. The CRC register after it."""
    log = view(writer, 1, WRITER)[0]
    header = view(log.tail, 1, JOURNAL_HEADER)[0]
    sequence = log.sequence + 1
    header.length = length
    header.kind = kind
    header.version = SCHEMA_VERSION
    header.text_length = text_length
    header.sequence = sequence
    header.time_ns = time_ns
    crc = crc32c_u32(0xFFFFFFFF, length)
    crc = crc32c_u64(crc, kind | SCHEMA_VERSION << 16 | text_length << 32)
    crc = crc32c_u64(crc, sequence)
    return crc32c_u64(crc, time_ns)


@hot_inlined
def publish(writer, length, crc):
    """Publish the record at `tail`, whole with the CRC register after all of it. Returns its sequence."""
    log = view(writer, 1, WRITER)[0]
    view(log.tail, 1, JOURNAL_HEADER)[0].checksum = crc ^ 0xFFFFFFFF
    sequence = log.sequence + 1
    log.sequence = sequence
    log.tail += length
    store_release(log.segment + TAIL_OFFSET, log.tail - log.segment)
    return sequence


@hot
def commit_journal(writer, kind, time_ns):
    """Publish the reserved record as `kind` (RecordKind). Returns its sequence."""
    crc = write_header(writer, RECORD_SIZE, 0, kind, time_ns)
    body = view(writer, 1, WRITER)[0].tail + HEADER_SIZE
    return publish(writer, RECORD_SIZE, crc32c_more(crc, body, RECORD_SIZE - HEADER_SIZE))


@hot
def commit_fields(writer, dtype, kind, time_ns):
    """As `commit_journal`, for a body of `dtype` that was just written field by field: its checksum does not wait until
    the fields have reached the cache."""
    crc = write_header(writer, RECORD_SIZE, 0, kind, time_ns)
    body = view(writer, 1, WRITER)[0].tail + HEADER_SIZE
    return publish(writer, RECORD_SIZE, crc32c_fields(crc, body, dtype))


@hot
def text_record_length(text_length):
    """Bytes of a text record: header, position, text, padded to 128."""
    return (HEADER_SIZE + TEXT_OFFSET + text_length + RECORD_SIZE - 1) // RECORD_SIZE * RECORD_SIZE


@hot
def reserve_text(writer, text_length):
    """Address of the body of a text record (position, then `text_length` bytes), or 0: the log is full."""
    log = view(writer, 1, WRITER)[0]
    length = text_record_length(text_length)
    if log.tail + length > log.soft_end and make_room(writer, length) == 0:
        return 0
    return log.tail + HEADER_SIZE


@hot
def commit_text(writer, kind, time_ns, text_length):
    """Publish the reserved text record. Returns its sequence."""
    length = text_record_length(text_length)
    crc = write_header(writer, length, text_length, kind, time_ns)
    body = view(writer, 1, WRITER)[0].tail + HEADER_SIZE
    return publish(writer, length, crc32c_more(crc, body, length - HEADER_SIZE))


@hot_inlined
def copy_packet(record, position, time_ns, venue, line, packet, length, whole):
    """Copy a packet of eight bytes or more into its record, word by word, and return the record's CRC-32C. Words are
    taken from the packet: the record's are still on their way to the cache. The record's padding is zero."""
    crc = crc32c_u32(0xFFFFFFFF, whole)
    crc = crc32c_u64(crc, position)
    crc = crc32c_u64(crc, time_ns)
    crc = crc32c_u64(crc, length | venue << 16 | line << 24)
    target = record + RECORDING_HEADER_SIZE
    at = 0
    while at + WORD <= length:
        word = load_i64(packet + at)
        store_i64(target + at, word)
        crc = crc32c_u64(crc, word)
        at += WORD
    left = length - at
    last = load_i64(packet + length - WORD)
    store_i64(target + length - WORD, last)
    words_left = (whole - RECORDING_HEADER_SIZE - at) // WORD  # 0, 1 or 2
    partial = crc32c_u64(crc, upper_bytes(last, left))
    padded = crc32c_u64(partial, 0)
    return (crc if words_left == 0 else partial if words_left == 1 else padded) ^ 0xFFFFFFFF


@hot_inlined
def upper_bytes(word, count):
    """The last `count` (0 to 7) of a word's eight bytes as the first of another, the others zero."""
    low = (word >> 8) & 0x00FFFFFFFFFFFFFF  # seven bytes, without a sign
    return low >> (8 * (WORD - 1 - count))


@hot
def append_recording(writer, venue, line, time_ns, packet, length):
    """Record a packet of `length` (at most 65,535) bytes at address `packet`. Its position, or 0: the log is full."""
    log = view(writer, 1, WRITER)[0]
    whole = (RECORDING_HEADER_SIZE + length + RECORDING_ALIGNMENT - 1) & -RECORDING_ALIGNMENT
    if log.tail + whole > log.soft_end and make_room(writer, whole) == 0:
        return 0
    position = log.sequence + 1
    header = view(log.tail, 1, RECORDING_HEADER)[0]
    header.length = whole
    header.position = position
    header.time_ns = time_ns
    header.payload_length = length
    header.venue = venue
    header.line = line
    if length >= WORD:
        header.checksum = copy_packet(log.tail, position, time_ns, venue, line, packet, length, whole)
    else:
        copy_bytes(log.tail + RECORDING_HEADER_SIZE, packet, length)
        header.checksum = crc32c(log.tail + 4, whole - 4)
    log.sequence = position
    log.tail += whole
    for ahead in range(RECORDING_AHEAD):
        prefetch(log.tail + ahead * CACHE_LINE)
    store_release(log.segment + TAIL_OFFSET, log.tail - log.segment)
    return position
