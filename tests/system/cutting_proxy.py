"""A wire with scissors: passes bytes between the engine and a venue, and cuts a new order at a chosen byte."""

from __future__ import annotations

import contextlib
import socket
import threading

ENTER_ORDER = b"UO"  # SoupBinTCP unsequenced data, OUCH Enter Order
HEADER_BYTES = 2
NEW_ORDER_SINGLE, CHECKSUM_BYTES = b"\x0135=D\x01", 7


class OuchFrames:
    """SoupBinTCP packets, and which of them is a new order."""

    @staticmethod
    def length(waiting: bytes) -> int:
        """Of the first packet; 0 while it is not known."""
        return HEADER_BYTES + int.from_bytes(waiting[:HEADER_BYTES], "big") if len(waiting) >= HEADER_BYTES else 0

    @staticmethod
    def is_order(frame: bytes) -> bool:
        """Enter Order."""
        return frame[HEADER_BYTES:].startswith(ENTER_ORDER)


class FixFrames:
    """FIX messages, and which of them is a new order."""

    @staticmethod
    def length(waiting: bytes) -> int:
        """Of the first message; 0 while its CheckSum(10) has not come."""
        at = waiting.find(b"\x0110=")
        return at + 1 + CHECKSUM_BYTES if at >= 0 else 0

    @staticmethod
    def is_order(frame: bytes) -> bool:
        """NewOrderSingle(D)."""
        return NEW_ORDER_SINGLE in frame


class CuttingProxy:
    """Listens on `port`, connects to `target`. `cut_after(n)`: of the next new order only n bytes pass, then both
    connections are closed. `cuts` counts; `frames` tells the protocol's messages apart."""

    def __init__(self, target: int, frames: type[OuchFrames] | type[FixFrames] = OuchFrames) -> None:
        self._target, self._frames = target, frames
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.cuts = 0
        self.longest = 0
        self._wanted: int | None = None
        self._stopped = False
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, count: int) -> None:
        """Cut the next new order after `count` of its bytes, its header included."""
        self._wanted = count

    def close(self) -> None:
        """Accept no more."""
        self._stopped = True
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._stopped:
                engine, _ = self._listener.accept()
                exchange = socket.create_connection(("127.0.0.1", self._target))
                for ends in ((engine, exchange, True), (exchange, engine, False)):
                    threading.Thread(target=self._pass, args=ends, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, orders: bool) -> None:
        waiting = b""
        with contextlib.suppress(OSError):
            while raw := source.recv(65536):
                if not orders:
                    target.sendall(raw)
                    continue
                waiting += raw
                waiting, open_still = self._pass_packets(waiting, target)
                if not open_still:
                    break
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _pass_packets(self, waiting: bytes, target: socket.socket) -> tuple[bytes, bool]:
        while 0 < (length := self._frames.length(waiting)) <= len(waiting):
            packet, waiting = waiting[:length], waiting[length:]
            if self._frames.is_order(packet):
                self.longest = length
                if self._wanted is not None:
                    target.sendall(packet[: self._wanted])
                    self._wanted = None
                    self.cuts += 1
                    return b"", False
            target.sendall(packet)
        return waiting, True
