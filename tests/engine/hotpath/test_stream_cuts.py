"""A SoupBinTCP stream in the loop, cut anywhere and mixed with anything: the same answers, oddities counted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.hotpath import tables
from engine.hotpath.entries import send_logout
from engine.protocols import soupbintcp
from tests.engine.hotpath.ouch_venue import OuchVenue, accepted, canceled, executed, sequenced
from tests.engine.loop_builder import ALPHA, BUY, Loop

PRICE = 1_000_000
ODDITIES = {
    "heartbeat": soupbintcp.encode("server_heartbeat"),
    "debug": soupbintcp.encode("debug", b"hello"),
    "unsequenced": soupbintcp.encode("unsequenced_data", b"x"),
    "unknown": b"\x00\x05?1234",
    "login answer": soupbintcp.encode("login_accepted", session="S", sequence=1),
}


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits(**{name: {"position": 10**9, "orders_per_second": 10**6} for name in ("firm", "team", "strategy")})
    made.quote(ALPHA, 999_900, 1_000_100)
    return made


@pytest.fixture
def venue(loop: Loop) -> Iterator[OuchVenue]:
    made = OuchVenue(loop)
    yield made
    made.close()


QUIET = {"deadline": None, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@settings(max_examples=60, **QUIET)
@given(st.lists(st.sampled_from(sorted(ODDITIES)), max_size=6), st.lists(st.integers(1, 60), max_size=12))
def test_any_cuts_and_any_packets_between_leave_the_same_answers(
    loop: Loop, venue: OuchVenue, between: list[str], sizes: list[int]
) -> None:
    order_id = loop.enter(BUY, 100, PRICE)
    venue.received()
    answers = [accepted(order_id), executed(order_id, 40, order_id), canceled(order_id, 60)]
    packets = [sequenced(answer) for answer in answers]
    for at, name in enumerate(between):
        packets.insert(at % 4, ODDITIES[name])
    sequence, position = int(venue.row["next_inbound"]), int(loop.cell(0)["position"])
    debug, malformed = int(venue.row["debug_packets"]), int(venue.row["malformed"])
    stream = b"".join(packets)
    for size in [*sizes, len(stream)]:
        if stream[:size]:
            venue.send(stream[:size])
        stream = stream[size:]
    assert int(venue.row["next_inbound"]) == sequence + 3
    assert int(loop.cell(0)["position"]) == position + 40
    assert int(venue.row["debug_packets"]) == debug + between.count("debug")
    odd = between.count("unknown") + between.count("login answer")
    assert int(venue.row["malformed"]) == malformed + odd
    assert int(venue.row["lost"]) == 0
    loop.journal.take()


@settings(max_examples=60, **QUIET)
@given(st.binary(min_size=1, max_size=200))
def test_whatever_a_venue_sends_the_loop_stands_and_a_broken_stream_has_its_reason(
    loop: Loop, venue: OuchVenue, raw: bytes
) -> None:
    venue.row["lost"] = venue.row["inbound_used"] = 0
    venue.send(raw)
    if int(venue.row["lost"]):
        assert int(venue.row["lost_because"]) in (tables.LOST_BOUNDARY, tables.LOST_END_OF_SESSION)
    else:
        assert 0 <= int(venue.row["inbound_used"]) <= len(raw)
    loop.journal.take()


@pytest.mark.parametrize(
    ("packet", "because"),
    [
        (b"\x00\x00", tables.LOST_BOUNDARY),
        (b"\xff\xffS", tables.LOST_BOUNDARY),
        (soupbintcp.encode("end_of_session"), tables.LOST_END_OF_SESSION),
    ],
)
def test_why_a_session_was_lost_is_kept_for_the_sentence(
    loop: Loop, venue: OuchVenue, packet: bytes, because: int
) -> None:
    venue.send(packet)
    assert (int(venue.row["lost"]), int(venue.row["lost_because"])) == (1, because)


def test_a_stop_says_goodbye(loop: Loop, venue: OuchVenue) -> None:
    send_logout(loop.address, venue.venue)
    assert venue.names() == ["logout_request"]
