"""The histograms against numpy's exact quantiles, and the last minute against the rows of sixty seconds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.control.histogram import BUCKETS, LARGEST_NS, STEPS, Histogram, LastMinute, buckets_of, largest_in
from engine.messages.latency import QUANTILES

DURATIONS = st.one_of(st.integers(0, 300), st.integers(0, 10**7), st.integers(0, LARGEST_NS))
MANY = st.lists(DURATIONS, min_size=1, max_size=300)


def exact(durations: list[int], quantile: float) -> int:
    """The smallest duration that at least this share does not exceed."""
    return int(np.quantile(np.array(durations), quantile, method="inverted_cdf"))


@given(DURATIONS)
def test_a_bucket_tells_its_durations_with_less_than_a_percent_of_error(duration_ns: int) -> None:
    (bucket,) = buckets_of(np.array([duration_ns])).tolist()
    assert duration_ns <= largest_in(bucket) <= duration_ns * (1 + 1 / STEPS)
    assert bucket == 0 or largest_in(bucket - 1) < duration_ns


def test_every_bucket_ends_where_the_next_begins() -> None:
    ends = np.array([largest_in(bucket) for bucket in range(BUCKETS)])
    assert buckets_of(ends).tolist() == list(range(BUCKETS))
    assert buckets_of(ends[:-1] + 1).tolist() == list(range(1, BUCKETS))
    assert ends[-1] == LARGEST_NS


@given(MANY)
def test_quantiles_are_numpys_to_one_percent_and_the_largest_is_exact(durations: list[int]) -> None:
    histogram = Histogram()
    histogram.add(np.array(durations))
    found = histogram.quantiles(QUANTILES)
    assert (found["n"], found["max_ns"]) == (len(durations), max(durations))
    for name, quantile in QUANTILES.items():
        value = found[name]
        assert value is not None
        assert exact(durations, quantile) <= value <= exact(durations, quantile) * 1.01


@given(MANY, MANY)
def test_durations_added_at_two_times_count_as_added_at_once(first: list[int], second: list[int]) -> None:
    apart, together = Histogram(), Histogram()
    apart.add(np.array(first))
    apart.add(np.array(second))
    together.add(np.array(first + second))
    assert apart.quantiles(QUANTILES) == together.quantiles(QUANTILES)


def test_what_is_below_zero_or_beyond_the_last_bucket_counts_at_the_end() -> None:
    histogram = Histogram()
    histogram.add(np.array([-5, LARGEST_NS + 10]))
    assert histogram.quantiles({"p50_ns": 0.5}) == {"n": 2, "p50_ns": 0, "max_ns": LARGEST_NS}


def test_nothing_counted_has_no_quantiles() -> None:
    nothing = {"n": 0, "p50_ns": None, "p90_ns": None, "p99_ns": None, "p999_ns": None, "max_ns": None}
    assert Histogram().quantiles(QUANTILES) == nothing
    assert LastMinute().quantiles(QUANTILES) == nothing


@given(st.lists(st.tuples(st.integers(0, 150), DURATIONS), min_size=1, max_size=80), st.integers(0, 70))
def test_the_last_minute_holds_the_last_sixty_seconds(durations: list[tuple[int, int]], pause: int) -> None:
    minute, begun = LastMinute(), 1_800_000_000
    for second, duration_ns in sorted(durations):
        minute.move_to(begun + second)
        minute.add(np.array([duration_ns]))
    now = max(second for second, _ in durations) + pause
    minute.move_to(begun + now)
    kept = [duration_ns for second, duration_ns in durations if second > now - 60]
    expected = Histogram()
    expected.add(np.array(kept, np.int64))
    assert minute.quantiles(QUANTILES) == expected.quantiles(QUANTILES)


@pytest.mark.parametrize("back", [1, 59, 3600])
def test_a_clock_that_goes_back_forgets_nothing(back: int) -> None:
    minute = LastMinute()
    minute.move_to(10_000)
    minute.add(np.array([7]))
    minute.move_to(10_000 - back)
    minute.add(np.array([9]))
    assert minute.quantiles({})["n"] == 2
