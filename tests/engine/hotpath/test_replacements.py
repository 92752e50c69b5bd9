"""A replacement from the strategy's wish to either order's end: exposure, position, leg, journal."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from engine.hotpath.entries import cancel, modify, replace
from engine.hotpath.queue_position import quantity_ahead
from engine.messages.codes import DenialReason, OrderAction, OrderState, RecordKind, ReportKind, Scope
from engine.protocols import ouch50
from tests.engine.hotpath.ouch_venue import ACCEPTED, OuchVenue, accepted, canceled, executed, sequenced
from tests.engine.loop_builder import ALPHA, BRAVO, BUY, DOWN, STRATEGY, TEAM, UP, VENUE, Loop

K = ReportKind
PRICE, BETTER = 1_000_000, 1_000_100
S = OrderState
HALF = 500  # the strategy's signal


@pytest.fixture
def loop() -> Loop:
    """A running strategy that wants nothing: its second instrument has no book."""
    made = Loop()
    made.wide_limits()
    made.quote(ALPHA, 999_900, 1_000_100)
    assert made.start_pairs(instruments=[ALPHA, BRAVO]).applied
    return made


def working_order(loop: Loop, quantity: int = 100) -> int:
    order_id = loop.enter_for_strategy(BUY, quantity, PRICE)
    loop.report(K.ACCEPTED, order_id, quantity, PRICE)
    return order_id


def ask(loop: Loop, order_id: int, quantity: int, price: int = BETTER) -> int:
    return replace(loop.address, order_id, price, quantity, HALF)


def shown(loop: Loop, *orders: int) -> list[tuple[OrderState, int, int]]:
    rows = [loop.order(order_id) for order_id in orders]
    return [(OrderState(int(row["state"])), int(row["leaves"]), int(row["filled"])) for row in rows]


def working(loop: Loop) -> int:
    """Shares that count as working, the same in the cells of leg, team and firm."""
    team = loop.configuration.team_account(TEAM)
    counted = {int(loop.leg()["working_buy"]), int(loop.cell(team)["working_buy"]), int(loop.cell(0)["working_buy"])}
    assert len(counted) == 1
    return counted.pop()


def leg(loop: Loop) -> tuple[int, int, int, int]:
    row = loop.leg()
    return int(row["order_id"]), int(row["order_price"]), int(row["open_orders"]), int(row["replacing"])


def test_while_it_is_under_way_the_larger_of_both_counts(loop: Loop) -> None:
    order_id = working_order(loop)
    number = ask(loop, order_id, 150)
    assert shown(loop, order_id, number) == [(S.PENDING_REPLACE, 100, 0), (S.PENDING_NEW, 50, 0)]
    assert (working(loop), leg(loop)) == (150, (order_id, PRICE, 2, 1))
    smaller = working_order(loop)
    ask(loop, smaller, 40)
    assert working(loop) == 250


def test_when_it_is_taken_quantity_price_and_place_are_those_of_the_new_order(loop: Loop) -> None:
    order_id = working_order(loop)
    number = ask(loop, order_id, 150)
    loop.report(K.REPLACED, number, 150, BETTER)
    assert shown(loop, order_id, number) == [(S.CANCELED, 0, 0), (S.ACCEPTED, 150, 0)]
    assert (working(loop), leg(loop)) == (150, (number, BETTER, 1, 0))
    assert int(loop.memory.strategies[loop.configuration.strategy_rows[STRATEGY]]["working"]) == 1
    loop.report(K.EXECUTED, number, 150, BETTER)
    assert (working(loop), int(loop.leg()["position"])) == (0, 150)
    assert leg(loop) == (0, BETTER, 0, 0)


def test_fills_of_the_old_order_meanwhile_are_part_of_the_total(loop: Loop) -> None:
    order_id = working_order(loop)
    loop.report(K.EXECUTED, order_id, 10, PRICE)
    number = ask(loop, order_id, 150)
    loop.report(K.EXECUTED, order_id, 30, PRICE)
    assert shown(loop, order_id, number) == [(S.PENDING_REPLACE, 60, 40), (S.PENDING_NEW, 60, 0)]
    assert working(loop) == 120
    loop.report(K.REPLACED, number, 120, BETTER)
    assert shown(loop, order_id, number) == [(S.CANCELED, 0, 40), (S.ACCEPTED, 120, 0)]
    again = ask(loop, number, 20)
    request = loop.bodies(RecordKind.ORDER_REQUEST)[-1]
    assert (request["order_id"], request["target_order_id"], request["quantity"]) == (again, number, 60)


def test_shares_that_the_old_order_loses_meanwhile_still_come_back_with_the_new_one(loop: Loop) -> None:
    order_id = working_order(loop)
    number = ask(loop, order_id, 100)
    assert working(loop) == 100
    loop.report(K.CANCELED, order_id, 70)
    assert shown(loop, order_id, number) == [(S.PENDING_REPLACE, 30, 0), (S.PENDING_NEW, 70, 0)]
    assert working(loop) == 100


@pytest.mark.parametrize("kind", [K.REJECTED, K.NOT_SENT])
def test_a_refused_replacement_leaves_the_old_order_as_it_was(loop: Loop, kind: ReportKind) -> None:
    order_id = working_order(loop)
    number = ask(loop, order_id, 150)
    loop.report(kind, number)
    ended = S.REJECTED if kind == K.REJECTED else S.DENIED
    assert shown(loop, order_id, number) == [(S.ACCEPTED, 100, 0), (ended, 0, 0)]
    assert (working(loop), leg(loop)) == (100, (order_id, PRICE, 1, 0))
    assert ask(loop, order_id, 50) > number


@pytest.mark.parametrize(
    ("kind", "quantity", "state"),
    [(K.EXECUTED, 100, S.FILLED), (K.CANCELED, 100, S.CANCELED), (K.EXPIRED, 0, S.EXPIRED)],
)
def test_when_the_old_order_ends_first_the_replacement_ends_with_it_and_the_journal_says_so(
    loop: Loop, kind: ReportKind, quantity: int, state: OrderState
) -> None:
    order_id = working_order(loop)
    number = ask(loop, order_id, 150)
    loop.taken()
    loop.report(kind, order_id, quantity, PRICE)
    filled = 100 if kind == K.EXECUTED else 0
    assert shown(loop, order_id, number) == [(state, 0, filled), (S.CANCELED, 0, 0)]
    assert (working(loop), leg(loop)[2:]) == (0, (0, 0))
    reports = [(r["kind"], r["order_id"], r["state"]) for r in loop.bodies(RecordKind.ORDER_REPORT)]
    assert reports == [(kind, order_id, state), (K.CANCELED, number, S.CANCELED)]


def test_a_replacement_that_is_taken_dead_ends_both(loop: Loop) -> None:
    order_id = working_order(loop)
    number = ask(loop, order_id, 150)
    loop.report(K.CANCELED, number, 150)
    assert shown(loop, order_id, number) == [(S.CANCELED, 0, 0), (S.CANCELED, 0, 0)]
    assert (working(loop), leg(loop)[2:]) == (0, (0, 0))


def test_a_kill_meanwhile_cancels_both_orders(loop: Loop) -> None:
    order_id = working_order(loop)
    number = ask(loop, order_id, 150)
    loop.taken()
    loop.kill(Scope.TEAM, TEAM)
    requests = loop.bodies(RecordKind.ORDER_REQUEST)
    cancels = {r["target_order_id"] for r in requests if r["action"] == OrderAction.CANCEL}
    assert cancels == {order_id, number}
    loop.report(K.REPLACED, number, 150, BETTER)
    assert shown(loop, order_id, number) == [(S.CANCELED, 0, 0), (S.PENDING_CANCEL, 150, 0)]
    assert int(loop.leg()["canceling"]) == 1


def test_a_lost_session_leaves_both_until_the_venue_has_told(loop: Loop) -> None:
    order_id = working_order(loop)
    number = ask(loop, order_id, 150)
    loop.session(state=DOWN)
    assert shown(loop, order_id, number) == [(S.PENDING_REPLACE, 100, 0), (S.UNKNOWN, 50, 0)]
    loop.session(state=UP, next_reference=number)
    assert shown(loop, order_id, number) == [(S.ACCEPTED, 100, 0), (S.DENIED, 0, 0)]
    assert working(loop) == 100


def test_the_gate_measures_the_new_order_in_the_place_of_the_old_one(loop: Loop) -> None:
    loop.wide_limits(strategy={"position": 150, "order_quantity": 200})
    order_id = working_order(loop)
    assert ask(loop, order_id, 151) == -DenialReason.POSITION
    (denial,) = loop.bodies(RecordKind.DENIAL)
    assert (denial["action"], denial["quantity"], denial["measured"]) == (OrderAction.REPLACE, 151, 151)
    assert (shown(loop, order_id), working(loop)) == ([(S.ACCEPTED, 100, 0)], 100)
    assert ask(loop, order_id, 150, 2_000_000) == -DenialReason.PRICE_COLLAR
    assert ask(loop, order_id, 150) > 0
    loop.kill(Scope.VENUE, VENUE)
    assert ask(loop, order_id, 10) == 0


def test_an_order_that_is_not_settled_is_not_replaced(loop: Loop) -> None:
    pending = loop.enter_for_strategy(BUY, 100, PRICE)
    assert (ask(loop, pending, 50), ask(loop, 9_999, 50)) == (0, 0)
    loop.report(K.ACCEPTED, pending, 100, PRICE)
    cancel(loop.address, pending)
    assert ask(loop, pending, 50) == 0
    loop.report(K.CANCEL_REJECTED, pending)
    assert ask(loop, pending, 50) > 0
    assert ask(loop, pending, 60) == 0


ANSWERS: dict[str, Any] = {
    "fill of the old": lambda loop, old, new: loop.report(K.EXECUTED, old, 60, PRICE),
    "part of the old canceled": lambda loop, old, new: loop.report(K.CANCELED, old, 20),
    "old canceled": lambda loop, old, new: loop.report(K.CANCELED, old),
    "replaced": lambda loop, old, new: loop.report(K.REPLACED, new, 90, BETTER),
    "fill of the new": lambda loop, old, new: loop.report(K.EXECUTED, new, 90, BETTER),
    "new rejected": lambda loop, old, new: loop.report(K.REJECTED, new),
    "cancel of both": lambda loop, old, new: (cancel(loop.address, old), cancel(loop.address, new)),
    "session lost and back": lambda loop, old, new: (loop.session(state=DOWN), loop.session(next_reference=new + 1)),
}


@pytest.mark.parametrize("first", ANSWERS)
def test_whatever_is_said_in_whatever_order_nothing_stays_counted_when_both_have_ended(first: str) -> None:
    loop = Loop()
    loop.wide_limits(**{name: {"position": 10**6, "orders_per_second": 10**6} for name in ("firm", "team", "strategy")})
    loop.quote(ALPHA, 999_900, 1_000_100)
    assert loop.start_pairs(instruments=[ALPHA, BRAVO]).applied
    for rest in permutations([name for name in ANSWERS if name != first], 3):
        old = working_order(loop)
        new = ask(loop, old, 150)
        for name in (first, *rest):
            ANSWERS[name](loop, old, new)
            left = sum(int(loop.order(n)["leaves"]) for n in (old, new))
            assert working(loop) == left >= 0, (first, rest, name)
        for number in (old, new):
            loop.report(K.EXPIRED, number)
        assert (working(loop), leg(loop)[2:]) == (0, (0, 0)), (first, rest)
        loop.journal.take()


@pytest.fixture
def venue(loop: Loop) -> Iterator[OuchVenue]:
    made = OuchVenue(loop)
    yield made
    made.close()


def replaced(original: int, number: int, quantity: int, reference: int, **changes: Any) -> bytes:
    fields = ACCEPTED | {"user_reference": number, "quantity": quantity, "reference": reference, "price": BETTER}
    fields |= {"original_user_reference": original}
    return ouch50.encode_outbound("replaced", {}, timestamp_ns=1, **fields | changes)


def test_on_the_wire_a_replacement_states_the_total_of_its_chain(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter_for_strategy(BUY, 100, PRICE)
    venue.send(sequenced(accepted(order_id), executed(order_id, 40, 1)))
    venue.received()
    number = ask(loop, order_id, 100)
    venue.poll()
    loop.session(state=UP)
    (message,) = venue.received()
    assert (message.name, message.values) == (
        "replace_order",
        {
            "type": "U",
            "original_user_reference": order_id,
            "user_reference": number,
            "quantity": 140,
            "price": BETTER,
            "time_in_force": "0",
            "display": "Y",
            "intermarket_sweep": "N",
            "client_order_id": f"{number:014X}",
        },
    )
    venue.send(sequenced(replaced(order_id, number, 100, 77)))
    assert shown(loop, order_id, number) == [(S.CANCELED, 0, 40), (S.ACCEPTED, 100, 0)]


def broken(number: int, match_number: int) -> bytes:
    fields = {"user_reference": number, "match_number": match_number, "reason": "E", "client_order_id": ""}
    return ouch50.encode_outbound("broken_trade", timestamp_ns=1, **fields)


def corrected(number: int, match_number: int, quantity: int) -> bytes:
    fields = {"user_reference": number, "match_number": match_number, "quantity": quantity, "price": PRICE}
    fields |= {"liquidity": "R", "reason": "N", "client_order_id": ""}
    return ouch50.encode_outbound("trade_correction", timestamp_ns=1, **fields)


def test_a_trade_taken_back_after_its_order_was_replaced_is_taken_out_of_the_whole_chain(
    loop: Loop, venue: OuchVenue
) -> None:
    order_id = loop.enter_for_strategy(BUY, 100, PRICE)
    venue.send(sequenced(accepted(order_id), executed(order_id, 40, 1)))
    second = ask(loop, order_id, 100)
    venue.send(sequenced(replaced(order_id, second, 100, 77), executed(second, 10, 2)))
    third = ask(loop, second, 80)
    venue.send(sequenced(replaced(second, third, 80, 78)))
    assert [int(loop.order(number)["chain"]) for number in (second, third)] == [40, 50]
    venue.send(sequenced(corrected(order_id, 1, 30)))
    assert [int(loop.order(number)["chain"]) for number in (second, third)] == [30, 40]
    venue.send(sequenced(broken(order_id, 1)))
    assert [int(loop.order(number)["chain"]) for number in (second, third)] == [0, 10]
    assert (working(loop), int(loop.leg()["position"])) == (80, 10)
    fourth = ask(loop, third, 80)
    assert int(loop.order(fourth)["quantity"]) == 90
    venue.send(sequenced(broken(second, 2)))  # while it is under way: a venue that counts has so much more of it
    assert [(state, leaves) for state, leaves, _ in shown(loop, third, fourth)] == [
        (S.PENDING_REPLACE, 80),
        (S.PENDING_NEW, 10),
    ]


def test_a_dead_replacement_and_a_canceled_one_of_the_wire(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter_for_strategy(BUY, 100, PRICE)
    venue.send(sequenced(accepted(order_id)))
    number = ask(loop, order_id, 50)
    venue.send(sequenced(replaced(order_id, number, 50, 77, order_state="D")))
    assert shown(loop, order_id, number) == [(S.CANCELED, 0, 0), (S.CANCELED, 0, 0)]


def test_a_modification_keeps_the_order_and_takes_shares_away(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter_for_strategy(BUY, 100, PRICE)
    venue.send(sequenced(accepted(order_id), executed(order_id, 40, 1)))
    assert [int(modify(loop.address, order_id, quantity)) for quantity in (60, 0, 70)] == [0, 0, 0]
    venue.received()
    assert int(modify(loop.address, order_id, 20)) == 1
    assert working(loop) == 60
    venue.send(
        sequenced(ouch50.encode_outbound("modified", timestamp_ns=1, user_reference=order_id, side="B", quantity=20))
    )
    (message,) = venue.received()
    assert (message.name, message.values) == (
        "modify_order",
        {"type": "M", "user_reference": order_id, "side": "B", "quantity": 60},
    )
    assert (shown(loop, order_id), working(loop)) == ([(S.PARTIALLY_FILLED, 20, 40)], 20)
    venue.send(sequenced(canceled(order_id, 20)))
    assert (shown(loop, order_id), working(loop)) == ([(S.CANCELED, 0, 40)], 0)


def ahead(loop: Loop, reference: int) -> int:
    return int(quantity_ahead(loop.memory.book.address, VENUE, reference))


def test_the_queue_position_follows_the_orders_number_in_the_feed(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter_for_strategy(BUY, 100, 999_900)
    venue.send(sequenced(accepted(order_id, reference=501)))
    loop.next_reference = 501
    loop.packet([loop.add(ALPHA, BUY, 999_900, 100)])
    assert ahead(loop, 501) == 500
    number = ask(loop, order_id, 100)
    venue.send(sequenced(replaced(order_id, number, 100, 502, price=1_000_000)))
    assert ahead(loop, 501) == -1
    loop.packet([loop.delete(501), loop.add(ALPHA, BUY, 1_000_000, 100)])
    assert ahead(loop, 502) == 0
    update = {"user_reference": number, "price": 999_900, "display": "Y", "reference": 503}
    venue.send(sequenced(ouch50.encode_outbound("priority_update", timestamp_ns=1, **update)))
    loop.packet([loop.delete(502), loop.add(ALPHA, BUY, 999_900, 100)])
    assert (ahead(loop, 502), ahead(loop, 503)) == (-1, 500)
    assert (int(loop.order(number)["price"]), leg(loop)[1]) == (999_900, 999_900)
    options = {"display_quantity": 100, "secondary_reference": 504}
    venue.send(
        sequenced(ouch50.encode_outbound("restated", options, timestamp_ns=1, user_reference=number, reason="R"))
    )
    loop.packet([loop.delete(503), loop.add(ALPHA, BUY, 999_900, 100)])
    assert (ahead(loop, 503), ahead(loop, 504)) == (-1, 500)
    assert shown(loop, number) == [(S.ACCEPTED, 100, 0)]
    venue.send(sequenced(canceled(number, 100)))
    assert ahead(loop, 504) == -1
