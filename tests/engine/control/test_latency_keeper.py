"""From the ring to the numbers on the screen: minute and day, what counts, the log, the budget and its alarms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.control.latency_budget import CLEAR_AFTER_S, ORDER_ALARM, P99_ALARM, Budget, Transition
from engine.control.latency_keeper import LatencyKeeper, no_latency
from engine.control.latency_log import DAY_NS, LatencyLog
from engine.messages.codes import OrderAction, StampCause
from engine.messages.latency import NEVER
from tests.engine.loop_builder import Loop

NOON_NS = 20_000 * DAY_NS + DAY_NS // 2
SECOND_NS = 1_000_000_000


class Bench:
    """A keeper whose stamps the test writes and whose clock it sets."""

    def __init__(self, directory: Path, p99_us: int = 0, order_us: int = 0) -> None:
        self.memory = Loop(venues=()).memory
        self.memory.core["cycles_per_us"] = 1000
        self.now_ns = NOON_NS
        self.alarms: list[Transition] = []
        self.log = LatencyLog(directory, 1 << 40)
        self.keeper = LatencyKeeper(self.memory, self.log, Budget(p99_us, order_us), self.alarms.append)
        self.sequence = self.log.sequence

    def stamp(self, *stages_ns: int, cause: int = StampCause.PACKET, action: int = OrderAction.ENTER) -> None:
        """One request that took these nanoseconds to be decided, journaled and, unless it never was, sent."""
        self.sequence += 1
        core = self.memory.core
        row = self.memory.stamps[int(core["stamps_made"][0]) % len(self.memory.stamps)]
        row["sequence"], row["order_id"], row["received_ns"] = self.sequence, self.sequence + 100, self.now_ns
        row["received"] = 5_000
        row["decided"], row["journaled"] = 5_000 + stages_ns[0], 5_000 + sum(stages_ns[:2])
        row["sent"] = 5_000 + sum(stages_ns) if len(stages_ns) == 3 else 0
        row["cause"], row["action"], row["venue"] = cause, action, 1
        core["stamps_made"] += 1
        core["stamps_settled"] = core["stamps_made"]

    def summary(self) -> dict[str, Any]:
        return self.keeper.summary(self.now_ns)

    def watched(self) -> list[tuple[str, bool]]:
        """Alarms that changed by now."""
        self.alarms.clear()
        self.keeper.turn(self.now_ns)
        self.keeper.watch(self.now_ns)
        return [(alarm.name, alarm.raised) for alarm in self.alarms]


def told(n: int, value: int | None, largest: int | None = None) -> dict[str, int | None]:
    largest = value if largest is None else largest
    return {"n": n, "p50_ns": value, "p90_ns": largest, "p99_ns": largest, "p999_ns": largest, "max_ns": largest}


def test_the_stages_and_the_whole_are_told_for_minute_and_day(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    assert bench.summary() == no_latency()
    bench.stamp(10, 20, 30)
    bench.stamp(100, 20, 3)
    minute = {
        "decide": told(2, 10, 100),
        "journal": told(2, 20),
        "send": told(2, 3, 30),
        "whole": told(2, 60, 123),
    }
    whole = {"n": 2, "p50_ns": 60, "p99_ns": 123, "p999_ns": 123, "max_ns": 123}
    assert bench.summary() == whole | {"minute": minute, "day": minute, "lost": 0, "logged": 2, "failure": ""}


def test_after_a_minute_only_the_day_remembers(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.stamp(10, 20, 30)
    bench.summary()
    bench.now_ns += 61 * SECOND_NS
    assert bench.summary()["minute"]["whole"] == told(0, None)
    assert bench.summary()["day"]["whole"] == told(1, 60)


def test_a_new_day_begins_with_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.stamp(10, 20, 30)
    bench.summary()
    bench.now_ns += DAY_NS // 2
    assert bench.summary()["day"]["whole"] == told(0, None)


def test_a_restart_in_the_middle_of_the_day_keeps_the_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    bench.stamp(10, 20, 30)
    bench.summary()
    monkeypatch.setattr("engine.control.latency_keeper.time.time_ns", lambda: NOON_NS + 5)
    again = Bench(tmp_path)
    again.stamp(1, 1, 1)
    assert again.summary()["day"]["whole"] == told(2, 3, 60)
    assert again.summary()["minute"]["whole"] == told(1, 3)
    assert again.summary()["logged"] == 2


@pytest.mark.parametrize(
    "other", [{"cause": StampCause.ANSWER}, {"cause": StampCause.COMMAND}, {"action": OrderAction.CANCEL}]
)
def test_what_no_packet_caused_and_what_enters_no_order_is_kept_but_not_counted(
    tmp_path: Path, other: dict[str, int]
) -> None:
    bench = Bench(tmp_path)
    bench.stamp(10, 20, 30, **other)
    assert bench.summary() == no_latency() | {"logged": 1}
    assert len(bench.log.after(0, 10)) == 1


def test_an_order_that_was_never_sent_is_kept_but_not_counted(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.stamp(10, 20)
    assert bench.summary() == no_latency() | {"logged": 1}
    assert bench.log.after(0, 10)["sent_ns"].tolist() == [NEVER]


def test_a_log_that_cannot_be_written_is_told_and_the_numbers_go_on(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.log.directory.rmdir()
    bench.stamp(10, 20, 30)
    summary = bench.summary()
    assert summary["failure"] == "the latency log could not be written: No such file or directory"
    assert summary["minute"]["whole"] == told(1, 60)


def test_the_p99_alarm_goes_on_when_the_budget_is_broken_and_off_after_it_was_kept_a_while(tmp_path: Path) -> None:
    bench = Bench(tmp_path, p99_us=2)
    bench.stamp(1000, 500, 499)
    assert bench.watched() == []
    for _ in range(3):
        bench.stamp(1000, 500, 900)
    assert bench.watched() == [(P99_ALARM, True)]
    assert bench.alarms[0].sentence == (
        "99 % of the last minute's orders took at most 2.4 µs from packet to send; the budget is 2 µs"
    )
    assert (bench.alarms[0].measured_ns, bench.alarms[0].budget_ns) == (2400, 2000)
    bench.now_ns += 30 * SECOND_NS
    assert bench.watched() == []
    bench.now_ns += 31 * SECOND_NS
    bench.stamp(1, 1, 1)
    assert bench.watched() == [(P99_ALARM, False)]
    bench.now_ns += SECOND_NS
    assert bench.watched() == []


def test_a_budget_that_is_broken_now_and_then_does_not_flicker() -> None:
    budget = Budget(1, 0)
    good, bad = {"p99_ns": 900, "max_ns": 900}, {"p99_ns": 1100, "max_ns": 1100}
    seen = [budget.check(bad if second % 5 == 0 else good, second) for second in range(30)]
    assert [len(changes) for changes in seen] == [1] + [0] * 29
    last_broken = 25
    later = [budget.check(good, second) for second in range(30, last_broken + CLEAR_AFTER_S + 1)]
    assert [len(changes) for changes in later] == [0] * (len(later) - 1) + [1]


def test_one_slow_order_breaks_only_the_budget_of_one_order(tmp_path: Path) -> None:
    bench = Bench(tmp_path, p99_us=5, order_us=20)
    for _ in range(200):
        bench.stamp(100, 100, 100)
    bench.stamp(100, 100, 30_000)
    assert bench.watched() == [(ORDER_ALARM, True)]
    assert (
        bench.alarms[0].sentence == "an order of the last minute took 30.2 µs from packet to send; the budget is 20 µs"
    )
    bench.now_ns += 61 * SECOND_NS
    assert bench.watched() == [(ORDER_ALARM, False)]
    assert bench.alarms[0].sentence == "no order in the last minute; the budget is 20 µs"


def test_without_a_budget_there_is_no_alarm_and_one_of_before_is_taken_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.stamp(10**9, 1, 1)
    assert bench.watched() == []
    budget = Budget(0, 0, frozenset({P99_ALARM, "another alarm"}))
    (change,) = budget.check({"p99_ns": 5, "max_ns": 5}, 1_800_000_000)
    assert (change.name, change.raised, change.sentence) == (P99_ALARM, False, "there is no such budget any more")
