"""A venue's market data as MoldUDP64 packets: numbering, cutting to size, and the history behind retransmission."""

from __future__ import annotations

from struct import Struct

from engine.protocols.moldudp64_layouts import END_OF_SESSION
from engine.simulator.history import History

HEADER = Struct(">10sQH")
LENGTH = Struct(">H")


class Feed:
    """Messages of one session, numbered from 1. Without a history nothing can be sent again; with
    `resend_messages`, only so many of the newest."""

    def __init__(
        self, session: str, packet_bytes: int = 1400, history: History | None = None, resend_messages: int = 0
    ) -> None:
        self.session = session.encode("ascii").rjust(10)
        self.next_sequence = 1
        self._room = packet_bytes - HEADER.size
        self._history = history
        self._resend_messages = resend_messages

    def pack(self, count: int, blocks: bytes) -> list[bytes]:
        """Packets with these message blocks, in order; they become history."""
        if not count:
            return []
        if len(blocks) <= self._room:
            return [self._packet(count, blocks)]
        packets = []
        start, place, inside = 0, 0, 0
        while place < len(blocks):
            following = place + 2 + LENGTH.unpack_from(blocks, place)[0]
            if following - start > self._room and inside:
                packets.append(self._packet(inside, blocks[start:place]))
                start, inside = place, 0
            place, inside = following, inside + 1
        packets.append(self._packet(inside, blocks[start:]))
        return packets

    def _packet(self, count: int, blocks: bytes) -> bytes:
        packet = HEADER.pack(self.session, self.next_sequence, count) + blocks
        if self._history is not None:
            self._history.append(self.next_sequence, packet)
        self.next_sequence += count
        return packet

    def end_of_session(self) -> bytes:
        """What replaces the heartbeat when the session is over."""
        return HEADER.pack(self.session, self.next_sequence, END_OF_SESSION)

    def resend(self, session: bytes, sequence: int, count: int) -> bytes | None:
        """A packet of messages from `sequence` on, as many of `count` as fit; None when they are not ours to give."""
        history = self._history
        if history is None or session != self.session or count == 0 or not 0 < sequence < self.next_sequence:
            return None
        if self._resend_messages and sequence < self.next_sequence - self._resend_messages:
            return None
        index = history.find(sequence)
        taken: list[bytes] = []
        size, skip = 0, sequence - history.first(index)
        while index < len(history) and len(taken) < count:
            for block in _blocks(history.packet(index))[skip:]:
                if len(taken) == count or size + len(block) > self._room:
                    return HEADER.pack(session, sequence, len(taken)) + b"".join(taken)
                taken.append(block)
                size += len(block)
            index, skip = index + 1, 0
        return HEADER.pack(session, sequence, len(taken)) + b"".join(taken)


def _blocks(packet: bytes) -> list[bytes]:
    blocks, place = [], HEADER.size
    while place < len(packet):
        following = place + 2 + LENGTH.unpack_from(packet, place)[0]
        blocks.append(packet[place:following])
        place = following
    return blocks
