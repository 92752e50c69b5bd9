"""Orders per second: a bucket of one second's orders, refilled by the market's clock."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.messages.codes import DenialReason
from tests.engine.loop_builder import ALPHA, OPEN_NS, SECOND_NS, Loop, reason

R = DenialReason


def rated(per_second: int) -> Loop:
    loop = Loop()
    loop.wide_limits(firm={"orders_per_second": per_second})
    loop.quote(ALPHA, 999_900, 1_000_100)
    return loop


def passed(loop: Loop, tries: int) -> int:
    return sum(reason(loop.enter(quantity=1)) == R.NONE for _ in range(tries))


@pytest.mark.parametrize("per_second", [1, 2, 3, 7, 10, 50, 333])
def test_exactly_so_many_orders_pass_at_one_moment(per_second: int) -> None:
    assert passed(rated(per_second), per_second + 5) == per_second


def test_zero_lets_nothing_pass() -> None:
    assert passed(rated(0), 3) == 0


def test_the_bucket_refills_steadily_and_never_beyond_one_second() -> None:
    loop = rated(10)
    assert passed(loop, 20) == 10
    loop.market_time(OPEN_NS + SECOND_NS // 10)
    assert passed(loop, 20) == 1
    loop.market_time(OPEN_NS + SECOND_NS // 2)
    assert passed(loop, 20) == 4
    loop.market_time(OPEN_NS + 60 * SECOND_NS)
    assert passed(loop, 20) == 10


def test_refused_orders_do_not_push_the_refill_away() -> None:
    loop = rated(1)
    assert passed(loop, 100) == 1
    loop.market_time(OPEN_NS + SECOND_NS - 1)
    assert passed(loop, 1) == 0
    loop.market_time(OPEN_NS + SECOND_NS)
    assert passed(loop, 100) == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.lists(st.tuples(st.integers(0, 300_000_000), st.integers(0, 60)), max_size=25))
def test_no_second_ever_sees_twice_the_rate_and_no_long_time_more_than_the_rate(
    per_second: int, bursts: list[tuple[int, int]]
) -> None:
    loop = rated(per_second)
    now = OPEN_NS
    sent: list[int] = []
    for pause, tries in bursts:
        now += pause
        loop.market_time(now)
        sent += [now] * passed(loop, tries)
    for first in range(len(sent)):
        for last in range(first, len(sent)):
            duration = sent[last] - sent[first]
            assert last - first + 1 <= per_second + duration * per_second / SECOND_NS + 1e-6 * per_second + 1e-9
