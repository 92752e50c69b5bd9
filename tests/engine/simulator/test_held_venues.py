"""Venues without a book: a pool that trades at the midpoint of the lit one, and a broker at whose desk people sit."""

from __future__ import annotations

from typing import Any

import pytest

from engine.messages.codes import OrderAction, ReportKind, Side, TimeInForce
from engine.messages.instruments import Instrument
from engine.protocols import fix44, itch50
from engine.simulator.broker import BrokerDesk
from engine.simulator.feed import Feed
from engine.simulator.fix_account import FixAccount
from engine.simulator.floor_orders import FloorOrderError
from engine.simulator.held_orders import HeldDesk
from engine.simulator.layout import BookMemory, CancelReason, Refusal
from engine.simulator.midpoint_pool import MidpointDesk
from engine.simulator.oracle import Oracle
from engine.simulator.orders import OrderDesk
from engine.simulator.venue import Fees, Venue

BUY, SELL, DAY, IOC, FOK = int(Side.BUY), int(Side.SELL), 1, int(TimeInForce.IOC), int(TimeInForce.FOK)
INSTRUMENTS = [Instrument(1, "ABC"), Instrument(2, "XYZ", lot_size=100)]
SECOND_NS = 1_000_000_000
START_NS = 1_767_349_230 * SECOND_NS
BID, ASK, MIDDLE = 100_000, 100_300, 100_150


class Held:
    """A venue of the kind under test beside a lit book of 10.00 to 10.03 in ABC."""

    def __init__(self, kind: str, rate: float = 0.0, delay_ms: int = 0, version: str = "4.4") -> None:
        self.lit = BookMemory(INSTRUMENTS, order_capacity=64, level_capacity=32, owner_count=1)
        self.lit_desk = OrderDesk(self.lit, INSTRUMENTS)
        self.quote(BID, ASK)
        memory = BookMemory(INSTRUMENTS, 64, 32, owner_count=2, midnight_ns=START_NS)
        self.desk: Any
        if kind == "pool":
            self.desk = MidpointDesk(memory, INSTRUMENTS, self.lit, 7, rate, 2 * SECOND_NS, START_NS)
        else:
            self.desk = BrokerDesk(memory, INSTRUMENTS, self.lit, delay_ms * 1_000_000)
        self.venue = Venue("XHLD", 3, memory, INSTRUMENTS, Feed("S"), Fees(), Oracle(None), desk=self.desk)
        self.venue.source = self.desk
        self.accounts = [FixAccount(self.desk, owner, user, version) for owner, user in ((1, "DESK"), (2, "OTHER"))]
        for account in self.accounts:
            self.venue.admit(account)

    def quote(self, bid: int, ask: int, instrument: int = 1) -> None:
        """The lit book is these two orders."""
        self.lit_desk.cancel_owned(1, 0, CancelReason.USER, START_NS)
        for number, side, price in ((bid, BUY, bid), (ask, SELL, ask)):
            self.lit_desk.request(
                action=OrderAction.ENTER, owner=1, user_reference=number, instrument=instrument, side=side, price=price,
                quantity=500, displayed=1, time_in_force=DAY, time_ns=START_NS,
            )  # fmt: skip
        self.lit.take_results()

    def enter(self, number: int, side: int, price: int, quantity: int, owner: int = 1, time_in_force: int = DAY) -> str:
        refused = self.desk.request(
            action=OrderAction.ENTER, owner=owner, user_reference=number, instrument=1, side=side, price=price,
            quantity=quantity, time_in_force=time_in_force, time_ns=START_NS,
        )  # fmt: skip
        return Refusal(refused).name

    def told(self) -> list[tuple[Any, ...]]:
        """Kind, owner, number, price, quantity, leaves of each new result."""
        names = ("owner", "user_reference", "price", "quantity", "leaves")
        return [
            (ReportKind(int(row["kind"])).name, *(int(row[name]) for name in names))
            for row in self.venue.memory.take_results()
        ]

    def printed(self) -> list[tuple[int, int]]:
        """Price and quantity of each trade in the feed; nothing else is there."""
        count, blocks = self.venue.memory.take_messages()
        found = []
        for _ in range(count):
            length = int.from_bytes(blocks[:2], "big")
            message = itch50.decode(blocks[2 : 2 + length])
            assert message.name == "trade"
            found.append((message.values["price"], message.values["quantity"]))
            blocks = blocks[2 + length :]
        return found


