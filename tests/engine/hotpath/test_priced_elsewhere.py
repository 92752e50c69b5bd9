"""A venue without books of its own: another venue's book prices its orders and is what its strategies see."""

from __future__ import annotations

import pytest

from engine.messages import control
from engine.messages.codes import DenialReason, Scope
from engine.protocols import itch50
from tests.engine.loop_builder import ALPHA, BRAVO, BUY, OPEN_NS, OTHER_VENUE, STRATEGY, VENUE, Loop, reason

BID, ASK = 999_900, 1_000_100


@pytest.fixture
def loop() -> Loop:
    """The other venue is a dark pool: it trades at prices of the first."""
    made = Loop()
    made.define_venue(OTHER_VENUE, priced_by=str(VENUE), feed_line_a="")
    made.wide_limits()
    for instrument in (ALPHA, BRAVO):
        made.quote(instrument, BID, ASK)
    return made


def test_its_orders_are_judged_by_the_other_venues_book(loop: Loop) -> None:
    assert loop.enter(venue=OTHER_VENUE, price=ASK) > 0
    assert reason(loop.enter(venue=OTHER_VENUE, price=2 * ASK)) == DenialReason.PRICE_COLLAR
    loop.define_venue(OTHER_VENUE)
    assert reason(loop.enter(venue=OTHER_VENUE, price=ASK)) == DenialReason.REFERENCE_MISSING


def test_what_stops_the_other_venue_stops_it(loop: Loop) -> None:
    halted = {"instrument": "ALPHA", "trading_state": "H", "reserved": " ", "reason": "T1"}
    loop.packet([itch50.encode("trading_action", stock_locate=ALPHA, timestamp_ns=OPEN_NS, **halted)])
    assert reason(loop.enter(venue=OTHER_VENUE, price=ASK)) == DenialReason.INSTRUMENT_HALTED
    assert loop.enter(venue=OTHER_VENUE, instrument=BRAVO, price=ASK) > 0
    loop.memory.venues[VENUE]["dirty"] = 1
    assert reason(loop.enter(venue=OTHER_VENUE, instrument=BRAVO, price=ASK)) == DenialReason.BOOK_DIRTY


def test_its_strategies_see_the_other_venues_book_and_send_here(loop: Loop) -> None:
    loop.quote(BRAVO, BID - 1_000, ASK - 1_000)
    assert loop.start_pairs(venue=OTHER_VENUE).applied
    loop.quote(ALPHA, BID + 1_000, ASK + 1_000)
    entered = [row for row in loop.memory.orders if row["order_id"]]
    assert [(int(row["venue"]), int(row["instrument"])) for row in entered] == [
        (OTHER_VENUE, ALPHA),
        (OTHER_VENUE, BRAVO),
    ]
    loop.kill(Scope.STRATEGY, STRATEGY)


def test_a_change_of_who_prices_it_is_seen_at_once(loop: Loop) -> None:
    assert loop.start_pairs(venue=OTHER_VENUE).applied
    leg = next(leg for leg in loop.memory.legs if leg["venue"] == OTHER_VENUE and leg["instrument"] == ALPHA)
    assert (int(leg["watched"]), int(leg["bid"]), int(leg["ask"])) == (VENUE, BID, ASK)
    loop.define_venue(OTHER_VENUE)
    leg = next(leg for leg in loop.memory.legs if leg["venue"] == OTHER_VENUE and leg["instrument"] == ALPHA)
    assert (int(leg["watched"]), int(leg["bid_quantity"]), int(leg["ask_quantity"])) == (OTHER_VENUE, 0, 0)
    loop.quote(ALPHA, BID - 100, ASK - 100, venue=OTHER_VENUE)
    leg = next(leg for leg in loop.memory.legs if leg["venue"] == OTHER_VENUE and leg["instrument"] == ALPHA)
    assert (int(leg["bid"]), int(leg["ask"])) == (BID - 100, ASK - 100)


def test_a_venue_that_prices_another_is_not_removed(loop: Loop) -> None:
    sentence = "X2 is priced by its books; change that first"
    assert loop.command(control.RemoveVenue(VENUE)).reason == sentence
    settings = {"order_address": "127.0.0.1:1", "user": "desk", "password": "secret", "priced_by": "9"}
    refused = loop.command(control.DefineVenue(3, "X3", "ouch50", settings))
    assert refused.reason == "Priced by: a venue's number is 1 to 4, or 0 for the venue itself"
    refused = loop.command(control.DefineVenue(3, "X3", "ouch50", settings | {"priced_by": "0"}))
    assert refused.reason == "Feed line A is missing"


def test_orders_of_both_sides_pass_where_nothing_is_quoted(loop: Loop) -> None:
    assert loop.enter(venue=OTHER_VENUE, side=BUY, price=BID) > 0
    assert int(loop.memory.book.tops[loop.memory.listing(OTHER_VENUE, ALPHA)]["bid_quantity"]) == 0
