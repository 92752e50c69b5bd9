"""Packets through a ring: in order, whole, with their tags, and never more than it holds."""

from __future__ import annotations

from collections import deque

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.native import address_of
from engine.transport.packet_ring import (
    LARGEST_PACKET,
    packet_push,
    packet_tag,
    packet_take,
    packet_waits,
    ring_bytes,
)

CAPACITY = 4
packets = st.binary(max_size=64) | st.just(bytes(range(256)) * 15 + b"x" * 240)
steps = st.lists(st.one_of(st.none(), st.tuples(st.integers(0, 1 << 62), packets)), max_size=40)


@given(steps)
def test_a_ring_is_a_queue_of_bounded_length(steps: list[tuple[int, bytes] | None]) -> None:
    ring, room = np.zeros(ring_bytes(CAPACITY), np.uint8), np.zeros(LARGEST_PACKET, np.uint8)
    ring[:8].view("<i8")[0] = CAPACITY
    address, slow = address_of(ring), deque[tuple[int, bytes]]()
    for step in steps:
        if step is not None:
            packet = np.frombuffer(step[1] + b"\0", np.uint8)
            pushed = packet_push(address, step[0], address_of(packet), len(step[1]))
            assert pushed == (len(slow) < CAPACITY)
            if pushed:
                slow.append(step)
        elif slow:
            tag = packet_tag(address)
            length = packet_take(address, address_of(room))
            assert (tag, room[:length].tobytes()) == slow.popleft()
        assert bool(packet_waits(address)) == bool(slow)
