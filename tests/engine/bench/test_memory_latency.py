"""The walk whose loads are timed goes through every line once."""

from __future__ import annotations

from engine.bench.memory_latency import follow, lines_in_a_circle
from engine.native import address_of


def test_the_walk_goes_through_every_line_and_ends_where_it_began() -> None:
    lines = lines_in_a_circle(64)
    start = address_of(lines)
    passed = [int(follow(start, steps)) for steps in range(1, 65)]
    assert sorted(passed) == [start + 64 * line for line in range(64)]
    assert passed[-1] == start
