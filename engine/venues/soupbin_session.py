"""Connect and log in to a SoupBinTCP server: the cold part of an order session, before the loop takes the socket.

Everything here may wait, so it runs in a helper thread (`LoginAttempt`); the loop looks at `outcome` between batches.
"""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from engine.protocols import soupbintcp
from engine.protocols.layouts import MalformedMessage, Message
from engine.venues.fields import Address
from engine.venues.session_log import SessionLog

REJECT_REASONS = {
    "A": "the venue refused the login: user or password is wrong (not authorized)",
    "S": "the venue refused the login: it does not have the session that was asked for",
}
TOO_LONG = "user or password does not fit SoupBinTCP: plain letters, at most 6 of the user and 10 of the password"
LENGTH_FIELD = 2
Made = TypeVar("Made")


class LoginFailed(Exception):
    """Why there is no session, as a sentence. `refused` when the venue itself said no: asking again will not help."""

    def __init__(self, sentence: str, refused: bool = False) -> None:
        super().__init__(sentence)
        self.refused = refused


@dataclass(frozen=True)
class LoggedIn:
    """An order session, ready for the loop.

    `connection` is non-blocking with TCP_NODELAY, and not one byte after the Login Accepted packet was read from it.
    `sequence` is that of the next sequenced data packet.
    """

    connection: socket.socket
    session: str
    sequence: int


def log_in(
    address: Address,
    user: str,
    password: str,
    session: str,
    sequence: int,
    timeout_s: float,
    log: SessionLog | None = None,
) -> LoggedIn:
    """One attempt (SoupBinTCP 2.2, 2.3); LoginFailed with a sentence when it does not work within `timeout_s` seconds.

    `session` is blank for the current one; `sequence` is the next packet wanted, 1 for the whole session again.
    `log` gets what is said.
    """
    log = log or SessionLog()
    deadline = time.monotonic() + timeout_s
    where = f"{address.host}:{address.port}"
    try:
        request = soupbintcp.encode(
            "login_request", username=user, password=password, session=session, sequence=sequence
        )
    except ValueError:  # which has the password in its text
        raise LoginFailed(TOO_LONG) from None
    try:
        connection = socket.create_connection(address, timeout_s)
    except OSError as error:
        raise LoginFailed(f"cannot connect to {where}: {error.strerror or error}") from None
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request)
        log.sent(request)
        answer = _read_answer(connection, deadline)
        log.received(answer)
        accepted = _accepted(answer, where)
        connection.setblocking(False)
    except TimeoutError:
        connection.close()
        raise LoginFailed(f"{where} did not answer the login within {timeout_s:g} s") from None
    except OSError as error:
        connection.close()
        raise LoginFailed(f"lost {where} during the login: {error.strerror or error}") from None
    except BaseException:
        connection.close()
        raise
    return LoggedIn(connection, str(accepted["session"]).strip(), int(accepted["sequence"]))


def _accepted(packet: bytes, where: str) -> Message:
    try:
        answer = soupbintcp.decode(packet)
    except MalformedMessage as error:
        raise LoginFailed(f"{where} does not speak SoupBinTCP: {error}") from None
    if answer.name == "login_accepted":
        return answer
    if answer.name == "login_rejected":
        code = str(answer["reason"])
        raise LoginFailed(REJECT_REASONS.get(code, f"the venue refused the login with code {code!r}"), refused=True)
    raise LoginFailed(f"{where} answered the login with {answer.name}")


def _read_answer(connection: socket.socket, deadline: float) -> bytes:
    """The first packet that is not debug or a heartbeat, and nothing of what follows it: that belongs to the loop."""
    while True:
        length = _read(connection, LENGTH_FIELD, deadline)
        packet = length + _read(connection, int.from_bytes(length, "big"), deadline)
        if packet[LENGTH_FIELD : LENGTH_FIELD + 1] not in (b"+", b"H"):
            return packet


def _read(connection: socket.socket, count: int, deadline: float) -> bytes:
    received = b""
    while len(received) < count:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        part = connection.recv(count - len(received))
        if not part:
            raise LoginFailed("the venue closed the connection during the login")
        received += part
    return received


def outcome_of(attempt: Callable[[], Made]) -> Made | LoginFailed:
    """What an attempt in a helper thread came to. Also what nobody foresaw: the loop would wait for ever for a thread
    that an exception has ended. Its text is kept back, for it may repeat a password.
    """
    try:
        return attempt()
    except LoginFailed as error:
        return error
    except Exception as error:  # noqa: BLE001 - see above
        traceback.print_tb(error.__traceback__)
        return LoginFailed(f"the attempt to connect broke off: {type(error).__name__}; the engine's log says where")


class LoginAttempt:
    """`log_in` in a thread: `outcome` is None while it waits, then LoggedIn or LoginFailed."""

    def __init__(
        self,
        address: Address,
        user: str,
        password: str,
        session: str,
        sequence: int,
        timeout_s: float = 5.0,
        log: SessionLog | None = None,
    ) -> None:
        self.outcome: LoggedIn | LoginFailed | None = None
        self._arguments = (address, user, password, session, sequence, timeout_s, log)
        self._abandoned = False
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name=f"login {address.host}:{address.port}", daemon=True).start()

    def _run(self) -> None:
        outcome = outcome_of(lambda: log_in(*self._arguments))
        with self._lock:
            if self._abandoned and isinstance(outcome, LoggedIn):
                outcome.connection.close()
            else:
                self.outcome = outcome

    def abandon(self) -> None:
        """Nobody wants the outcome any more: close the connection that came or will come."""
        with self._lock:
            self._abandoned = True
            if isinstance(self.outcome, LoggedIn):
                self.outcome.connection.close()
                self.outcome = None