def test_two_clients_meet_at_the_midpoint_and_only_the_trade_is_seen() -> None:
    held = Held("pool")
    held.enter(1, BUY, ASK, 300)
    assert (held.told(), held.printed()) == ([("ACCEPTED", 1, 1, ASK, 300, 300)], [])
    held.enter(1, SELL, BID, 100, owner=2)
    assert held.told() == [
        ("ACCEPTED", 2, 1, BID, 100, 100),
        ("EXECUTED", 2, 1, MIDDLE, 100, 0),
        ("EXECUTED", 1, 1, MIDDLE, 100, 200),
    ]
    assert held.printed() == [(MIDDLE, 100)]


def test_a_limit_that_does_not_reach_the_midpoint_waits_until_the_midpoint_comes() -> None:
    held = Held("pool")
    held.enter(1, BUY, BID, 300)
    held.enter(1, SELL, BID - 500, 300, owner=2)
    held.told()
    held.quote(BID - 300, ASK - 300)
    held.desk.run_until(START_NS + SECOND_NS)
    assert [row for row in held.told() if row[0] == "EXECUTED"] == [
        ("EXECUTED", 1, 1, MIDDLE - 300, 300, 0),
        ("EXECUTED", 2, 1, MIDDLE - 300, 300, 0),
    ]


@pytest.mark.parametrize("quotes", [(), (BID, BID)])
def test_without_a_midpoint_nothing_trades(quotes: tuple[int, ...]) -> None:
    held = Held("pool")
    held.lit_desk.cancel_owned(1, 0, CancelReason.USER, START_NS)
    if quotes:
        held.lit.instruments[1]["halted"] = 1
    held.enter(1, BUY, ASK, 300)
    held.enter(1, SELL, BID, 300, owner=2)
    assert {row[0] for row in held.told()} <= {"ACCEPTED", "REJECTED"}


def test_orders_of_one_client_never_meet_and_what_may_not_wait_leaves() -> None:
    held = Held("pool")
    held.enter(1, BUY, ASK, 300)
    held.enter(2, SELL, BID, 300)
    held.enter(3, SELL, BID, 500, owner=2, time_in_force=FOK)
    held.enter(4, SELL, BID, 500, owner=2, time_in_force=IOC)
    assert held.told() == [
        ("ACCEPTED", 1, 1, ASK, 300, 300),
        ("ACCEPTED", 1, 2, BID, 300, 300),
        ("ACCEPTED", 2, 3, BID, 500, 500),
        ("CANCELED", 2, 3, BID, 500, 0),
        ("ACCEPTED", 2, 4, BID, 500, 500),
        ("EXECUTED", 2, 4, MIDDLE, 300, 200),
        ("EXECUTED", 1, 1, MIDDLE, 300, 0),
        ("CANCELED", 2, 4, BID, 200, 0),
    ]


def test_interest_of_others_comes_from_the_seed_and_fills_what_waits() -> None:
    sessions = []
    for _ in range(2):
        held = Held("pool", rate=20.0)
        held.enter(1, BUY, ASK, 1000)
        held.desk.run_until(START_NS + 5 * SECOND_NS)
        sessions.append((held.told(), held.printed()))
    assert sessions[0] == sessions[1]
    told, printed = sessions[0]
    fills = [row for row in told if row[0] == "EXECUTED"]
    assert sum(row[4] for row in fills) == 1000
    assert fills[-1][5] == 0
    assert {row[3] for row in fills} == {price for price, _ in printed} == {MIDDLE}
    assert len(printed) > len(fills)


