"""A FIX acceptor of our own with an echo application: every order comes back as it was.

It is the other end in tests and in the acceptance definitions (`python -m engine study fix-acceptance`); one thread,
one session for each client.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from pathlib import Path

from engine.protocols import fix
from engine.protocols.fix import FixMessage
from engine.protocols.fix_dictionary import read_dictionary
from engine.protocols.fix_sender import IDENTITY, LOGON, ROUTES, SENDER_COMP_ID, TARGET_COMP_ID, FixSettings
from engine.protocols.fix_session import Application, FixSession, Unsupported
from engine.protocols.layouts import MalformedMessage
from engine.transport.fix_store import FixMessages

ECHOED = frozenset("Dd")  # NewOrderSingle, SecurityDefinition
CL_ORD_ID, POSS_RESEND = 11, 97
TICK_S = 0.02
READ_BYTES = 1 << 16


class Echo:
    """What the client sends comes back; an order with PossResend(97) only if its ClOrdID(11) was not seen."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def __call__(self, session: FixSession, message: FixMessage, now_ns: int) -> None:
        if message.type not in ECHOED:
            raise Unsupported
        identifier = message.get(CL_ORD_ID)
        if message.get(POSS_RESEND) == "Y" and identifier in self._seen:
            return
        self._seen.add(identifier)
        body = [pair for pair in message.fields if pair[0] not in IDENTITY and pair[0] not in ROUTES]
        session.send(message.type, body, now_ns)


class _Client:
    """A connection. Its session is known when its Logon(A) came."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.session: FixSession | None = None
        self.waiting = b""
        self.since = time.monotonic()


class EchoAcceptor:
    """Listens at `port` of 127.0.0.1 (0: any free one) from `start` to `stop`. `clients` are CompIDs that may log on.

    `resets`: numbers begin at 1 with every connection; otherwise they are kept in `directory`. `application` takes the
    messages of every session instead of an echo.
    """

    def __init__(
        self,
        version: str,
        name: str,
        clients: list[str],
        directory: Path,
        *,
        port: int = 0,
        resets: bool = False,
        application: Application | None = None,
    ) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])
        dictionary = read_dictionary(version)
        self._settings = {
            client: FixSettings(version, name, client, 30, initiator=False, dictionary=dictionary, resends=True,
                                resets=resets)
            for client in clients
        }  # fmt: skip
        self._stores = {client: FixMessages(directory / client) for client in clients}
        self._application = application
        self._clients: list[_Client] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"FIX acceptor {self.port}", daemon=True)

    def start(self) -> None:
        """Serve in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and give the numbers to the next one."""
        self._stopping.set()
        self._thread.join()
        for client in list(self._clients):
            self._drop(client)
        self._listener.close()
        for store in self._stores.values():
            store.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as selector:
            while not self._stopping.is_set():
                for known in list(selector.get_map().values()):
                    selector.unregister(known.fileobj)
                selector.register(self._listener, selectors.EVENT_READ, None)
                for client in self._clients:
                    selector.register(client.connection, selectors.EVENT_READ, client)
                ready = [key.data for key, _ in selector.select(TICK_S)]
                # Ends of connections before new ones: a client that comes back at once finds its session free.
                for client in ready:
                    if client is not None:
                        self._read(client)
                if None in ready:
                    self._accept()
                self._tick()

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            connection, _ = self._listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setblocking(False)
            self._clients.append(_Client(connection))

    def _read(self, client: _Client) -> None:
        try:
            raw = client.connection.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            raw = b""
        if not raw:
            self._drop(client)
            return
        now_ns = time.time_ns()
        if client.session is None:
            client.waiting += raw
            client.session = self._session_of(client, now_ns)
            raw = client.waiting
        if client.session is not None:
            client.session.receive(raw, now_ns)
            self._flush(client)

    def _session_of(self, client: _Client, now_ns: int) -> FixSession | None:
        """The session that the first message logs on to; a connection without one, or with one too many, ends."""
        frame = next(fix.Splitter().feed(client.waiting), None)
        if frame is None:
            return None
        try:
            message = fix.decode(frame)
        except MalformedMessage:
            self._drop(client)
            return None
        settings = self._settings.get(message.get(SENDER_COMP_ID))
        taken = any(c.session is not None and c.session.settings is settings for c in self._clients)
        fits = settings is not None and (message.begin_string, message.type, message.get(TARGET_COMP_ID)) == (
            settings.begin_string, LOGON, settings.sender,
        )  # fmt: skip
        if settings is None or not fits or taken:
            self._drop(client)
            return None
        session = FixSession(settings, self._stores[settings.target], self._application or Echo())
        session.begin(now_ns)
        return session

    def _tick(self) -> None:
        now_ns = time.time_ns()
        for client in list(self._clients):
            if client.session is not None:
                client.session.tick(now_ns)
                self._flush(client)
            elif time.monotonic() - client.since > 10:
                self._drop(client)

    def _flush(self, client: _Client) -> None:
        assert client.session is not None
        output = client.session.take_output()
        try:
            if output:
                client.connection.setblocking(True)
                client.connection.sendall(output)
                client.connection.setblocking(False)
        except OSError:
            self._drop(client)
            return
        if client.session.closed:
            self._drop(client)

    def _drop(self, client: _Client) -> None:
        if client in self._clients:
            self._clients.remove(client)
            client.connection.close()
            if client.session is not None and client.session.settings.resets:
                client.session.store.reset()
