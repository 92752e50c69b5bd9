"""The table of `bench all`: what a line says of a value, of a missed target and of a benchmark that failed."""

from __future__ import annotations

from engine.bench.table import LINES, RUNS, Line, render, rows_of

AT_MOST = Line("one", "time", "ns", lambda found: found["time"], lambda found: "the floor", most=10)
AT_LEAST = Line("one", "ratio", "x", lambda found: found["ratio"], lambda found: "the peer", least=40)


def test_a_target_holds_up_to_its_bound_and_not_beyond() -> None:
    assert [AT_MOST.holds(value) for value in (10, 10.1, None)] == ["yes", "NO", "not measured"]
    assert [AT_LEAST.holds(value) for value in (40, 39.9)] == ["yes", "NO"]
    assert (AT_MOST.target(), AT_LEAST.target()) == ("at most 10 ns", "at least 40 x")


def test_a_benchmark_that_failed_has_lines_that_say_so() -> None:
    rows = rows_of(dict.fromkeys(RUNS))
    assert len(rows) == len(LINES)
    assert {tuple(row[2:]) for row in rows} == {("-", "not measured", "it failed")}


def test_every_line_belongs_to_a_benchmark_that_is_run() -> None:
    assert {line.run for line in LINES} == set(RUNS)


def test_the_table_has_columns_of_equal_width() -> None:
    shown = render([["time", "at most 10 ns", "9 ns", "yes", "the floor 8 ns"]])
    assert shown.splitlines() == [
        "| measure | target        | measured | holds here | beside it, same run |",
        "|---------|---------------|----------|------------|---------------------|",
        "| time    | at most 10 ns | 9 ns     | yes        | the floor 8 ns      |",
    ]
