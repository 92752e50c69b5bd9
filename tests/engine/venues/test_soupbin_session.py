"""Logging in to a SoupBinTCP server: a real socket, every answer it may give."""

from __future__ import annotations

import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator

import pytest

from engine.protocols import soupbintcp
from engine.venues.fields import Address
from engine.venues.soupbin_session import LoggedIn, LoginAttempt, LoginFailed, log_in

ACCEPTED = soupbintcp.encode("login_accepted", session="DAY7", sequence=42)
HEARTBEAT = soupbintcp.encode("server_heartbeat")
DATA = soupbintcp.encode("sequenced_data", b"first")


class Server:
    """Accepts one connection, keeps what it received and answers with fixed bytes, one after the other."""

    def __init__(self, answers: list[bytes], close: bool = False) -> None:
        self.received = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = Address(*self._listener.getsockname())
        self._answers, self._close = answers, close
        self.connection: socket.socket | None = None
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.connection, _ = self._listener.accept()
        except OSError:
            return
        self.received = self.connection.recv(1000)
        for answer in self._answers:
            self.connection.sendall(answer)
        if self._close:
            self.connection.close()

    def stop(self) -> None:
        self._listener.close()
        self._thread.join(5)
        if self.connection:
            self.connection.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*answers: bytes, close: bool = False) -> Server:
        servers.append(Server(list(answers), close))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def test_an_accepted_login_hands_over_a_socket_with_every_later_byte_unread(serve: Callable[..., Server]) -> None:
    server = serve(ACCEPTED + DATA)
    made = log_in(server.address, "desk", "secret", "", 42, 5)
    assert (made.session, made.sequence) == ("DAY7", 42)
    assert server.received == b"\x00\x2fLdesk  secret              " + b"                  42"
    assert not made.connection.getblocking()
    assert made.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert made.connection.recv(100) == DATA
    made.connection.close()


def test_heartbeats_and_debug_before_the_answer_and_an_answer_in_pieces_are_fine(serve: Callable[..., Server]) -> None:
    debug = soupbintcp.encode("debug", b"hello")
    server = serve(HEARTBEAT, debug, *(ACCEPTED[at : at + 1] for at in range(len(ACCEPTED))))
    made = log_in(server.address, "desk", "secret", "DAY7", 1, 5)
    assert (made.session, made.sequence) == ("DAY7", 42)
    made.connection.close()


@pytest.mark.parametrize(
    ("answers", "close", "refused", "sentence"),
    [
        ([soupbintcp.encode("login_rejected", reason="A")], False, True, "user or password is wrong"),
        ([soupbintcp.encode("login_rejected", reason="S")], False, True, "does not have the session"),
        ([soupbintcp.encode("login_rejected", reason="?")], False, True, "refused the login with code '?'"),
        ([b"\0\4QUIT"], False, False, "does not speak SoupBinTCP"),
        ([DATA], False, False, "answered the login with sequenced_data"),
        ([], True, False, "closed the connection during the login"),
        ([ACCEPTED[:9]], True, False, "closed the connection during the login"),
        ([ACCEPTED[:9]], False, False, "did not answer the login within 0.2 s"),
        ([], False, False, "did not answer the login within 0.2 s"),
    ],
)
def test_every_other_answer_is_a_sentence(
    serve: Callable[..., Server], answers: list[bytes], close: bool, refused: bool, sentence: str
) -> None:
    server = serve(*answers, close=close)
    with pytest.raises(LoginFailed, match=sentence.replace("?", r"\?")) as failure:
        log_in(server.address, "desk", "secret", "", 1, 0.2)
    assert failure.value.refused is refused


def test_nobody_listening_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = Address(*taken.getsockname())
    with pytest.raises(LoginFailed, match=f"cannot connect to 127.0.0.1:{address.port}: Connection refused"):
        log_in(address, "desk", "secret", "", 1, 1)


@pytest.mark.parametrize(
    ("user", "password"), [("desk", "longer than ten"), ("traders", "secret"), ("desk", "pass\u20ac")]
)
def test_what_does_not_fit_is_a_sentence_that_keeps_the_password(user: str, password: str) -> None:
    with pytest.raises(LoginFailed) as failure:
        log_in(Address("127.0.0.1", 1), user, password, "", 1, 1)
    said = "".join(traceback.format_exception(failure.value))
    assert "at most 6 of the user and 10 of the password" in said
    assert password not in said


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_an_attempt_reports_its_outcome_without_blocking_anybody(serve: Callable[..., Server]) -> None:
    attempt = LoginAttempt(serve(ACCEPTED).address, "desk", "secret", "", 1)
    wait_for(lambda: attempt.outcome is not None)
    assert isinstance(attempt.outcome, LoggedIn)
    attempt.outcome.connection.close()
    refused = LoginAttempt(serve(soupbintcp.encode("login_rejected", reason="A")).address, "desk", "x", "", 1)
    wait_for(lambda: refused.outcome is not None)
    assert isinstance(refused.outcome, LoginFailed)


def test_an_abandoned_attempt_leaves_no_connection(serve: Callable[..., Server]) -> None:
    server = serve(ACCEPTED)
    attempt = LoginAttempt(server.address, "desk", "secret", "", 1)
    wait_for(lambda: attempt.outcome is not None)
    attempt.abandon()
    assert attempt.outcome is None
    assert server.connection is not None
    server.connection.settimeout(5)
    assert server.connection.recv(1) == b""


def test_an_attempt_that_breaks_off_says_so_and_leaves_no_connection(
    serve: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a mistake of ours")

    monkeypatch.setattr("engine.venues.soupbin_session._read_answer", broken)
    server = serve()
    attempt = LoginAttempt(server.address, "desk", "secret", "", 1)
    wait_for(lambda: attempt.outcome is not None)
    assert isinstance(attempt.outcome, LoginFailed)
    assert str(attempt.outcome) == "the attempt to connect broke off: RuntimeError; the engine's log says where"
    assert not attempt.outcome.refused
    wait_for(lambda: server.connection is not None and server.received != b"")
    assert server.connection is not None
    assert server.connection.recv(1) == b""
