"""A ring of packets in memory that two processes share: the stand-in for a card that the kernel does not stand before.

One process pushes, one other takes; neither waits, and no system call is made. Header words (64 bit): capacity at 0,
packets taken at 64, packets pushed at 128. A slot is a 64-bit tag of the pusher's, the length, and the bytes.
"""

from __future__ import annotations

from engine.native import copy_bytes, hot, load_acquire, load_i64, store_i64, store_release

HEADER_BYTES = 192
SLOT_BYTES = 4096
LARGEST_PACKET = SLOT_BYTES - 16
TAKEN_AT, PUSHED_AT = 64, 128


def ring_bytes(capacity: int) -> int:
    """Bytes of a ring of `capacity` packets, a power of two."""
    return HEADER_BYTES + capacity * SLOT_BYTES


@hot
def packet_push(ring, tag, packet, length):
    """Push `length` bytes (at most LARGEST_PACKET) at address `packet`. 1, or 0 when the ring is full."""
    pushed = load_i64(ring + PUSHED_AT)
    capacity = load_i64(ring)
    if pushed - load_acquire(ring + TAKEN_AT) >= capacity:
        return 0
    slot = ring + HEADER_BYTES + (pushed & (capacity - 1)) * SLOT_BYTES
    store_i64(slot, tag)
    store_i64(slot + 8, length)
    copy_bytes(slot + 16, packet, length)
    store_release(ring + PUSHED_AT, pushed + 1)
    return 1


@hot
def packet_waits(ring):
    """Whether there is a packet to take."""
    return load_acquire(ring + PUSHED_AT) > load_i64(ring + TAKEN_AT)


@hot
def packet_take(ring, target):
    """Copy the oldest packet to `target` (LARGEST_PACKET bytes of room). Returns its length; one must be waiting."""
    taken = load_i64(ring + TAKEN_AT)
    slot = ring + HEADER_BYTES + (taken & (load_i64(ring) - 1)) * SLOT_BYTES
    length = load_i64(slot + 8)
    copy_bytes(target, slot + 16, length)
    store_release(ring + TAKEN_AT, taken + 1)
    return length


@hot
def packet_tag(ring):
    """The tag of the oldest packet; one must be waiting."""
    return load_i64(ring + HEADER_BYTES + (load_i64(ring + TAKEN_AT) & (load_i64(ring) - 1)) * SLOT_BYTES)
