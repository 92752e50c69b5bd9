"""An OUCH 5.0 account: numbers, echoes, silences, mass cancel, entry switch, account query."""

import json
from pathlib import Path

from engine.messages.instruments import Instrument
from engine.protocols.ouch50 import decode_outbound, encode_inbound
from engine.simulator.feed import Feed
from engine.simulator.layout import BookMemory
from engine.simulator.oracle import Oracle
from engine.simulator.ouch_account import OuchAccount
from engine.simulator.venue import Fees, Venue
from tests.engine.simulator.clients import cancel, enter, replace


class Desk:
    """A venue with two users; `send` returns what the first one is told."""

    def __init__(self, oracle: Path | None = None) -> None:
        instruments = [Instrument(1, "ABC"), Instrument(2, "XYZ")]
        memory = BookMemory(instruments, 64, 32, owner_count=2, midnight_ns=1_000)
        self.venue = Venue("XSIM", 1, memory, instruments, Feed("S"), Fees(-20, 30), Oracle(oracle))
        self.first, self.other = (OuchAccount(self.venue.desk, n, u, "", 1_000) for n, u in ((1, "A"), (2, "B")))
        self.venue.admit(self.first)
        self.venue.admit(self.other)

    def send(self, *messages: bytes, account: OuchAccount | None = None) -> list[dict]:
        before = len(self.first.sequenced)
        for message in messages:
            (account or self.first).receive(message, 5_000)
            self.venue.tell_accounts()
        told = [decode_outbound(raw) for raw in self.first.sequenced[before:]]
        return [{"name": message.name} | message.values for message in told]


def brief(told: list[dict], *names: str) -> list[tuple]:
    return [tuple(message.get(name) for name in ("name", *names)) for message in told]


def test_an_accepted_order_is_echoed_whole():
    told = Desk().send(enter(7, "S", 300, "XYZ", 12_300, client_order_id="mine", capacity="A"))
    assert told == [
        {
            "name": "accepted", "type": "A", "timestamp_ns": 4_000, "user_reference": 7, "side": "S", "quantity": 300,
            "instrument": "XYZ", "price": 12_300, "time_in_force": "0", "display": "Y", "reference": 1,
            "capacity": "A", "intermarket_sweep": "N", "cross_type": "N", "order_state": "L",
            "client_order_id": "mine",
        }
    ]  # fmt: skip


def test_both_sides_of_a_trade_are_told_with_one_match_number():
    desk = Desk()
    desk.send(enter(1, "S", 300, price=10_000))
    told = desk.send(enter(1, "B", 200, price=10_100), account=desk.other)
    assert brief(told, "user_reference", "quantity", "price", "liquidity", "match_number") == [
        ("executed", 1, 200, 10_000, "A", 1)
    ]
    fills = [decode_outbound(raw).values for raw in desk.other.sequenced]
    assert (fills[1]["liquidity"], fills[1]["match_number"], fills[1]["price"]) == ("R", 1, 10_000)


def test_a_number_that_does_not_rise_is_ignored_silently():
    desk = Desk()
    assert len(desk.send(enter(5))) == 1
    assert desk.send(enter(5), enter(4)) == []
    assert desk.first.ignored == 2
    assert brief(desk.send(encode_inbound("account_query")), "next_user_reference") == [("account_query_response", 6)]


def test_a_refused_order_uses_its_number_up():
    desk = Desk()
    told = desk.send(enter(1, instrument="NONE"), enter(2, quantity=0), enter(3, price=10_001), enter(3))
    assert brief(told, "user_reference", "reason") == [
        ("rejected", 1, 0x17),
        ("rejected", 2, 0x13),
        ("rejected", 3, 0x1D),
    ]


def test_prices_that_no_integer_of_ours_holds_are_refused():
    assert brief(Desk().send(enter(1, price=(1 << 64) - 1)), "reason") == [("rejected", 0x1D)]


def test_a_replaced_order_goes_on_under_its_new_number():
    desk = Desk()
    told = desk.send(enter(1, quantity=300), replace(1, 2, 500, 9_900), cancel(1), cancel(2))
    assert brief(told, "user_reference", "original_user_reference", "quantity", "side") == [
        ("accepted", 1, None, 300, "B"),
        ("replaced", 2, 1, 500, "B"),
        ("canceled", 2, None, 500, None),
    ]


