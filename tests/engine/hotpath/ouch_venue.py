"""The venue's end of an OUCH 5.0 session on a socket pair, and the loop's end installed in an engine."""

from __future__ import annotations

import socket
from typing import Any

from engine.hotpath import tables
from engine.hotpath.entries import poll_socket
from engine.protocols import ouch50, soupbintcp
from engine.protocols.layouts import Message
from tests.engine.loop_builder import UP, VENUE, Loop

ACCEPTED = {
    "side": "B",
    "instrument": "ALPHA",
    "price": 1_000_000,
    "time_in_force": "0",
    "display": "Y",
    "capacity": "P",
    "intermarket_sweep": "N",
    "cross_type": "N",
    "order_state": "L",
    "client_order_id": "",
}


def accepted(order_id: int, quantity: int = 100, **changes: Any) -> bytes:
    fields = ACCEPTED | {"user_reference": order_id, "quantity": quantity, "reference": order_id + 1_000} | changes
    return ouch50.encode_outbound("accepted", {}, timestamp_ns=1, **fields)


def executed(order_id: int, quantity: int, match_number: int, price: int = 1_000_000) -> bytes:
    return ouch50.encode_outbound(
        "executed",
        {},
        timestamp_ns=2,
        user_reference=order_id,
        quantity=quantity,
        price=price,
        liquidity="R",
        match_number=match_number,
    )


def canceled(order_id: int, quantity: int) -> bytes:
    return ouch50.encode_outbound("canceled", timestamp_ns=3, user_reference=order_id, quantity=quantity, reason="U")


def query_answer(next_reference: int) -> bytes:
    return ouch50.encode_outbound("account_query_response", timestamp_ns=4, next_user_reference=next_reference)


def sequenced(*messages: bytes) -> bytes:
    """Sequenced data packets back to back, as they lie in the TCP stream."""
    return b"".join(soupbintcp.encode("sequenced_data", message) for message in messages)


class OuchVenue:
    """A session that is up, between `loop` and this end of the pair."""

    def __init__(self, loop: Loop, venue: int = VENUE) -> None:
        self.loop, self.venue = loop, venue
        self.row = loop.memory.venues[venue]
        self.row["protocol"] = tables.OUCH50
        self.connect()
        loop.session(venue, UP)

    def connect(self) -> None:
        """A new connection, as the cold path installs it after a login; the session is not up by that alone."""
        self.ours, self.theirs = socket.socketpair()
        for end in (self.ours, self.theirs):
            end.setblocking(False)
        self.row["fd"], self.row["lost"] = self.ours.fileno(), 0
        self.row["inbound_used"] = self.row["outbound_used"] = 0
        self.row["heard_ns"] = self.row["sent_ns"] = self.loop.core["clock_ns"]
        self._splitter = soupbintcp.Splitter()

    def send(self, raw: bytes) -> int:
        """Bytes into the stream, and one look of the loop at its socket."""
        self.theirs.sendall(raw)
        return int(poll_socket(self.loop.address, self.venue))

    def poll(self) -> int:
        return int(poll_socket(self.loop.address, self.venue))

    def received(self) -> list[Message]:
        """SoupBinTCP packets that the loop sent, OUCH messages decoded from unsequenced data."""
        try:
            raw = self.theirs.recv(1 << 20)
        except BlockingIOError:
            return []
        packets = [soupbintcp.decode(packet) for packet in self._splitter.feed(raw)]
        return [ouch50.decode_inbound(p.payload) if p.layout.name == "unsequenced_data" else p for p in packets]

    def names(self) -> list[str]:
        """Names of what the loop sent since the last look."""
        return [message.layout.name for message in self.received()]

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()
