"""An engine and the simulated exchange, in memory: orders at the open and at the close from the gate to the fill."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.control.listing_state import listing_state
from engine.hotpath.entries import cancel, changeable, find_order, replace
from engine.messages.codes import DenialReason, OrderState, RecordKind, TimeInForce
from engine.messages.instruments import write_instruments
from engine.protocols import ouch50, soupbintcp
from engine.simulator.assemble import Assembly
from engine.simulator.config import parse_config
from engine.simulator.simulation import Packet
from tests.engine.loop_builder import (
    ALPHA,
    BRAVO,
    BUY,
    INSTRUMENTS,
    OTHER_VENUE,
    SECOND_NS,
    SELL,
    START_NS,
    TEAM,
    VENUE,
    Loop,
    reason,
)
from tests.engine.simulator.clients import enter as client_enter

R, AT_OPEN, AT_CLOSE = DenialReason, int(TimeInForce.AT_OPEN), int(TimeInForce.AT_CLOSE)
BID, ASK = 999_900, 1_000_100


class Market:
    """A loop whose first venue is a simulated exchange; STREET is everybody else there."""

    def __init__(self, directory: Path, **venue: Any) -> None:
        write_instruments(directory / "instruments.json", INSTRUMENTS)
        settings = {"name": "ONE", "id": VENUE, "users": [{"name": "DESK"}, {"name": "STREET"}]} | venue
        raw = {"out": "out", "instruments": "instruments.json", "session": "S1", "venues": [settings]}
        self.exchange = Assembly(parse_config(raw, directory), START_NS, log=False)
        self.simulation, self.venue = self.exchange.simulation, self.exchange.venues[0]
        self.loop = Loop()
        self.loop.wide_limits()
        self.now_ns = START_NS
        self.street_number = 0
        self.exchange.open()
        self.settle()
        for side, price in (("B", BID), ("S", ASK)):
            self.street(side, 500, price)

    def street(self, side: str, quantity: int, price: int, **more: Any) -> None:
        self.street_number += 1
        message = client_enter(self.street_number, side, quantity, "ALPHA", price, **more)
        self.simulation.submit(self.venue, self.venue.accounts["STREET"], message, self.now_ns)
        self.settle()

    def tell(self, order: str) -> None:
        self.venue.floor.check(order)
        self.simulation.command(self.venue, order, self.now_ns)
        self.settle()

    def enter(self, side: int, quantity: int, price: int, time_in_force: int = AT_CLOSE, **more: Any) -> int:
        number = self.loop.enter(side, quantity, price, time_in_force=time_in_force, **more)
        self.settle()
        return number

    def until(self, seconds: float) -> None:
        self.now_ns = START_NS + round(seconds * SECOND_NS)
        self.settle()

    def settle(self) -> None:
        """Carry what each side said to the other, until both are silent."""
        while True:
            for packet in soupbintcp.Splitter().feed(self.loop.sent()):
                message = soupbintcp.decode(packet)
                self.sent = ouch50.decode_inbound(message.payload)
                self.simulation.submit(self.venue, self.venue.accounts["DESK"], message.payload, self.now_ns)
            output = self.simulation.next_output(self.now_ns)
            if output is None:
                return
            if isinstance(output, Packet):
                self.loop.datagram(output.payload)
            elif output.account.user == "DESK":
                for raw in output.messages:
                    self.loop.answer(raw)

    def order(self, number: int) -> tuple[OrderState, int, int]:
        """State, shares filled and shares open of an order."""
        row = self.loop.order(number)
        return OrderState(int(row["state"])), int(row["filled"]), int(row["leaves"])

    def listing(self) -> dict[str, Any]:
        return listing_state(self.loop.memory.statuses[self.loop.memory.listing(VENUE, ALPHA)])


@pytest.fixture
def market(tmp_path: Path) -> Market:
    return Market(tmp_path)


def test_an_order_at_the_close_waits_for_the_cross_and_is_filled_in_it(market: Market) -> None:
    number = market.enter(BUY, 700, ASK + 300)
    assert market.order(number) == (OrderState.ACCEPTED, 0, 700)
    assert (market.sent.values["cross_type"], market.sent.values["time_in_force"]) == ("C", "0")
    market.street("S", 400, ASK, cross_type="C")
    market.tell("indicate ALPHA close")
    shown = market.listing()
    assert (shown["imbalance_side"], shown["imbalance_quantity"], shown["near_price"]) == ("B", 700, ASK)
    market.tell("auction ALPHA close")
    assert market.order(number) == (OrderState.FILLED, 700, 0)
    account = market.loop.configuration.team_account(TEAM)
    assert (int(market.loop.cell(account)["position"]), int(market.loop.cell(account)["working_buy"])) == (700, 0)
    assert int(market.loop.cell(account)["cash"]) == -700 * ASK
    assert (market.listing()["last_price"], market.listing()["last_quantity"]) == (ASK, 700)
    top = market.loop.memory.book.tops[market.loop.memory.listing(VENUE, ALPHA)]
    # the book's 500 were there first; 200 of the street's 400 at the close made up the rest
    assert (int(top["bid"]), int(top["bid_quantity"]), int(top["ask_quantity"])) == (BID, 500, 0)


def test_what_the_cross_does_not_fill_is_canceled_and_a_late_order_is_denied(market: Market) -> None:
    number = market.enter(SELL, 300, ASK + 500)
    market.tell("auction ALPHA close")
    assert market.order(number) == (OrderState.CANCELED, 0, 0)
    market.loop.taken()
    assert reason(market.enter(SELL, 100, ASK)) == R.AUCTION_OVER
    (denial,) = market.loop.bodies(RecordKind.DENIAL)
    assert (denial["time_in_force"], denial["measured"], denial["bound"]) == (AT_CLOSE, AT_CLOSE, ord("Q"))
    assert reason(market.enter(SELL, 100, ASK, int(TimeInForce.DAY))) == R.NONE


def test_an_order_at_the_open_is_in_time_until_market_hours_begin(tmp_path: Path) -> None:
    market = Market(tmp_path, opening_cross_seconds=3.0)
    number = market.enter(BUY, 100, ASK, AT_OPEN)
    other = market.enter(BUY, 50, BID - 500, AT_OPEN)
    assert market.sent.values["cross_type"] == "O"
    market.until(4)
    assert market.order(number) == (OrderState.FILLED, 100, 0)
    assert market.order(other) == (OrderState.CANCELED, 0, 0)
    assert reason(market.enter(BUY, 100, ASK, AT_OPEN)) == R.AUCTION_OVER
    assert reason(market.enter(BUY, 100, ASK)) == R.NONE


def test_a_venue_without_a_cross_at_the_open_has_begun_already(market: Market) -> None:
    assert reason(market.enter(BUY, 100, ASK, AT_OPEN)) == R.AUCTION_OVER


def test_an_order_for_the_cross_is_replaced_and_canceled(market: Market) -> None:
    number = market.enter(BUY, 700, ASK)
    replacement = int(replace(market.loop.address, number, BID, 300))
    market.settle()
    assert market.order(replacement) == (OrderState.ACCEPTED, 0, 300)
    assert changeable(market.loop.address, int(find_order(market.loop.address, replacement)))
    assert cancel(market.loop.address, replacement) == 1
    market.settle()
    assert market.order(replacement) == (OrderState.CANCELED, 0, 0)
    assert not market.venue.desk.crosses.waiting


def test_a_venue_that_another_one_prices_has_no_auction(market: Market) -> None:
    market.loop.define_venue(OTHER_VENUE, priced_by=str(VENUE))
    assert reason(market.enter(BUY, 100, ASK, venue=OTHER_VENUE)) == R.AUCTION_MISSING
    assert reason(market.enter(BUY, 100, ASK, AT_OPEN, venue=OTHER_VENUE)) == R.AUCTION_OVER  # market hours have begun


def test_the_end_of_market_hours_is_too_late_for_the_close_of_every_instrument(market: Market) -> None:
    market.tell("hours M")
    for instrument in (ALPHA, BRAVO):
        assert reason(market.enter(BUY, 100, ASK, instrument=instrument)) in (R.AUCTION_OVER, R.MARKET_CLOSED)
