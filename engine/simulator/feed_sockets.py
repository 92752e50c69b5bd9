"""A venue's market data on the network: lines A and B as UDP destinations, and the retransmission port."""

from __future__ import annotations

import contextlib
import selectors
import socket

from engine.protocols.layouts import MalformedMessage
from engine.protocols.moldudp64 import decode_request
from engine.protocols.moldudp64_layouts import END_OF_SESSION
from engine.simulator.feed import HEADER, Feed

REQUESTS_AT_ONCE = 64
SEND_BUFFER = 4 << 20
END_REPEATS = 3


def parse_address(text: str) -> tuple[str, int]:
    """host:port; ValueError when it is not one."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text!r} is not host:port")
    return host, int(port)


class FeedSockets:
    """Sends every packet on both lines to each destination, and answers requests for packets that were lost.

    `next_sequence` is the number after the last message sent, which may lag behind what is published.
    """

    def __init__(
        self,
        feed: Feed,
        lines: tuple[tuple[str, ...], tuple[str, ...]],
        selector: selectors.BaseSelector,
        retransmission: tuple[str, int],
    ) -> None:
        self._feed = feed
        self.next_sequence = feed.next_sequence
        self._selector = selector
        self._destinations = [parse_address(text) for line in lines for text in line]
        self._sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._requests = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._requests.bind(retransmission)
        self._requests.setblocking(False)
        self.port = int(self._requests.getsockname()[1])
        self.malformed = 0
        selector.register(self._requests, selectors.EVENT_READ, self._resend)

    def send(self, packet: bytes) -> None:
        """One packet on both lines. A destination where nobody listens is no error."""
        _, sequence, count = HEADER.unpack_from(packet)
        if count != END_OF_SESSION:
            self.next_sequence = sequence + count
        self._transmit(packet)

    def _transmit(self, packet: bytes) -> None:
        for destination in self._destinations:
            with contextlib.suppress(OSError):
                self._sender.sendto(packet, destination)

    def heartbeat(self) -> None:
        """Tell where the feed stands."""
        self._transmit(HEADER.pack(self._feed.session, self.next_sequence, 0))

    def end_of_session(self) -> None:
        """The session is over; sent more than once, because nothing follows that would reveal a loss."""
        for _ in range(END_REPEATS):
            self._transmit(self._feed.end_of_session())

    def _resend(self, _mask: int, _now_ns: int) -> None:
        for _ in range(REQUESTS_AT_ONCE):
            try:
                raw, client = self._requests.recvfrom(2048)
            except OSError:
                return
            try:
                request = decode_request(raw)
            except MalformedMessage:
                self.malformed += 1
                continue
            session = request.session.encode("latin-1").rjust(10)
            packet = self._feed.resend(session, request.sequence, request.message_count)
            if packet is not None:
                with contextlib.suppress(OSError):
                    self._requests.sendto(packet, client)

    def close(self) -> None:
        """Close both sockets."""
        self._selector.unregister(self._requests)
        self._requests.close()
        self._sender.close()
