"""One GLIMPSE 5.0 snapshot over SoupBinTCP, whole, in a helper thread; cut into packets for the loop's recording.

Nothing of a snapshot is used before its last message has come, so a broken connection costs nothing but time.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

from engine.protocols import soupbintcp
from engine.protocols.itch50 import decode_snapshot
from engine.protocols.itch50_offsets import ADD_ORDER, ADD_ORDER_ATTRIBUTED, ADD_ORDER_INSTRUMENT, SHORTEST
from engine.protocols.layouts import MalformedMessage
from engine.venues.fields import SnapshotSettings
from engine.venues.soupbin_session import LoginFailed, log_in, outcome_of

LOGIN_S, SILENCE_S = 5.0, 15.0
HEARTBEAT_S = 1.0
RECEIVE_BYTES = 1 << 16
PACKET_BYTES = 1400
HEADER = Struct(">10sQH")  # as a MoldUDP64 packet
ADDS = (ADD_ORDER, ADD_ORDER_ATTRIBUTED)
END_OF_SNAPSHOT = b"G"


@dataclass(frozen=True)
class Snapshot:
    """Packets in the layout of MoldUDP64, numbered with the feed's next message: `sequence`. `messages` are in them."""

    session: bytes
    sequence: int
    packets: tuple[bytes, ...]
    messages: int


class Packing:
    """Puts messages into packets. Orders of instruments that are not in `wanted` (eight characters) are left out."""

    def __init__(self, wanted: frozenset[bytes]) -> None:
        self._wanted = wanted
        self._packets: list[tuple[int, bytes]] = []
        self._blocks = bytearray()
        self._count = 0
        self.messages = 0

    def add(self, message: bytes) -> None:
        """One message. MalformedMessage when it is too short to be one."""
        if len(message) < SHORTEST:
            raise MalformedMessage(f"a message of {len(message)} bytes in a snapshot")
        if message[0] in ADDS and message[ADD_ORDER_INSTRUMENT : ADD_ORDER_INSTRUMENT + 8] not in self._wanted:
            return
        if len(self._blocks) + 2 + len(message) > PACKET_BYTES - HEADER.size:
            self._close()
        self._blocks += len(message).to_bytes(2, "big") + message
        self._count += 1
        self.messages += 1

    def _close(self) -> None:
        if self._count:
            self._packets.append((self._count, bytes(self._blocks)))
            self._blocks.clear()
            self._count = 0

    def finish(self, session: bytes, sequence: int) -> Snapshot:
        """The snapshot, when the feed's `session` goes on with message `sequence`."""
        self._close()
        packets = tuple(HEADER.pack(session, sequence, count) + blocks for count, blocks in self._packets)
        return Snapshot(session, sequence, packets, self.messages)


def take_snapshot(settings: SnapshotSettings, session: bytes, wanted: frozenset[bytes]) -> Snapshot:
    """One snapshot. LoginFailed with a sentence when it does not come whole."""
    login = log_in(settings.address, settings.user, settings.password, "", 1, LOGIN_S)
    where = f"{settings.address.host}:{settings.address.port}"
    packing = Packing(wanted)
    with login.connection as connection:
        try:
            for message in _messages(connection):
                if message[:1] != END_OF_SNAPSHOT:
                    packing.add(message)
                    continue
                sequence = int(decode_snapshot(message)["sequence"])
                with contextlib.suppress(OSError):
                    connection.sendall(soupbintcp.encode("logout_request"))
                return packing.finish(session, sequence)
        except TimeoutError:
            raise LoginFailed(f"{where} went silent in the middle of a snapshot") from None
        except OSError as error:
            raise LoginFailed(f"lost {where} in the middle of a snapshot: {error.strerror or error}") from None
        except MalformedMessage as error:
            raise LoginFailed(f"the snapshot of {where} is malformed: {error}") from None
    raise LoginFailed(f"{where} ended the snapshot before it was whole")


def _messages(connection: socket.socket) -> Iterator[bytes]:
    """Sequenced messages until the server ends. Our heartbeats go out meanwhile."""
    connection.settimeout(HEARTBEAT_S)
    splitter = soupbintcp.Splitter()
    spoke = heard = time.monotonic()
    while True:
        now = time.monotonic()
        if now - spoke >= HEARTBEAT_S:
            connection.sendall(soupbintcp.encode("client_heartbeat"))
            spoke = now
        try:
            raw = connection.recv(RECEIVE_BYTES)
        except TimeoutError:
            if time.monotonic() - heard > SILENCE_S:
                raise
            continue
        heard = time.monotonic()
        if not raw:
            return
        for frame in splitter.feed(raw):
            packet = soupbintcp.decode(frame)
            if packet.name == "sequenced_data":
                yield packet.payload
            elif packet.name == "end_of_session":
                return


class SnapshotAttempt:
    """`take_snapshot` in a thread: `outcome` is None while it waits, then Snapshot or LoginFailed."""

    def __init__(self, settings: SnapshotSettings, session: bytes, wanted: frozenset[bytes]) -> None:
        self.outcome: Snapshot | LoginFailed | None = None
        self._arguments = (settings, session, wanted)
        name = f"snapshot {settings.address.host}:{settings.address.port}"
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        self.outcome = outcome_of(lambda: take_snapshot(*self._arguments))
