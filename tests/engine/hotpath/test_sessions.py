"""An OUCH 5.0 session over SoupBinTCP as the loop reads it: frames cut anywhere, streams that lost their boundaries."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from engine.hotpath import tables
from engine.hotpath.entries import keep_alive, keep_sessions, poll_socket, send_account_query
from engine.messages.codes import OrderState, ReportKind
from engine.protocols import soupbintcp
from tests.engine.hotpath.ouch_venue import OuchVenue, accepted, canceled, executed, query_answer, sequenced
from tests.engine.loop_builder import ALPHA, BUY, DOWN, SECOND_NS, VENUE, Loop

PRICE = 1_000_000


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits()
    made.quote(ALPHA, 999_900, 1_000_100)
    return made


@pytest.fixture
def venue(loop: Loop) -> Iterator[OuchVenue]:
    made = OuchVenue(loop)
    yield made
    made.close()


def attention(loop: Loop) -> int:
    bits, loop.core["attention"] = int(loop.core["attention"]), 0
    return bits


def order_of(loop: Loop, order_id: int) -> tuple[OrderState, int, int]:
    order = loop.order(order_id)
    return OrderState(int(order["state"])), int(order["leaves"]), int(order["filled"])


def test_an_order_leaves_as_enter_order_with_every_field(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter(BUY, 100, PRICE)
    (message,) = venue.received()
    assert message.layout.name == "enter_order"
    assert message.values == {
        "type": "O",
        "user_reference": order_id,
        "side": "B",
        "quantity": 100,
        "instrument": "ALPHA",
        "price": PRICE,
        "time_in_force": "0",
        "display": "Y",
        "capacity": "P",
        "intermarket_sweep": "N",
        "cross_type": "N",
        "client_order_id": f"{order_id:014X}",
    }


def test_answers_cut_at_every_byte_mean_the_same(loop: Loop, venue: OuchVenue) -> None:
    stream_of = lambda n: sequenced(accepted(n), executed(n, 40, n * 2), canceled(n, 60))  # noqa: E731
    length = len(stream_of(1))
    sequence = int(venue.row["next_inbound"])
    for cut in range(1, length):
        order_id = loop.enter(BUY, 100, PRICE)
        stream = stream_of(order_id)
        assert venue.send(stream[:cut]) == 1
        assert venue.send(stream[cut:]) == 1
        sequence += 3
        assert order_of(loop, order_id) == (OrderState.CANCELED, 0, 40), cut
        assert (int(venue.row["inbound_used"]), int(venue.row["next_inbound"])) == (0, sequence)
    assert attention(loop) == 0
    assert int(venue.row["malformed"]) == 0
    assert int(loop.cell(0)["position"]) == 40 * (length - 1)


def test_answers_that_come_byte_by_byte_mean_the_same(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter(BUY, 100, PRICE)
    for byte in sequenced(accepted(order_id), executed(order_id, 100, 7)):
        venue.send(bytes([byte]))
    assert order_of(loop, order_id) == (OrderState.FILLED, 0, 100)


@pytest.mark.parametrize("garbage", [b"\x00\x00", b"\xff\xffS", b"\x10\x01S"])
def test_a_stream_without_boundaries_loses_the_session(loop: Loop, venue: OuchVenue, garbage: bytes) -> None:
    order_id = loop.enter(BUY, 100, PRICE)
    venue.send(sequenced(accepted(order_id)) + garbage + sequenced(canceled(order_id, 100)))
    assert attention(loop) == tables.SESSION_LOST
    assert (int(venue.row["lost"]), int(venue.row["malformed"])) == (1, 1)
    assert order_of(loop, order_id) == (OrderState.ACCEPTED, 100, 0)


def test_a_malformed_answer_inside_a_sound_frame_is_counted_and_takes_its_number(loop: Loop, venue: OuchVenue) -> None:
    order_id = loop.enter(BUY, 100, PRICE)
    sequence = int(venue.row["next_inbound"])
    venue.send(sequenced(b"?" * 30, accepted(order_id)[:-5], b"", accepted(order_id)))
    assert int(venue.row["malformed"]) == 3
    assert int(venue.row["next_inbound"]) == sequence + 4
    assert order_of(loop, order_id) == (OrderState.ACCEPTED, 100, 0)
    assert attention(loop) == 0


def test_heartbeats_and_debug_packets_take_no_sequence_number(loop: Loop, venue: OuchVenue) -> None:
    sequence = int(venue.row["next_inbound"])
    venue.send(soupbintcp.encode("server_heartbeat") + soupbintcp.encode("debug", b"hello"))
    assert (int(venue.row["next_inbound"]), attention(loop)) == (sequence, 0)


def test_the_venues_end_of_session_loses_it(loop: Loop, venue: OuchVenue) -> None:
    venue.send(soupbintcp.encode("end_of_session"))
    assert attention(loop) == tables.SESSION_LOST | tables.SESSION_ENDED


def test_a_closed_connection_loses_the_session_and_nothing_more_is_sent(loop: Loop, venue: OuchVenue) -> None:
    venue.theirs.close()
    assert venue.poll() == 0
    assert attention(loop) == tables.SESSION_LOST
    order_id = loop.enter(BUY, 100, PRICE)
    assert order_of(loop, order_id) == (OrderState.PENDING_NEW, 100, 0)
    assert int(venue.row["outbound_used"]) == 0


def test_we_send_a_heartbeat_after_a_second_of_silence(loop: Loop, venue: OuchVenue) -> None:
    loop.pass_time(SECOND_NS - 1)
    keep_alive(loop.address, VENUE)
    assert venue.names() == []
    loop.pass_time(1)
    keep_alive(loop.address, VENUE)
    keep_alive(loop.address, VENUE)
    assert venue.names() == ["client_heartbeat"]


def test_a_venue_silent_for_fifteen_seconds_is_gone(loop: Loop, venue: OuchVenue) -> None:
    loop.pass_time(15 * SECOND_NS - 1)
    keep_alive(loop.address, VENUE)
    assert attention(loop) == 0
    loop.pass_time(1)
    keep_alive(loop.address, VENUE)
    assert attention(loop) == tables.SESSION_LOST


def test_an_engine_that_was_stopped_first_reads_what_came_meanwhile(loop: Loop, venue: OuchVenue) -> None:
    long_ago = time.time_ns() - 60 * SECOND_NS
    venue.row["heard_ns"] = venue.row["sent_ns"] = loop.core["kept_ns"] = long_ago
    venue.theirs.sendall(soupbintcp.encode("server_heartbeat"))
    keep_sessions(loop.address)
    assert (attention(loop), venue.names()) == (0, [])
    poll_socket(loop.address, VENUE)
    keep_sessions(loop.address)
    assert (attention(loop), venue.names()) == (0, ["client_heartbeat"])
    venue.row["heard_ns"] = long_ago
    keep_sessions(loop.address)
    assert attention(loop) == tables.SESSION_LOST


def test_the_answer_to_the_account_query_makes_the_session_ready(loop: Loop, venue: OuchVenue) -> None:
    loop.session(state=DOWN)
    venue.close()
    venue.connect()
    send_account_query(loop.address, VENUE)
    assert venue.names() == ["account_query"]
    venue.send(sequenced(query_answer(17)))
    assert attention(loop) == tables.SESSION_READY
    assert int(venue.row["next_reference"]) == 17


def test_what_was_pending_is_unknown_while_the_session_is_down_and_keeps_its_exposure(
    loop: Loop, venue: OuchVenue
) -> None:
    pending, working = loop.enter(BUY, 100, PRICE), loop.enter(BUY, 200, PRICE)
    venue.send(sequenced(accepted(working, 200)))
    loop.session(state=DOWN)
    assert order_of(loop, pending) == (OrderState.UNKNOWN, 100, 0)
    assert order_of(loop, working) == (OrderState.ACCEPTED, 200, 0)
    assert int(loop.cell(0)["working_buy"]) == 300


def test_after_the_query_orders_the_venue_never_saw_were_not_sent_and_the_others_stay(
    loop: Loop, venue: OuchVenue
) -> None:
    venue.row["resend_ns"] = 0
    seen, lost = loop.enter(BUY, 100, PRICE), loop.enter(BUY, 200, PRICE)
    loop.session(state=DOWN)
    loop.answer(accepted(seen))
    loop.session(next_reference=lost)
    assert order_of(loop, seen) == (OrderState.ACCEPTED, 100, 0)
    assert order_of(loop, lost) == (OrderState.DENIED, 0, 0)
    assert int(loop.cell(0)["working_buy"]) == 100


def test_a_fresh_session_of_the_venue_expires_every_order_of_the_last_one(loop: Loop, venue: OuchVenue) -> None:
    orders = [loop.enter(BUY, 100, PRICE) for _ in range(3)]
    loop.report(ReportKind.ACCEPTED, orders[0])
    loop.session(state=DOWN)
    loop.session(next_reference=1, fresh=1)
    assert [order_of(loop, order_id) for order_id in orders] == [(OrderState.EXPIRED, 0, 0)] * 3
    assert int(loop.cell(0)["working_buy"]) == 0
