"""Orders that never take: sent as such where the venue knows the instruction, checked against the book where not."""

from __future__ import annotations

import pytest

from engine.messages import control
from engine.messages.codes import DenialReason, RecordKind, TimeInForce
from engine.protocols import ouch50, soupbintcp
from tests.engine.loop_builder import ALPHA, BUY, OTHER_VENUE, SELL, TEAM, VENUE, Loop, reason

POST_ONLY = int(TimeInForce.POST_ONLY)
BID, ASK = 999_900, 1_000_100


def quoted(post_only: str) -> Loop:
    """Two venues that show 500 shares on each side."""
    loop = Loop()
    loop.wide_limits()
    for venue in (VENUE, OTHER_VENUE):
        loop.define_venue(venue, post_only=post_only)
        loop.session(venue)
        loop.quote(ALPHA, BID, ASK, venue=venue)
    loop.taken()
    return loop


def said(loop: Loop, venue: int = VENUE) -> tuple[str, dict[str, str]]:
    """Time in force and options of the one order that was sent."""
    message = ouch50.decode_inbound(soupbintcp.decode(loop.sent(venue)).payload)
    return message.values["time_in_force"], message.appendage


@pytest.mark.parametrize(("side", "price", "touch"), [(BUY, ASK, ASK), (BUY, ASK + 100, ASK), (SELL, BID, BID)])
def test_a_venue_that_does_not_know_it_gets_no_order_that_would_take(side: int, price: int, touch: int) -> None:
    loop = quoted("0")
    assert reason(loop.enter(side, price=price, time_in_force=POST_ONLY)) == DenialReason.WOULD_TAKE
    (denial,) = loop.bodies(RecordKind.DENIAL)
    assert (denial["measured"], denial["bound"], denial["time_in_force"]) == (price, touch, POST_ONLY)


def test_one_tick_behind_the_touch_it_is_sent_as_a_day_order() -> None:
    loop = quoted("0")
    assert loop.enter(BUY, price=ASK - 100, time_in_force=POST_ONLY) > 0
    assert said(loop) == ("0", {})


def test_a_venue_that_knows_it_decides_by_itself() -> None:
    loop = quoted("1")
    assert loop.enter(BUY, price=ASK, time_in_force=POST_ONLY) > 0
    assert said(loop) == ("0", {"post_only": "P"})


def test_a_venue_that_shows_no_book_and_does_not_know_it_gets_none() -> None:
    loop = quoted("0")
    loop.define_venue(OTHER_VENUE, priced_by=str(VENUE), post_only="0")
    assert reason(loop.enter(BUY, price=BID, venue=OTHER_VENUE, time_in_force=POST_ONLY)) == DenialReason.WOULD_TAKE
    assert [row["bound"] for row in loop.bodies(RecordKind.DENIAL)] == [0]


def test_the_router_rests_it_and_slides_it_off_the_other_sides_price() -> None:
    loop = quoted("1")
    loop.applied(control.EnterOrder("client-1", TEAM, ALPHA, control.SMART, BUY, 300, ASK + 100, POST_ONLY))
    sent = loop.bodies(RecordKind.ORDER_REQUEST)
    assert sum(row["quantity"] for row in sent) == 300
    assert {(row["price"], row["time_in_force"]) for row in sent} == {(ASK - 100, POST_ONLY)}