def test_a_replacement_of_nothing_does_not_use_its_number_up():
    desk = Desk()
    assert desk.send(replace(9, 10, 100, 10_000)) == []
    assert brief(desk.send(enter(10)), "user_reference") == [("accepted", 10)]


def test_a_replacement_that_is_invalid_cancels_and_does_not_use_its_number_up():
    desk = Desk()
    desk.send(enter(1))
    assert brief(desk.send(replace(1, 2, 100, 10_001)), "user_reference", "reason") == [("canceled", 1, "U")]
    assert brief(desk.send(enter(2)), "user_reference") == [("accepted", 2)]


def test_immediate_or_cancel_and_fill_or_kill():
    desk = Desk()
    desk.send(enter(1, "S", 100, price=10_000), account=desk.other)
    told = desk.send(
        enter(1, "B", 300, price=10_000, time_in_force="3", appendage={"minimum_quantity": 300}),
        enter(2, "B", 300, price=10_000, time_in_force="3"),
    )
    assert brief(told, "user_reference", "quantity", "reason") == [
        ("accepted", 1, 300, None),
        ("canceled", 1, 300, "I"),
        ("accepted", 2, 300, None),
        ("executed", 2, 100, None),
        ("canceled", 2, 200, "I"),
    ]


def test_a_post_only_order_rests_or_is_canceled_and_never_takes():
    desk = Desk()
    desk.send(enter(1, "S", 100, price=10_000), account=desk.other)
    posts = {"post_only": "P"}
    told = desk.send(
        enter(1, "B", 300, price=10_000, appendage=posts),
        enter(2, "B", 300, price=9_900, appendage=posts),
        enter(3, "B", 300, price=10_000, time_in_force="3", appendage=posts),
    )
    assert brief(told, "user_reference", "quantity", "reason") == [
        ("accepted", 1, 300, None),
        ("canceled", 1, 300, "G"),
        ("accepted", 2, 300, None),
        ("accepted", 3, 300, None),
        ("executed", 3, 100, None),
        ("canceled", 3, 200, "I"),
    ]


def test_modify_reduces_an_order_and_says_what_is_left():
    desk = Desk()
    desk.send(enter(1, quantity=300))
    message = encode_inbound("modify_order", user_reference=1, side="B", quantity=100)
    assert brief(desk.send(message), "user_reference", "quantity", "price", "reference") == [
        ("modified", 1, 100, None, None),
        ("priority_update", 1, None, 10_000, 1),
    ]


def test_mass_cancel_is_answered_then_carried_out():
    desk = Desk()
    desk.send(enter(1), enter(2, instrument="XYZ"), enter(3))
    one = encode_inbound("mass_cancel", {}, user_reference=4, firm="", instrument="XYZ")
    everything = encode_inbound("mass_cancel", {}, user_reference=5, firm="", instrument="")
    assert brief(desk.send(one, everything), "user_reference") == [
        ("mass_cancel_response", 4),
        ("canceled", 2),
        ("mass_cancel_response", 5),
        ("canceled", 1),
        ("canceled", 3),
    ]


def test_entry_is_disabled_until_it_is_enabled():
    desk = Desk()
    disable = encode_inbound("disable_order_entry", {}, user_reference=1, firm="")
    enable = encode_inbound("enable_order_entry", {}, user_reference=3, firm="")
    told = desk.send(disable, enter(2), enable, enter(4))
    assert brief(told, "user_reference") == [
        ("disable_order_entry_response", 1),
        ("rejected", 2),
        ("enable_order_entry_response", 3),
        ("accepted", 4),
    ]


def test_garbage_is_counted_and_answered_with_nothing():
    desk = Desk()
    assert desk.send(b"", b"?", b"O\x00") == []
    assert desk.first.malformed == 3


def test_the_oracle_knows_what_the_client_was_told(tmp_path):
    desk = Desk(tmp_path / "oracle.jsonl")
    desk.send(enter(1, "S", 300, price=10_000))
    desk.send(enter(1, "B", 200, price=10_000), account=desk.other)
    desk.venue._oracle.flush()
    lines = [json.loads(line) for line in (tmp_path / "oracle.jsonl").read_text().splitlines()]
    assert [(row["user"], row["kind"], row["sequence"], row.get("fee")) for row in lines] == [
        ("A", "accepted", 1, None),
        ("B", "accepted", 1, None),
        ("A", "executed", 2, -4_000),
        ("B", "executed", 2, 6_000),
    ]