def test_orders_are_replaced_reduced_and_canceled() -> None:
    held = Held("pool")
    held.enter(1, BUY, ASK, 300)
    held.enter(9, SELL, BID, 100, owner=2)
    held.told()
    change = {"owner": 1, "instrument": 1, "side": BUY, "time_in_force": DAY, "time_ns": START_NS}
    refused = held.desk.request(
        action=OrderAction.REPLACE, existing_reference=1, user_reference=2, price=BID, quantity=500, **change
    )
    assert (refused, held.told()) == (0, [("REPLACED", 1, 2, BID, 400, 400)])
    assert held.desk.request(action=OrderAction.CANCEL, user_reference=2, quantity=300, **change) == 0
    assert held.told() == [("CANCELED", 1, 2, BID, 200, 200)]
    row = held.desk.resting(1, 2)
    assert row is not None
    assert (int(row["quantity"]), int(row["executed"])) == (200, 100)
    assert held.desk.cancel_owned(1, 0, CancelReason.SUPERVISORY, START_NS) == 1
    assert held.told() == [("CANCELED", 1, 2, BID, 200, 0)]
    assert held.desk.request(action=OrderAction.CANCEL, user_reference=2, **change) == Refusal.UNKNOWN_ORDER
    assert held.enter(3, BUY, ASK + 1, 100) == "INVALID_PRICE"
    assert held.told() == [("REJECTED", 1, 3, ASK + 1, 100, 0)]


def test_a_broker_fills_by_hand_what_people_say() -> None:
    held = Held("broker")
    floor, now = held.venue.floor, START_NS
    held.enter(17, BUY, ASK, 300)
    held.told()
    assert held.desk.described({1: "DESK"}) == [
        {"user": "DESK", "number": 17, "instrument": "ABC", "side": "buy", "price": "10.0300", "open": 300,
         "executed": 0}
    ]  # fmt: skip
    floor.receive(b"fill DESK 17 100 10.02", now)
    assert held.told() == [("EXECUTED", 1, 17, 100_200, 100, 200)]
    for order, sentence in [
        (b"fill DESK 17 201 10.02", "XHLD: order 17 has 200 open, not 201"),
        (b"fill DESK 17 100 10.04", "XHLD: order 17 is limited to 10.0300"),
        (b"fill DESK 18 100 10.02", "XHLD: no order 18 is held"),
        (b"fill NOBODY 17 100 10.02", "XHLD has no user 'NOBODY'"),
    ]:
        with pytest.raises(FloorOrderError, match=sentence):
            floor.receive(order, now)
    floor.receive(b"refuse DESK 17", now)
    assert held.told() == [("CANCELED", 1, 17, ASK, 200, 0)]
    with pytest.raises(FloorOrderError, match="XHLD is no broker"):
        Held("pool").venue.floor.receive(b"fill DESK 17 100 10.02", now)


def test_a_broker_left_alone_fills_half_and_then_the_rest() -> None:
    held = Held("broker", delay_ms=500)
    held.enter(1, BUY, ASK, 300)
    held.enter(2, BUY, BID, 100)
    held.told()
    assert held.desk.next_time_ns == START_NS + SECOND_NS // 2
    held.venue.run_source()
    assert held.told() == [("EXECUTED", 1, 1, ASK, 150, 150)]
    held.venue.floor.receive(b"by-hand", START_NS)
    assert held.desk.next_time_ns > START_NS + 1000 * SECOND_NS
    held.venue.floor.receive(b"automatic", START_NS)
    held.venue.run_source()
    assert held.told() == [("EXECUTED", 1, 1, ASK, 150, 0)]
    held.quote(BID - 300, BID)
    held.venue.run_source()
    assert held.told() == [("EXECUTED", 1, 2, BID, 50, 50)]


