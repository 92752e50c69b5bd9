"""Orders of OUCH 5.0 that an outage kept from the venue: which of them leave again, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.hotpath.entries import cancel, send_account_query
from engine.messages import control
from engine.messages.codes import OrderState, RecordKind, ReportKind, Scope, TimeInForce
from engine.messages.control import StopStrategy
from engine.protocols import itch50
from tests.engine.hotpath.ouch_venue import OuchVenue, accepted, executed, query_answer, sequenced
from tests.engine.loop_builder import ALPHA, BUY, DOWN, OPEN_NS, SECOND_NS, SELL, STRATEGY, VENUE, Loop

PRICE = 1_000_000
WITHIN_NS = 5 * SECOND_NS  # the setting's default
IOC, FOK = int(TimeInForce.IOC), int(TimeInForce.FOK)


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits()
    made.quote(ALPHA, 999_900, 1_000_100)
    return made


@pytest.fixture
def venue(loop: Loop) -> Iterator[OuchVenue]:
    made = OuchVenue(loop)
    yield made
    made.close()


def asked(venue: OuchVenue) -> list[tuple[str, int, dict[str, Any]]]:
    """What the loop sent since the last look: name, number and the other fields of each."""
    found = []
    for message in venue.received():
        values = {name: value for name, value in message.values.items() if name != "user_reference"}
        found.append((message.layout.name, int(message.values.get("user_reference", 0)), values))
    return found


def outage(loop: Loop, venue: OuchVenue, during: Callable[[], object] = lambda: None) -> None:
    """The connection breaks; what was sent before is lost. Another one stands, its session is not up yet."""
    loop.session(state=DOWN)
    venue.close()
    during()
    venue.connect()
    send_account_query(loop.address, VENUE)
    assert venue.names() == ["account_query"]


def say(loop: Loop, venue: OuchVenue, *answers: bytes) -> None:
    """The venue answers; the clock stays the test's, although the loop looks at the machine's."""
    now_ns = int(loop.core["clock_ns"])
    venue.send(sequenced(*answers))
    loop.clock(now_ns)


def back(loop: Loop, venue: OuchVenue, next_reference: int) -> None:
    """The venue answers the account query, and the session is up."""
    say(loop, venue, query_answer(next_reference))
    loop.session(next_reference=int(venue.row["next_reference"]))


def state(loop: Loop, order_id: int) -> OrderState:
    return OrderState(int(loop.order(order_id)["state"]))


def test_what_is_pending_leaves_again_ascending_under_its_numbers_before_anything_new(
    loop: Loop, venue: OuchVenue
) -> None:
    numbers = [loop.enter(BUY, 100 + n, PRICE) for n in range(4)]
    first_time = asked(venue)
    say(loop, venue, accepted(numbers[0]))
    outage(loop, venue)
    back(loop, venue, numbers[1])
    new = loop.enter(BUY, 200, PRICE)
    again = asked(venue)
    assert again[:3] == first_time[1:]
    assert [(name, number) for name, number, _ in again[3:]] == [("enter_order", new)]
    assert new > numbers[3]
    assert [state(loop, number) for number in numbers] == [OrderState.ACCEPTED, *[OrderState.PENDING_NEW] * 3]
    assert int(loop.cell(0)["working_buy"]) == 100 + 101 + 102 + 103 + 200
    say(loop, venue, accepted(numbers[1], 101), executed(numbers[1], 101, 1), accepted(numbers[2], 102))
    assert (state(loop, numbers[1]), state(loop, numbers[2])) == (OrderState.FILLED, OrderState.ACCEPTED)
    assert (int(loop.cell(0)["position"]), int(loop.cell(0)["working_buy"])) == (101, 100 + 102 + 103 + 200)


def test_each_stands_in_the_journal_before_it_leaves_again_and_counts_in_the_rate(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter(BUY, 100, PRICE)
    due_ns = int(loop.memory.accounts[0]["rate_due_ns"])
    outage(loop, venue)
    loop.taken()
    back(loop, venue, order_id)
    (report,) = loop.bodies(RecordKind.ORDER_REPORT)
    expected = {"kind": ReportKind.RESENT, "order_id": order_id, "price": PRICE, "quantity": 100, "leaves": 100}
    expected |= {"side": BUY, "state": OrderState.PENDING_NEW, "venue_sequence": 0, "duplicate": 0}
    assert {name: report[name] for name in expected} == expected
    assert int(loop.memory.accounts[0]["rate_due_ns"]) > due_ns


def test_immediate_orders_do_not_leave_again_and_keep_no_place(loop: Loop, venue: OuchVenue) -> None:
    ioc = loop.enter(BUY, 100, PRICE + 100, time_in_force=IOC)
    day = loop.enter(BUY, 200, PRICE)
    fok = loop.enter(BUY, 300, PRICE + 100, time_in_force=FOK)
    outage(loop, venue)
    back(loop, venue, ioc)
    assert [(name, number) for name, number, _ in asked(venue)] == [("enter_order", day)]
    assert [state(loop, number) for number in (ioc, day, fok)] == [
        OrderState.DENIED, OrderState.PENDING_NEW, OrderState.DENIED,
    ]  # fmt: skip
    assert int(loop.cell(0)["working_buy"]) == 200


def halted(loop: Loop) -> None:
    fields = {"trading_state": "H", "reserved": " ", "reason": ""}
    loop.packet(
        [itch50.encode("trading_action", stock_locate=ALPHA, timestamp_ns=OPEN_NS, instrument="ALPHA", **fields)]
    )


MEANWHILE: dict[str, Callable[[Loop, int], object]] = {
    "it grew old": lambda loop, _: loop.pass_time(WITHIN_NS + 1),
    "its cancel was asked for": lambda loop, number: cancel(loop.address, number),
    "its strategy was stopped": lambda loop, _: loop.applied(StopStrategy(STRATEGY)),
    "everything was killed": lambda loop, _: loop.kill(Scope.FIRM),
    "its team was killed": lambda loop, _: loop.kill(Scope.TEAM, 5),
    "the market went away from its price": lambda loop, _: loop.quote(ALPHA, 1_199_900, 1_200_100),
    "its instrument was halted": lambda loop, _: halted(loop),
    "the limit of an order was lowered": lambda loop, _: loop.wide_limits(firm={"order_quantity": 99}),
    "the setting says never": lambda loop, _: loop.memory.venues[VENUE].__setitem__("resend_ns", 0),
}


@pytest.mark.parametrize("what", MEANWHILE)
def test_what_does_not_stand_any_more_was_not_sent(loop: Loop, venue: OuchVenue, what: str) -> None:
    assert loop.start_pairs().applied
    number = loop.enter_for_strategy(BUY, 100, PRICE)
    assert [name for name, *_ in asked(venue)] == ["enter_order"]
    outage(loop, venue, lambda: MEANWHILE[what](loop, number))
    back(loop, venue, number)
    assert "enter_order" not in venue.names()
    assert state(loop, number) == OrderState.DENIED
    assert int(loop.cell(0)["working_buy"]) == 0


def test_a_cancel_that_was_lost_with_its_order_is_not_forgotten(loop: Loop, venue: OuchVenue) -> None:
    number = loop.enter(BUY, 100, PRICE)
    cancel(loop.address, number)
    outage(loop, venue)
    back(loop, venue, number)
    assert (venue.names(), state(loop, number)) == ([], OrderState.DENIED)


def test_after_a_rearm_the_switch_of_order_entry_has_used_the_numbers_up(loop: Loop, venue: OuchVenue) -> None:
    number = loop.enter(BUY, 100, PRICE)
    venue.names()
    loop.session(state=DOWN)
    loop.kill(Scope.VENUE, VENUE)
    loop.applied(control.Rearm(int(Scope.VENUE), VENUE, "over", "bob"))
    venue.close()
    venue.connect()
    venue.row["entry_disabled"] = 1
    loop.order(number)["again"] = 0
    loop.session(next_reference=number)
    assert venue.names() == ["enable_order_entry"]
    assert state(loop, number) == OrderState.DENIED


def test_a_second_outage_sends_it_a_third_time_or_ends_it(loop: Loop, venue: OuchVenue) -> None:
    number = loop.enter(SELL, 100, PRICE)
    for _ in range(2):
        outage(loop, venue)
        assert state(loop, number) == OrderState.UNKNOWN
        back(loop, venue, number)
        assert [(name, n) for name, n, _ in asked(venue)] == [("enter_order", number)]
    outage(loop, venue, lambda: loop.pass_time(WITHIN_NS + 1))
    back(loop, venue, number)
    assert (venue.names(), state(loop, number)) == ([], OrderState.DENIED)
    assert int(loop.cell(0)["working_sell"]) == 0


def test_what_left_again_is_not_said_to_be_unsent_when_its_cancel_follows_at_once(loop: Loop, venue: OuchVenue) -> None:
    assert loop.start_pairs().applied
    number = loop.enter_for_strategy(BUY, 100, PRICE)
    outage(loop, venue)
    back(loop, venue, number)
    cancel(loop.address, number)
    loop.session(next_reference=number)
    assert state(loop, number) == OrderState.PENDING_NEW
    assert venue.names() == ["enter_order", "cancel_order"]
