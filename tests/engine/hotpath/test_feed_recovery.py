"""Lost packets asked for on a real UDP socket, and any delivery of the same packets ending in the same books."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.hotpath.entries import poll_line, watch_gap
from engine.messages.codes import FeedEventKind, RecordKind
from engine.native import address_of
from engine.protocols import moldudp64
from engine.protocols.moldudp64 import Request
from engine.simulator.feed import Feed
from engine.simulator.history import History
from tests.engine.loop_builder import ALPHA, BRAVO, BUY, FEED_SESSION, SELL, VENUE, Loop

RETRANSMISSION = 2
MS_NS = 1_000_000


class Server:
    """A retransmission server on the loopback, and the loop's socket that asks it."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.server.bind(("127.0.0.1", 0))
        self.server.settimeout(5)
        self.ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ours.bind(("127.0.0.1", 0))
        host, port = self.server.getsockname()
        raw = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), socket.inet_aton(host))
        self._address = np.frombuffer(raw, np.uint8).copy()
        row = loop.memory.venues[VENUE]
        row["requester"], row["feed_fds"][RETRANSMISSION] = address_of(self._address), self.ours.fileno()

    def request(self) -> Request:
        """What the loop asked for, waiting for it."""
        raw, self._peer = self.server.recvfrom(2048)
        return moldudp64.decode_request(raw)

    def silent(self) -> bool:
        self.server.setblocking(False)
        try:
            self.server.recvfrom(2048)
        except BlockingIOError:
            return True
        finally:
            self.server.settimeout(5)
        return False

    def reply(self, payload: bytes) -> None:
        self.server.sendto(payload, self._peer)

    def close(self) -> None:
        self.server.close()
        self.ours.close()


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def server(loop: Loop) -> Iterator[Server]:
    made = Server(loop)
    yield made
    made.close()


def feed_of(loop: Loop, count: int) -> tuple[Feed, list[bytes]]:
    """A venue's feed with `count` packets of one message."""
    feed = Feed(FEED_SESSION, history=History())
    made: list[bytes] = []
    for at in range(count):
        message = loop.add(ALPHA, BUY, 900_000 + 100 * (at % 50))
        made += feed.pack(1, len(message).to_bytes(2, "big") + message)
    return feed, made


def pass_patience(loop: Loop, duration_ns: int = MS_NS) -> None:
    loop.pass_time(duration_ns)
    watch_gap(loop.address, VENUE)


def test_what_is_missing_is_asked_for_by_number_and_count_and_comes_back(
    loop: Loop, server: Server, eventually: Callable[..., None]
) -> None:
    feed, made = feed_of(loop, 10)
    for at in (0, 1, 7, 8, 9):
        loop.datagram(made[at])
    loop.taken()
    pass_patience(loop)
    asked = server.request()
    assert asked == Request(FEED_SESSION, 3, 5)
    payload = feed.resend(FEED_SESSION.encode(), asked.sequence, asked.message_count)
    assert payload is not None
    server.reply(payload)
    eventually(lambda: int(poll_line(loop.address, VENUE, RETRANSMISSION)) == 1, "the retransmission")
    venue = loop.memory.venues[VENUE]
    assert (int(venue["expected"]), int(venue["dirty"]), int(venue["pending_count"])) == (11, 0, 0)
    kinds = [event["kind"] for event in loop.bodies(RecordKind.FEED_EVENT)]
    assert kinds == [FeedEventKind.GAP, FeedEventKind.RECOVERED]


def test_a_request_without_an_answer_is_made_again_every_20_ms(loop: Loop, server: Server) -> None:
    _, made = feed_of(loop, 3)
    loop.datagram(made[2])
    pass_patience(loop)
    assert server.request() == Request(FEED_SESSION, 1, 2)
    pass_patience(loop, 20 * MS_NS - 1)
    assert server.silent()
    pass_patience(loop, 1)
    assert server.request() == Request(FEED_SESSION, 1, 2)


def test_a_long_gap_is_asked_for_in_parts_each_as_soon_as_the_last_one_came(loop: Loop, server: Server) -> None:
    loop.datagram(moldudp64.encode(FEED_SESSION, 10_001, []))
    pass_patience(loop)
    assert server.request() == Request(FEED_SESSION, 1, 4096)
    answer = moldudp64.encode(FEED_SESSION, 1, [loop.add(ALPHA, BUY, 900_000) for _ in range(30)])
    loop.datagram(answer, line=RETRANSMISSION)
    assert server.request() == Request(FEED_SESSION, 31, 4096)


def test_without_a_server_the_book_stays_dirty_until_the_other_line_brings_it(loop: Loop) -> None:
    _, made = feed_of(loop, 3)
    loop.datagram(made[2])
    pass_patience(loop)
    pass_patience(loop, 100 * MS_NS)
    assert loop.memory.venues[VENUE]["dirty"] == 1
    loop.datagram(made[0], line=1)
    loop.datagram(made[1], line=1)
    assert loop.memory.venues[VENUE]["dirty"] == 0


def busy_session(loop: Loop) -> list[bytes]:
    """Adds and deletes of two instruments in packets of one to three messages."""
    messages: list[bytes] = []
    for at in range(30):
        instrument = ALPHA if at % 3 else BRAVO
        messages.append(loop.add(instrument, BUY if at % 2 else SELL, 900_000 + 100 * (at % 7), 10 + at))
        if at % 4 == 3:
            messages.append(loop.delete(at - 1, instrument=instrument))
    made, sequence = [], 1
    while messages:
        count = 1 + sequence % 3
        made.append(moldudp64.encode(FEED_SESSION, sequence, messages[:count]))
        sequence += len(messages[:count])
        del messages[:count]
    return made


def books(loop: Loop) -> tuple[bytes, bytes, bytes, int]:
    book = loop.memory.book
    return book.tops.tobytes(), book.orders.tobytes(), book.levels.tobytes(), int(loop.memory.venues[VENUE]["expected"])


@cache
def in_order() -> tuple[list[bytes], tuple[bytes, bytes, bytes, int]]:
    loop = Loop()
    made = busy_session(loop)
    for payload in made:
        loop.datagram(payload)
    return made, books(loop)


DELIVERIES = st.lists(st.tuples(st.integers(0, 99), st.integers(0, 1), st.booleans()), max_size=60)


@settings(max_examples=80, deadline=None)
@given(DELIVERIES)
def test_loss_duplicates_and_disorder_end_in_the_same_books(deliveries: list[tuple[int, int, bool]]) -> None:
    session, complete = in_order()
    loop = Loop()
    for which, line, wait in deliveries:
        loop.datagram(session[which % len(session)], line=line)
        if wait:
            pass_patience(loop)
    for payload in session:
        loop.datagram(payload, line=RETRANSMISSION)
    assert books(loop) == complete
    venue = loop.memory.venues[VENUE]
    assert (int(venue["dirty"]), int(venue["gap_since_ns"]), int(venue["pending_count"])) == (0, 0, 0)
