"""What the operator of the simulated exchange orders: announced in ITCH, and held against new orders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.messages.instruments import Instrument, write_instruments
from engine.protocols import itch50, moldudp64, ouch50
from engine.simulator.assemble import Assembly
from engine.simulator.config import ConfigError, parse_config
from engine.simulator.floor_orders import FloorOrderError
from engine.simulator.simulation import Packet
from tests.engine.simulator.clients import enter, replace

SECOND_NS = 1_000_000_000
START_NS = 1_700_000_000 * SECOND_NS


class Exchange:
    """Two venues in memory without a market; orders of user A, who is a client of the first."""

    def __init__(self, directory: Path, *schedule: dict[str, Any]) -> None:
        write_instruments(directory / "instruments.json", [Instrument(1, "ABC"), Instrument(2, "XYZ")])
        venues = [{"name": name, "id": n, "users": [{"name": "A"}]} for n, name in ((1, "ONE"), (2, "TWO"))]
        raw = {"out": "out", "instruments": "instruments.json", "session": "S1", "schedule": list(schedule)}
        (directory / "out").mkdir(exist_ok=True)
        self.assembly = Assembly(parse_config(raw | {"venues": venues}, directory), START_NS, log=False)
        self.assembly.open()
        self.simulation = self.assembly.simulation
        self.one, self.two = self.assembly.venues
        self.announced(until_s=0)

    def tell(self, order: str) -> None:
        self.one.floor.check(order)
        self.simulation.command(self.one, order, START_NS + SECOND_NS)

    def outputs(self, until_s: int = 1_000_000) -> list[Any]:
        found = []
        while (output := self.simulation.next_output(START_NS + until_s * SECOND_NS)) is not None:
            found.append(output)
        return found

    def announced(self, until_s: int = 1_000_000) -> list[tuple[str, str, dict[str, Any]]]:
        """Venue, name and values of everything that was published since."""
        packets = [output for output in self.outputs(until_s) if isinstance(output, Packet)]
        messages = [(p.venue.name, itch50.decode(m)) for p in packets for m in moldudp64.decode(p.payload).messages]
        return [(venue, m.name, m.values) for venue, m in messages]

    def answers(self, message: bytes) -> list[tuple[str, dict[str, Any]]]:
        """What user A is told about a message of his."""
        self.simulation.submit(self.one, self.one.accounts["A"], message, START_NS + SECOND_NS)
        reports = [m for output in self.outputs() if not isinstance(output, Packet) for m in output.messages]
        decoded = [ouch50.decode_outbound(raw) for raw in reports]
        return [(m.name, m.values) for m in decoded]


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    return Exchange(tmp_path)


@pytest.mark.parametrize(
    ("order", "name", "values"),
    [
        ("halt ABC T1", "trading_action", {"trading_state": "H", "reason": "T1"}),
        ("pause ABC LUDP", "trading_action", {"trading_state": "P", "reason": "LUDP"}),
        ("quote ABC", "trading_action", {"trading_state": "Q", "reason": ""}),
        ("resume ABC", "trading_action", {"trading_state": "T"}),
        ("operational-halt ABC", "operational_halt", {"halt_action": "H", "market_code": "Q"}),
        ("short-sale ABC 1", "reg_sho_restriction", {"reg_sho_action": "1"}),
        (
            "collar ABC 10 9.5 10.5",
            "luld_auction_collar",
            {"reference_price": 100_000, "lower_price": 95_000, "upper_price": 105_000},
        ),
        (
            "imbalance ABC S 500 1000 10.01",
            "net_order_imbalance",
            {"imbalance_direction": "S", "imbalance_quantity": 500, "paired_quantity": 1000, "near_price": 100_100},
        ),
        ("cross ABC 10.02 700 O", "cross_trade", {"quantity": 700, "price": 100_200, "cross_type": "O"}),
        ("print ABC 10.03 40", "trade", {"quantity": 40, "price": 100_300}),
        ("retail ABC A", "retail_price_improvement", {"interest": "A"}),
        (
            "breaker-levels 93 87 80",
            "mwcb_decline_level",
            {"level_1": 93 * 10**8, "level_2": 87 * 10**8, "level_3": 80 * 10**8},
        ),
        ("break 17", "broken_trade", {"match_number": 17}),
        ("hours M", "system_event", {"event": "M"}),
    ],
)
def test_an_order_is_announced_on_its_venue(exchange: Exchange, order: str, name: str, values: dict[str, Any]) -> None:
    exchange.tell(order)
    ((venue, announced, found),) = exchange.announced()
    assert (venue, announced) == ("ONE", name)
    assert {key: found[key] for key in values} == values
    assert found["stock_locate"] == (1 if "ABC" in order else 0)


def test_a_halted_instrument_takes_no_orders_until_it_trades_again(exchange: Exchange) -> None:
    (accepted,) = exchange.answers(enter(1))
    assert accepted[0] == "accepted"
    exchange.tell("halt ABC T1")
    (rejected,) = exchange.answers(enter(2))
    assert (rejected[0], rejected[1]["reason"]) == ("rejected", 7)
    assert exchange.answers(enter(3, instrument="XYZ"))[0][0] == "accepted"
    assert exchange.answers(replace(1, 4, 100, 9_900))[0][0] == "canceled"
    exchange.tell("resume ABC")
    assert exchange.answers(enter(5))[0][0] == "accepted"


def test_causes_of_a_halt_do_not_lift_each_other(exchange: Exchange) -> None:
    for order in ("halt ABC", "operational-halt ABC", "hours E"):
        exchange.tell(order)
    for number, order in enumerate(("resume ABC", "operational-resume ABC"), start=1):
        exchange.tell(order)
        assert exchange.answers(enter(number))[0][0] == "rejected"
    exchange.tell("hours Q")
    assert exchange.answers(enter(9))[0][0] == "accepted"


def test_a_breaker_halts_every_instrument_of_the_venue(exchange: Exchange) -> None:
    exchange.tell("breaker 2")
    assert [(name, values.get("reason")) for _, name, values in exchange.announced()] == [
        ("mwcb_status", None),
        ("trading_action", "MWC2"),
        ("trading_action", "MWC2"),
    ]
    assert exchange.answers(enter(1, instrument="XYZ"))[0][0] == "rejected"
    exchange.tell("resume all")
    assert exchange.answers(enter(2, instrument="XYZ"))[0][0] == "accepted"


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        ("", "is no order; there are halt"),
        ("stop ABC", "'stop ABC' is no order"),
        ("halt", "halt takes an instrument and 0 to 1 words"),
        ("halt NONE", "ONE does not list NONE"),
        ("short-sale ABC 7", "'7' is not one of 0, 1, 2"),
        ("collar ABC 10 9", "collar takes an instrument and 3 words"),
        ("collar ABC ten 9 11", "'ten' is not a decimal number"),
        ("cross ABC 10 many", "'many' is not a whole number"),
        ("cross ABC -1 5", "'-1' is not a price"),
        ("ipo ABC 10:30 5", "'10:30' is not a time like 10:30:00"),
        ("break 99999999999", "is not a whole number of at most nine digits"),
    ],
)
def test_an_order_that_makes_no_sense_is_a_sentence_and_changes_nothing(
    exchange: Exchange, order: str, sentence: str
) -> None:
    with pytest.raises(FloorOrderError, match=sentence):
        exchange.tell(order)
    assert exchange.announced() == []


def test_a_schedule_is_carried_out_at_its_times_on_the_venues_it_names(tmp_path: Path) -> None:
    exchange = Exchange(
        tmp_path,
        {"at_seconds": 10, "order": "halt ABC", "venue": "TWO"},
        {"at_seconds": 20.0, "order": "resume all"},
    )
    assert exchange.announced(until_s=9) == []
    assert [(v, m["trading_state"]) for v, _, m in exchange.announced(until_s=10)] == [("TWO", "H")]
    assert [(v, m["instrument"], m["trading_state"]) for v, _, m in exchange.announced()] == [
        ("ONE", "ABC", "T"),
        ("ONE", "XYZ", "T"),
        ("TWO", "ABC", "T"),
        ("TWO", "XYZ", "T"),
    ]


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"at_seconds": 1, "order": "halt NONE"}, "ONE does not list NONE"),
        ({"at_seconds": 1, "order": "halt ABC", "venue": "SIX"}, "there is no venue 'SIX'"),
        ({"at_seconds": -1, "order": "halt ABC"}, "at_seconds counts from the session's start"),
        ({"at_seconds": 1, "orders": "halt ABC"}, "there is no setting 'orders'"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(tmp_path: Path, entry: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Exchange(tmp_path, entry)


def test_what_is_in_force_is_kept_for_a_snapshot_and_what_has_ended_is_not(exchange: Exchange) -> None:
    for order in ("collar ABC 10 9 11", "short-sale XYZ 1", "halt ABC T1", "resume ABC", "print ABC 10 5"):
        exchange.tell(order)
    kept = [itch50.decode(raw) for raw in exchange.one.announcements.in_force()]
    assert [(m.name, m.values["stock_locate"]) for m in kept] == [
        ("stock_directory", 1),
        ("stock_directory", 2),
        ("trading_action", 2),
        ("system_event", 0),
        ("reg_sho_restriction", 2),
        ("trading_action", 1),
    ]
