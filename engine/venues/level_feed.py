"""A feed that our own process publishes for the loop: ITCH messages in MoldUDP64, to the lines that the engine hears.

While a book is out of step, messages are claimed that were not sent yet. For the loop that is a gap: the venue is dirty
and takes no new risk, in the recording as in life. The claim is made good when the books are in step again.
"""

from __future__ import annotations

import contextlib
import socket
from collections import deque

from engine.protocols.layouts import MalformedMessage
from engine.protocols.moldudp64 import decode_request, encode, encode_end_of_session
from engine.venues.fields import Address

PACKET_BYTES = 1400
HEADER_BYTES, BLOCK_BYTES = 20, 2
KEPT_MESSAGES = 1 << 17
REQUESTS_AT_ONCE = 64
END_REPEATS = 3


class LevelFeed:
    """One publisher. `in_step` False claims more than was sent."""

    def __init__(self, lines: list[Address], retransmission: Address | None) -> None:
        """OSError when the retransmission address cannot be listened on."""
        self._lines = lines
        self._sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._requests: socket.socket | None = None
        if retransmission is not None:
            self._requests = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._requests.bind(retransmission)
            self._requests.setblocking(False)
        self._kept: deque[bytes] = deque(maxlen=KEPT_MESSAGES)
        self.session = ""
        self.next_sequence = 1
        self.in_step = False

    def begin(self, session: str) -> None:
        """Another session: its name has at most ten characters, its messages count from 1."""
        self.session, self.next_sequence = session, 1
        self._kept.clear()

    def send(self, messages: list[bytes]) -> None:
        """Publish messages, as many in a packet as fit."""
        if not self.in_step and messages:
            self._claim(len(messages) + 1)
        packet: list[bytes] = []
        size = HEADER_BYTES
        for message in messages:
            if packet and size + BLOCK_BYTES + len(message) > PACKET_BYTES:
                self._packet(packet)
                packet, size = [], HEADER_BYTES
            packet.append(message)
            size += BLOCK_BYTES + len(message)
        if packet:
            self._packet(packet)

    def recover(self, messages: list[bytes]) -> None:
        """Publish what brings the books into step again: the venue stays dirty until the last of it has come."""
        if messages:
            self._claim(len(messages))
        self.in_step = True
        self.send(messages)

    def heartbeat(self) -> None:
        """Say where the feed stands; out of step, that something is missing."""
        self._claim(0 if self.in_step else 1)

    def end(self) -> None:
        """The session is over; said more than once, because nothing follows that would show a loss."""
        for _ in range(END_REPEATS):
            self._transmit(encode_end_of_session(self.session, self.next_sequence))

    def answer_requests(self) -> None:
        """Send again what the loop has lost, a bounded number of times."""
        for _ in range(REQUESTS_AT_ONCE if self._requests else 0):
            assert self._requests is not None
            try:
                raw, client = self._requests.recvfrom(2048)
                request = decode_request(raw)
            except MalformedMessage:
                continue
            except OSError:
                return
            first = self.next_sequence - len(self._kept)
            if request.session.strip() != self.session or not first <= request.sequence < self.next_sequence:
                continue
            with contextlib.suppress(OSError):
                self._requests.sendto(self._again(request.sequence, request.message_count), client)

    def close(self) -> None:
        """Close both sockets."""
        self._sender.close()
        if self._requests:
            self._requests.close()

    def _again(self, sequence: int, count: int) -> bytes:
        start = sequence - (self.next_sequence - len(self._kept))
        messages: list[bytes] = []
        size = HEADER_BYTES
        for at in range(start, min(start + count, len(self._kept))):
            size += BLOCK_BYTES + len(self._kept[at])
            if size > PACKET_BYTES:
                break
            messages.append(self._kept[at])
        return encode(self.session, sequence, messages)

    def _claim(self, count: int) -> None:
        self._transmit(encode(self.session, self.next_sequence + count, []))

    def _packet(self, messages: list[bytes]) -> None:
        self._transmit(encode(self.session, self.next_sequence, messages))
        self._kept.extend(messages)
        self.next_sequence += len(messages)

    def _transmit(self, packet: bytes) -> None:
        for line in self._lines:
            with contextlib.suppress(OSError):  # the engine may listen later
                self._sender.sendto(packet, line)
