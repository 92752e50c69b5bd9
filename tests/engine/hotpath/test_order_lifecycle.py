"""Every event after every other, from every state, against the plain model: the machine of docs/orders.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import permutations, product
from pathlib import Path
from typing import Any

import pytest

from engine.hotpath.entries import replay_input, replay_request
from engine.hotpath.replay import RECORDS
from engine.messages.codes import OPEN_STATES, OrderState, RecordKind, ReportKind
from engine.messages.journal import BODIES
from engine.native import address_of, touched
from tests.engine.hotpath.lifecycle_events import ABOUT_ONE, ABOUT_THE_REPLACEMENT, EVENTS, WAYS, Pair
from tests.engine.hotpath.lifecycle_model import NEW, OLD, World
from tests.engine.loop_builder import ALPHA, BRAVO, STRATEGY, TEAM, VENUE, Loop

K = ReportKind
FEE = 30
NAMES = {state: state.name.lower().replace("_", " ") for state in OrderState}
OPEN = tuple(name for name in WAYS if name in {NAMES[state] for state in OPEN_STATES})
ENDED = set(NAMES.values()) - set(OPEN)
TABLES = ("core", "orders", "fills", "cells", "legs", "accounts", "strategies", "venues")


class Bench:
    """A loop whose strategy wants nothing (its second instrument has no book), and ways to take things back."""

    def __init__(self) -> None:
        self.loop = Loop(order_capacity=16, strategy_count=4)
        wide = {"position": 10**6, "orders_per_second": 10**6}
        self.loop.wide_limits(firm=wide, team=wide, strategy=wide)
        self.loop.quote(ALPHA, 999_900, 1_000_100)
        assert self.loop.start_pairs(instruments=[ALPHA, BRAVO]).applied
        self.loop.memory.venues[VENUE]["taker_fee"] = FEE
        self.loop.taken()
        self.team = self.loop.configuration.team_account(TEAM)
        self.row = self.loop.configuration.strategy_rows[STRATEGY]

    @contextmanager
    def then_forgotten(self) -> Iterator[None]:
        """What happens inside has not happened afterwards."""
        kept = [(table, table.copy()) for table in (getattr(self.loop.memory, name) for name in TABLES)]
        try:
            yield
        finally:
            for table, content in kept:
                table[:] = content
            self.loop.taken()

    def measured(self, pair: Pair) -> dict[str, Any]:
        loop = self.loop
        leg, cells = loop.leg(), (loop.leg(), loop.cell(self.team), loop.cell(0))
        rows = {name: loop.order(number) for name, number in pair.numbers.items()}
        return {
            "orders": {n: (int(o["state"]), int(o["leaves"]), int(o["filled"])) for n, o in rows.items()},
            "working": {int(cell["working_buy"]) for cell in cells},
            "selling": {int(cell["working_sell"]) for cell in cells},
            "position": {int(cell["position"]) for cell in cells},
            "fees": {int(cell["fees"]) for cell in cells} | {int(loop.memory.accounts["fees"][0])},
            "open orders": (int(leg["open_orders"]), int(loop.memory.strategies[self.row]["working"])),
            "the leg's order": int(leg["order_id"]),
            "the leg is": (int(leg["canceling"]), int(leg["replacing"])),
        }


def expected(pair: Pair) -> dict[str, Any]:
    world = pair.world
    open_orders = sum(order.is_open for order in world.orders.values())
    leader = world.orders[world.leader] if world.leader else None
    replacing = leader is not None and leader.name == OLD and world.replacing
    return {
        "orders": {n: (int(o.state), world.leaves(n), world.filled(n)) for n, o in world.orders.items()},
        "working": {sum(world.leaves(name) for name in world.orders)},
        "selling": {0},
        "position": {world.position},
        "fees": {FEE * world.position},
        "open orders": (open_orders, open_orders),
        "the leg's order": pair.numbers[leader.name] if leader else 0,
        "the leg is": (int(leader is not None and leader.canceling), int(replacing)),
    }


def booked(loop: Loop) -> int:
    """Shares that the journal says our orders bought since the last look: executions less breaks, each once."""
    signs = {int(ReportKind.EXECUTED): 1, int(ReportKind.BROKEN): -1}
    reports = loop.bodies(RecordKind.ORDER_REPORT)
    return sum(signs.get(r["kind"], 0) * r["quantity"] for r in reports if r["state"] and not r["duplicate"])


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def happen(bench: Bench, pair: Pair, name: str) -> None:
    """The event in the engine and in the model; both say the same afterwards, and so does the journal."""
    ended = {n for n, order in pair.world.orders.items() if not order.is_open}
    position = pair.world.position
    in_engine, in_model = EVENTS[name]
    in_engine(pair)
    in_model(pair.world)
    measured = bench.measured(pair)
    assert measured == expected(pair), name
    assert booked(bench.loop) == pair.world.position - position, name
    assert all(leaves >= 0 for _, leaves, _ in measured["orders"].values())
    assert all(not order.is_open for n, order in pair.world.orders.items() if n in ended), name


def brought_to(bench: Bench, state: str) -> Pair:
    """A new order, in this state."""
    pair = Pair.enter(bench.loop)
    bench.loop.taken()
    for name in WAYS[state]:
        happen(bench, pair, name)
    return pair


def fork(pair: Pair) -> Pair:
    """The same orders, with a model of their own."""
    copied = World(
        {name: type(order)(**vars(order)) for name, order in pair.world.orders.items()},
        {key: type(fill)(**vars(fill)) for key, fill in pair.world.fills.items()},
        pair.world.leader,
        pair.world.is_up,
    )
    return Pair(pair.loop, dict(pair.numbers), copied)


def every(bench: Bench, pair: Pair, depth: int, names: tuple[str, ...], said: tuple[str, ...]) -> int:
    """Every sequence of `depth` events, as a tree. Returns how many there were."""
    if depth == 0:
        return 1
    count = 0
    for name in names:
        with bench.then_forgotten():
            branch = fork(pair)
            try:
                happen(bench, branch, name)
            except AssertionError as error:
                raise AssertionError(f"{' > '.join((*said, name))}: {error}") from error
            count += every(bench, branch, depth - 1, names, (*said, name))
    return count


@pytest.mark.parametrize("state", WAYS)
def test_every_two_events_in_every_order_from_every_state(bench: Bench, state: str) -> None:
    with bench.then_forgotten():
        pair = brought_to(bench, state)
        assert every(bench, pair, 2, tuple(EVENTS), (state,)) == len(EVENTS) ** 2


SHORT = ("executed in part", "broken", "canceled", "cancel asked", "session lost")
TRIPLES = {"pending new": tuple(ABOUT_ONE), "pending replace": (*SHORT, *ABOUT_THE_REPLACEMENT)}


@pytest.mark.parametrize("state", TRIPLES)
def test_every_three_events_while_the_venue_has_not_answered(bench: Bench, state: str) -> None:
    with bench.then_forgotten():
        pair = brought_to(bench, state)
        names = TRIPLES[state]
        assert every(bench, pair, 3, names, (state,)) == len(names) ** 3


# What a venue did, in its order: `Pair` says it in any other. Each says how much is executed and open at the end.
Said = Callable[[Pair], None]
HISTORIES: dict[str, tuple[str, int, dict[str, Said]]] = {
    "a fill and the rest canceled": (
        "pending new",
        40,
        {
            "accepted": lambda p: p.say(K.ACCEPTED, OLD, 100),
            "executed": lambda p: p.say(K.EXECUTED, OLD, 40, 1),
            "canceled": lambda p: p.say(K.CANCELED, OLD, 60),
        },
    ),
    "two fills, one of them taken back": (
        "pending new",
        60,
        {
            "accepted": lambda p: p.say(K.ACCEPTED, OLD, 100),
            "executed": lambda p: p.say(K.EXECUTED, OLD, 40, 1),
            "executed the rest": lambda p: p.say(K.EXECUTED, OLD, 60, 2),
            "broken": lambda p: p.say(K.BROKEN, OLD, 0, 1),
        },
    ),
    "a fill of the old order before the replacement, one after": (
        "pending replace",
        90,
        {
            "executed": lambda p: p.say(K.EXECUTED, OLD, 40, 1),
            "replaced": lambda p: p.say(K.REPLACED, NEW, 50),
            "replacement executed": lambda p: p.say(K.EXECUTED, NEW, 50, 3),
        },
    ),
    "filled before the cancel came": (
        "pending cancel",
        100,
        {
            "executed": lambda p: p.say(K.EXECUTED, OLD, 100, 1),
            "cancel rejected": lambda p: p.say(K.CANCEL_REJECTED, OLD),
        },
    ),
}


@pytest.mark.parametrize("history", HISTORIES)
def test_in_whatever_order_and_however_often_it_is_said_the_end_is_the_same(bench: Bench, history: str) -> None:
    state, executed, said = HISTORIES[history]
    for again in said:
        for order in permutations([*said, again]):
            with bench.then_forgotten():
                pair = brought_to(bench, state)
                for name in order:
                    said[name](pair)
                measured = bench.measured(pair)
                assert (measured["position"], measured["fees"]) == ({executed}, {FEE * executed}), order
                assert (measured["working"], measured["open orders"]) == ({0}, (0, 0)), order
                assert booked(bench.loop) == executed, order


def next_states(bench: Bench, event: str) -> list[str]:
    """What the order is after the event, from each state of the table; a dash where it stays what it is."""
    row = []
    for state in OPEN:
        with bench.then_forgotten():
            pair = brought_to(bench, state)
            happen(bench, pair, event)
            row.append(NAMES.get(pair.world.orders[OLD].state, ""))
        row[-1] = "-" if row[-1] == state else row[-1]
    return row


def test_the_documents_table_is_what_the_engine_does(bench: Bench) -> None:
    lines = (Path(__file__).parents[3] / "docs" / "orders.md").read_text().splitlines()
    written = (line for line in lines if line.startswith("| ") and "---" not in line)
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in written]
    table = {cells[0]: cells[1:] for cells in rows if len(cells) == len(OPEN) + 1}
    assert table.pop("event") == list(OPEN)
    assert table == {event: next_states(bench, event) for event in ABOUT_ONE}
    after = {cells[0]: cells[1:] for cells in rows if len(cells) == 3 and cells[0] in ABOUT_THE_REPLACEMENT}
    assert set(after) == set(ABOUT_THE_REPLACEMENT)
    for event, states in after.items():
        with bench.then_forgotten():
            pair = brought_to(bench, "pending replace")
            happen(bench, pair, event)
            assert states == [NAMES[order.state] for order in pair.world.orders.values()], event


def test_the_journal_alone_brings_every_order_back_to_where_it_was(bench: Bench) -> None:
    """As after a start of another build, which takes requests and answers at their word."""
    again = Bench()
    again.loop.core["replaying"] = RECORDS
    for state, event in product(WAYS, EVENTS):
        with bench.then_forgotten(), again.then_forgotten():
            pair = Pair.enter(bench.loop)
            for name in (*WAYS[state], event):
                EVENTS[name][0](pair)
            recover(again, bench.loop.taken())
            assert again.measured(pair) == bench.measured(pair), (state, event)


def recover(bench: Bench, journal: list[Any]) -> None:
    """Requests, answers and session events of a journal, as a start replays them."""
    for record in journal:
        body = touched(1, BODIES[record.kind])
        body[0] = record.body
        if record.kind == RecordKind.ORDER_REQUEST:
            replay_request(bench.loop.address, address_of(body), bench.row, bench.team)
        elif record.kind in (RecordKind.ORDER_REPORT, RecordKind.SESSION_EVENT):
            replay_input(bench.loop.address, int(record.kind), record.time_ns, address_of(body))


@pytest.mark.parametrize("state", [name for name in WAYS if name in ENDED])
def test_nothing_brings_an_order_back_that_has_ended(bench: Bench, state: str) -> None:
    for event in EVENTS:
        with bench.then_forgotten():
            pair = brought_to(bench, state)
            happen(bench, pair, event)
            assert NAMES[pair.world.orders[OLD].state] == state, event
