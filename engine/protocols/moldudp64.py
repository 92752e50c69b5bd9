"""MoldUDP64: datagrams <-> sequenced messages, readable and slow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.protocols.layouts import MalformedMessage
from engine.protocols.moldudp64_layouts import DOWNSTREAM, END_OF_SESSION, REQUEST


@dataclass(frozen=True)
class Packet:
    """A downstream packet. `sequence` is the first message's number, or the next expected one when there is none."""

    session: str
    sequence: int
    messages: tuple[bytes, ...]
    end_of_session: bool = False

    @property
    def kind(self) -> str:
        if self.end_of_session:
            return "end_of_session"
        return "data" if self.messages else "heartbeat"


@dataclass(frozen=True)
class Request:
    """A retransmission request."""

    session: str
    sequence: int
    message_count: int


def decode(raw: bytes) -> Packet:
    """One whole datagram. Cut headers and blocks, and bytes after the last block, raise MalformedMessage."""
    packet, length = decode_prefix(raw)
    if length != len(raw):
        raise MalformedMessage(f"{len(raw) - length} bytes after the last message of a MoldUDP64 packet")
    return packet


def decode_prefix(raw: bytes, at: int = 0) -> tuple[Packet, int]:
    """The packet that starts at `at` and the place after it: a packet says itself where it ends."""
    if len(raw) - at < DOWNSTREAM.length:
        raise MalformedMessage(f"a MoldUDP64 packet has at least {DOWNSTREAM.length} bytes, not {len(raw) - at}")
    header = DOWNSTREAM.read(raw[at : at + DOWNSTREAM.length], DOWNSTREAM.length)
    count = header["message_count"]
    place = at + DOWNSTREAM.length
    if count == END_OF_SESSION:
        return Packet(header["session"], header["sequence"], (), True), place
    messages = []
    for index in range(count):
        length = int.from_bytes(raw[place : place + 2], "big")
        if place + 2 + length > len(raw) or place + 2 > len(raw):
            raise MalformedMessage(f"message {index + 1} of {count} goes beyond the end of the MoldUDP64 packet")
        messages.append(raw[place + 2 : place + 2 + length])
        place += 2 + length
    return Packet(header["session"], header["sequence"], tuple(messages)), place


def encode(session: str, sequence: int, messages: Sequence[bytes]) -> bytes:
    """A downstream packet; without messages, a heartbeat."""
    header = DOWNSTREAM.write({"session": session, "sequence": sequence, "message_count": len(messages)})
    return header + b"".join(len(message).to_bytes(2, "big") + message for message in messages)


def encode_end_of_session(session: str, next_sequence: int) -> bytes:
    """The packet that takes the heartbeat's place when the session is over."""
    return DOWNSTREAM.write({"session": session, "sequence": next_sequence, "message_count": END_OF_SESSION})


def decode_request(raw: bytes) -> Request:
    """A request packet; the retransmission server's input."""
    if len(raw) != REQUEST.length:
        raise MalformedMessage(f"a MoldUDP64 request has {REQUEST.length} bytes, not {len(raw)}")
    return Request(**REQUEST.read(raw, REQUEST.length))


def encode_request(session: str, sequence: int, message_count: int) -> bytes:
    """Ask for `message_count` messages from `sequence` on."""
    return REQUEST.write({"session": session, "sequence": sequence, "message_count": message_count})
