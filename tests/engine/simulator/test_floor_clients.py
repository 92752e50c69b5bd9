"""What the operator does to clients' orders and trades: every answer that no client asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.messages.instruments import Instrument, write_instruments
from engine.protocols import fix44, itch50, moldudp64, ouch42, ouch50
from engine.protocols.ouch50 import Direction, encode_inbound
from engine.simulator.assemble import Assembly
from engine.simulator.config import parse_config
from engine.simulator.drop_copy import DropCopy
from engine.simulator.floor_orders import FloorOrderError
from engine.simulator.simulation import Packet
from tests.engine.simulator.clients import cancel, enter
from tests.engine.simulator.test_ouch42_account import enter as enter42

ONE, TWO = "00002A00000001", "00002A00000002"
START_NS = 1_700_000_000_000_000_000


class Floor:
    """A venue with users A and B, and its operator; what is scheduled has happened unless it is `drained` later."""

    def __init__(self, directory: Path, drained: bool = True, **venue: Any) -> None:
        write_instruments(directory / "instruments.json", [Instrument(1, "ABC"), Instrument(2, "XYZ")])
        settings = {"name": "ONE", "id": 1, "users": [{"name": "A"}, {"name": "B"}]} | venue
        raw = {"out": "out", "instruments": "instruments.json", "session": "S1", "venues": [settings]}
        (directory / "out").mkdir(exist_ok=True)
        self.assembly = Assembly(parse_config(raw, directory), START_NS, log=False)
        self.assembly.open()
        self.simulation, self.venue = self.assembly.simulation, self.assembly.venues[0]
        self.feed: list[tuple[str, dict[str, Any]]] = []
        if drained:
            self.told("A")

    def send(self, user: str, *messages: bytes) -> None:
        for message in messages:
            self.simulation.submit(self.venue, self.venue.accounts[user], message, START_NS)

    def tell(self, order: str) -> None:
        self.venue.floor.check(order)
        self.simulation.command(self.venue, order, START_NS)

    def told(self, user: str, *names: str) -> list[tuple[Any, ...]]:
        """What a user was told since, by name and the values wanted."""
        made = []
        while (output := self.simulation.next_output()) is not None:
            if isinstance(output, Packet):
                messages = [itch50.decode(raw) for raw in moldudp64.decode(output.payload).messages]
                self.feed += [(message.name, message.values) for message in messages]
            elif output.account.user == user:
                made += output.messages
        newer = type(self.venue.accounts[user]).__name__ == "OuchAccount"
        decode = ouch50.decode_outbound if newer else lambda raw: ouch42.decode(raw, Direction.OUTBOUND)
        messages = [decode(raw) for raw in made]
        return [(m.name, *(m.values.get(name, m.appendage.get(name)) for name in names)) for m in messages]


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


def test_a_broken_trade_is_told_to_both_sides_and_the_market(floor: Floor) -> None:
    floor.send("A", enter(1, "S", 100))
    floor.send("B", enter(1, "B", 100))
    floor.told("A")
    floor.tell("break 1 S")
    assert floor.told("B", "user_reference", "match_number", "reason") == [("broken_trade", 1, 1, "S")]
    floor.tell("break 1")
    assert floor.told("A", "reason") == [("broken_trade", "E")]
    assert [name for name, _ in floor.feed[-2:]] == ["broken_trade"] * 2


def test_a_corrected_trade_is_told_with_its_new_price(floor: Floor) -> None:
    floor.send("A", enter(1, "S", 100))
    floor.send("B", enter(7, "B", 40))
    floor.told("A")
    floor.tell("correct 1 0.99")
    assert floor.told("B", "user_reference", "quantity", "price", "liquidity", "reason") == [
        ("trade_correction", 7, 40, 9_900, "R", "N")
    ]


def test_a_fix_client_and_the_drop_copy_hear_of_corrections_and_breaks(tmp_path: Path) -> None:
    floor = Floor(tmp_path, drained=False, protocol="fix44")
    account = floor.venue.accounts["A"]
    copy = floor.venue.drop_copy = DropCopy({"A": ""}, START_NS)
    asked = {35: "D", 11: "1", 55: "ABC", 54: "1", 38: "100", 40: "2", 44: "1.00", 59: "0"}
    for user, side in (("A", "1"), ("B", "2")):
        floor.send(user, fix44.write_fields(asked | {54: side}).encode())
    for order in ("correct 1 0.99", "break 1", "miscopy A 7 30 1.01"):
        floor.tell(order)
    while floor.simulation.next_output() is not None:
        pass
    told = [fix44.read_fields(raw.decode()) for raw in account.sequenced]
    assert [(m[150], m.get(31), m.get(527)) for m in told] == [
        ("0", None, None), ("F", "1.0000", "1"), ("G", "0.9900", "1"), ("H", "0.9900", "1"),
    ]  # fmt: skip
    copied = [ouch50.decode_outbound(raw) for raw in copy.sequenced]
    assert [(m.name, m.values["user_reference"], m.values.get("price")) for m in copied] == [
        ("executed", 1, 10_000), ("executed", 1, 10_000), ("trade_correction", 1, 9_900),
        ("trade_correction", 1, 9_900), ("broken_trade", 1, None), ("broken_trade", 1, None), ("executed", 7, 10_100),
    ]  # fmt: skip


def test_cancels_wait_during_a_cross_and_are_then_carried_out_or_rejected(floor: Floor) -> None:
    floor.send("A", enter(1), enter(2), enter(3, instrument="XYZ"))
    floor.told("A")
    floor.tell("hold-cancels ABC")
    modify = encode_inbound("modify_order", user_reference=2, side="B", quantity=40)
    floor.send("A", cancel(1), modify, cancel(3))
    assert floor.told("A", "user_reference") == [("cancel_pending", 1), ("cancel_pending", 2), ("canceled", 3)]
    floor.tell("release-cancels ABC")
    assert floor.told("A", "user_reference") == [("canceled", 1), ("modified", 2), ("priority_update", 2)]
    floor.tell("hold-cancels all")
    floor.send("A", cancel(2))
    floor.tell("release-cancels all reject")
    assert floor.told("A", "user_reference") == [("cancel_pending", 2), ("cancel_rejected", 2)]
    floor.send("A", cancel(2))
    assert floor.told("A", "user_reference", "quantity") == [("canceled", 2, 40)]


def test_an_order_that_filled_while_its_cancel_waited_is_told_nothing_more(floor: Floor) -> None:
    floor.send("A", enter(1))
    floor.tell("hold-cancels ABC")
    floor.send("A", cancel(1))
    floor.send("B", enter(1, "S"))
    floor.told("A")
    floor.tell("release-cancels ABC")
    assert floor.told("A") == []


def test_a_repriced_order_has_a_new_number_in_the_feed_and_its_owner_hears_of_it(floor: Floor) -> None:
    floor.send("A", enter(1, "B", 100, price=10_000))
    floor.told("A")
    floor.tell("reprice A 1 0.98")
    assert floor.told("A", "user_reference", "price", "display", "reference") == [("priority_update", 1, 9_800, "Y", 2)]
    name, values = floor.feed[-1]
    shown = [values[field] for field in ("original_reference", "new_reference", "price")]
    assert (name, shown) == ("order_replace", [1, 2, 9_800])
    floor.send("B", enter(1, "S", 100, price=9_900))
    with pytest.raises(FloorOrderError, match="order 1 of A: invalid price"):
        floor.tell("reprice A 1 1.00")
    assert floor.told("A") == []


def test_an_order_is_restated_and_withdrawn(floor: Floor) -> None:
    floor.send("A", enter(1, "B", 100))
    floor.told("A")
    floor.tell("restate A 1")
    names = ("user_reference", "reason", "display_quantity", "secondary_reference")
    assert floor.told("A", *names) == [("restated", 1, "R", 100, 1)]
    floor.tell("withdraw A 1")
    assert floor.told("A", "user_reference", "reason") == [("canceled", 1, "S")]


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        ("restate A 9", "A has no resting order 9"),
        ("withdraw C 1", "ONE has no OUCH user 'C'"),
        ("reprice A 9 1.00", "order 9 of A: unknown order"),
        ("release-cancels ABC perhaps", "'perhaps' is neither carry-out nor reject"),
        ("break 1 Q", "'Q' is not one of E, C, S, X"),
        ("miscopy A 1 10 1.00", "ONE has no drop copy"),
    ],
)
def test_an_order_of_the_operator_that_makes_no_sense_is_a_sentence(floor: Floor, order: str, sentence: str) -> None:
    with pytest.raises(FloorOrderError, match=sentence):
        floor.tell(order)


@pytest.mark.parametrize(
    ("self_match", "expected"),
    [
        ("cancel_resting", [("aiq_canceled", 1, 100, "Q", 60, 10_000, "A", "O")]),
        ("cancel_incoming", [("aiq_canceled", 2, 60, "Q", 60, 10_000, "R", "N")]),
    ],
)
def test_a_prevented_self_match_says_what_would_have_traded(
    tmp_path: Path, self_match: str, expected: list[tuple[Any, ...]]
) -> None:
    floor = Floor(tmp_path, self_match=self_match)
    floor.send("A", enter(1, "S", 100, price=10_000), enter(2, "B", 60, price=10_100))
    names = ("user_reference", "quantity", "reason", "prevented_quantity", "price", "liquidity", "strategy")
    assert [row for row in floor.told("A", *names) if row[0] == "aiq_canceled"] == expected


def test_the_older_dialect_hears_the_same(tmp_path: Path) -> None:
    floor = Floor(tmp_path, protocol="ouch42", self_match="cancel_resting")
    floor.send("A", enter42(ONE, side="S"), enter42(TWO, side="S", price=10_100))
    floor.send("B", enter42("three", quantity=40))
    floor.told("A")
    for order in ("break 1", "correct 1 0.99", "reprice A 1 1.02", "withdraw A 2"):
        floor.tell(order)
    floor.send("A", enter42("four", price=10_200))
    assert [row[:2] for row in floor.told("A", "token")] == [
        ("broken_trade", ONE),
        ("trade_correction", ONE),
        ("priority_update", ONE),
        ("canceled", TWO),
        ("accepted", "four"),
        ("aiq_canceled", ONE),
    ]
