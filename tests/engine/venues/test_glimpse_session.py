"""The client of a GLIMPSE server against the exchange's own server, and against servers that misbehave."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from engine.messages.instruments import Instrument, write_instruments
from engine.protocols import itch50, moldudp64, soupbintcp
from engine.simulator.assemble import Assembly
from engine.simulator.config import parse_config
from engine.simulator.glimpse_server import GlimpseServer, snapshot_messages
from engine.venues import glimpse_session
from engine.venues.fields import Address, SnapshotSettings
from engine.venues.glimpse_session import take_snapshot
from engine.venues.soupbin_session import LoginFailed

SESSION = b"S1        "
NAMES = frozenset({b"ABC     ", b"XYZ     "})
START_NS = 1_700_000_000_000_000_000


def settings(port: int, user: str = "A", password: str = "secret") -> SnapshotSettings:
    return SnapshotSettings(Address("127.0.0.1", port), user, password, 1)


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    directory = tmp_path_factory.mktemp("exchange")
    listed = [Instrument(1, "ABC", open_price=100_000), Instrument(2, "XYZ", open_price=200_000)]
    write_instruments(directory / "instruments.json", listed)
    (directory / "out").mkdir()
    raw = {"out": "out", "instruments": "instruments.json", "session": "S1", "market": {"rate": 100.0}}
    made = Assembly(parse_config(raw | {"venues": [{"name": "ONE", "id": 1}]}, directory), START_NS, log=False)
    made.open()
    made.simulation.drain()
    return made


@pytest.fixture
def server(assembly: Assembly) -> Iterator[GlimpseServer]:
    selector = selectors.DefaultSelector()
    made = GlimpseServer(assembly.venues[0], "S1", selector, ("127.0.0.1", 0), 10**10, {"A": "secret"})
    stopped = threading.Event()

    def serve() -> None:
        while not stopped.is_set():
            for key, mask in selector.select(0.01):
                key.data(mask, time.monotonic_ns())

    thread = threading.Thread(target=serve)
    thread.start()
    yield made
    stopped.set()
    thread.join()
    made.close()
    selector.close()


def test_the_client_gets_what_the_server_has_in_packets_of_the_feeds_session(
    assembly: Assembly, server: GlimpseServer
) -> None:
    snapshot = take_snapshot(settings(server.port), SESSION, NAMES)
    packets = [moldudp64.decode(packet) for packet in snapshot.packets]
    *expected, end = snapshot_messages(assembly.venues[0])
    assert [message for packet in packets for message in packet.messages] == expected
    assert {(p.session, p.sequence) for p in packets} == {("S1", itch50.decode_snapshot(end)["sequence"])}
    assert (snapshot.messages, snapshot.sequence) == (len(expected), assembly.venues[0].feed.next_sequence)
    assert sum(message[:1] == b"A" for message in expected) > 40


def test_orders_of_instruments_that_nobody_here_trades_are_left_out(server: GlimpseServer) -> None:
    snapshot = take_snapshot(settings(server.port), SESSION, frozenset({b"XYZ     "}))
    messages = [itch50.decode(raw) for packet in snapshot.packets for raw in moldudp64.decode(packet).messages]
    assert {m.values["instrument"] for m in messages if m.name == "add_order"} == {"XYZ"}
    assert {m.values["instrument"] for m in messages if m.name == "stock_directory"} == {"ABC", "XYZ"}


@pytest.mark.parametrize(("user", "password"), [("B", "secret"), ("A", "wrong"), ("", "")])
def test_a_wrong_login_is_refused_with_a_sentence(server: GlimpseServer, user: str, password: str) -> None:
    with pytest.raises(LoginFailed, match="user or password is wrong"):
        take_snapshot(settings(server.port, user, password), SESSION, NAMES)


ACCEPTED = soupbintcp.encode("login_accepted", session="S1", sequence=1)
DATA = soupbintcp.encode("sequenced_data", itch50.encode("system_event", event="Q"))
Answer = Callable[[bytes], int]


@pytest.fixture
def answer() -> Iterator[Answer]:
    """A server on the loopback that says these bytes to whoever logs in, then ends the connection. Its port."""
    threads = []

    def listen(said: bytes, then_silent: bool = False) -> int:
        listener = socket.create_server(("127.0.0.1", 0))

        def serve() -> None:
            with listener, listener.accept()[0] as peer:
                peer.recv(4096)
                peer.sendall(said)
                if then_silent:
                    while peer.recv(4096):
                        pass

        threads.append(threading.Thread(target=serve))
        threads[-1].start()
        return int(listener.getsockname()[1])

    yield listen
    for thread in threads:
        thread.join(20)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (ACCEPTED + DATA, "ended the snapshot before it was whole"),
        (ACCEPTED + DATA + soupbintcp.encode("end_of_session"), "ended the snapshot before it was whole"),
        (ACCEPTED + DATA + b"\0\0", "is malformed"),
        (ACCEPTED + soupbintcp.encode("sequenced_data", b"short"), "a message of 5 bytes in a snapshot"),
        (ACCEPTED + soupbintcp.encode("sequenced_data", b"G123"), "end_of_snapshot has 21 bytes"),
        (ACCEPTED + soupbintcp.encode("sequenced_data", b"G" + b"x" * 20), "is malformed"),
        (soupbintcp.encode("login_rejected", reason="S"), "does not have the session"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "."),
    ],
)
def test_a_snapshot_that_is_not_whole_is_no_snapshot(answer: Answer, said: bytes, sentence: str) -> None:
    with pytest.raises(LoginFailed, match=sentence):
        take_snapshot(settings(answer(said)), SESSION, NAMES)


def test_a_server_that_falls_silent_is_given_up(answer: Callable[..., int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glimpse_session, "SILENCE_S", 0.2)
    monkeypatch.setattr(glimpse_session, "HEARTBEAT_S", 0.1)
    with pytest.raises(LoginFailed, match="went silent in the middle of a snapshot"):
        take_snapshot(settings(answer(ACCEPTED + DATA, True)), SESSION, NAMES)


def test_nobody_listening_is_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(LoginFailed, match="cannot connect to"):
        take_snapshot(settings(port), SESSION, NAMES)
