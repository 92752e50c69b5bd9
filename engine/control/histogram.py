"""Histograms of durations with log-linear buckets, as HdrHistogram has them: 128 steps per doubling, so that a value is
told with an error below 1%, whatever its size; the largest one exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

STEP_BITS = 7
STEPS = 1 << STEP_BITS
LARGEST_NS = (1 << 40) - 1  # 18 minutes; what is longer counts as this
BUCKETS = (40 - STEP_BITS + 1) * STEPS

Durations = np.ndarray[Any, np.dtype[np.int64]]


def buckets_of(durations_ns: Durations) -> Durations:
    """Index of the bucket of each duration; below 0 counts as 0."""
    clipped = np.clip(durations_ns, 0, LARGEST_NS).astype(np.int64)
    exponents = np.maximum(np.frexp(clipped.astype(np.float64))[1].astype(np.int64) - 1, STEP_BITS)
    shifts = exponents - STEP_BITS
    return np.where(clipped < STEPS, clipped, (shifts << STEP_BITS) + (clipped >> shifts))


def largest_in(bucket: int) -> int:
    """The longest duration, in nanoseconds, that falls into a bucket."""
    if bucket < 2 * STEPS:
        return bucket
    shift = (bucket >> STEP_BITS) - 1
    return ((STEPS + (bucket & (STEPS - 1)) + 1) << shift) - 1


def quantiles(counts: np.ndarray[Any, Any], largest_ns: int, wanted: Mapping[str, float]) -> dict[str, int | None]:
    """`n`, each wanted quantile (0..1) and `max_ns`, in nanoseconds; None when nothing was counted."""
    total = int(counts.sum())
    if total == 0:
        return {"n": 0} | dict.fromkeys(wanted) | {"max_ns": None}
    cumulative = np.cumsum(counts)
    found: dict[str, int | None] = {"n": total}
    for name, quantile in wanted.items():
        rank = max(1, int(np.ceil(quantile * total)))
        found[name] = min(largest_in(int(np.searchsorted(cumulative, rank))), largest_ns)
    return found | {"max_ns": largest_ns}


class Histogram:
    """Counts since it was made or emptied."""

    def __init__(self) -> None:
        self.counts = np.zeros(BUCKETS, np.int64)
        self.largest_ns = 0

    def add(self, durations_ns: Durations) -> None:
        """Count durations."""
        if len(durations_ns):
            self.counts += np.bincount(buckets_of(durations_ns), minlength=BUCKETS)
            self.largest_ns = max(self.largest_ns, min(int(durations_ns.max()), LARGEST_NS))

    def clear(self) -> None:
        """Forget everything."""
        self.counts[:] = 0
        self.largest_ns = 0

    def quantiles(self, wanted: Mapping[str, float]) -> dict[str, int | None]:
        """As the function of this name."""
        return quantiles(self.counts, self.largest_ns, wanted)


class LastMinute:
    """Counts of the last minute: sixty histograms of one second each, the oldest emptied as the next begins."""

    SLOTS = 60

    def __init__(self) -> None:
        self._slots = np.zeros((self.SLOTS, BUCKETS), np.int32)
        self._largest = np.zeros(self.SLOTS, np.int64)
        self._second = 0

    def move_to(self, second: int) -> None:
        """It is `second` now; what lies a minute back and more is forgotten."""
        for fresh in range(max(self._second + 1, second - self.SLOTS + 1), second + 1):
            self._slots[fresh % self.SLOTS] = 0
            self._largest[fresh % self.SLOTS] = 0
        self._second = max(self._second, second)

    def add(self, durations_ns: Durations) -> None:
        """Count durations in the present second."""
        if len(durations_ns):
            slot = self._second % self.SLOTS
            self._slots[slot] += np.bincount(buckets_of(durations_ns), minlength=BUCKETS).astype(np.int32)
            self._largest[slot] = max(int(self._largest[slot]), min(int(durations_ns.max()), LARGEST_NS))

    def quantiles(self, wanted: Mapping[str, float]) -> dict[str, int | None]:
        """As the function of this name."""
        return quantiles(self._slots.sum(axis=0), int(self._largest.max()), wanted)
