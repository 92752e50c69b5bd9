"""One SoupBinTCP connection seen from the exchange: login, replay, heartbeats, logout. Bytes in, bytes out, no socket.

A user has one active connection: a later login takes over and the earlier one is closed. Sequenced messages are the
account's, so a connection only remembers how far it has sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum

from engine.protocols.layouts import MalformedMessage
from engine.protocols.soupbintcp import Splitter, decode, encode
from engine.simulator.ouch_account import OuchAccount

HEARTBEAT_NS = 1_000_000_000
LONGEST_PACKET = 4096
ORDER, DEBUG = "order", "debug"


class Phase(Enum):
    """Where the connection is."""

    WAITING = "waiting"
    ACTIVE = "active"
    CLOSED = "closed"


class SoupSession:
    """`login` is asked for the account of (user, password), or None. Times are monotonic nanoseconds."""

    def __init__(
        self, session: str, login: Callable[[str, str], OuchAccount | None], timeout_ns: int, now_ns: int
    ) -> None:
        self.account: OuchAccount | None = None
        self.phase = Phase.WAITING
        self.reason = ""
        self._session, self._login, self._timeout_ns = session, login, timeout_ns
        self._splitter = Splitter(LONGEST_PACKET)
        self._outgoing = bytearray()
        self._sent_sequence = 0
        self._heard_ns = self._spoke_ns = now_ns

    def receive(self, raw: bytes, now_ns: int) -> Iterator[tuple[str, bytes]]:
        """Take bytes from the client; yields (ORDER or DEBUG, payload) as they are to be handled."""
        self._heard_ns = now_ns
        try:
            for packet in self._splitter.feed(raw):
                message = decode(packet)
                if self.phase is Phase.CLOSED:
                    return
                if message.name == "login_request" and self.phase is Phase.WAITING:
                    self._log_in(message.values)
                elif message.name == "logout_request":
                    self.close("logout")
                elif message.name == "unsequenced_data" and self.phase is Phase.ACTIVE:
                    yield ORDER, message.payload
                elif message.name == "debug" and self.phase is Phase.ACTIVE:
                    yield DEBUG, message.payload
                elif message.name != "client_heartbeat":
                    self.close(f"unexpected {message.name}")
        except MalformedMessage as error:
            self.close(str(error))

    def _log_in(self, values: dict[str, str | int]) -> None:
        account = self._login(str(values["username"]), str(values["password"]))
        wanted = str(values["session"])
        if account is None or (wanted and wanted != self._session):
            self._outgoing += encode("login_rejected", reason="A" if account is None else "S")
            self.close("login rejected")
            return
        newest = len(account.sequenced) + 1
        sequence = min(int(values["sequence"]) or newest, newest)
        if values.get("heartbeat_timeout_ms"):
            self._timeout_ns = int(values["heartbeat_timeout_ms"]) * 1_000_000
        self._outgoing += encode("login_accepted", session=self._session, sequence=sequence)
        self._sent_sequence = sequence - 1
        self.account, self.phase = account, Phase.ACTIVE
        self.send_reports(len(account.sequenced))

    def send_reports(self, last: int) -> None:
        """Queue the account's messages up to number `last` that this connection has not passed on."""
        if self.phase is not Phase.ACTIVE or self.account is None or last <= self._sent_sequence:
            return
        for raw in self.account.sequenced[self._sent_sequence : last]:
            self._outgoing += encode("sequenced_data", raw)
        self._sent_sequence = last

    @property
    def next_sequence(self) -> int:
        """Number of the next sequenced message this connection passes on."""
        return self._sent_sequence + 1

    def keep_alive(self, now_ns: int) -> None:
        """A heartbeat after a second without a word; a client that was silent for too long is gone."""
        if self.phase is Phase.CLOSED:
            return
        if now_ns - self._heard_ns > self._timeout_ns:
            self.close("no heartbeat")
        elif now_ns - self._spoke_ns >= HEARTBEAT_NS and self.phase is Phase.ACTIVE:
            self._outgoing += encode("server_heartbeat")

    def end(self) -> None:
        """End of session: the client is told, then the connection closes."""
        if self.phase is Phase.ACTIVE:
            self._outgoing += encode("end_of_session")
        self.close("end of session")

    def close(self, reason: str) -> None:
        """Nothing more is read; what is queued may still be written."""
        if self.phase is not Phase.CLOSED:
            self.phase, self.reason = Phase.CLOSED, reason

    def take_outgoing(self, now_ns: int) -> bytes:
        """Bytes to write, once."""
        if not self._outgoing:
            return b""
        self._spoke_ns = now_ns
        raw = bytes(self._outgoing)
        self._outgoing.clear()
        return raw
