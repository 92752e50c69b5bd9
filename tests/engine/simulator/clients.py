"""OUCH requests with defaults, and a small client of the exchange's sockets."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

from engine.protocols import moldudp64, ouch50, soupbintcp
from engine.protocols.ouch50 import encode_inbound

DEADLINE_SECONDS = 20.0


def enter(user_reference: int, side: str = "B", quantity: int = 100, instrument: str = "ABC", price: int = 10_000,
          time_in_force: str = "0", appendage: dict[str, Any] | None = None, **more: Any) -> bytes:  # fmt: skip
    values = {
        "display": "Y",
        "capacity": "P",
        "intermarket_sweep": "N",
        "cross_type": "N",
        "client_order_id": "",
    } | more
    return encode_inbound(
        "enter_order", appendage or {}, user_reference=user_reference, side=side, quantity=quantity,
        instrument=instrument, price=price, time_in_force=time_in_force, **values,
    )  # fmt: skip


def replace(existing: int, user_reference: int, quantity: int, price: int, time_in_force: str = "0") -> bytes:
    return encode_inbound(
        "replace_order", {}, original_user_reference=existing, user_reference=user_reference, quantity=quantity,
        price=price, time_in_force=time_in_force, display="Y", intermarket_sweep="N", client_order_id="",
    )  # fmt: skip


def cancel(user_reference: int, quantity: int = 0) -> bytes:
    return encode_inbound("cancel_order", user_reference=user_reference, quantity=quantity)


class OrderClient:
    """A SoupBinTCP client that waits for what it expects."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._splitter = soupbintcp.Splitter()
        self._packets: Iterator[soupbintcp.Message] = iter(())
        self._waiting: list = []
        self.next_sequence = 1

    def log_in(self, user: str, password: str, sequence: int = 1, session: str = "") -> dict:
        values = {"username": user, "password": password, "session": session, "sequence": sequence}
        self._socket.sendall(soupbintcp.encode("login_request", **values))
        answer = self.next()
        if answer.name == "login_accepted":
            self.next_sequence = answer.values["sequence"]
        return {"name": answer.name} | answer.values

    def send(self, message: bytes) -> None:
        self._socket.sendall(soupbintcp.encode("unsequenced_data", message))

    def say(self, name: str, payload: bytes = b"") -> None:
        self._socket.sendall(soupbintcp.encode(name, payload))

    def next(self, heartbeats: bool = False):
        """The next packet, heartbeats left out; an ended connection is None."""
        self._socket.settimeout(DEADLINE_SECONDS)
        while True:
            while not self._waiting:
                raw = self._socket.recv(65536)
                if not raw:
                    return None
                self._waiting += [soupbintcp.decode(packet) for packet in self._splitter.feed(raw)]
            packet = self._waiting.pop(0)
            if packet.name == "sequenced_data":
                self.next_sequence += 1
            if heartbeats or packet.name != "server_heartbeat":
                return packet

    def report(self) -> tuple[str, dict]:
        """Name and values of the next sequenced message."""
        packet = self.next()
        assert packet is not None
        message = ouch50.decode_outbound(packet.payload)
        return message.name, message.values

    def close(self) -> None:
        self._socket.close()


class FeedClient:
    """One line of a feed."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def packet(self, seconds: float = DEADLINE_SECONDS) -> moldudp64.Packet:
        self._socket.settimeout(seconds)
        return moldudp64.decode(self._socket.recv(65536))

    def ask(self, port: int, session: str, sequence: int, count: int) -> moldudp64.Packet:
        """Ask for lost messages, again until an answer comes."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.5)
            while True:
                asking.sendto(moldudp64.encode_request(session, sequence, count), ("127.0.0.1", port))
                try:
                    return moldudp64.decode(asking.recv(65536))
                except TimeoutError:
                    assert time.monotonic() < deadline

    def close(self) -> None:
        self._socket.close()
