"""A venue's OUCH port: SoupBinTCP sessions on a listening TCP socket, driven by the process's selector."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable

from engine.simulator.ouch_account import OuchAccount
from engine.simulator.soup_session import DEBUG, Phase, SoupSession
from engine.simulator.venue import Venue

RECEIVE_BYTES = 65536
SEND_LIMIT = 8 << 20  # a client that leaves this much unread is closed


class Connection:
    """A socket, its session, and bytes the kernel would not take yet."""

    def __init__(self, peer: socket.socket, session: SoupSession) -> None:
        self.socket, self.session = peer, session
        self.unsent = b""


class OrderServer:
    """`submit(account, message)` and `confirm(account, text)` are called for what clients send."""

    def __init__(
        self,
        venue: Venue,
        session: str,
        selector: selectors.BaseSelector,
        address: tuple[str, int],
        timeout_ns: int,
        submit: Callable[[OuchAccount, bytes], None],
        confirm: Callable[[OuchAccount, bytes], None],
        gone: Callable[[OuchAccount], None],
    ) -> None:
        self.venue = venue
        self._session, self._selector, self._timeout_ns = session, selector, timeout_ns
        self._submit, self._confirm, self._gone = submit, confirm, gone
        self._connections: list[Connection] = []
        self._listener = socket.create_server(address, backlog=16)
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])
        selector.register(self._listener, selectors.EVENT_READ, self._accept)

    def active(self) -> list[SoupSession]:
        """Sessions that are logged in."""
        return [c.session for c in self._connections if c.session.phase is Phase.ACTIVE]

    def _accept(self, _mask: int, now_ns: int) -> None:
        try:
            peer, _ = self._listener.accept()
        except OSError:
            return
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(peer, SoupSession(self._session, self._log_in, self._timeout_ns, now_ns))
        self._connections.append(connection)
        self._selector.register(peer, selectors.EVENT_READ, lambda mask, now: self._ready(connection, mask, now))

    def _log_in(self, user: str, password: str) -> OuchAccount | None:
        account = self.venue.accounts.get(user)
        if not isinstance(account, OuchAccount) or account.password != password:
            return None
        for connection in self._connections:
            if connection.session.account is account:
                connection.session.close("taken over by a later login")
        return account

    def _ready(self, connection: Connection, mask: int, now_ns: int) -> None:
        if mask & selectors.EVENT_READ:
            self._read(connection, now_ns)
        self._flush(connection, now_ns)

    def _read(self, connection: Connection, now_ns: int) -> None:
        session = connection.session
        try:
            raw = connection.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            raw = b""
        if not raw:
            session.close("disconnected")
            return
        for kind, payload in session.receive(raw, now_ns):
            if session.account is None:
                continue
            if kind == DEBUG:
                self._confirm(session.account, payload)
            else:
                self._submit(session.account, payload)

    def send_reports(self, account: OuchAccount, last: int, now_ns: int) -> None:
        """Pass on an account's messages up to number `last`."""
        for connection in list(self._connections):
            if connection.session.account is account:
                connection.session.send_reports(last)
                self._flush(connection, now_ns)

    def keep_alive(self, now_ns: int) -> None:
        """Heartbeats and time-outs; call at least a few times a second."""
        for connection in list(self._connections):
            connection.session.keep_alive(now_ns)
            self._flush(connection, now_ns)

    def _flush(self, connection: Connection, now_ns: int) -> None:
        connection.unsent += connection.session.take_outgoing(now_ns)
        try:
            while connection.unsent:
                sent = connection.socket.send(connection.unsent)
                connection.unsent = connection.unsent[sent:]
        except BlockingIOError:
            if len(connection.unsent) > SEND_LIMIT:
                connection.session.close("the client does not read")
                connection.unsent = b""
        except OSError:
            connection.session.close("disconnected")
            connection.unsent = b""
        if connection.session.phase is Phase.CLOSED and not connection.unsent:
            self._drop(connection)
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.unsent else 0)
        key = self._selector.get_key(connection.socket)
        if key.events != events:
            self._selector.modify(connection.socket, events, key.data)

    def _drop(self, connection: Connection) -> None:
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        self._selector.unregister(connection.socket)
        connection.socket.close()
        account = connection.session.account
        if account is not None and not any(s.account is account for s in self.active()):
            self._gone(account)

    def end(self, now_ns: int) -> None:
        """End of session for every client."""
        for connection in list(self._connections):
            connection.session.end()
            self._flush(connection, now_ns)

    def close(self) -> None:
        """Close every socket."""
        for connection in list(self._connections):
            connection.unsent = b""
            connection.session.close("exchange stopped")
            self._drop(connection)
        self._selector.unregister(self._listener)
        self._listener.close()
