"""How long a load takes that no cache can serve: what absolute figures of a machine are made of.

Each of a million cache lines holds the address of another, in random order: the next load cannot begin before the last
one has ended, and nothing can foresee it.
"""

from __future__ import annotations

import time

import numpy as np

from engine.native import address_of, hot, load_i64, touched

LINES = 1 << 20  # of 64 bytes: larger than caches of a processor's own
WORDS = 8


@hot
def follow(address, steps):
    """Go from line to line; returns the address of the last one."""
    for _ in range(steps):
        address = load_i64(address)
    return address


def lines_in_a_circle(count: int) -> np.ndarray:
    """So many lines, each with the address of the next one of a random circle through all of them."""
    lines = touched(count * WORDS, np.dtype("<i8"))
    order = np.random.default_rng(1).permutation(count)
    lines[order * WORDS] = address_of(lines) + np.roll(order, -1) * WORDS * lines.itemsize
    return lines


def measure() -> float:
    """Nanoseconds a load, over one walk through all lines."""
    lines = lines_in_a_circle(LINES)
    start = address_of(lines)
    follow(start, 1)
    begun_ns = time.perf_counter_ns()
    follow(start, LINES)
    return (time.perf_counter_ns() - begun_ns) / LINES
