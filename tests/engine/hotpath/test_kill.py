"""What a kill does to open orders: all of them in its scope, again when asked again, and across a lost session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.hotpath import tables
from engine.messages import control
from engine.messages.codes import EngineState, OrderAction, OrderState, RecordKind, ReportKind, Scope
from tests.engine.hotpath.ouch_venue import OuchVenue
from tests.engine.loop_builder import (
    ALPHA,
    BRAVO,
    BUY,
    DOWN,
    OTHER_TEAM,
    OTHER_VENUE,
    SELL,
    STRATEGY,
    TEAM,
    UP,
    VENUE,
    WIDE,
    LimitsRow,
    Loop,
)


@pytest.fixture
def loop() -> Loop:
    """Two teams, one strategy that wants nothing, two venues with a book."""
    made = Loop()
    scopes = ((Scope.FIRM, 0), (Scope.TEAM, TEAM), (Scope.TEAM, OTHER_TEAM), (Scope.STRATEGY, STRATEGY))
    made.limits(*(LimitsRow(int(scope), number, **WIDE) for scope, number in scopes))
    for venue in (VENUE, OTHER_VENUE):
        made.quote(ALPHA, 999_900, 1_000_100, venue=venue)
    assert made.start_pairs().applied
    return made


def open_orders(loop: Loop) -> dict[str, int]:
    return {
        "manual": loop.enter(),
        "manual elsewhere": loop.enter(venue=OTHER_VENUE),
        "other team": loop.enter(team=OTHER_TEAM),
        "strategy": loop.enter_for_strategy(),
    }


def cancels(loop: Loop) -> list[int]:
    """Orders whose cancel was journalled since the last look."""
    requests = loop.bodies(RecordKind.ORDER_REQUEST)
    return [request["target_order_id"] for request in requests if request["action"] == OrderAction.CANCEL]


SCOPES: list[tuple[Scope, int, set[str]]] = [
    (Scope.FIRM, 0, {"manual", "manual elsewhere", "other team", "strategy"}),
    (Scope.TEAM, TEAM, {"manual", "manual elsewhere", "strategy"}),
    (Scope.TEAM, OTHER_TEAM, {"other team"}),
    (Scope.TEAM, 999, set()),
    (Scope.STRATEGY, STRATEGY, {"strategy"}),
    (Scope.STRATEGY, 0, {"manual", "manual elsewhere", "other team"}),
    (Scope.STRATEGY, 999, set()),
    (Scope.VENUE, VENUE, {"manual", "other team", "strategy"}),
    (Scope.VENUE, OTHER_VENUE, {"manual elsewhere"}),
]


@pytest.mark.parametrize(("scope", "number", "whose"), SCOPES)
def test_a_kill_cancels_every_open_order_in_its_scope_and_no_other(
    loop: Loop, scope: Scope, number: int, whose: set[str]
) -> None:
    orders = open_orders(loop)
    loop.taken()
    assert loop.kill(scope, number) == {"canceling": len(whose)}
    assert set(cancels(loop)) == {orders[name] for name in whose}


def test_a_kill_asked_again_asks_the_venues_again_for_what_is_still_open(loop: Loop) -> None:
    orders = open_orders(loop)
    loop.kill(Scope.FIRM)
    loop.report(ReportKind.CANCELED, orders["manual"])
    loop.taken()
    assert loop.kill(Scope.FIRM) == {"canceling": 3}
    assert set(cancels(loop)) == set(orders.values()) - {orders["manual"]}


def test_a_kill_halts_the_engine_and_rearming_lets_it_reconcile(loop: Loop) -> None:
    loop.kill(Scope.FIRM)
    assert loop.core["state"] == EngineState.HALTED
    loop.applied(control.Rearm(int(Scope.FIRM), 0, "over", "bob"))
    assert loop.core["state"] == EngineState.RECONCILING
    assert loop.memory.accounts["killed"].tolist() == [0] * len(loop.memory.accounts)


def test_an_order_of_every_open_state_is_canceled_and_no_ended_one(loop: Loop) -> None:
    by_state: dict[str, int] = {name: loop.enter() for name in ("pending", "accepted", "part", "canceling", "canceled")}
    for name in ("accepted", "part", "canceling", "canceled"):
        loop.report(ReportKind.ACCEPTED, by_state[name], 100)
    loop.report(ReportKind.EXECUTED, by_state["part"], 10, 1_000_000)
    loop.applied(control.CancelOrder(by_state["canceling"]))
    loop.report(ReportKind.CANCELED, by_state["canceled"])
    loop.taken()
    loop.kill(Scope.FIRM)
    assert cancels(loop) == [by_state[name] for name in ("pending", "accepted", "part", "canceling")]


@pytest.fixture
def venue(loop: Loop) -> Iterator[OuchVenue]:
    made = OuchVenue(loop)
    yield made
    made.close()


def test_a_kill_during_a_lost_session_reaches_the_venue_when_the_session_is_back(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter()
    loop.report(ReportKind.ACCEPTED, order_id, 100)
    loop.session(state=DOWN)
    venue.close()
    loop.kill(Scope.TEAM, TEAM)
    venue.connect()
    assert venue.received() == []
    loop.session(state=UP, next_reference=order_id + 1)
    assert [(m.layout.name, m.values["user_reference"]) for m in venue.received()] == [("cancel_order", order_id)]
    assert loop.order(order_id)["state"] == OrderState.PENDING_CANCEL


def test_orders_of_a_strategy_stopped_during_a_lost_session_are_canceled_when_it_is_back(
    loop: Loop, venue: OuchVenue
) -> None:
    mine, manual = loop.enter_for_strategy(), loop.enter()
    loop.session(state=DOWN)
    loop.applied(control.StopStrategy(STRATEGY))
    loop.taken()
    loop.report(ReportKind.ACCEPTED, mine, 100)
    loop.session(state=UP, next_reference=manual)
    assert cancels(loop) == [mine]
    assert loop.order(manual)["state"] == OrderState.PENDING_NEW, "nobody stopped the person: it has left again"


def test_a_session_that_comes_up_without_kills_cancels_nothing(loop: Loop) -> None:
    orders = open_orders(loop)
    loop.session(state=DOWN)
    loop.taken()
    loop.session(state=UP, next_reference=max(orders.values()) + 1)
    assert cancels(loop) == []


def test_the_killed_orders_of_a_session_that_expired_need_no_cancel(loop: Loop) -> None:
    order_id = loop.enter()
    loop.session(state=DOWN)
    loop.kill(Scope.FIRM)
    loop.taken()
    loop.session(state=UP, next_reference=1, fresh=1)
    assert cancels(loop) == []
    assert loop.order(order_id)["state"] == OrderState.EXPIRED


def test_a_venue_whose_session_process_is_gone_gets_nothing_and_nothing_breaks(loop: Loop) -> None:
    order_id = loop.enter(venue=OTHER_VENUE)
    loop.memory.venues[OTHER_VENUE]["protocol"] = tables.RING
    assert loop.kill(Scope.FIRM) == {"canceling": 1}
    assert loop.order(order_id)["canceling"] == 1


def wanting(loop: Loop, **parameters: float) -> None:
    """Both books two-sided and the spread far from its centre: the strategy wants both legs."""
    loop.quote(BRAVO, 999_900, 1_000_100)
    loop.applied(control.StopStrategy(STRATEGY))
    pair: dict[str, Any] = {"parameters": {**dict(centre_parameters()), **parameters}}
    assert loop.start_pairs(**pair).applied
    loop.packet([loop.add(ALPHA, SELL, 1_000_200)])


def centre_parameters() -> dict[str, float]:
    return {
        "hedge_ratio": 1.0,
        "centre": 1.0,
        "deviation": 0.05,
        "entry": 2.0,
        "exit": 0.5,
        "quantity": 100,
        "patience": 2.0,
        "memory": 0.0,
        "routing": 0.0,
    }


def strategy_orders(loop: Loop) -> list[tuple[int, OrderState]]:
    row = loop.configuration.strategy_rows[STRATEGY]
    orders = loop.memory.orders[loop.memory.orders["strategy"] == row]
    found = [(int(o["order_id"]), OrderState(int(o["state"]))) for o in orders if o["order_id"]]
    return sorted(found)


def nudge(loop: Loop, instrument: int, side: int = BUY) -> None:
    """A change of the top: the strategy looks."""
    price = int(loop.memory.book.tops[loop.memory.listing(VENUE, instrument)]["bid"]) + 100
    loop.packet([loop.add(instrument, side, price)])


@pytest.mark.parametrize("fresh", [0, 1])
def test_what_a_strategy_enters_on_hearing_that_its_order_ended_is_a_new_order(loop: Loop, fresh: int) -> None:
    wanting(loop)
    nudge(loop, ALPHA)
    before = strategy_orders(loop)
    assert [state for _, state in before] == [OrderState.PENDING_NEW] * 2
    loop.session(state=DOWN)
    loop.session(state=UP, next_reference=1, fresh=fresh)
    ended = OrderState.EXPIRED if fresh else OrderState.DENIED
    after = strategy_orders(loop)
    assert after[:2] == [(order_id, ended) for order_id, _ in before]
    assert [state for _, state in after[2:]] == [OrderState.PENDING_NEW] * 2
    assert int(loop.cell(0, ALPHA)["working_buy"]) + int(loop.cell(0, BRAVO)["working_sell"]) == 200
