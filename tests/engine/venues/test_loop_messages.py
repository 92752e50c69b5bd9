"""Messages of sessions in the loop for people: made of the journal, compared with what went over the wire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.control.journalled_messages import Spoken, describe_record
from engine.control.loop_messages import describe_loop, newest_records
from engine.control.session_words import HIDDEN
from engine.hotpath import tables
from engine.hotpath.entries import cancel, replace
from engine.journal.segments import DATA_OFFSET
from engine.messages.codes import OrderAction, RecordKind, TimeInForce
from engine.messages.journal import ORDER_REQUEST
from engine.messages.records import BodyRecord, TextRecord, records
from engine.protocols import fix, ouch42, ouch50, soupbintcp
from engine.protocols.ouch50 import Direction
from engine.protocols.soupbintcp_frames import PAYLOAD
from engine.venues.session_log import SessionLog
from tests.engine.loop_builder import ALPHA, BUY, DOWN, INSTRUMENTS, OTHER_VENUE, UP, VENUE, Loop
from tests.engine.protocols.fix_bench import Writer
from tests.engine.venues.fix_loop import VENUE_ID, FixLoop

NAMES = {row.id: row.name for row in INSTRUMENTS}
KINDS = (RecordKind.ORDER_REQUEST, RecordKind.ORDER_REPORT, RecordKind.SESSION_EVENT)
EVERY, SECOND_NS = 50, 1_000_000_000


class KeptLoop(FixLoop):
    """Keeps the journal's records."""

    def taken(self) -> list[BodyRecord | TextRecord]:
        made = super().taken()
        self.kept = [*getattr(self, "kept", []), *(record for record in made if isinstance(record, BodyRecord))]
        return made

    def seen(self) -> dict[str, Any]:
        log = self.sessions.logs[VENUE_ID]
        return describe_loop(
            self.kept, log, Spoken("fix", self.settings["version"]), NAMES, EVERY, int(self.core["clock_ns"])
        )


def fields_of(message: dict[str, Any], without: tuple[Any, ...] = ()) -> dict[Any, str]:
    return {tag or name: value for tag, name, value in message["fields"] if (tag or name) not in without}


def test_messages_of_a_fix_session_are_those_that_its_venue_got_and_sent(tmp_path: Path, venue: Any) -> None:
    desk = KeptLoop(tmp_path / "desk", *venue.address())
    desk.up()
    resting = desk.order()
    desk.order(quantity=200, price=1_000_100, time_in_force=int(TimeInForce.IOC))
    desk.reported(4)
    desk.cancel(resting)
    desk.reported(5)
    seen = desk.seen()
    orders = [m for m in reversed(seen["messages"]) if m["direction"] == "out" and m["order"]]
    got = [fields for fields in venue.received() if fields[35] in ("D", "F")]
    for shown, wire in zip(orders, got, strict=True):
        told = fields_of(shown, (60,))
        assert told == {tag: wire[tag] for tag in told}
    answers = [m for m in reversed(seen["messages"]) if m["direction"] == "in" and m["order"]]
    assert [(m["name"], m["order"], fields_of(m).get(150, fields_of(m).get(32))) for m in answers] == [
        ("ExecutionReport", 1, "0"), ("ExecutionReport", 2, "0"), ("ExecutionReport", 2, "100"),
        ("ExecutionReport", 2, "100"), ("ExecutionReport", 1, "4"),
    ]  # fmt: skip
    assert [orders[-1]["name"], [41, "OrigClOrdID", "1"] in orders[-1]["fields"]] == ["OrderCancelRequest", True]
    session = [(m["direction"], m["name"]) for m in reversed(seen["messages"]) if not m["order"]]
    assert session[:2] == [("out", "Logon"), ("in", "Logon")]
    assert ("session", "Session UP") in session
    logon = next(m for m in seen["messages"] if m["direction"] == "out" and m["name"] == "Logon")
    assert (fields_of(logon)[553], fields_of(logon)[554]) == ("desk", HIDDEN)
    assert seen["rates"] == {"sent_per_second": 0.05, "received_per_second": 0.08, "refused": 0, "of_messages": 8}
    desk.close()


