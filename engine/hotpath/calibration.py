"""How fast the time stamp counter counts, measured once at start."""

from __future__ import annotations

import time

from engine.native import cycle_counter, hot

SAMPLE_NS = 20_000_000


@hot
def read_cycles():
    """The time stamp counter."""
    return cycle_counter()


def cycles_per_us() -> int:
    """Counts in a microsecond, measured over 20 ms against the monotonic clock; at least 1."""
    started, cycles = time.monotonic_ns(), int(read_cycles())
    time.sleep(SAMPLE_NS / 1e9)
    passed, counted = time.monotonic_ns() - started, int(read_cycles()) - cycles
    return max(1, round(counted * 1000 / passed))
