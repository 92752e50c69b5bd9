"""An OUCH 4.2 account: tokens, echoes, silences, and everything else as in OUCH 5.0."""

from __future__ import annotations

from typing import Any

from engine.messages.instruments import Instrument
from engine.protocols import ouch42
from engine.protocols.ouch50 import Direction
from engine.simulator.feed import Feed
from engine.simulator.layout import BookMemory
from engine.simulator.oracle import Oracle
from engine.simulator.ouch42_account import Ouch42Account
from engine.simulator.venue import Fees, Venue

ENTER = {
    "side": "B", "quantity": 100, "instrument": "ABC", "price": 10_000, "time_in_force": 99_998, "firm": "DESK",
    "display": "Y", "capacity": "P", "intermarket_sweep": "N", "minimum_quantity": 0, "cross_type": "N",
    "customer_type": "R",
}  # fmt: skip
REPLACE = {name: ENTER[name] for name in ("quantity", "price", "time_in_force", "display", "intermarket_sweep")}
OURS = "00002A0000BEEF"


class Desk:
    """A venue with two users; `send` returns what the first one is told."""

    def __init__(self) -> None:
        instruments = [Instrument(1, "ABC"), Instrument(2, "XYZ")]
        memory = BookMemory(instruments, 64, 32, owner_count=2, midnight_ns=1_000)
        self.venue = Venue("XSIM", 1, memory, instruments, Feed("S"), Fees(), Oracle(None))
        self.first, self.other = (Ouch42Account(self.venue.desk, n, u, "", 1_000) for n, u in ((1, "A"), (2, "B")))
        self.venue.admit(self.first)
        self.venue.admit(self.other)

    def send(self, *messages: bytes, account: Ouch42Account | None = None) -> list[tuple[Any, ...]]:
        before = len(self.first.sequenced)
        for message in messages:
            (account or self.first).receive(message, 5_000)
            self.venue.tell_accounts()
        told = [ouch42.decode(raw, Direction.OUTBOUND) for raw in self.first.sequenced[before:]]
        return [(m.name, m.values["token"], m.values.get("quantity") or m.values.get("reason")) for m in told]


def enter(token: str, **changes: Any) -> bytes:
    return ouch42.encode(Direction.INBOUND, "enter_order", token=token, **ENTER | changes)


def replace(original: str, token: str, **changes: Any) -> bytes:
    fields = REPLACE | {"minimum_quantity": 0} | changes
    return ouch42.encode(Direction.INBOUND, "replace_order", original_token=original, token=token, **fields)


def cancel(token: str, quantity: int = 0) -> bytes:
    return ouch42.encode(Direction.INBOUND, "cancel_order", token=token, quantity=quantity)


def test_an_accepted_order_is_echoed_whole() -> None:
    desk = Desk()
    desk.send(enter("my order"))
    echoed = ouch42.decode(desk.first.sequenced[0], Direction.OUTBOUND).values
    told = {name: value for name, value in ENTER.items() if name != "customer_type"}
    more = {"type": "A", "timestamp_ns": 4_000, "token": "my order", "reference": 1, "order_state": "L"}
    assert echoed == told | more | {"bbo_weight": ""}


def test_a_token_is_used_once_also_by_a_refused_order_and_a_repeated_one_is_ignored_silently() -> None:
    desk = Desk()
    void = enter(OURS, quantity=0)
    assert desk.send(void, void, enter(OURS)) == [("rejected", OURS, "Z")]
    assert desk.send(enter("A"), enter("A", quantity=200)) == [("accepted", "A", 100)]
    assert desk.first.ignored == 3


def test_orders_are_replaced_modified_filled_and_canceled_under_their_tokens() -> None:
    desk = Desk()
    modify = ouch42.encode(Direction.INBOUND, "modify_order", token="C", side="B", quantity=150)
    told = desk.send(enter("B"), replace("B", "C", quantity=300, price=9_900), modify, cancel("B"))
    assert told == [
        ("accepted", "B", 100),
        ("replaced", "C", 300),
        ("modified", "C", 150),
        ("priority_update", "C", None),
    ]
    assert desk.send(enter("x", side="S", quantity=50, price=9_900), account=desk.other) == [("executed", "C", 50)]
    assert desk.send(cancel("C")) == [("canceled", "C", 100)]


def test_a_replacement_of_nothing_leaves_its_token_unused() -> None:
    desk = Desk()
    assert desk.send(replace("none", "T")) == []
    assert desk.send(enter("T")) == [("accepted", "T", 100)]


def test_immediate_orders_and_reasons_of_refusals() -> None:
    desk = Desk()
    told = desk.send(
        enter("1", time_in_force=0),
        enter("2", instrument="NONE"),
        enter("3", price=10_001),
        enter("4", time_in_force=600),
        enter("5", display="P"),
        enter("6", side="S", display="P"),
    )
    assert told == [
        ("accepted", "1", 100),
        ("canceled", "1", 100),
        ("rejected", "2", "S"),
        ("rejected", "3", "X"),
        ("rejected", "4", "O"),
        ("accepted", "5", 100),
        ("accepted", "6", 100),
        ("canceled", "6", 100),
    ]


def test_our_token_is_the_books_number_and_a_strangers_gets_another_one() -> None:
    desk = Desk()
    desk.send(enter(OURS), enter("00002B0000BEEF"), enter("somebody"))
    numbers = [desk.first._number(token) for token in (OURS, "00002B0000BEEF", "somebody")]
    assert numbers[0] == 0xBEEF
    assert len(set(numbers)) == 3


def test_what_the_dialect_does_not_have_is_counted_as_malformed() -> None:
    desk = Desk()
    assert desk.send(b"Q", b"C" + bytes(20), b"") == []
    assert desk.first.malformed == 3
