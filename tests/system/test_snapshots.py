"""Engines that come late, or were killed for too long, get their books from a snapshot over real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from engine.control.state_frame import StateFrame
from engine.journal.places import existing_places
from engine.journal.reader import LogReader
from engine.messages import control
from engine.messages.codes import FeedEventKind, RecordKind, Side, TimeInForce
from engine.messages.records import TextRecord, bodies, runs
from engine.protocols import moldudp64
from engine.protocols.layouts import MalformedMessage
from engine.simulator.floor_port import DONE, tell
from engine.simulator.generator import default_instruments
from tests.system.engine_rig import PASSWORD, TEAM, USER, XSIM, Rig, running, wait_until

pytestmark = [pytest.mark.system, pytest.mark.xdist_group("engine"), pytest.mark.timeout(900)]
INSTRUMENTS = default_instruments()
KEPT = 50  # messages that the retransmission server still has


def feed_events(rig: Rig) -> list[FeedEventKind]:
    """What the journal says of the feed, in order."""
    reader, found = LogReader(existing_places(rig.state).journal), []
    while (span := reader.next_span()) is not None:
        for run in runs(span.data):
            if not isinstance(run, TextRecord):
                found += [FeedEventKind(int(kind)) for kind in bodies(run, RecordKind.FEED_EVENT)[1]["kind"]]
    return found


def whole_packets(raw: bytes) -> Iterator[tuple[moldudp64.Packet, bytes]]:
    """The packets of a file that the exchange still writes, and their bytes: the last one may be cut."""
    place = 0
    while place < len(raw):
        try:
            packet, after = moldudp64.decode_prefix(raw, place)
        except MalformedMessage:
            return
        yield packet, raw[place:after]
        place = after


def published(rig: Rig) -> int:
    """Messages of the session so far, as the exchange's own file has them."""
    last = 0
    for packet, _ in whole_packets((rig.directory / "exchange" / "xsim.feed").read_bytes()):
        last = packet.sequence + len(packet.messages) - 1
    return last


def true_tops(rig: Rig) -> list[dict[str, Any]]:
    """Bid and offer of every instrument from the whole feed, as the exchange's own file has it."""
    from tests.engine.loop_builder import Loop

    loop = Loop(venues=(), instruments=INSTRUMENTS)
    loop.define_venue(XSIM)
    for _, datagram in whole_packets((rig.directory / "exchange" / "xsim.feed").read_bytes()):
        loop.datagram(datagram)
    return shown(StateFrame(loop.configuration, 1, "paper").make())


def shown(frame: dict[str, Any]) -> list[dict[str, Any]]:
    columns = ("instrument", "bid", "bid_quantity", "ask", "ask_quantity", "status")
    return [{name: row[name] for name in columns} for row in frame["tops"]]


def feed(rig: Rig, line: str) -> dict[str, Any]:
    return next((row for row in rig.state_frame()["feeds"] if row["line"] == line), {})


@contextmanager
def exchange_under_way(directory: Path) -> Iterator[Rig]:
    """An exchange that has published more than it can send again, with one instrument halted."""
    with running(Rig(directory, INSTRUMENTS)) as rig:
        rig.write_exchange(market="seed = 7\nrate = 100.0")
        config = directory / "exchange.toml"
        config.write_text(config.read_text() + f"retransmission_messages = {KEPT}\n")
        rig.start_exchange()
        assert tell(directory / "exchange" / "exchange.json", f"halt {INSTRUMENTS[2].name} T1") == DONE
        wait_until(lambda: published(rig) > 2000, "a session that is under way", 60)
        yield rig


def define_venue(rig: Rig, snapshot_port: int) -> None:
    settings = {"order_address": f"127.0.0.1:{rig.order_ports[XSIM]}", "user": USER, "password": PASSWORD}
    settings |= {"snapshot": f"127.0.0.1:{snapshot_port}", "snapshot_user": USER, "snapshot_password": PASSWORD}
    settings |= {
        "feed_line_a": f"127.0.0.1:{rig.feed_ports[XSIM]}",
        "retransmission": f"127.0.0.1:{rig.retransmission_ports[XSIM]}",
    }
    rig.apply(control.DefineVenue(XSIM, "XSIM", "ouch50", settings))


def whole(rig: Rig) -> bool:
    return bool(feed(rig, "S")) and not feed(rig, "A")["dirty"]


def test_a_late_engine_and_one_that_was_down_too_long_join_by_snapshot(tmp_path: Path) -> None:
    with exchange_under_way(tmp_path) as rig:
        rig.start_engine()
        rig.apply_limits([])
        define_venue(rig, rig.described()["snapshot_port"])
        wait_until(lambda: whole(rig), "the books are whole", 60)
        assert FeedEventKind.SNAPSHOT_JOINED in feed_events(rig)
        assert feed(rig, "S")["recovered"] > 1500
        wait_until(lambda: rig.state_frame()["venues"][0]["session"] == "UP", "the session is up")
        bid = next(row["bid"] for row in shown(rig.state_frame()) if row["instrument"] == 1)
        order = control.EnterOrder("late", TEAM, 1, XSIM, int(Side.BUY), 100, bid - 5_000, int(TimeInForce.DAY))
        assert rig.apply(order).body["order_id"] == 1
        rig.kill_engine()
        before = published(rig)
        wait_until(lambda: published(rig) > before + 10 * KEPT, "the exchange goes on", 60)
        joined = feed_events(rig).count(FeedEventKind.SNAPSHOT_JOINED)
        rig.start_engine()
        wait_until(
            lambda: feed_events(rig).count(FeedEventKind.SNAPSHOT_JOINED) > joined, "another snapshot is joined", 60
        )
        wait_until(lambda: whole(rig), "the books are whole again", 60)
        rig.stop_exchange()
        wait_until(lambda: feed(rig, "A")["ended"], "the end of the session was heard")
        assert shown(rig.state_frame()) == true_tops(rig)
        assert rig.stop_engine() == 0
        assert rig.door("journal", "replay", str(rig.state))["identical"] is True


def test_without_a_snapshot_the_engine_says_why_and_stays_dirty(tmp_path: Path) -> None:
    with exchange_under_way(tmp_path) as rig:
        rig.start_engine()
        rig.apply_limits([])
        define_venue(rig, 1)
        wait_until(lambda: "no snapshot: cannot connect to 127.0.0.1:1" in rig.said("run"), "the sentence", 60)
        assert feed(rig, "A")["dirty"] is True
        wait_until(lambda: rig.state_frame()["venues"][0]["session"] == "UP", "the session is up")
        order = control.EnterOrder("dirty", TEAM, 1, XSIM, int(Side.BUY), 100, 600_000, int(TimeInForce.DAY))
        assert rig.send(order).body["denial"] == "BOOK_DIRTY"
