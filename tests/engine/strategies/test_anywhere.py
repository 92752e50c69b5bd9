"""Orders that a strategy asks for at no venue in particular: routed, and held and counted as its own."""

from __future__ import annotations

import pytest

from engine.messages.codes import RecordKind, ReportKind, TimeInForce
from engine.messages.control import StartStrategy
from engine.strategies import STRATEGIES, compiled_kind
from tests.engine.hotpath.test_router_orders import ASK, asked, quoted_loop
from tests.engine.loop_builder import ALPHA, BRAVO, OTHER_VENUE, PARAMETERS, STRATEGY, TEAM, VENUE, Loop
from tests.engine.strategies import roamer

BID = 999_900
DAY, IOC, FOK, POST_ONLY = (
    int(force) for force in (TimeInForce.DAY, TimeInForce.IOC, TimeInForce.FOK, TimeInForce.POST_ONLY)
)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    monkeypatch.setitem(STRATEGIES, "roamer", (99, roamer))
    return quoted_loop()


def roam(loop: Loop, quantity: int, price: int, time_in_force: int) -> list[tuple[int, int, int, int]]:
    """Venue, quantity, price and time in force of what the strategy's order became."""
    values = {"quantity": quantity, "price": price, "time_in_force": time_in_force}
    kind = compiled_kind("roamer").hash
    loop.applied(StartStrategy(STRATEGY, "roamer", TEAM, "roamer", kind, VENUE, [ALPHA], values))
    loop.quote(ALPHA, BID, ASK)
    return asked(loop)


def test_what_would_trade_takes_on_several_venues_and_is_the_strategys(loop: Loop) -> None:
    sent = roam(loop, 800, ASK, DAY)
    quantities = {venue: quantity for venue, quantity, _, _ in sent}
    assert (set(quantities), sum(quantities.values())) == ({VENUE, OTHER_VENUE}, 800)
    assert {row[2:] for row in sent} == {(ASK, IOC)}
    leg = loop.leg()
    assert (int(leg["open_orders"]), int(leg["working_buy"])) == (2, 800)
    newest = int(loop.core["next_order_id"]) - 1
    parts = {int(loop.order(number)["venue"]): number for number in (newest, newest - 1)}
    for venue, quantity in quantities.items():
        loop.report(ReportKind.ACCEPTED, parts[venue], quantity, ASK, venue=venue)
        loop.report(ReportKind.EXECUTED, parts[venue], quantity, ASK, venue=venue)
    assert (int(leg["open_orders"]), int(leg["position"])) == (0, 800)
    assert asked(loop) == []


def test_what_does_not_trade_rests_whole_at_one_venue(loop: Loop) -> None:
    [(_, quantity, price, time_in_force)] = roam(loop, 400, BID, DAY)
    assert (quantity, price, time_in_force) == (400, BID, DAY)


def test_post_only_never_takes(loop: Loop) -> None:
    [(_, quantity, price, time_in_force)] = roam(loop, 400, ASK, POST_ONLY)
    assert (quantity, price, time_in_force) == (400, ASK - 100, POST_ONLY)


def test_fill_or_kill_is_the_legs_own_venues(loop: Loop) -> None:
    assert roam(loop, 400, ASK, FOK) == [(VENUE, 400, ASK, FOK)]


def test_a_pair_with_routing_holds_its_legs_over_several_venues() -> None:
    loop = quoted_loop()
    for venue in (VENUE, OTHER_VENUE):
        loop.quote(BRAVO, 979_900, 980_100, venue=venue)
    loop.taken()
    values = PARAMETERS | {"routing": 1.0, "patience": 0.0, "quantity": 800, "hedge_ratio": 0.5, "centre": 49.0}
    kind = compiled_kind("pairs").hash
    loop.applied(StartStrategy(STRATEGY, "pair", TEAM, "pairs", kind, VENUE, [ALPHA, BRAVO], values))
    loop.quote(ALPHA, BID + 100, ASK + 100, venue=OTHER_VENUE)
    loop.quote(ALPHA, BID + 100, ASK + 100)
    sent = loop.bodies(RecordKind.ORDER_REQUEST)
    assert {(row["instrument"], row["venue"]) for row in sent} == {
        (ALPHA, VENUE), (ALPHA, OTHER_VENUE), (BRAVO, OTHER_VENUE),
    }  # fmt: skip
    for row in sent:
        loop.report(ReportKind.ACCEPTED, row["order_id"], row["quantity"], row["price"], venue=row["venue"])
        loop.report(ReportKind.EXECUTED, row["order_id"], row["quantity"], row["price"], venue=row["venue"])
    assert [(int(loop.leg(at)["position"]), int(loop.leg(at)["open_orders"])) for at in (0, 1)] == [(-800, 0), (400, 0)]
    loop.taken()
    loop.quote(ALPHA, BID + 200, ASK + 200)
    assert asked(loop) == []
