"""Warm decisions: the way to an order, taken by an engine beside the one that trades, which nothing of it reaches."""

from __future__ import annotations

from typing import Any

from engine.control.warm_decisions import ASK, BID, ITS_VENUE, WarmDecisions
from engine.hotpath.entries import run_loop, take_datagram, warm_decision
from engine.hotpath.memory import TABLES, EngineMemory
from engine.messages.codes import RecordKind
from engine.messages.instruments import Instrument
from engine.messages.records import BodyRecord, records
from engine.native import address_of
from engine.protocols import ouch50
from engine.protocols.soupbintcp_frames import HEADER_LENGTH
from tests.engine.loop_builder import Loop

EVERY_US = 20


def small_loop() -> EngineMemory:
    return EngineMemory([Instrument(1, "A")], venue_count=1, strategy_count=2, order_capacity=64, book_orders=64)


def table_bytes(memory: EngineMemory) -> dict[str, bytes]:
    tables = {name: getattr(memory, name).tobytes() for name in TABLES}
    return tables | {"orders of the book": memory.book.orders.tobytes(), "outbound": memory.outbound.tobytes()}


def frames(memory: EngineMemory) -> list[Any]:
    """What stands in the outbound buffer of the small engine."""
    length = int(memory.venues[ITS_VENUE]["outbound_used"])
    start = int(memory.venues[ITS_VENUE]["outbound"]) - address_of(memory.outbound)
    waiting, found = memory.outbound[start : start + length].tobytes(), []
    while waiting:
        size = 2 + int.from_bytes(waiting[:2], "big")
        found.append(ouch50.decode_inbound(waiting[HEADER_LENGTH:size]))
        waiting = waiting[size:]
    return found


def test_each_takes_the_whole_way_to_two_orders_and_leaves_nothing_behind() -> None:
    memory = small_loop()
    runs = WarmDecisions(memory, EVERY_US)
    memory.core["warming_cycles"] = 0
    for _ in range(500):
        warm_decision(memory.address)
    core = runs.memory.core[0]
    assert runs.count == 500
    assert (int(core["orders_entered"]), int(core["denials"]), int(core["attention"])) == (1000, 0, 0)
    before = table_bytes(runs.memory)
    for _ in range(2):
        warm_decision(memory.address)
    after = table_bytes(runs.memory)
    written = {"venues", "lines", "strategies", "orders", "stamps", "arrivals", "context", "touched_marks"}
    assert {name for name in before if before[name] != after[name]} <= written | {"orders of the book"}
    assert int(runs.memory.strategies["working"].sum()) == 0
    assert int(runs.memory.legs["open_orders"].sum()) == 0


def test_its_orders_are_those_of_a_venue_that_would_take_them() -> None:
    runs = WarmDecisions(small_loop(), EVERY_US)
    packet = runs._packets[0].copy()
    packet[10:18] = memoryview(int(runs.memory.venues[ITS_VENUE]["expected"]).to_bytes(8, "big"))
    take_datagram(runs.memory.address, ITS_VENUE, 0, address_of(packet), len(packet))
    sold, bought = frames(runs.memory)
    assert (sold.name, sold["side"], sold["quantity"], sold["instrument"], sold["price"]) == (
        "enter_order", "S", 100, "FIRST", ASK,
    )  # fmt: skip
    assert (bought.name, bought["side"], bought["quantity"], bought["instrument"], bought["price"]) == (
        "enter_order", "B", 100, "SECOND", BID,
    )  # fmt: skip


def test_the_engine_that_trades_is_not_touched() -> None:
    loop = Loop()
    loop.wide_limits()
    loop.start_pairs()
    runs = WarmDecisions(loop.memory, EVERY_US)
    loop.memory.core["warming_cycles"] = 0
    before = table_bytes(loop.memory)
    journalled = [body.kind for body in records(loop.journal.take()) if isinstance(body, BodyRecord)]
    for _ in range(100):
        warm_decision(loop.address)
    assert runs.count == 100
    assert table_bytes(loop.memory) == before
    assert loop.journal.take() == b""
    assert RecordKind.ORDER_REQUEST not in journalled


def test_the_loop_does_one_when_it_spins_and_the_last_is_long_ago() -> None:
    memory = small_loop()
    memory.core["cycles_per_us"] = 1000
    runs = WarmDecisions(memory, EVERY_US)
    assert int(memory.core["warming_cycles"][0]) == 20_000
    for spinning, cycles, expected in ((0, 0, 0), (1, 0, 1), (1, 1 << 60, 1), (1, 0, 2)):
        memory.core["spinning"], memory.core["warming_cycles"] = spinning, cycles
        memory.core["wake"] = 1
        run_loop(memory.address)
        assert runs.count == expected
    runs.close()
    run_loop(memory.address)
    assert runs.count == 2
