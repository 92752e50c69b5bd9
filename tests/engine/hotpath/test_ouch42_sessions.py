"""An OUCH 4.2 session in the loop: tokens on the wire, answers in, a lost session settled without a query."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.control.ouch42_probe import send_probe
from engine.hotpath import tables
from engine.hotpath.entries import flush_unsent, modify, replace
from engine.messages.codes import DenialReason, OrderState
from engine.protocols import ouch42, soupbintcp
from engine.protocols.layouts import Message
from engine.protocols.ouch50 import Direction
from tests.engine.hotpath.ouch_venue import OuchVenue, sequenced
from tests.engine.loop_builder import ALPHA, BRAVO, BUY, DOWN, STRATEGY, UP, VENUE, Loop, reason

PRICE = 1_000_000
ECHO = {
    "side": "B", "quantity": 100, "instrument": "ALPHA", "price": PRICE, "time_in_force": 99_998, "firm": "",
    "display": "Y", "reference": 501, "capacity": "P", "intermarket_sweep": "N", "minimum_quantity": 0,
    "cross_type": "N", "order_state": "L", "bbo_weight": "",
}  # fmt: skip


class Venue42(OuchVenue):
    """The same session in the older dialect."""

    def __init__(self, loop: Loop) -> None:
        super().__init__(loop)
        self.row["protocol"] = tables.OUCH42

    def received(self) -> list[Message]:
        flush_unsent(self.loop.address)
        try:
            raw = self.theirs.recv(1 << 20)
        except BlockingIOError:
            return []
        packets = [soupbintcp.decode(packet) for packet in self._splitter.feed(raw)]
        return [ouch42.decode(p.payload, Direction.INBOUND) if p.name == "unsequenced_data" else p for p in packets]


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits()
    made.quote(ALPHA, 999_900, 1_000_100)
    assert made.start_pairs(instruments=[ALPHA, BRAVO]).applied
    return made


@pytest.fixture
def venue(loop: Loop) -> Iterator[Venue42]:
    made = Venue42(loop)
    yield made
    made.close()


def token(order_id: int, strategy: int = STRATEGY) -> str:
    return f"{strategy:06X}{order_id:08X}"


def answer(name: str, order_token: str, **values: Any) -> bytes:
    return ouch42.encode(Direction.OUTBOUND, name, timestamp_ns=1, token=order_token, **values)


def state(loop: Loop, order_id: int) -> tuple[OrderState, int, int]:
    row = loop.order(order_id)
    return OrderState(int(row["state"])), int(row["leaves"]), int(row["filled"])


def test_an_order_from_token_to_fill(loop: Loop, venue: Venue42) -> None:
    mine, manual = loop.enter_for_strategy(BUY, 100, PRICE), loop.enter(BUY, 50, PRICE)
    assert [(m.name, m.values["token"], m.values["quantity"]) for m in venue.received()] == [
        ("enter_order", token(mine), 100),
        ("enter_order", token(manual, 0), 50),
    ]
    fill = {"quantity": 40, "price": PRICE, "liquidity": "R", "match_number": 7}
    venue.send(sequenced(answer("accepted", token(mine), **ECHO), answer("executed", token(mine), **fill)))
    assert state(loop, mine) == (OrderState.PARTIALLY_FILLED, 60, 40)
    assert int(venue.row["malformed"]) == 0


def test_replace_modify_and_cancel_carry_the_tokens_of_both_orders(loop: Loop, venue: Venue42) -> None:
    order_id = loop.enter_for_strategy(BUY, 100, PRICE)
    venue.send(sequenced(answer("accepted", token(order_id), **ECHO)))
    venue.received()
    number = int(replace(loop.address, order_id, PRICE - 100, 150))
    (asked,) = venue.received()
    assert (asked.name, asked.values["original_token"], asked.values["token"], asked.values["quantity"]) == (
        "replace_order",
        token(order_id),
        token(number),
        150,
    )
    taken = ECHO | {"quantity": 150, "price": PRICE - 100}
    venue.send(sequenced(answer("replaced", token(number), **taken, original_token=token(order_id))))
    assert (state(loop, order_id), state(loop, number)) == (
        (OrderState.CANCELED, 0, 0),
        (OrderState.ACCEPTED, 150, 0),
    )
    modify(loop.address, number, 30)
    loop.kill(*_venue_kill())
    assert [(m.name, m.values["token"], m.values["quantity"]) for m in venue.received()] == [
        ("modify_order", token(number), 30),
        ("cancel_order", token(number), 0),
    ]


def _venue_kill() -> tuple[Any, int]:
    from engine.messages.codes import Scope

    return Scope.VENUE, VENUE


def test_after_a_lost_session_doubtful_orders_are_sent_again_ascending_without_shares_before_anything_new(
    loop: Loop, venue: Venue42
) -> None:
    seen, lost, other = (loop.enter_for_strategy(BUY, n, PRICE) for n in (10, 20, 30))
    loop.session(state=DOWN)
    venue.close()
    venue.connect()
    send_probe(loop.memory, VENUE)
    sent = venue.received()
    assert [(m.values["token"], m.values["quantity"]) for m in sent[:3]] == [(token(n), 0) for n in (seen, lost, other)]
    probe = sent[3].values["token"]
    assert (probe[0], len(probe), sent[3].values["quantity"]) == ("Q", 14, 0)
    replayed = answer("accepted", token(seen), **ECHO | {"quantity": 10})
    venue.send(sequenced(replayed, *(answer("rejected", token(n), reason="Z") for n in (lost, other))))
    loop.core["attention"] = 0
    venue.send(sequenced(answer("rejected", probe, reason="Z")))
    assert int(loop.core["attention"]) == tables.SESSION_READY
    assert (int(venue.row["query_answered"]), int(venue.row["malformed"])) == (1, 0)
    loop.session(state=UP)
    assert [state(loop, n)[:2] for n in (seen, lost, other)] == [
        (OrderState.ACCEPTED, 10),
        (OrderState.REJECTED, 0),
        (OrderState.REJECTED, 0),
    ]
    assert int(loop.cell(0)["working_buy"]) == 10
    assert loop.enter_for_strategy(BUY, 10, PRICE) > other


def test_an_order_that_is_no_limit_in_the_dialect_is_denied(loop: Loop, venue: Venue42) -> None:
    venue.row["largest_price"] = 1_999_999_900
    assert reason(loop.enter(BUY, 1, 1_999_999_900)) != DenialReason.INVALID_FIELD
    assert reason(loop.enter(BUY, 1, 2_000_000_000)) == DenialReason.INVALID_FIELD
