"""The histogram against a plain computation."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.hotpath.calibration import cycles_per_us
from engine.hotpath.latency import BUCKETS, bucket_of, bucket_start, percentiles, record_latency
from engine.native import address_of, touched

DURATIONS = st.one_of(st.integers(0, 200), st.integers(0, 10**10), st.integers(0, (1 << 62) - 1))


def recorded(durations: list[int]) -> np.ndarray:
    counts = touched(BUCKETS, np.dtype("<i8"))
    for duration_ns in durations:
        record_latency(address_of(counts), duration_ns, 1000, 1)
    return counts


@given(DURATIONS)
def test_a_duration_falls_into_the_bucket_that_starts_at_most_three_percent_below_it(duration_ns: int) -> None:
    bucket = int(bucket_of(duration_ns))
    assert bucket_start(bucket) <= duration_ns < bucket_start(bucket + 1)
    assert duration_ns - bucket_start(bucket) <= duration_ns / 32


def test_every_bucket_starts_where_the_one_before_ends() -> None:
    starts = [bucket_start(index) for index in range(BUCKETS)]
    assert starts == sorted(set(starts))
    assert [int(bucket_of(start)) for start in starts[:-32]] == list(range(BUCKETS - 32))


def test_a_clock_that_went_back_counts_as_no_time() -> None:
    assert int(bucket_of(-1)) == int(bucket_of(-(1 << 62))) == 0


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=200), st.sampled_from([0.0, 0.5, 0.9, 0.99, 0.999, 1.0]))
def test_percentiles_are_those_of_the_sorted_durations_to_three_percent(durations: list[int], quantile: float) -> None:
    counts = recorded(durations)
    assert int(counts.sum()) == len(durations)
    exact = sorted(durations)[max(1, math.ceil(quantile * len(durations))) - 1]
    (found,) = percentiles(counts, [quantile])
    assert found == bucket_start(int(bucket_of(exact)))


def test_nothing_recorded_has_no_percentiles() -> None:
    assert percentiles(recorded([]), [0.5, 1.0]) == [None, None]


def test_cycles_become_nanoseconds_by_the_calibration() -> None:
    counts = touched(BUCKETS, np.dtype("<i8"))
    record_latency(address_of(counts), 26_000, 2_600, 1)
    assert np.flatnonzero(counts).tolist() == [int(bucket_of(10_000))]


def test_the_calibration_is_a_rate_of_this_machine() -> None:
    assert 1 <= cycles_per_us() < 100_000
