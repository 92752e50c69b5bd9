"""The loop over real sockets: a packet in, an order out, answers in, and when it comes back to the cold path."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from engine.control.stamps import StampReader
from engine.hotpath import tables
from engine.hotpath.entries import poll_venue, run_loop, turn
from engine.hotpath.pipeline import BUSY_TURNS_PER_CHECK
from engine.messages.codes import OrderState, ReportKind, StampCause
from engine.native import BACKEND
from engine.protocols import moldudp64
from tests.engine.hotpath.ouch_venue import OuchVenue, accepted, executed, sequenced
from tests.engine.loop_builder import (
    ALPHA,
    BRAVO,
    BUY,
    FEED_SESSION,
    PARAMETERS,
    SECOND_NS,
    SELL,
    VENUE,
    Loop,
)

MIDDLE = 1_000_000


class Wires:
    """Feed lines A and B on the loopback and an OUCH session, all in the loop's hands."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.session = OuchVenue(loop)
        self.lines = [self._bound() for _ in range(2)]
        row = loop.memory.venues[VENUE]
        row["feed_fds"][:2] = [line.fileno() for line in self.lines]
        self._out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    @staticmethod
    def _bound() -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.bind(("127.0.0.1", 0))
        return made

    def publish(self, messages: list[bytes], lines: tuple[int, ...] = (0, 1)) -> None:
        payload = moldudp64.encode(FEED_SESSION, self.loop.next_sequence[VENUE], messages)
        self.loop.next_sequence[VENUE] += len(messages)
        for line in lines:
            self._out.sendto(payload, self.lines[line].getsockname())

    def close(self) -> None:
        self.session.close()
        for made in (*self.lines, self._out):
            made.close()


@pytest.fixture
def loop() -> Loop:
    made = Loop(venues=(VENUE,))
    made.wide_limits()
    return made


@pytest.fixture
def wires(loop: Loop) -> Iterator[Wires]:
    made = Wires(loop)
    yield made
    made.close()


def pump(loop: Loop, until: Callable[[], bool], eventually: Callable[..., Any], what: str) -> None:
    def step() -> bool:
        turn(loop.address)
        return until()

    eventually(step, what)


def test_a_packet_on_the_wire_becomes_an_order_on_the_wire_and_its_answers_a_position(
    loop: Loop, wires: Wires, eventually: Callable[..., None]
) -> None:
    assert loop.start_pairs(parameters=PARAMETERS | {"centre": 0.0, "hedge_ratio": 1.0}).applied
    reader = StampReader(loop.memory)
    quotes = [(ALPHA, BUY, MIDDLE + 1900), (ALPHA, SELL, MIDDLE + 2100), (BRAVO, BUY, MIDDLE - 100)]
    wires.publish([loop.add(*quote) for quote in quotes])
    wires.publish([loop.add(BRAVO, SELL, MIDDLE + 100)])
    pump(loop, lambda: int(loop.core["orders_entered"]) == 2, eventually, "two orders")
    sent = wires.session.received()
    names = ("user_reference", "side", "instrument", "price", "quantity")
    assert [tuple(message.values[name] for name in names) for message in sent] == [
        (1, "S", "ALPHA", MIDDLE + 2100, 100),
        (2, "B", "BRAVO", MIDDLE - 100, 100),
    ]
    answers = sequenced(accepted(1, side="S"), executed(1, 100, 5, MIDDLE + 2100), accepted(2))
    wires.session.theirs.sendall(answers)
    pump(loop, lambda: loop.order(2)["state"] == OrderState.ACCEPTED, eventually, "answers")
    assert int(loop.leg(0)["position"]) == -100
    stamps = reader.take()
    assert stamps[["order_id", "cause"]].tolist() == [(1, StampCause.PACKET), (2, StampCause.PACKET)]
    assert (np.diff([stamps[name] for name in ("decided_ns", "journaled_ns", "sent_ns")], axis=0) >= 0).all()
    state = [int(loop.memory.lines[VENUE * tables.LINES + line]["packets"]) for line in (0, 1)]
    assert state == [2, 2]


