"""The loop's side of the shared-memory rings; the layout and the other side are in `engine.transport.ring_file`.

`ring` is `RingFile.address`. One process pushes; one other peeks and advances. None of these waits.

    ring_push(ring, kind, body, length) -> 1, or 0 when the ring is full
    ring_peek(ring, target) -> kind of the oldest record, its 96-byte body copied to `target`; 0 when there is none
    ring_advance(ring)      gives that record back: call it once what it caused is journalled
    ring_pop(ring, target)  peek and advance in one, for a record whose loss in a crash would not matter
    ring_waiting(ring) -> records pushed and not yet given back
"""

from __future__ import annotations

from engine.native import copy_bytes, hot, load_acquire, load_i64, store_i64, store_release, zero_bytes
from engine.transport.ring_file import (
    BODY_AT,
    BODY_SIZE,
    CAPACITY_AT,
    HEAD_AT,
    HEADER_SIZE,
    KIND_AT,
    LENGTH_AT,
    SEQUENCE_AT,
    SLOT_SIZE,
    TAIL_AT,
)


@hot
def ring_push(ring, kind, body, length):
    """Append `length` (at most 96) bytes at address `body` as a record of `kind` (not 0). 0 when full, else 1."""
    tail = load_i64(ring + TAIL_AT)
    capacity = load_i64(ring + CAPACITY_AT)
    if tail - load_acquire(ring + HEAD_AT) >= capacity:
        return 0
    slot = ring + HEADER_SIZE + (tail & (capacity - 1)) * SLOT_SIZE
    store_i64(slot + SEQUENCE_AT, tail + 1)
    store_i64(slot + KIND_AT, kind)
    store_i64(slot + LENGTH_AT, length)
    copy_bytes(slot + BODY_AT, body, length)
    zero_bytes(slot + BODY_AT + length, BODY_SIZE - length)
    store_release(ring + TAIL_AT, tail + 1)
    return 1


@hot
def ring_peek(ring, target):
    """Copy the oldest record's body to the 96 bytes at `target` and return its kind; 0 when there is none."""
    head = load_i64(ring + HEAD_AT)
    if head >= load_acquire(ring + TAIL_AT):
        return 0
    slot = ring + HEADER_SIZE + (head & (load_i64(ring + CAPACITY_AT) - 1)) * SLOT_SIZE
    copy_bytes(target, slot + BODY_AT, BODY_SIZE)
    return load_i64(slot + KIND_AT)


@hot
def ring_advance(ring):
    """Give the record that `ring_peek` showed back to the producer."""
    store_release(ring + HEAD_AT, load_i64(ring + HEAD_AT) + 1)


@hot
def ring_pop(ring, target):
    """`ring_peek`, and the record is gone."""
    kind = ring_peek(ring, target)
    if kind != 0:
        ring_advance(ring)
    return kind


@hot
def ring_waiting(ring):
    """Records pushed and not yet given back."""
    return load_acquire(ring + TAIL_AT) - load_acquire(ring + HEAD_AT)
