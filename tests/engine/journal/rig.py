"""Writes journals the way the loop does, record by record, and says what should be in them."""

import ctypes
from pathlib import Path

import numpy as np

from engine.journal import append
from engine.journal.copier import start_copier
from engine.journal.places import LogPlace, places_of
from engine.journal.reader import LogReader, Packet, all_packets, all_records, merged
from engine.journal.writer import Journal, open_journal
from engine.messages.codes import OrderAction, RecordKind, Side
from engine.messages.journal import ORDER_REQUEST
from engine.messages.records import BodyRecord, TextRecord
from engine.native import address_of

SMALL = 64 << 10


def open_small(state: Path, segment_bytes: int = SMALL) -> Journal:
    return open_journal(state, journal_segment_bytes=segment_bytes, recording_segment_bytes=segment_bytes)


def append_order(journal: Journal, order_id: int, time_ns: int = 7) -> int:
    """An order request that cites the last recorded packet. Its sequence, 0 when the journal is full."""
    writer = journal.journal.writer
    address = append.reserve_journal(writer)
    if address == 0:
        return 0
    body = np.frombuffer(memoryview((ctypes.c_char * ORDER_REQUEST.itemsize).from_address(address)), ORDER_REQUEST)
    body["position"] = journal.recording.sequence
    body["action"] = OrderAction.ENTER
    body["order_id"] = order_id
    body["price"] = 1_000_000 + order_id
    body["quantity"] = 100
    body["side"] = Side.BUY
    return int(append.commit_journal(writer, int(RecordKind.ORDER_REQUEST), time_ns))


def append_packet(journal: Journal, payload: bytes, time_ns: int = 7) -> int:
    packet = np.frombuffer(payload.ljust(1, b"\0"), np.uint8).copy()
    return int(append.append_recording(journal.recording.writer, 1, 0, time_ns, address_of(packet), len(payload)))


def copied_to_disk(state: Path) -> None:
    """Run the copier once over what is in memory; its exit says that all of it is on disk."""
    assert start_copier(state).stop() == 0


def brief(event: Packet | BodyRecord | TextRecord) -> tuple[object, ...]:
    """What a test compares: kind, place in its log, and what was written."""
    if isinstance(event, Packet):
        return ("packet", event.position, event.payload)
    if isinstance(event, TextRecord):
        return ("text", event.sequence, event.document)
    return ("order", event.sequence, int(event.body["order_id"]))


def events(state: Path) -> list[tuple[object, ...]]:
    return [brief(event) for event in merged(places_of(state))]


def sequences(place: LogPlace, after: int = 0) -> list[int]:
    if place.word == "journal":
        return [record.sequence for record in all_records(LogReader(place, after))]
    return [packet.position for packet in all_packets(LogReader(place, after))]