def test_the_loop_comes_back_when_it_is_woken_and_the_cold_path_clears_the_wake(loop: Loop) -> None:
    loop.core["wake"] = 1
    assert int(run_loop(loop.address)) == tables.WOKEN
    assert int(loop.core["attention"]) == 0
    assert int(run_loop(loop.address)) == tables.WOKEN


def test_the_loop_comes_back_when_a_session_is_lost(loop: Loop, wires: Wires) -> None:
    wires.session.theirs.close()
    assert int(run_loop(loop.address)) == tables.SESSION_LOST


@pytest.mark.parametrize("spinning", [0, 1])
def test_an_idle_loop_sends_heartbeats_with_either_wait(
    loop: Loop, wires: Wires, spinning: int, eventually: Callable[..., None]
) -> None:
    loop.core["spinning"] = spinning
    loop.core["wake"] = 1
    heard: list[str] = []

    def step() -> bool:
        run_loop(loop.address)
        heard.extend(wires.session.names())
        return bool(heard)

    eventually(step, "a heartbeat")
    assert heard == ["client_heartbeat"]


@pytest.mark.skipif(BACKEND != "native", reason="thousands of turns are for compiled code")
def test_a_loop_that_is_never_idle_keeps_its_session_alive(loop: Loop, wires: Wires) -> None:
    wires.session.row["sent_ns"] -= 2 * SECOND_NS
    loop.core["wake"] = 1
    heartbeat = moldudp64.encode(FEED_SESSION, 1, [])
    for _ in range(BUSY_TURNS_PER_CHECK + 1):
        wires._out.sendto(heartbeat, wires.lines[0].getsockname())
        run_loop(loop.address)
    assert wires.session.names() == ["client_heartbeat"]
    assert int(loop.core["idle_turns"]) == 0


def test_a_lockstep_venue_hears_what_was_taken(loop: Loop, wires: Wires, eventually: Callable[..., None]) -> None:
    wires.session.row["lockstep"] = 1
    wires.publish([loop.add(ALPHA, BUY, MIDDLE), loop.add(ALPHA, SELL, MIDDLE + 100)], lines=(0,))

    def step() -> bool:
        return bool(poll_venue(loop.address, VENUE))

    eventually(step, "a packet")
    (debug,) = wires.session.received()
    assert (debug.layout.name, debug.payload) == ("debug", b"done 3 1")


def test_a_datagram_longer_than_any_packet_is_malformed(
    loop: Loop, wires: Wires, eventually: Callable[..., None]
) -> None:
    messages = [loop.add(ALPHA, BUY, MIDDLE) for _ in range(60)]
    wires.publish(messages, lines=(0,))
    row = loop.memory.lines[VENUE * tables.LINES]
    pump(loop, lambda: int(row["packets"]) == 1, eventually, "the datagram")
    assert (int(row["malformed"]), int(row["messages"])) == (1, 0)


def test_orders_leave_whole_and_in_order_when_the_socket_is_slow(
    loop: Loop, wires: Wires, eventually: Callable[..., None]
) -> None:
    loop.quote(ALPHA, MIDDLE - 100, MIDDLE + 100)
    wires.session.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    loop.wide_limits(firm={"orders_per_second": 100_000}, team={"orders_per_second": 100_000})
    orders = [loop.enter(quantity=1) for _ in range(400)]
    assert int(wires.session.row["outbound_used"]) > 0
    received: list[Any] = []

    def step() -> bool:
        received.extend(message.values["user_reference"] for message in wires.session.received())
        turn(loop.address)
        return len(received) >= len(orders)

    eventually(step, "every order")
    assert received == orders


def test_a_venue_that_stops_reading_loses_its_session(loop: Loop, wires: Wires) -> None:
    loop.quote(ALPHA, MIDDLE - 100, MIDDLE + 100)
    wires.session.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    loop.wide_limits(firm={"orders_per_second": 100_000}, team={"orders_per_second": 100_000})
    entered = 0
    while not int(wires.session.row["lost"]):
        assert loop.enter(quantity=1) > 0
        entered += 1
        assert entered < 3_000
        loop.report(ReportKind.CANCELED, entered)  # the table keeps room
    assert int(wires.session.row["outbound_used"]) == 0
    assert int(loop.core["attention"]) & tables.SESSION_LOST
