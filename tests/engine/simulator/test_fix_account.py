"""A FIX account on a book: what each message makes of it, and the messages that tell the client."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.messages.codes import OrderAction, Side, TimeInForce
from engine.messages.instruments import Instrument
from engine.protocols import fix44
from engine.simulator.feed import Feed
from engine.simulator.fix_account import FixAccount
from engine.simulator.layout import BookMemory
from engine.simulator.oracle import Oracle
from engine.simulator.venue import Fees, Venue

NOW_NS = 1_767_349_230_123_456_789
NAMES = {
    11: "id", 17: "exec", 37: "order", 38: "quantity", 14: "executed", 151: "leaves", 150: "type", 39: "status",
    31: "last_price", 32: "last", 851: "liquidity", 527: "match", 41: "original", 103: "reason", 102: "reason",
    58: "text", 19: "of", 20: "transaction", 434: "response_to", 584: "request", 911: "total", 912: "last_report",
    45: "reference", 372: "reference_type", 380: "reason", 44: "price",
}  # fmt: skip


class Desk:
    """A venue with one FIX client, DESK, and the other side of the market."""

    def __init__(self, version: str = "4.4") -> None:
        instruments = [Instrument(1, "ABC"), Instrument(2, "XYZ")]
        memory = BookMemory(instruments, order_capacity=64, level_capacity=32, owner_count=2)
        self.venue = Venue("XFIX", 2, memory, instruments, Feed("S"), Fees(), Oracle(None))
        self.account = FixAccount(self.venue.desk, 1, "DESK", version)
        self.venue.admit(self.account)
        self.market_orders = 0
        self.seen = 0

    def send(self, message_type: str, fields: dict[int, str]) -> list[dict[str, str]]:
        """Send one message; what the client is told, by the names above, without exec ids and zero fields."""
        text = fix44.write_fields({35: message_type, 34: "7"} | fields)
        self.account.receive(text.encode(), NOW_NS)
        return self.told()

    def market(self, side: Side, price: int, quantity: int) -> list[dict[str, str]]:
        """The market sends an IOC order."""
        self.market_orders += 1
        self.venue.desk.request(
            action=OrderAction.ENTER, owner=0, user_reference=self.market_orders, instrument=1, side=side, price=price,
            quantity=quantity, displayed=1, time_in_force=TimeInForce.IOC, time_ns=NOW_NS,
        )  # fmt: skip
        return self.told()

    def told(self) -> list[dict[str, str]]:
        self.venue.tell_accounts()
        new, self.seen = self.account.sequenced[self.seen :], len(self.account.sequenced)
        messages = []
        for raw in new:
            fields = fix44.read_fields(raw.decode())
            said = {NAMES[tag]: value for tag, value in fields.items() if tag in NAMES and value != "0"}
            said.pop("exec", None)
            messages.append({"message": fields[35]} | said)
        return messages


@pytest.fixture
def desk() -> Desk:
    return Desk()


def order(cl_ord_id: str, **changes: str) -> dict[int, str]:
    usual = {"symbol": "ABC", "side": "1", "quantity": "100", "type": "2", "price": "10.00", "in_force": "0"} | changes
    tags = {"symbol": 55, "side": 54, "quantity": 38, "type": 40, "price": 44, "in_force": 59, "original": 41}
    return {11: cl_ord_id} | {tags[name]: value for name, value in usual.items()}


ACCEPTED = {
    "message": "8", "id": "1", "order": "1", "type": "0", "status": "0", "quantity": "100", "leaves": "100",
    "price": "10.0000",
}  # fmt: skip


def without(message: dict[str, str], *names: str) -> dict[str, str]:
    return {name: value for name, value in message.items() if name not in names}


def test_an_order_rests_and_is_filled_in_parts(desk: Desk) -> None:
    assert desk.send("D", order("1")) == [without(ACCEPTED, "type", "status")]
    assert desk.market(Side.SELL, 100_000, 30) == [
        ACCEPTED | {"type": "F", "status": "1", "executed": "30", "leaves": "70", "last": "30", "last_price": "10.0000",
                    "liquidity": "1", "match": "1"}
    ]  # fmt: skip
    (full,) = desk.market(Side.SELL, 90_000, 100)
    assert full == without(ACCEPTED, "leaves") | {
        "type": "F", "status": "2", "executed": "100", "last": "70", "last_price": "10.0000", "liquidity": "1",
        "match": "2",
    }  # fmt: skip


def test_what_an_immediate_order_does_not_find_is_canceled(desk: Desk) -> None:
    desk.send("D", order("1", quantity="40"))
    accepted, fill, maker, canceled = desk.send("D", order("2", side="2", in_force="3"))
    assert (accepted["id"], accepted["leaves"]) == ("2", "100")
    assert {fill["id"]: fill["liquidity"], maker["id"]: maker["liquidity"]} == {"2": "2", "1": "1"}
    assert (canceled["id"], canceled["type"], canceled["executed"], canceled["text"]) == (
        "2", "4", "40", "immediate or cancel",
    )  # fmt: skip


def test_an_order_that_does_not_initiate_is_canceled_when_it_would(desk: Desk) -> None:
    desk.send("D", order("1"))
    accepted, canceled = desk.send("D", order("2", side="2") | {18: "6"})
    assert (accepted["id"], accepted["leaves"], canceled["id"], canceled["text"]) == ("2", "100", "2", "post only")
    (resting,) = desk.send("D", order("3") | {18: "6"})
    assert (resting["id"], resting["leaves"]) == ("3", "100")


def test_the_venue_corrects_a_trade_and_takes_it_back(desk: Desk) -> None:
    desk.send("D", order("1"))
    desk.market(Side.SELL, 100_000, 30)
    fill = fix44.read_fields(desk.account.sequenced[-1].decode())
    desk.account.tell_corrected(1, 99_900, NOW_NS)
    correction = fix44.read_fields(desk.account.sequenced[-1].decode())
    (corrected,) = desk.told()
    filled = {"status": "1", "executed": "30", "leaves": "70", "last": "30", "liquidity": "1", "match": "1"}
    assert corrected == ACCEPTED | filled | {"type": "G", "last_price": "9.9900", "of": fill[17]}
    desk.account.tell_broken(1, "E", NOW_NS)
    (broken,) = desk.told()
    filled |= {"status": "0", "executed": "0", "type": "H", "last_price": "9.9900", "of": correction[17]}
    assert broken == without(ACCEPTED | filled, "executed", "status")
    desk.account.tell_broken(1, "E", NOW_NS)
    desk.account.tell_broken(9, "E", NOW_NS)
    assert desk.told() == []


def test_a_trade_taken_back_counts_for_the_order_that_replaced_it_and_the_next_replacement(desk: Desk) -> None:
    desk.send("D", order("1"))
    desk.market(Side.SELL, 100_000, 30)
    desk.send("G", order("2", original="1", quantity="90"))
    desk.account.tell_broken(1, "E", NOW_NS)
    desk.told()
    (status,) = desk.send("H", {11: "2", 55: "ABC", 54: "1"})
    assert [status.get(name) for name in ("status", "executed", "leaves")] == [None, None, "60"]
    (replaced,) = desk.send("G", order("3", original="2", quantity="50"))
    assert (replaced["type"], replaced["leaves"]) == ("5", "50")
    fills = desk.market(Side.SELL, 100_000, 100)
    assert [(m["status"], m["executed"], m.get("leaves")) for m in fills] == [("2", "50", None)]


def test_in_fix_42_what_is_corrected_and_taken_back_says_so_as_a_transaction() -> None:
    desk = Desk("4.2")
    desk.send("D", order("1"))
    desk.market(Side.SELL, 100_000, 100)
    fill = fix44.read_fields(desk.account.sequenced[-1].decode())
    desk.account.tell_corrected(1, 99_900, NOW_NS)
    desk.account.tell_broken(1, "E", NOW_NS)
    corrected, broken = desk.told()
    assert [corrected[name] for name in ("transaction", "type", "last_price", "of")] == ["2", "2", "9.9900", fill[17]]
    assert [broken[name] for name in ("transaction", "type", "status", "last")] == ["1", "4", "4", "100"]
    assert broken["of"] != fill[17]


def test_cancel_and_its_refusals(desk: Desk) -> None:
    desk.send("D", order("1"))
    cancel = {11: "1C1", 41: "1", 55: "ABC", 54: "1", 38: "100"}
    (canceled,) = desk.send("F", cancel)
    assert canceled == without(ACCEPTED, "leaves") | {
        "id": "1C1", "original": "1", "type": "4", "status": "4", "text": "user",
    }  # fmt: skip
    assert desk.send("F", cancel | {11: "1C2"}) == [
        {"message": "9", "order": "1", "id": "1C2", "original": "1", "status": "4", "response_to": "1"}
    ]
    assert desk.send("F", cancel | {11: "9C1", 41: "9"}) == [
        {
            "message": "9",
            "order": "NONE",
            "id": "9C1",
            "original": "9",
            "status": "8",
            "response_to": "1",
            "reason": "1",
        }
    ]


def test_a_replacement_keeps_what_was_executed(desk: Desk) -> None:
    desk.send("D", order("1"))
    desk.market(Side.SELL, 100_000, 30)
    (replaced,) = desk.send("G", order("2", original="1", quantity="150", price="10.01"))
    assert replaced == {
        "message": "8", "id": "2", "original": "1", "order": "3", "type": "5", "status": "1", "quantity": "150",
        "executed": "30", "leaves": "120", "price": "10.0100",
    }  # fmt: skip
    (fill,) = desk.market(Side.SELL, 100_000, 120)
    assert (fill["id"], fill["status"], fill["executed"], fill.get("leaves", "0")) == ("2", "2", "150", "0")


@pytest.mark.parametrize(
    "change", [{"quantity": "30"}, {"price": "10.0001"}, {"symbol": "XYZ"}, {"side": "2"}, {"in_force": "9"}]
)
def test_a_replacement_that_cannot_be_entered_leaves_the_order_alone(desk: Desk, change: dict[str, str]) -> None:
    desk.send("D", order("1"))
    desk.market(Side.SELL, 100_000, 30)
    assert desk.send("G", order("2", original="1", **change)) == [
        {"message": "9", "order": "1", "id": "2", "original": "1", "status": "1", "response_to": "2", "reason": "99"}
    ]
    (status,) = desk.send("H", {11: "1", 55: "ABC", 54: "1"})
    assert (status["type"], status["status"], status["executed"], status["leaves"]) == ("I", "1", "30", "70")


@pytest.mark.parametrize(
    ("change", "reason", "text"),
    [
        ({"symbol": "NONE"}, "1", "invalid instrument"),
        ({"quantity": "0"}, "13", "invalid quantity"),
        ({"price": "10.0001"}, "99", "invalid price"),
        ({"side": "8"}, "99", "invalid side"),
        ({"type": "1"}, "11", "invalid time in force"),
        ({"in_force": "8"}, "11", "invalid time in force"),
    ],
)
def test_an_order_that_the_book_does_not_take_is_rejected(
    desk: Desk, change: dict[str, str], reason: str, text: str
) -> None:
    (rejected,) = desk.send("D", order("1", **change))
    assert (rejected["type"], rejected["status"], rejected["reason"], rejected["text"]) == ("8", "8", reason, text)
    assert rejected.get("leaves", "0") == "0"


def test_a_client_order_id_is_used_once(desk: Desk) -> None:
    desk.send("D", order("1"))
    (rejected,) = desk.send("D", order("1"))
    assert (rejected["status"], rejected["reason"], rejected["text"]) == ("8", "6", "this ClOrdID was used before")
    (status,) = desk.send("H", {11: "1"})
    assert (status.get("status", "0"), status["leaves"]) == ("0", "100")


def test_ids_that_are_no_small_numbers_are_orders_too(desk: Desk) -> None:
    for name in ("abc", "007", "7", "9" * 30):
        (accepted,) = desk.send("D", order(name))
        assert (accepted["id"], accepted["leaves"]) == (name, "100")


def test_an_order_that_is_not_known_here(desk: Desk) -> None:
    (status,) = desk.send("H", {11: "9", 55: "ABC", 54: "1"})
    assert status == {
        "message": "8", "id": "9", "order": "NONE", "type": "I", "status": "8", "reason": "5",
    }  # fmt: skip


def test_all_open_orders_at_once(desk: Desk) -> None:
    for name in "123":
        desk.send("D", order(name))
    desk.send("F", {11: "2C1", 41: "2", 55: "ABC", 54: "1", 38: "100"})
    reports = desk.send("AF", {584: "all", 585: "7"})
    assert [(r["id"], r["type"], r["request"], r["total"], r["last_report"]) for r in reports] == [
        ("1", "I", "all", "2", "N"),
        ("3", "I", "all", "2", "Y"),
    ]
    empty = Desk().send("AF", {584: "all", 585: "7"})
    assert [(r["id"], r["status"], r["last_report"]) for r in empty] == [("NONE", "8", "Y")]


def test_messages_that_are_not_offered_or_not_understood_are_refused(desk: Desk) -> None:
    assert desk.send("E", {}) == [
        {"message": "j", "reference": "7", "reference_type": "E", "reason": "3",
         "text": "this message is not offered here"}
    ]  # fmt: skip
    (refused,) = desk.send("D", order("1", quantity="0.5"))
    assert (refused["message"], refused["reason"], refused["text"]) == (
        "j", "5", "field 38: '0.5' is not a whole quantity",
    )  # fmt: skip
    assert desk.account.malformed == 2


def test_execution_ids_never_repeat(desk: Desk) -> None:
    for name in "123":
        desk.send("D", order(name))
        desk.send("H", {11: name})
    ids = [fix44.read_fields(raw.decode())[17] for raw in desk.account.sequenced]
    assert len(set(ids)) == len(ids) == 6


def test_the_oracle_hears_of_everything(tmp_path: Path) -> None:
    instruments = [Instrument(1, "ABC")]
    memory = BookMemory(instruments, order_capacity=64, level_capacity=32, owner_count=2)
    oracle = Oracle(tmp_path / "oracle.jsonl")
    venue = Venue("XFIX", 2, memory, instruments, Feed("S"), Fees(), oracle)
    account = FixAccount(venue.desk, 1, "DESK")
    venue.admit(account)
    account.receive(fix44.write_fields({35: "D"} | order("12")).encode(), NOW_NS)
    venue.tell_accounts()
    oracle.flush()
    (line,) = (tmp_path / "oracle.jsonl").read_text().splitlines()
    assert '"user_reference": 12' in line
    assert '"kind": "accepted"' in line


def until(desk: Desk, time_ns: int) -> list[dict[str, str]]:
    """Whatever the venue does by itself until then; what the client is told."""
    while desk.venue.next_time_ns <= time_ns:
        desk.venue.run_source()
    return desk.told()


def good_till(cl_ord_id: str, end_ns: int, **changes: str) -> dict[int, str]:
    return order(cl_ord_id, in_force="6", **changes) | {126: fix44.time_text(end_ns)}


def test_an_order_good_till_a_time_rests_until_then_and_expires(desk: Desk) -> None:
    end_ns = NOW_NS // 10**9 * 10**9 + 5 * 10**9
    assert [said.get("type", "0") for said in desk.send("D", good_till("1", end_ns))] == ["0"]
    desk.market(Side.SELL, 100_000, 40)
    assert until(desk, end_ns - 1) == []
    (expired,) = until(desk, end_ns)
    told = {name: expired[name] for name in ("id", "type", "status", "quantity", "executed", "text")}
    assert told == {
        "id": "1", "type": "C", "status": "C", "quantity": "100", "executed": "40", "text": "timeout",
    }  # fmt: skip
    assert "leaves" not in expired


def test_a_replacement_has_an_end_of_its_own_and_one_that_is_gone_none(desk: Desk) -> None:
    second = 10**9
    desk.send("D", good_till("1", NOW_NS + 5 * second))
    replaced = desk.send("G", good_till("2", NOW_NS + 9 * second, original="1", price="10.01"))
    assert [said["type"] for said in replaced] == ["5"]
    assert until(desk, NOW_NS + 8 * second) == []
    assert [(said["id"], said["type"]) for said in until(desk, NOW_NS + 9 * second)] == [("2", "C")]
    desk.send("D", good_till("3", NOW_NS + 20 * second))
    desk.send("F", {11: "4", 41: "3", 55: "ABC", 54: "1", 38: "100"})
    assert until(desk, NOW_NS + 60 * second) == []


def test_good_till_canceled_rests_and_an_end_that_is_past_or_missing_is_refused(desk: Desk) -> None:
    assert [said.get("type", "0") for said in desk.send("D", order("1", in_force="1"))] == ["0"]
    assert until(desk, NOW_NS + 86_400 * 10**9) == []
    assert [(said["type"], said["reason"]) for said in desk.send("D", good_till("2", NOW_NS - 10**9))] == [("8", "11")]
    assert [said["message"] for said in desk.send("D", order("3", in_force="6"))] == ["j"]
