"""One venue's drop copy as it comes: a thread that logs in over SoupBinTCP, again and again, and hands messages on."""

from __future__ import annotations

import queue
import threading
import time
import traceback
from dataclasses import dataclass

from engine.protocols import soupbintcp
from engine.protocols.layouts import MalformedMessage, Message
from engine.protocols.ouch50 import Direction, decode
from engine.venues.fields import Address
from engine.venues.secret_files import SecretFiles
from engine.venues.soupbin_session import LoggedIn, LoginFailed, log_in, outcome_of

RETRY_S, SILENCE_S, HEARTBEAT_S, READ_S = 1.0, 15.0, 1.0, 0.5
LOGIN_S = 5.0
READ_BYTES = 1 << 16


@dataclass(frozen=True)
class Heard:
    """From a venue's drop copy: a message, or `message` None when the session came (`up`) or went, or cannot be had:
    `why`. `by` is the listener that heard it."""

    venue: int
    message: Message | None
    up: bool = True
    why: str = ""
    by: DropCopyListener | None = None


class DropCopyListener:
    """Puts `Heard` into `inbox` until `stop`."""

    def __init__(
        self,
        venue: int,
        address: Address,
        user: str,
        password: str,
        inbox: queue.SimpleQueue[Heard],
        secrets: SecretFiles,
    ) -> None:
        """`password` is one, or names its file, which is read at every attempt."""
        self._venue, self._address, self._user, self._password = venue, address, user, password
        self._secrets = secrets
        self._inbox = inbox
        self._stopping = threading.Event()
        self.complaint = ""
        self._up = False
        self._thread = threading.Thread(target=self._run, name=f"drop copy {venue}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Hear no more."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            # The whole session: what was executed while nobody listened is in it, too.
            session = outcome_of(self._log_in)
            if isinstance(session, LoginFailed):
                self._gone(str(session))
            else:
                self._tell(Heard(self._venue, None, by=self))
                self._gone(self._listened(session))
            self._stopping.wait(RETRY_S)

    def _log_in(self) -> LoggedIn:
        try:
            password = self._secrets.text(self._password)
        except ValueError as error:
            raise LoginFailed(str(error)) from None
        return log_in(self._address, self._user, password, "", 1, LOGIN_S)

    def _listened(self, session: LoggedIn) -> str:
        """Listen to the end of a session; why it ended."""
        try:
            self._listen(session)
        except (OSError, MalformedMessage) as error:
            return f"it was lost: {error}"
        except Exception as error:  # noqa: BLE001 - without its thread nobody would listen ever again
            traceback.print_exc()
            return f"it was lost: {type(error).__name__}"
        finally:
            session.connection.close()
        return ""

    def _gone(self, why: str) -> None:
        """Said once for each reason, not for every attempt."""
        if why != self.complaint or self._up:
            self.complaint = why
            self._tell(Heard(self._venue, None, up=False, why=why, by=self))

    def _tell(self, heard: Heard) -> None:
        self._up = heard.up
        self._inbox.put(heard)

    def _listen(self, session: LoggedIn) -> None:
        connection, splitter = session.connection, soupbintcp.Splitter()
        connection.settimeout(READ_S)
        heard = spoke = time.monotonic()
        while not self._stopping.is_set():
            now = time.monotonic()
            if now - spoke >= HEARTBEAT_S:
                connection.sendall(soupbintcp.encode("client_heartbeat"))
                spoke = now
            if now - heard > SILENCE_S:
                raise OSError(f"it was silent for {SILENCE_S:g} seconds")
            try:
                raw = connection.recv(READ_BYTES)
            except TimeoutError:
                continue
            if not raw:
                raise OSError("the venue closed it")
            heard = time.monotonic()
            for packet in splitter.feed(raw):
                self._packet(packet)

    def _packet(self, packet: bytes) -> None:
        frame = soupbintcp.decode(packet)
        if frame.name == "sequenced_data":
            self._tell(Heard(self._venue, decode(frame.payload, Direction.OUTBOUND), by=self))
        elif frame.name == "end_of_session":
            raise OSError("its session is over")