@pytest.mark.parametrize("in_force", TimeInForce)
@pytest.mark.parametrize("version", ["4.2", "4.4", "5.0SP2"])
def test_the_terms_of_a_fix_order_are_those_that_the_loop_writes(version: str, in_force: TimeInForce) -> None:
    wire = Writer(version).write("write_new_order", 7, BUY, 100, "ALPHA", 1_000_000, int(in_force), 0, 0)
    body = np.zeros(1, ORDER_REQUEST)[0]
    body["action"], body["order_id"], body["instrument"] = OrderAction.ENTER, 7, ALPHA
    body["side"], body["quantity"], body["price"], body["time_in_force"] = BUY, 100, 1_000_000, in_force
    record = BodyRecord(RecordKind.ORDER_REQUEST, 1, 0, 0, body)
    told = fields_of(describe_record(record, Spoken("fix", version), NAMES), (60,))
    sent = dict(fix.decode(wire).fields)
    assert told == {tag: sent[tag] for tag in told}
    assert {18, 40, 44, 59} & set(sent) <= set(told)


def of_venue(journal: bytes) -> list[BodyRecord]:
    kept = [r for r in records(journal) if isinstance(r, BodyRecord) and r.kind in KINDS]
    return [record for record in kept if int(record.body["venue"]) == VENUE]


PROTOCOLS = [("ouch50", tables.OUCH50), ("ouch42", tables.OUCH42)]


def traded(protocol: int, post_only: bool = True) -> tuple[Loop, bytes, bytes]:
    """A loop that entered, replaced and canceled; what it sent, and its journal."""
    loop = Loop()
    loop.wide_limits()
    loop.quote(ALPHA, 999_000, 1_001_000)
    loop.memory.venues[VENUE]["protocol"], loop.memory.venues[VENUE]["post_only"] = protocol, post_only
    first = loop.enter()
    loop.enter(venue=OTHER_VENUE)
    number, venue_ns = f"{first:014X}", 34_200 * SECOND_NS
    if protocol == tables.OUCH50:
        common = {"timestamp_ns": venue_ns, "user_reference": first}
        accepted = {"side": "B", "quantity": 100, "instrument": "ALPHA", "price": 1_000_000, "time_in_force": "0"}
        more = {"display": "Y", "reference": 77, "capacity": "P", "intermarket_sweep": "N", "cross_type": "N"}
        last = {"order_state": "L", "client_order_id": number}
        loop.answer(ouch50.encode_outbound("accepted", {}, **common, **accepted, **more, **last))
        fill = {"quantity": 40, "price": 1_000_000, "liquidity": "A", "match_number": 9}
        loop.answer(ouch50.encode_outbound("executed", {}, **common, **fill))
    third = loop.enter(price=1_000_100, time_in_force=int(TimeInForce.IOC))
    if protocol == tables.OUCH50:
        assert replace(loop.address, first, 1_000_200, 100, 0.0) > 0
    assert cancel(loop.address, third) == 1
    for in_force in (TimeInForce.POST_ONLY, TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE, TimeInForce.FOK):
        loop.enter(price=999_000, time_in_force=int(in_force))
    return loop, loop.sent(), loop.journal.take()


