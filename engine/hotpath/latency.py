"""Latency histogram in the loop: log-linear buckets in the style of HdrHistogram, one increment per order.

Bucket b of exponent e holds durations in [2^e + b * 2^(e-5), ...): 32 steps per doubling, so an error of at most 3%.
"""

from __future__ import annotations

import numpy as np

from engine.native import count_leading_zeros, hot, load_i64, store_i64

STEP_BITS = 5
STEPS = 1 << STEP_BITS
BUCKETS = (64 - STEP_BITS) * STEPS


@hot
def bucket_of(duration_ns):
    """Index of the bucket that holds `duration_ns`; negative durations count as 0."""
    if duration_ns < STEPS:
        return duration_ns if duration_ns > 0 else 0
    exponent = 63 - count_leading_zeros(duration_ns)
    return ((exponent - STEP_BITS + 1) << STEP_BITS) + ((duration_ns >> (exponent - STEP_BITS)) & (STEPS - 1))


@hot
def record_latency(histogram, cycles, cycles_per_us, count):
    """Count a duration of `cycles` of the time stamp counter for `count` orders."""
    place = histogram + bucket_of(cycles * 1000 // cycles_per_us) * 8
    store_i64(place, load_i64(place) + count)


def bucket_start(index: int) -> int:
    """Least duration, in nanoseconds, that falls into bucket `index`."""
    if index < STEPS:
        return index
    exponent = (index >> STEP_BITS) + STEP_BITS - 1
    return (STEPS + (index & (STEPS - 1))) << (exponent - STEP_BITS)


def percentiles(counts: np.ndarray[tuple[int], np.dtype[np.int64]], quantiles: list[float]) -> list[int | None]:
    """Durations in nanoseconds at the given quantiles (0..1), None when nothing was counted. 1.0 is the largest."""
    total = int(counts.sum())
    if total == 0:
        return [None for _ in quantiles]
    cumulative = np.cumsum(counts)
    return [bucket_start(int(np.searchsorted(cumulative, max(1, int(np.ceil(q * total)))))) for q in quantiles]
