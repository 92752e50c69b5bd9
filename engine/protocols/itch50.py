"""ITCH 5.0: bytes <-> messages, readable and slow. The loop reads the same tables through `itch50_offsets`."""

from __future__ import annotations

from typing import Any

from engine.protocols.itch50_layouts import BY_CODE, BY_NAME, END_OF_SNAPSHOT
from engine.protocols.layouts import MalformedMessage, Message


def decode(raw: bytes) -> Message:
    """One whole message. Empty, unknown and wrong-length bytes raise MalformedMessage."""
    if not raw:
        raise MalformedMessage("an ITCH 5.0 message has at least its type byte")
    layout = BY_CODE.get(chr(raw[0]))
    if layout is None:
        raise MalformedMessage(f"ITCH 5.0 has no message type {chr(raw[0])!r}")
    if len(raw) != layout.length:
        raise MalformedMessage(f"{layout.name} has {layout.length} bytes, not {len(raw)}")
    return Message(layout, layout.read(raw, len(raw)))


def decode_snapshot(raw: bytes) -> Message:
    """One message of a GLIMPSE 5.0 snapshot: ITCH, or the end of the snapshot."""
    if raw[:1] != b"G":
        return decode(raw)
    if len(raw) != END_OF_SNAPSHOT.length:
        raise MalformedMessage(f"end_of_snapshot has {END_OF_SNAPSHOT.length} bytes, not {len(raw)}")
    return Message(END_OF_SNAPSHOT, END_OF_SNAPSHOT.read(raw, len(raw)))


def encode_end_of_snapshot(next_sequence: int) -> bytes:
    """The last message of a snapshot; the feed goes on with `next_sequence`."""
    return END_OF_SNAPSHOT.write({"type": "G", "sequence": next_sequence})


def encode(name: str, **values: Any) -> bytes:
    """One message by name. `type` is known; `stock_locate`, `tracking_number` and `timestamp_ns` are 0 unless given."""
    layout = BY_NAME[name]
    header = {"type": layout.code, "stock_locate": 0, "tracking_number": 0, "timestamp_ns": 0}
    return layout.write(header | values)