@pytest.mark.parametrize("knows", [True, False])
@pytest.mark.parametrize(("word", "protocol"), PROTOCOLS)
def test_messages_of_an_ouch_session_have_the_fields_that_went_over_the_wire(
    word: str, protocol: int, knows: bool
) -> None:
    loop, sent, journal = traded(protocol, knows)
    seen = describe_loop(
        of_venue(journal), SessionLog(), Spoken(word, "", knows), NAMES, EVERY, int(loop.core["clock_ns"])
    )
    shown = [m for m in reversed(seen["messages"]) if m["direction"] == "out"]
    decode = ouch50.decode if word == "ouch50" else ouch42.decode
    wire = [decode(packet[PAYLOAD:], Direction.INBOUND) for packet in soupbintcp.Splitter().feed(sent)]
    for message, packet in zip(shown, wire, strict=True):
        told = fields_of(message)
        expected = {name: packet[name] for name in told}
        if "price" in expected:
            expected["price"] = f"{expected['price'] / 10_000:.4f}"
        assert (message["name"], told) == (packet.layout.title, {name: str(value) for name, value in expected.items()})
    crosses = [fields_of(message).get("cross_type") for message in shown]
    assert [letter for letter in crosses if letter] == ["O", "C"]
    if word == "ouch50":
        fill, accepted = (m for m in seen["messages"] if m["direction"] == "in")
        assert fields_of(fill, ("timestamp_ns",)) == {
            "type": "E", "user_reference": "1", "quantity": "40", "price": "100.0000", "liquidity": "added",
            "match_number": "9", "sequence": "2",
        }  # fmt: skip
        assert (accepted["name"], fields_of(accepted)["reference"]) == ("Order Accepted", "77")


def test_an_order_that_left_again_after_an_outage_is_shown_as_sent() -> None:
    loop = Loop()
    loop.wide_limits()
    loop.quote(ALPHA, 999_000, 1_001_000)
    loop.memory.venues[VENUE]["protocol"] = tables.OUCH50
    number = loop.enter()
    loop.sent()
    loop.session(VENUE, DOWN)
    loop.session(VENUE, UP, next_reference=number)
    seen = describe_loop(
        of_venue(loop.journal.take()), SessionLog(), Spoken("ouch50"), NAMES, EVERY, int(loop.core["clock_ns"])
    )
    (again,) = [message for message in seen["messages"] if message["name"] == "Enter Order, sent again"]
    (packet,) = soupbintcp.Splitter().feed(loop.sent())
    wire = ouch50.decode(packet[PAYLOAD:], Direction.INBOUND)
    told = {"user_reference": number, "side": "B", "quantity": 100, "instrument": "ALPHA", "price": 1_000_000}
    assert {name: wire[name] for name in told} == told
    assert (again["direction"], again["order"]) == ("out", number)
    assert fields_of(again) == {"type": "O"} | {name: str(value) for name, value in told.items()} | {
        "price": "100.0000"
    }
    assert (seen["rates"]["refused"], seen["rates"]["of_messages"]) == (0, 1)


def test_a_login_is_shown_without_its_password() -> None:
    log = SessionLog()
    log.sent(soupbintcp.encode("login_request", username="desk", password="secret", session="", sequence=1))
    log.received(soupbintcp.encode("login_accepted", session="DAY1", sequence=1))
    log.received(b"no packet")
    seen = describe_loop([], log, Spoken("ouch50"), {}, EVERY, 0)["messages"]
    assert [(m["direction"], m["type"], m["order"]) for m in seen] == [("in", "A", 0), ("out", "L", 0)]
    assert (fields_of(seen[1])["username"], fields_of(seen[1])["password"]) == ("desk", HIDDEN)
    assert "secret" not in repr(seen)


def test_the_newest_records_of_a_venue_are_read_over_segments_and_texts(tmp_path: Path) -> None:
    assert newest_records(tmp_path, VENUE) == []
    _, _, journal = traded(tables.OUCH50)
    middle = len(journal) // 256 * 128
    folder = tmp_path / "engine" / "journal"
    folder.mkdir(parents=True)
    for name, data in (("000001.journal", journal[:middle]), ("000002.journal", journal[middle:] + b"torn")):
        (folder / name).write_bytes(bytes(DATA_OFFSET) + data)
    wanted = [record.sequence for record in of_venue(journal)]
    assert len(wanted) > 4
    assert [record.sequence for record in newest_records(tmp_path, VENUE)] == wanted