def test_a_broker_fills_no_more_than_is_left_of_less_than_a_lot() -> None:
    held = Held("broker", delay_ms=500)
    held.desk.request(
        action=OrderAction.ENTER, owner=1, user_reference=1, instrument=2, side=BUY, price=ASK, quantity=100,
        time_in_force=DAY, time_ns=START_NS,
    )  # fmt: skip
    held.desk.request(action=OrderAction.CANCEL, owner=1, user_reference=1, quantity=30, time_ns=START_NS)
    held.quote(BID, ASK, instrument=2)
    held.told()
    held.venue.run_source()
    assert held.told() == [("EXECUTED", 1, 1, ASK, 30, 0)]


def test_a_broker_without_a_delay_looks_again_after_a_while_and_not_all_the_time() -> None:
    held = Held("broker")
    held.venue.floor.receive(b"automatic", START_NS)
    held.enter(1, BUY, BID, 100)
    held.venue.run_source()
    assert held.desk.next_time_ns == START_NS + 50_000_000
    held.quote(BID - 300, BID)
    held.told()
    held.venue.run_source()
    assert held.told() == [("EXECUTED", 1, 1, BID, 50, 50)]


WORDS = [
    ("4.4", {35: "8", 150: "F", 39: "1", 31: "10.0200", 32: "100", 851: "2"}),
    ("5.0SP2", {35: "8", 150: "F", 39: "1", 31: "10.0200", 32: "100", 851: "2"}),
    ("4.2", {35: "8", 20: "0", 150: "1", 39: "1", 31: "10.0200", 32: "100", 9730: "R"}),
]


@pytest.mark.parametrize(("version", "fill"), WORDS)
def test_each_version_has_its_own_words(version: str, fill: dict[int, str]) -> None:
    held = Held("broker", version=version)
    account = held.accounts[0]

    def send(message_type: str, **more: str) -> dict[int, str]:
        fields = {35: message_type, 34: "1", 11: "5", 55: "ABC", 54: "1", 38: "300", 40: "2", 44: "10.03"}
        account.receive(fix44.write_fields(fields | {int(k[1:]): v for k, v in more.items()}).encode(), START_NS)
        held.venue.tell_accounts()
        return fix44.read_fields(account.sequenced[-1].decode())

    assert send("D")[150] == "0"
    held.venue.floor.receive(b"fill DESK 5 100 10.02", START_NS)
    held.venue.tell_accounts()
    said = fix44.read_fields(account.sequenced[-1].decode())
    assert {tag: said.get(tag) for tag in fill} == fill
    assert (20 in said, 9730 in said, 851 in said) == (version == "4.2", version == "4.2", version != "4.2")
    answer = send("H")
    assert (answer[150], answer.get(20)) == (("1", "3") if version == "4.2" else ("I", None))
    asked = send("AF", _584="all")
    assert (asked[35], asked.get(380)) == (("j", "3") if version == "4.2" else ("8", None))
    refused = send("D", _11="6", _38="0")
    assert (refused[150], refused[103]) == ("8", "0" if version == "4.2" else "13")


def test_an_order_that_is_only_held_stays_as_it_was_taken_in() -> None:
    memory = BookMemory(INSTRUMENTS, order_capacity=8, level_capacity=8, owner_count=1)
    desk = HeldDesk(memory, INSTRUMENTS, memory)
    assert desk.touch(1) == (0, 0)
    terms = {"owner": 1, "user_reference": 1, "instrument": 1, "side": BUY, "price": 100, "quantity": 7}
    assert desk.request(action=OrderAction.ENTER, time_in_force=DAY, **terms) == 0
    assert [(row["kind"], row["leaves"]) for row in memory.take_results()] == [(ReportKind.ACCEPTED, 7)]
    assert [order.quantity for order in desk.orders_of(1)] == [7]
