"""Whatever happened to an engine, a replay of its logs makes every record again and ends in its state."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.algorithms import ALGORITHMS, compiled_algorithm
from engine.build import build_hash
from engine.control import recovery
from engine.control.commands import Commands
from engine.control.configuration import Configuration
from engine.control.recovery import Diverged, Replay
from engine.hotpath.entries import apply_event, begin_numbers, pass_time, watch_gap
from engine.hotpath.memory import EngineMemory
from engine.hotpath.tables import LEGS_PER_STRATEGY, OUCH50
from engine.journal.append import commit_journal, reserve_journal
from engine.journal.reader import Span
from engine.messages import control
from engine.messages.codes import (
    EngineState,
    ParentState,
    RecordKind,
    ReportKind,
    Scope,
    StrategyState,
    TimeInForce,
)
from engine.messages.instruments import Instrument
from engine.messages.journal import ENGINE_STATE
from engine.protocols import itch50, moldudp64
from tests.engine.loop_builder import (
    ALPHA,
    BRAVO,
    BUY,
    DOWN,
    FEED_SESSION,
    INSTRUMENTS,
    OPEN_NS,
    PARAMETERS,
    SECOND_NS,
    SELL,
    STRATEGY,
    TEAM,
    UP,
    VENUE,
    Loop,
)

MIDDLE = 1_000_000
MS_NS = 1_000_000
SMALL = {"venue_count": 4, "strategy_count": 8, "order_capacity": 1 << 10, "book_orders": 1 << 12, "window": 64}


class Lived(Loop):
    """An engine whose every input is journalled, its state included."""

    def __init__(self, build: str = "") -> None:
        super().__init__(venues=())
        started = {"build_hash": build or build_hash(), "epoch": 1, "mode": "paper"}
        self.journal.stamp(int(self.core["clock_ns"]), 0)
        self.journal.append_started(started | {"instruments": [asdict(row) for row in INSTRUMENTS]})
        begin_numbers(self.address)
        self.now = OPEN_NS
        for venue in (1, 2):
            self.define_venue(venue, taker_fee="30")
            self.session(venue, UP)
        self.engine_state(EngineState.ACTIVE)
        self.wide_limits()
        self.swing(0)
        self.start_pairs(parameters=PARAMETERS | {"patience": 0.5})

    def engine_state(self, state: EngineState) -> None:
        body = int(reserve_journal(self.journal.writer))
        event = np.frombuffer((ctypes.c_char * ENGINE_STATE.itemsize).from_address(body), ENGINE_STATE)
        event["position"], event["state"] = int(self.core["position"]), int(state)
        kind = int(RecordKind.ENGINE_STATE)
        apply_event(self.address, kind, body)
        commit_journal(self.journal.writer, kind, int(self.core["clock_ns"]))

    def swing(self, ticks: int) -> None:
        """Quotes of both instruments, the first so many ticks from the middle, a little later than the last."""
        self.now += 100 * MS_NS
        self.pass_time(100 * MS_NS)
        self.quote(ALPHA, MIDDLE + 100 * ticks - 100, MIDDLE + 100 * ticks + 100, self.now)
        self.quote(BRAVO, MIDDLE - 100, MIDDLE + 100, self.now)

    def cross(self, letter: str) -> None:
        """The venue prints the opening or the closing cross of the first instrument."""
        fields: dict[str, Any] = {"quantity": 100, "price": MIDDLE, "match_number": self.next_sequence[VENUE]}
        message = itch50.encode(
            "cross_trade", stock_locate=ALPHA, timestamp_ns=self.now, instrument="ALPHA", cross_type=letter, **fields
        )
        self.packet([message])

    def speak_ouch(self) -> None:
        """From now on the first venue is one whose lost orders leave again."""
        self.memory.venues[VENUE]["protocol"] = OUCH50

    def answer_some(self, kind: ReportKind, which: int, quantity: int) -> None:
        numbers = [int(n) for n in self.memory.orders["order_id"] if n]
        if numbers:
            order_id = sorted(numbers)[-1 - which % len(numbers)]
            self.report(kind, order_id, quantity, MIDDLE, int(self.order(order_id)["venue"]))

    def lose_packets(self, count: int, recover: bool) -> None:
        lost = [
            moldudp64.encode(FEED_SESSION, self.next_sequence[1] + n, [self.add(ALPHA, BUY, 900_000)])
            for n in range(count)
        ]
        self.next_sequence[1] += count
        self.packet([self.add(BRAVO, BUY, 900_000)])
        self.pass_time(2 * MS_NS)
        watch_gap(self.address, VENUE)
        if recover:
            for payload in lost:
                self.datagram(payload, line=2)


def replayed(
    lived: Lived,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[bytearray], None] | None = None,
    added: tuple[Instrument, ...] = (),
) -> Replay:
    """A fresh engine, which lists also what was `added`, after the replay of what `lived` wrote."""
    listed = [*INSTRUMENTS, *added]
    journal = bytearray(lived.journal.take())
    if spoil:
        spoil(journal)
    logs = {"journal": bytes(journal), "recording": lived.recording.take()}

    class Reader:
        def __init__(self, place: str) -> None:
            self._left = [Span(1, 1, np.frombuffer(logs[place], np.uint8))] if logs[place] else []

        def next_span(self) -> Span | None:
            return self._left.pop() if self._left else None

    monkeypatch.setattr(recovery, "LogReader", Reader)
    memory = EngineMemory(listed, **SMALL)
    commands = Commands(Configuration(memory, {row.id: row.name for row in listed}), lambda _: 0)
    made = Replay(SimpleNamespace(journal="journal", recording="recording"), memory, commands)  # type: ignore[arg-type]
    made.run()
    return made


CORE = [
    "state",
    "limits_version",
    "next_order_id",
    "market_time_ns",
    "position",
    "refresh_ns",
    "unknown_reports",
    "orders_entered",
    "denials",
    "feed_sequence",
    "last_number",
    "fill_count",
    "parent_count",
]
VENUES = ["session", "killed", "dirty", "ended", "expected", "next_inbound", "orders", "fills", "rejects"]
VENUES += ["entry_disabled"]
STRATEGIES = ["id", "state", "team", "account", "kind", "leg_count", "orders", "fills", "denials", "working", "signal"]
STRATEGIES += ["parent"]
TABLES = ["orders", "cells", "legs", "accounts", "marks", "fills", "parents", "volumes", "learned", "routed"]


def state_of(memory: EngineMemory, configuration: Configuration) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(memory, name).tobytes() for name in TABLES}
    found |= {name: int(memory.core[name][0]) for name in CORE}
    found["venues"] = memory.venues[VENUES].tolist()
    found["strategies"] = memory.strategies[STRATEGIES].tolist()
    found["rows"] = {row: own.tobytes() for row, own in memory.rows.items()}
    found["tops"] = memory.book.tops.tobytes()
    found["kills"] = configuration.kills
    found["limits"] = configuration.limits
    return found


ANSWERS = st.sampled_from([kind for kind in ReportKind if kind != ReportKind.NOT_SENT])
KILLS = st.sampled_from([(Scope.FIRM, 0), (Scope.TEAM, TEAM), (Scope.STRATEGY, STRATEGY), (Scope.VENUE, 1)])
SIDES = st.sampled_from([BUY, SELL])
Step = Callable[[Lived], object]
STEPS: st.SearchStrategy[Step] = st.one_of(
    st.builds(lambda ticks: lambda loop: loop.swing(ticks), st.integers(-25, 25)),
    st.builds(lambda ticks: lambda loop: loop.swing(ticks), st.sampled_from([-20, 0, 20])),
    st.builds(
        lambda kind, which, q: lambda loop: loop.answer_some(kind, which, q),
        ANSWERS,
        st.integers(0, 3),
        st.integers(1, 120),
    ),
    st.just(lambda loop: loop.session(state=DOWN)),
    st.just(lambda loop: loop.session(state=UP, next_reference=int(loop.core["next_order_id"]))),
    st.just(lambda loop: loop.session(state=UP, next_reference=1)),
    st.just(lambda loop: loop.session(state=UP, next_reference=1, fresh=1)),
    st.builds(lambda kill: lambda loop: loop.kill(*kill), KILLS),
    st.builds(lambda k: lambda loop: loop.command(control.Rearm(int(k[0]), k[1], "over", "bob")), KILLS),
    st.just(lambda loop: loop.engine_state(EngineState.ACTIVE)),
    st.just(lambda loop: loop.command(control.StopStrategy(STRATEGY))),
    st.just(lambda loop: loop.start_pairs(parameters=PARAMETERS | {"patience": 0.0})),
    st.builds(
        lambda side, q: lambda loop: loop.command(manual(side, q)), st.sampled_from([BUY, SELL]), st.integers(1, 200)
    ),
    st.builds(
        lambda force, q: lambda loop: loop.command(replace(manual(BUY, q), time_in_force=force)),
        st.sampled_from([TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE]),
        st.integers(1, 200),
    ),
    st.builds(lambda letter: lambda loop: loop.cross(letter), st.sampled_from("OC")),
    st.builds(
        lambda force, q: lambda loop: loop.command(long_lived(loop, force, q)),
        st.sampled_from([TimeInForce.GTC, TimeInForce.GTD]),
        st.integers(1, 200),
    ),
    st.builds(
        lambda venue, q: lambda loop: loop.command(replace(manual(BUY, q), venue=venue, price=0, protection=20)),
        st.sampled_from([control.SMART, VENUE]),
        st.integers(1, 200),
    ),
    st.builds(
        lambda side, q, limit, force: lambda loop: loop.command(smart(side, q, limit, force)),
        SIDES,
        st.integers(1, 1500),
        st.integers(-3, 3),
        st.sampled_from([1, 2]),
    ),
    st.just(lambda loop: loop.quote(ALPHA, MIDDLE - 200, MIDDLE + 100, loop.now, venue=2)),
    st.builds(lambda n: lambda loop: loop.command(control.CancelOrder(n)), st.integers(1, 12)),
    st.builds(
        lambda n, price, quantity: lambda loop: loop.command(control.ReplaceOrder(n, MIDDLE + 100 * price, quantity)),
        st.integers(1, 12),
        st.integers(-2, 2),
        st.integers(1, 200),
    ),
    st.builds(
        lambda name, side, owner: lambda loop: loop.command(parent(loop, name, side, owner)),
        st.sampled_from(list(ALGORITHMS)),
        SIDES,
        st.sampled_from([0, 0, STRATEGY]),
    ),
    st.just(lambda loop: pass_time(loop.address)),
    st.just(lambda loop: pass_time(loop.address)),
    st.builds(lambda which: lambda loop: cancel_some_parent(loop, which), st.integers(0, 3)),
    st.builds(lambda bound: lambda loop: loop.wide_limits(team={"position": bound}), st.sampled_from([0, 100, 10_000])),
    st.builds(lambda n, back: lambda loop: loop.lose_packets(n, back), st.integers(1, 3), st.booleans()),
    st.just(lambda loop: loop.pass_time(SECOND_NS)),
    st.just(lambda loop: loop.speak_ouch()),
    st.builds(lambda kind, quantity: replaced_meanwhile(kind, quantity), ANSWERS, st.integers(1, 200)),
)


def replaced_meanwhile(kind: ReportKind, quantity: int) -> Step:
    """An order that works, a replacement of it, and an answer to either."""

    def happen(loop: Lived) -> None:
        status = loop.command(manual(BUY, 100))
        order_id = int(status.body["order_id"])
        loop.report(ReportKind.ACCEPTED, order_id, 100, MIDDLE)
        loop.command(control.ReplaceOrder(order_id, MIDDLE - 100, quantity))
        loop.answer_some(kind, quantity % 2, quantity)

    return happen


def away(inside: Step, fresh: int, seen: bool) -> Step:
    """A session that is lost, something that happens meanwhile, and the session again."""

    def happen(loop: Lived) -> None:
        loop.session(state=DOWN)
        inside(loop)
        loop.session(state=UP, next_reference=int(loop.core["next_order_id"]) if seen else 1, fresh=fresh)

    return happen


LIVES = st.lists(
    st.one_of(STEPS, st.builds(away, STEPS, st.sampled_from([0, 0, 1]), st.booleans())), min_size=5, max_size=30
)


def parent(loop: Lived, name: str, side: int, owner: int) -> control.EnterParent:
    """A parent order of a few seconds, of people's or the strategy's."""
    kind = compiled_algorithm(name)
    values = {parameter.name: parameter.default for parameter in kind.module.PARAMETERS}
    values |= {"auction": 40.0} if name == "close" else {}
    end_ns = int(loop.core["clock_ns"]) + 3 * SECOND_NS
    legs = [leg(ALPHA, side, 500), leg(BRAVO, BUY + SELL - side, 300)] if name == "legs" else []
    venues, price, quantity = ([1], 0, 800) if legs else ([1, 2], MIDDLE + 500, 500)
    return control.EnterParent(
        "p", owner, TEAM, 9, name, kind.hash, ALPHA, venues, side, quantity, price, 0, end_ns, values, legs=legs
    )


def leg(instrument: int, side: int, quantity: int) -> dict[str, int]:
    """One leg of a multi-leg order at the first venue, without a limit."""
    return {"venue": 1, "instrument": instrument, "side": side, "quantity": quantity, "price": 0}


def cancel_some_parent(loop: Lived, which: int) -> None:
    working = loop.commands.parents.working()
    if working:
        number = int(loop.memory.strategies[working[which % len(working)]]["parent"])
        loop.command(control.CancelParent(number))


def manual(side: int, quantity: int) -> control.EnterOrder:
    return control.EnterOrder("m", TEAM, ALPHA, VENUE, side, quantity, MIDDLE, 1)


def long_lived(loop: Lived, time_in_force: int, quantity: int) -> control.EnterOrder:
    """An order good till canceled or for three seconds, which its venue does not know."""
    ends = int(loop.core["clock_ns"]) + 3 * SECOND_NS if time_in_force == TimeInForce.GTD else 0
    return replace(manual(BUY, quantity), time_in_force=time_in_force, good_till_ns=ends, trader=9)


def smart(side: int, quantity: int, limit: int, time_in_force: int) -> control.EnterOrder:
    """An order that the router splits, `limit` ticks from the middle."""
    return control.EnterOrder("s", TEAM, ALPHA, control.SMART, side, quantity, MIDDLE + 100 * limit, time_in_force)


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=LIVES)
def test_a_replay_ends_in_the_state_that_was_lived(steps: list[Step], monkeypatch: pytest.MonkeyPatch) -> None:
    lived = Lived()
    lived.swing(20)
    for step in steps:
        step(lived)
        for venue in (1, 2):
            lived.sent(venue)
    expected = state_of(lived.memory, lived.configuration)
    made = replayed(lived, monkeypatch)
    assert made.found.extra == b""
    assert state_of(made.memory, made.commands.configuration) == expected


def test_working_parent_orders_are_there_again_after_a_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    lived = Lived()
    for name in ALGORITHMS:
        lived.command(parent(lived, name, BUY, STRATEGY if name == "vwap" else 0))
    for ticks in (1, 2, -3, 0, 4, 1, -2):
        pass_time(lived.address)
        lived.answer_some(ReportKind.ACCEPTED, 0, 0)
        lived.answer_some(ReportKind.EXECUTED, 1, 30)
        lived.swing(ticks)
    expected = state_of(lived.memory, lived.configuration)
    assert len(lived.commands.parents.working()) == 6  # with one strategy that is every row

    made = replayed(lived, monkeypatch)

    assert made.found.extra == b""
    assert state_of(made.memory, made.commands.configuration) == expected


def test_what_waits_for_a_cross_and_what_came_too_late_are_the_same_after_a_replay(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lived = Lived()
    number = lived.applied(parent(lived, "close", BUY, 0))["parent_id"]
    for ticks in (1, 2):
        pass_time(lived.address)
        lived.swing(ticks)
    (child,) = [row for row in lived.memory.orders.copy() if row["time_in_force"] == TimeInForce.AT_CLOSE]
    lived.report(ReportKind.ACCEPTED, int(child["order_id"]))
    lived.report(ReportKind.EXECUTED, int(child["order_id"]), 150, MIDDLE)
    lived.cross("C")
    late = lived.command(replace(manual(BUY, 10), time_in_force=TimeInForce.AT_CLOSE))
    (row,) = lived.commands.parents.working()
    state = lived.memory.rows[row][0]
    assert (late.body["denial"], int(child["parent"]), int(child["leaves"])) == ("AUCTION_OVER", number, 200)
    assert (int(state["auction_working"]), int(state["auction_filled"])) == (50, 150)
    expected = state_of(lived.memory, lived.configuration) | {"statuses": lived.memory.statuses.tobytes()}

    made = replayed(lived, monkeypatch)

    assert made.found.extra == b""
    found = state_of(made.memory, made.commands.configuration) | {"statuses": made.memory.statuses.tobytes()}
    assert found == expected


@pytest.mark.parametrize(("owner", "unwind"), [(0, 0), (STRATEGY, 1)])
def test_a_multi_leg_order_goes_on_after_a_replay(owner: int, unwind: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lived = Lived()
    body = parent(lived, "legs", BUY, owner)
    told = {"patience": 0.0, "unhedged": 100, "rule": 1, "time_out": 0.4, "unwind": unwind}
    number = lived.applied(replace(body, parameters=body.parameters | told))["parent_id"]
    for ticks in (1, 2, -3, 0, 4):
        pass_time(lived.address)
        for order in lived.memory.orders.copy():
            if order["parent"] == number and order["leaves"]:
                lived.report(ReportKind.EXECUTED, int(order["order_id"]), 20, MIDDLE, int(order["venue"]))
        lived.swing(ticks)
    expected = state_of(lived.memory, lived.configuration)
    [row] = lived.commands.parents.working()
    asked = {int(order["instrument"]) for order in lived.memory.orders if order["parent"] == number}
    assert asked == {ALPHA, BRAVO}
    record = lived.memory.rows[row].tobytes()

    made = replayed(lived, monkeypatch)

    assert made.found.extra == b""
    assert state_of(made.memory, made.commands.configuration) == expected
    assert made.memory.rows[row].tobytes() == record


def test_parent_orders_of_another_build_are_not_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    lived = Lived(build="0" * 16)
    number = lived.applied(parent(lived, "twap", BUY, 0))["parent_id"]
    pass_time(lived.address)
    [order_id] = [int(row["order_id"]) for row in lived.memory.orders if row["parent"] == number]
    lived.report(ReportKind.ACCEPTED, order_id)

    made = replayed(lived, monkeypatch)

    [row] = made.commands.parents.working()
    assert made.memory.orders["parent"][order_id] == number
    assert (made.memory.strategies["parent"][row], made.memory.rows[row]["state"][0]) == (number, ParentState.CANCELING)
    assert made.memory.legs["open_orders"][row * LEGS_PER_STRATEGY] == 1


def test_a_kill_across_a_lost_session_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    lived = Lived()
    lived.swing(20)
    lived.answer_some(ReportKind.ACCEPTED, 0, 0)
    lived.session(state=DOWN)
    lived.kill(Scope.TEAM, TEAM)
    lived.session(state=UP, next_reference=int(lived.core["next_order_id"]))
    expected = state_of(lived.memory, lived.configuration)
    assert (lived.memory.orders["canceling"] > 0).sum() == 2
    made = replayed(lived, monkeypatch)
    assert state_of(made.memory, made.commands.configuration) == expected


def test_a_journal_of_another_build_is_taken_at_its_word_and_its_strategies_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lived = Lived(build="0" * 16)
    lived.swing(20)
    for which, kind in enumerate((ReportKind.EXECUTED, ReportKind.ACCEPTED)):
        lived.answer_some(kind, which, 40)
    lived.swing(-20)
    lived.swing(0)
    lived.enter(quantity=1_000_000)
    expected = state_of(lived.memory, lived.configuration)
    made = replayed(lived, monkeypatch)
    found = state_of(made.memory, made.commands.configuration)
    assert not made.found.followed
    assert made.memory.strategies["state"].tolist() == [StrategyState.STOPPED] * SMALL["strategy_count"]
    for name in ("orders", "cells", "next_order_id", "tops", "limits", "position"):
        assert found[name] == expected[name], name


def test_instruments_that_changed_their_meaning_stop_the_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    lived = Lived()
    monkeypatch.setattr(sys.modules[__name__], "INSTRUMENTS", [replace(row, tick_size=10) for row in INSTRUMENTS])
    with pytest.raises(ValueError, match=r"instrument 1 \(ALPHA\) of the journal is missing or changed"):
        replayed(lived, monkeypatch)


def test_the_same_command_again_is_answered_after_a_replay_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    lived = Lived()
    first = lived.command(manual(BUY, 100), command_id="0123456789abcdef")
    made = replayed(lived, monkeypatch)
    again = made.commands.execute(control.command(manual(BUY, 100), "alice", "0123456789abcdef"))
    assert first.applied
    assert again == first


@pytest.mark.parametrize("what", ["a price", "a report"])
def test_a_journal_that_this_build_would_not_have_written_is_never_continued_from(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lived = Lived()
    lived.swing(20)
    lived.answer_some(ReportKind.EXECUTED, 0, 50)

    def spoil(journal: bytearray) -> None:
        kind = RecordKind.ORDER_REQUEST if what == "a price" else RecordKind.ORDER_REPORT
        records = range(0, len(journal), 128)
        at = next(n for n in records if int.from_bytes(journal[n + 8 : n + 10], "little") == kind)
        journal[at + 32 + 24] ^= 1

    with pytest.raises(Diverged):
        replayed(lived, monkeypatch, spoil)
