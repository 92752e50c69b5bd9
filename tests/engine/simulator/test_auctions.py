"""Crosses of a venue: who gets what, what the feed says, who is too late; in OUCH 5.0, OUCH 4.2 and FIX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.messages.codes import OrderAction, ReportKind, TimeInForce
from engine.messages.instruments import Instrument
from engine.protocols import fix44, itch50
from engine.simulator.announcements import Announcements
from engine.simulator.auctions import Auctions
from engine.simulator.config import ConfigError, parse_config
from engine.simulator.floor_orders import FloorOrderError
from engine.simulator.layout import BookMemory
from engine.simulator.orders import OrderDesk
from tests.engine.simulator.clients import cancel, enter, replace
from tests.engine.simulator.test_floor_clients import Floor
from tests.engine.simulator.test_floor_orders import Exchange
from tests.engine.simulator.test_ouch42_account import enter as enter42

AT_CLOSE = {"cross_type": "C"}
FILL = ("user_reference", "quantity", "price", "liquidity", "match_number")
PRINT = ("quantity", "price", "cross_type", "match_number")
START_NS = 1_700_000_000_000_000_000


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


def said(floor: Floor, name: str, *fields: str) -> list[tuple[Any, ...]]:
    """What the feed said under one name since the last look."""
    found = [tuple(values[field] for field in fields) for told, values in floor.feed if told == name]
    floor.feed.clear()
    return found


def test_orders_on_close_meet_each_other_and_the_book_at_one_price(floor: Floor) -> None:
    floor.send("A", enter(1, "B", 300, price=10_200, **AT_CLOSE), enter(2, "B", 100, price=9_900))
    floor.send("B", enter(1, "S", 100, price=9_800, **AT_CLOSE), enter(2, "S", 100, price=10_100))
    assert floor.told("A", "cross_type", "quantity") == [("accepted", "C", 300), ("accepted", "N", 100)]
    assert said(floor, "add_order", "quantity", "price") == [(100, 9_900), (100, 10_100)]
    floor.tell("auction ABC close")
    # 200 of the 300 are offered; what is left over holds the price at the highest limit that is asked for
    assert floor.told("A", *FILL) == [
        ("executed", 1, 100, 10_100, "C", 1),
        ("executed", 1, 100, 10_100, "C", 2),
        ("canceled", 1, 100, None, None, None),
    ]
    assert said(floor, "cross_trade", *PRINT) == [(200, 10_100, "C", 3)]
    assert floor.venue.desk.resting(1, 2)["quantity"] == 100


def test_the_other_side_is_told_the_same_fills_and_a_displayed_order_leaves_the_feed(floor: Floor) -> None:
    floor.send("A", enter(1, "B", 200, price=10_200, **AT_CLOSE))
    floor.send("B", enter(1, "S", 100, price=9_800, **AT_CLOSE), enter(2, "S", 300, price=10_100))
    floor.told("B")
    floor.feed.clear()
    floor.tell("auction ABC close")
    assert floor.told("B", *FILL) == [("executed", 1, 100, 10_100, "C", 1), ("executed", 2, 100, 10_100, "C", 2)]
    fields = ("quantity", "price", "printable", "match_number")
    assert [(n, *(v[f] for f in fields)) for n, v in floor.feed if n != "cross_trade"] == [
        ("order_executed_with_price", 100, 10_100, "N", 2)
    ]
    assert floor.venue.desk.resting(2, 2)["quantity"] == 200


def test_a_market_order_on_close_is_filled_at_the_touch_of_the_book(floor: Floor) -> None:
    floor.send("B", enter(1, "S", 100, price=10_100), enter(2, "B", 100, price=9_900))
    floor.send("A", enter(1, "S", 40, price=0x7FFFFFFF, **AT_CLOSE))
    floor.told("A")
    floor.tell("auction ABC close")
    assert floor.told("A", *FILL) == [("executed", 1, 40, 9_900, "C", 1)]


def test_after_the_cross_an_order_for_it_is_refused_and_another_cross_too(floor: Floor) -> None:
    floor.tell("auction ABC close")
    assert floor.told("A") == []
    assert said(floor, "cross_trade", *PRINT) == [(0, 0, "C", 1)]
    assert [itch50.decode(raw).name for raw in floor.venue.announcements.in_force()][-1] == "cross_trade"
    floor.send("A", enter(1, **AT_CLOSE), enter(2, instrument="XYZ", **AT_CLOSE), enter(3, cross_type="O"))
    assert floor.told("A", "user_reference", "reason") == [
        ("rejected", 1, 0x14),
        ("accepted", 2, None),
        ("rejected", 3, 0x14),
    ]
    for order in ("auction ABC close", "indicate ABC close", "auction ABC open"):
        with pytest.raises(FloorOrderError, match=f"the {order.split()[2][:4]}.* cross of ABC is over"):
            floor.tell(order)


def test_an_order_for_a_cross_is_replaced_reduced_and_canceled_as_others_are(floor: Floor) -> None:
    floor.send("A", enter(1, quantity=300, **AT_CLOSE), replace(1, 2, 200, 9_900), cancel(2, 150))
    assert floor.told("A", "user_reference", "quantity", "cross_type") == [
        ("accepted", 1, 300, "C"),
        ("replaced", 2, 200, "C"),
        ("canceled", 2, 50, None),
    ]
    floor.send("A", replace(2, 3, 150, 9_800), cancel(3), enter(4, quantity=50, **AT_CLOSE))
    floor.tell("withdraw A 4")
    assert floor.told("A", "user_reference", "quantity", "reason") == [
        ("replaced", 3, 150, None),
        ("canceled", 3, 150, "U"),
        ("accepted", 4, 50, None),
        ("canceled", 4, 50, "S"),
    ]
    assert said(floor, "add_order") == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"quantity": 0}, 0x13), ({"price": 0}, 0x1D), ({"instrument": "NOPE"}, 0x17), ({"cross_type": "H"}, 260),
     ({"appendage": {"minimum_quantity": 50}}, 0x0D)],
)  # fmt: skip
def test_what_no_cross_can_take_is_refused_when_it_comes(floor: Floor, changes: dict[str, Any], reason: int) -> None:
    floor.send("A", enter(1, **AT_CLOSE | changes))
    assert floor.told("A", "reason") == [("rejected", reason)]


def test_the_imbalance_is_told_before_the_cross(floor: Floor) -> None:
    floor.send("B", enter(1, "S", 100, price=10_400), enter(2, "B", 100, price=9_600))
    floor.send("A", enter(1, "B", 300, price=10_500, **AT_CLOSE), enter(2, "S", 100, price=10_100, **AT_CLOSE))
    floor.told("A")
    floor.feed.clear()
    floor.tell("indicate ABC close")
    floor.told("A")
    ((_, told),) = floor.feed
    wanted = {"paired_quantity": 0, "imbalance_quantity": 300, "imbalance_direction": "B", "far_price": 10_100}
    wanted |= {"near_price": 10_400, "reference_price": 10_000, "cross_type": "C", "price_variation": "4"}
    assert {name: told[name] for name in wanted} == wanted
    floor.tell("auction ABC close")
    floor.told("A")
    assert floor.feed[-1][1]["price"] == told["near_price"]


def test_market_hours_begin_and_end_with_the_crosses_of_the_configuration(tmp_path: Path) -> None:
    floor = Floor(tmp_path, drained=False, opening_cross_seconds=3.0, closing_cross_seconds=60.0, imbalance_seconds=2)
    floor.send("A", enter(1, "B", 100, cross_type="O"), enter(2, "S", 100, **AT_CLOSE))
    floor.send("B", enter(1, "S", 100, cross_type="O"), enter(2, "B", 100, **AT_CLOSE))
    told = [row for row in floor.told("A", "user_reference", "liquidity") if row[0] != "accepted"]
    assert told == [("executed", 1, "O"), ("executed", 2, "C")]
    seconds = [
        (values["timestamp_ns"] // 1_000_000_000 % 100, name, values.get("cross_type") or values.get("event"))
        for name, values in floor.feed
        if name in ("system_event", "cross_trade", "net_order_imbalance") and values.get("instrument", "ABC") == "ABC"
    ]
    start = seconds[0][0]
    assert [(at - start, name, letter) for at, name, letter in seconds] == [
        (0, "system_event", "O"), (0, "system_event", "S"),
        (1, "net_order_imbalance", "O"), (2, "net_order_imbalance", "O"),
        (3, "system_event", "Q"), (3, "cross_trade", "O"),
        (58, "net_order_imbalance", "C"), (59, "net_order_imbalance", "C"),
        (60, "system_event", "M"), (60, "cross_trade", "C"),
    ]  # fmt: skip


def test_the_end_of_the_session_holds_the_crosses_that_orders_wait_for(tmp_path: Path) -> None:
    floor = Floor(tmp_path, drained=False, opening_cross_seconds=100.0)
    floor.send("A", enter(1, **AT_CLOSE), enter(2, cross_type="O"))
    floor.send("B", enter(1, "S", 60, **AT_CLOSE))
    floor.simulation.close(START_NS + 2)
    told = floor.told("A", "user_reference", "quantity", "reason")
    assert told[2:] == [("executed", 1, 60, None), ("canceled", 1, 40, "C"), ("canceled", 2, 100, "C")]


def test_a_cross_that_makes_no_sense_is_refused_in_the_configuration(tmp_path: Path) -> None:
    lit: dict[str, Any] = {"name": "ONE", "id": 1}
    pool = {"name": "TWO", "id": 2, "kind": "midpoint", "reference": "ONE", "protocol": "fix44"}
    for venues, sentence in (
        ([lit | {"opening_cross_seconds": 9.0, "closing_cross_seconds": 5.0}], "comes after the opening cross"),
        ([lit | {"imbalance_seconds": -1}], "count from the session's start"),
        ([lit, pool | {"closing_cross_seconds": 5.0}], "a midpoint venue has no crosses"),
    ):
        with pytest.raises(ConfigError, match=sentence):
            parse_config({"out": "out", "venues": venues}, tmp_path)


def test_the_operator_names_a_cross_that_there_is(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    with pytest.raises(FloorOrderError, match="'noon' is neither open nor close"):
        exchange.tell("auction ABC noon")


def test_the_older_dialect_takes_part(tmp_path: Path) -> None:
    floor = Floor(tmp_path, protocol="ouch42")
    floor.send("A", enter42("one", quantity=100, cross_type="C"), enter42("two", quantity=50, cross_type="C"))
    floor.send("B", enter42("three", side="S", quantity=100, cross_type="C"))
    floor.told("A")
    floor.tell("auction ABC close")
    floor.send("A", enter42("four", cross_type="C"))
    assert floor.told("A", "token", "quantity", "reason", "liquidity") == [
        ("executed", "one", 100, None, "C"),
        ("canceled", "two", 50, "C", None),
        ("rejected", "four", None, "R", None),
    ]


@pytest.mark.parametrize("version", ["fix42", "fix44"])
def test_fix_says_the_close_as_its_version_does(tmp_path: Path, version: str) -> None:
    floor = Floor(tmp_path, protocol=version)
    account = floor.venue.accounts["A"]
    on_close = {40: "B", 59: "0"} if version == "fix42" else {40: "2", 59: "7"}
    other = {40: "2", 59: "7"} if version == "fix42" else {40: "B", 59: "0"}

    def send(identity: str, side: str, terms: dict[int, str]) -> None:
        fields = {35: "D", 11: identity, 55: "ABC", 54: side, 38: "100", 44: "1.00"} | terms
        floor.simulation.submit(floor.venue, account, fix44.write_fields(fields).encode(), START_NS)

    send("1", "1", on_close)
    send("2", "2", on_close)
    send("3", "1", other)
    send("4", "1", {40: "2", 59: "2"})
    floor.tell("auction ABC close")
    send("5", "1", on_close)
    told = [fix44.read_fields(raw.decode()) for raw in account.sequenced]
    assert [(t[11], t[39], t.get(103), t.get(851), t.get(9730)) for t in told] == [
        ("1", "0", None, None, None),
        ("2", "0", None, None, None),
        ("3", "8", "11" if version == "fix44" else "0", None, None),
        ("4", "8", "4", None, None),
        ("1", "2", None, None, None),
        ("2", "2", None, None, None),
        ("5", "8", "4", None, None),
    ]


SIDES, PRICES = st.sampled_from([1, 2]), st.integers(95, 105).map(lambda tick: tick * 100)
ORDERS = st.lists(st.tuples(SIDES, PRICES, st.integers(1, 5), st.booleans(), st.booleans()), min_size=1, max_size=14)


@settings(max_examples=60)
@given(ORDERS)
def test_a_cross_fills_both_sides_alike_within_every_limit_and_the_feed_tells_the_book_that_is_left(orders) -> None:
    instruments = [Instrument(1, "ABC")]
    memory = BookMemory(instruments, order_capacity=64, level_capacity=64, owner_count=1)
    desk = OrderDesk(memory, instruments)
    auctions = Auctions(desk, Announcements(memory), {1: 10_000})
    limits: dict[int, tuple[int, int, bool]] = {}
    for number, (side, price, lots, on_close, displayed) in enumerate(orders, start=1):
        terms = {"side": side, "price": price, "quantity": lots * 100, "displayed": int(displayed)}
        in_force = TimeInForce.AT_CLOSE if on_close else TimeInForce.DAY
        desk.request(action=OrderAction.ENTER, owner=1, user_reference=number, instrument=1, time_in_force=in_force,
                     **terms)  # fmt: skip
        limits[number] = side, price, on_close
    memory.take_results()
    memory.take_messages()
    resting = {n: int(row["quantity"]) for n in limits if not limits[n][2] and (row := desk.resting(1, n)) is not None}
    found = auctions.hold(1, TimeInForce.AT_CLOSE, 1)
    filled = dict.fromkeys((1, 2), 0)
    for result in memory.take_results():
        side, limit, on_close = limits[int(result["user_reference"])]
        if result["kind"] != ReportKind.EXECUTED:
            assert on_close
            continue
        assert result["price"] == found.price
        assert found.price <= limit if side == 1 else found.price >= limit
        filled[side] += int(result["quantity"])
    assert filled == {1: found.paired, 2: found.paired}
    assert not desk.crosses.waiting
    told: dict[int, int] = {}
    for raw in _messages(memory.take_messages()[1]):
        message = itch50.decode(raw)
        if message.name == "order_executed_with_price":
            told[message.values["reference"]] = told.get(message.values["reference"], 0) + message.values["quantity"]
    for number, quantity in resting.items():
        row = desk.resting(1, number)
        gone = quantity - (int(row["quantity"]) if row is not None else 0)
        displayed = orders[number - 1][4]
        assert told.pop(number, 0) == (gone if displayed else 0)
    assert not told


def _messages(blocks: bytes) -> list[bytes]:
    found, at = [], 0
    while at < len(blocks):
        length = int.from_bytes(blocks[at : at + 2], "big")
        found.append(blocks[at + 2 : at + 2 + length])
        at += 2 + length
    return found
