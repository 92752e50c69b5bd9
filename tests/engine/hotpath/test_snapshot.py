"""Books from a GLIMPSE snapshot and the rest of the feed equal the books from the whole feed, whatever the cut."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.control.listing_state import listing_state
from engine.hotpath import tables
from engine.hotpath.entries import begin_again, begin_snapshot, consume_snapshot, join_snapshot, watch_gap
from engine.messages.codes import DenialReason, FeedEventKind, RecordKind
from engine.messages.instruments import write_instruments
from engine.protocols import itch50, moldudp64
from engine.simulator.assemble import Assembly
from engine.simulator.config import parse_config
from engine.simulator.glimpse_server import snapshot_messages
from engine.simulator.simulation import Packet
from engine.venues.glimpse_session import Packing, Snapshot
from tests.engine.loop_builder import ALPHA, INSTRUMENTS, OTHER_VENUE, SECOND_NS, START_NS, VENUE, Loop, reason

NAMES = frozenset(row.name.encode().ljust(8) for row in INSTRUMENTS)
SESSION = b"TEST000001"
SECONDS = 4
ORDERS = ("halt BRAVO T1", "short-sale ALPHA 1", "collar CHARLIE 60 50 70", "resume BRAVO", "pause ALPHA LUDP")


@cache
def recorded(directory: Path) -> tuple[list[bytes], list[Snapshot]]:
    """Packets of a short session, and after each the snapshot that a client would have been given then."""
    listed = [replace(row, open_price=600_000) for row in INSTRUMENTS]
    write_instruments(directory / "instruments.json", listed)
    (directory / "out").mkdir(exist_ok=True)
    raw = {"out": "out", "instruments": "instruments.json", "session": SESSION.decode(), "market": {"rate": 60.0}}
    raw |= {"venues": [{"name": "ONE", "id": 1}], "schedule": [
        {"at_seconds": 0.7 * n, "order": order} for n, order in enumerate(ORDERS, start=1)
    ]}  # fmt: skip
    assembly = Assembly(parse_config(raw, directory), START_NS, log=False)
    assembly.open()
    packets, snapshots = [], []
    while (output := assembly.simulation.next_output(START_NS + SECONDS * SECOND_NS)) is not None:
        assert isinstance(output, Packet)
        packets.append(output.payload)
        packing = Packing(NAMES)
        *messages, end = snapshot_messages(assembly.venues[0])
        for message in messages:
            packing.add(message)
        snapshots.append(packing.finish(SESSION, itch50.decode_snapshot(end)["sequence"]))
    return packets, snapshots


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[bytes], list[Snapshot]]:
    return recorded(tmp_path_factory.mktemp("session"))


def market(loop: Loop) -> dict[str, Any]:
    """Every order in its queue, every top and status, and where the feed stands."""
    book = loop.memory.book
    rows = book.orders
    alive = [rows[at] for at in np.flatnonzero(rows["quantity"]).tolist()]
    alive.sort(key=lambda order: [int(order[name]) for name in ("listing_side", "price", "arrival")])
    names = ("key", "listing_side", "price", "quantity")
    orders = [tuple(int(order[name]) for name in names) for order in alive]  # those of a price in their queue's order
    width = len(INSTRUMENTS) + 1
    states = [listing_state(row) for row in loop.memory.statuses[:width]]
    return {
        "orders": orders,
        "tops": book.tops[:width].tolist(),
        "states": [
            {k: v for k, v in state.items() if k not in ("last_price", "last_quantity", "volume")} for state in states
        ],
        "blocks": loop.memory.statuses["blocks"][:width].tolist(),
        "expected": int(loop.memory.venues[VENUE]["expected"]),
        "dirty": int(loop.memory.venues[VENUE]["dirty"]),
    }


def apply(loop: Loop, snapshot: Snapshot, during: list[bytes] = []) -> None:  # noqa: B006
    """As the cold path does it; `during` comes over the lines meanwhile."""
    begin_snapshot(loop.address, VENUE, snapshot.sequence)
    for packet in snapshot.packets:
        consume_snapshot(loop.address, VENUE, loop.place(packet), len(packet))
    for packet in during:
        loop.datagram(packet)
    join_snapshot(loop.address, VENUE, snapshot.sequence)


def whole(packets: list[bytes]) -> dict[str, Any]:
    loop = Loop()
    for packet in packets:
        loop.datagram(packet)
    return market(loop)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_snapshot_and_the_rest_of_the_feed_make_the_same_books(
    session: tuple[list[bytes], list[Snapshot]], data: st.DataObject
) -> None:
    packets, snapshots = session
    heard = data.draw(st.integers(0, len(packets) - 1), "heard before the gap")
    cut = data.draw(st.integers(heard, len(packets) - 1), "packets in the snapshot")
    joined = data.draw(st.integers(cut + 1, len(packets)), "came during the snapshot")
    loop = Loop()
    for packet in packets[:heard]:
        loop.datagram(packet)
    apply(loop, snapshots[cut], packets[data.draw(st.integers(heard, cut + 1), "lost until") : joined])
    for packet in packets[max(joined, cut + 1) :]:
        loop.datagram(packet)
    assert market(loop) == whole(packets)


def test_the_books_are_dirty_and_empty_until_the_feed_is_joined(session: tuple[list[bytes], list[Snapshot]]) -> None:
    packets, snapshots = session
    loop = Loop()
    loop.wide_limits()
    snapshot = snapshots[20]
    loop.datagram(packets[30])
    loop.pass_time(1_000_000)
    watch_gap(loop.address, VENUE)
    loop.taken()
    begin_snapshot(loop.address, VENUE, snapshot.sequence)
    assert reason(loop.enter()) == DenialReason.BOOK_DIRTY
    for packet in snapshot.packets:
        consume_snapshot(loop.address, VENUE, loop.place(packet), len(packet))
    watch_gap(loop.address, VENUE)
    assert reason(loop.enter()) == DenialReason.BOOK_DIRTY
    join_snapshot(loop.address, VENUE, snapshot.sequence)
    assert reason(loop.enter()) == DenialReason.BOOK_DIRTY, "packets 21 to 29 are still missing"
    for packet in packets[21:30]:
        loop.datagram(packet, line=2)
    assert int(loop.memory.venues[VENUE]["dirty"]) == 0
    kinds = [int(body["kind"]) for body in loop.bodies(RecordKind.FEED_EVENT)]
    names = ("SNAPSHOT_BEGUN", "SNAPSHOT_JOINED", "RECOVERED")
    assert kinds == [FeedEventKind[name] for name in names]
    row = loop.memory.lines[VENUE * tables.LINES + 3]
    assert int(row["recovered"]) == snapshot.sequence - 1
    assert int(row["messages"]) == snapshot.messages


def test_other_venues_go_on_while_one_takes_a_snapshot(session: tuple[list[bytes], list[Snapshot]]) -> None:
    loop = Loop()
    loop.wide_limits()
    begin_snapshot(loop.address, VENUE, session[1][5].sequence)
    loop.quote(ALPHA, 999_900, 1_000_100, venue=OTHER_VENUE)
    assert reason(loop.enter(venue=OTHER_VENUE)) == DenialReason.NONE


def test_legs_see_the_tops_of_the_snapshot_and_nobody_is_called_before_the_join(
    session: tuple[list[bytes], list[Snapshot]],
) -> None:
    snapshots = session[1]
    loop = Loop()
    loop.wide_limits()
    loop.quote(ALPHA, 999_900, 1_000_100)
    assert loop.start_pairs().applied
    begin_snapshot(loop.address, VENUE, snapshots[10].sequence)
    for packet in snapshots[10].packets:
        consume_snapshot(loop.address, VENUE, loop.place(packet), len(packet))
    top = loop.memory.book.tops[loop.memory.listing(VENUE, ALPHA)]
    assert [int(loop.leg()[name]) for name in ("bid", "bid_quantity", "ask", "ask_quantity")] == list(top)
    assert int(top["bid"]) in range(590_000, 610_000)
    assert loop.bodies(RecordKind.ORDER_REQUEST) + loop.bodies(RecordKind.DENIAL) == []


def test_a_new_session_in_the_middle_of_a_snapshot_wins(session: tuple[list[bytes], list[Snapshot]]) -> None:
    packets, snapshots = session
    loop = Loop()
    loop.datagram(packets[0])
    begin_snapshot(loop.address, VENUE, snapshots[10].sequence)
    loop.pass_time(4 * SECOND_NS)
    loop.datagram(moldudp64.encode("TEST000002", 1, [loop.add(ALPHA, 1, 700_000)]))
    join_snapshot(loop.address, VENUE, snapshots[10].sequence)
    assert (int(loop.memory.venues[VENUE]["expected"]), int(loop.memory.book.book[0]["live_orders"])) == (2, 1)


def test_half_a_snapshot_and_no_server_any_more_begin_again_from_the_first_message(
    session: tuple[list[bytes], list[Snapshot]],
) -> None:
    packets, snapshots = session
    loop = Loop()
    begin_snapshot(loop.address, VENUE, snapshots[10].sequence)
    consume_snapshot(loop.address, VENUE, loop.place(snapshots[10].packets[0]), len(snapshots[10].packets[0]))
    begin_again(loop.address, VENUE)
    for packet in packets:
        loop.datagram(packet)
    assert market(loop) == whole(packets)
