"""Who is measured by tick-to-order: the engine, the floor in C (or native code here), and asyncio. Each a process."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zmq

from engine.bench.decision_path import ACTOR, FEES, open_limits
from engine.bench.itch_session import VENUE
from engine.bench.market import Market
from engine.config import WARM_DECISIONS_US
from engine.messages import control
from engine.messages.control import StartStrategy, command, decode_status
from engine.messages.endpoints import engine_endpoints, shared_memory_path
from engine.messages.follow import decode_answer
from engine.messages.instruments import write_instruments
from engine.native import (
    DONT_WAIT,
    NO_SIGNAL,
    address_of,
    hot,
    load_be64,
    load_i64,
    recv,
    send,
)
from engine.protocols import ouch50, soupbintcp

PATIENCE_S = 240.0
SESSION = "BENCH"
PR_SET_PDEATHSIG = 1
LARGEST_PACKET = 2048


def die_with_us() -> None:
    """In the new process: be killed when the one that started it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL))


def free_port(kind: socket.SocketKind) -> int:
    """A port that nobody has on the loopback."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Contestant:
    """One process behind two sockets: `feed` sends packets to it, `orders` is its connection to us."""

    name = ""

    def __init__(self, cpu: int | None) -> None:
        self.cpu = cpu
        self.udp_port = free_port(socket.SOCK_DGRAM)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE_S)
        self.tcp_port = int(self._listener.getsockname()[1])
        self.feed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.feed.connect(("127.0.0.1", self.udp_port))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, arguments: Sequence[str]) -> None:
        """Start the process and wait for its connection."""
        # None of them may spin on when the benchmark is killed.
        self.process = subprocess.Popen(arguments, start_new_session=True, preexec_fn=die_with_us)
        self._listener.settimeout(0.2)
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self.orders, _ = self._listener.accept()
                break
            except TimeoutError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{self.name} did not come up") from None
        self.orders.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.orders.settimeout(PATIENCE_S)

    def begin(self) -> None:
        """Start it and bring it to where packets may come."""
        raise AssertionError("a contestant says how it begins")

    def pin(self) -> None:
        """Its main thread on one processor, the harness has the other."""
        if self.cpu is not None and self.process is not None:
            os.sched_setaffinity(self.process.pid, {self.cpu})

    def pause(self) -> None:
        """Not a turn of its own: it must not spin beside the others."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Its turn."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT)

    def details(self) -> dict[str, Any]:
        """What it knows itself about its latency."""
        return {}

    def stop(self) -> None:
        """End the process."""
        for each in (self.feed, self._listener, getattr(self, "orders", None)):
            if each is not None:
                each.close()
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.go_on()
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Floor(Contestant):
    """Receives and sends, nothing else: in C, or in native code of this engine when there is no compiler."""

    def __init__(self, cpu: int | None, script: Path, program: Path | None) -> None:
        super().__init__(cpu)
        self.name = "floor_c" if program else "floor_native"
        self._arguments = [str(program)] if program else [sys.executable, "-m", "engine.bench.contestants", "native"]
        self._script = script

    def begin(self) -> None:
        """Start it."""
        self.start([*self._arguments, str(self._script), str(self.udp_port), str(self.tcp_port)])


class Asyncio(Contestant):
    """The same in plain asyncio."""

    name = "asyncio"

    def __init__(self, cpu: int | None, script: Path) -> None:
        super().__init__(cpu)
        self._script = script

    def begin(self) -> None:
        """Start it."""
        ports = (str(self._script), str(self.udp_port), str(self.tcp_port))
        self.start([sys.executable, "-m", "engine.bench.contestants", "asyncio", *ports])


SET = "engine_set"  # the engine with other settings, beside the engine


class EngineProcess(Contestant):
    """`python -m engine run`, as in use: recovery, copier, servers, the loop spinning; pairs and limits by commands."""

    name = "engine"

    def __init__(
        self,
        cpu: int | None,
        market: Market,
        pairs: Sequence[StartStrategy],
        state: Path,
        warm_us: int = 0,
        warm_decisions_us: int = WARM_DECISIONS_US,
        settings: Sequence[str] = (),
    ) -> None:
        """`settings`: lines of engine.toml that replace the usual ones of the same name."""
        super().__init__(cpu)
        if settings:
            self.name = SET
        self._state, self._pairs = state, pairs
        write_instruments(state / "instruments.json", market.instruments())
        lines = ['instruments = "instruments.json"', 'wait = "spinning"', f"venue_count = {VENUE}"]
        lines += [f"strategy_count = {len(pairs) + 2}", f"warm_sends_us = {warm_us}"]
        lines += [f"warm_decisions_us = {warm_decisions_us}", *settings]
        chosen = {line.partition("=")[0].strip(): line for line in lines}
        (state / "engine.toml").write_text("".join(f"{line}\n" for line in chosen.values()))
        self._endpoints = engine_endpoints(state)
        self._control: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        self._control.setsockopt(zmq.LINGER, 0)
        self._control.connect(self._endpoints.control)

    def go_on(self) -> None:
        """Its turn. While it was stopped nobody spoke to it: a heartbeat lies ready before it looks at the clock."""
        orders = getattr(self, "orders", None)
        if orders is not None:
            with contextlib.suppress(OSError):
                orders.sendall(soupbintcp.encode("server_heartbeat"))
        super().go_on()

    def begin(self) -> None:
        """Start it, limits, venue and pairs by commands, log it in, wait until it is active."""
        state, pairs = self._state, self._pairs
        self.process = subprocess.Popen(
            [sys.executable, "-m", "engine", "run", str(state / "engine.toml")],
            start_new_session=True,
            preexec_fn=die_with_us,
        )
        settings = {
            "order_address": f"127.0.0.1:{self.tcp_port}",
            "user": "bench",
            "password": "bench",
            "feed_line_a": f"127.0.0.1:{self.udp_port}",
        }
        venue = control.DefineVenue(VENUE, "BENCH", "ouch50", settings | FEES)
        self._order(open_limits(pairs))
        for body in (venue, *pairs):
            self._order(body)
        self._serve_login()
        self._wait_until_active()

    def _order(self, body: Any) -> None:
        self._control.send(command(body, ACTOR).encode())
        deadline = time.monotonic() + PATIENCE_S
        while not self._control.poll(500):
            assert self.process is not None
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the engine does not answer commands")
        status = decode_status(self._control.recv_multipart()[-1])
        if not status.applied:
            raise RuntimeError(status.reason)

    def _serve_login(self) -> None:
        self.orders, _ = self._listener.accept()
        self.orders.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.orders.settimeout(PATIENCE_S)
        splitter = soupbintcp.Splitter()
        answered = False
        while not answered:
            for raw in splitter.feed(self.orders.recv(4096)):
                packet = soupbintcp.decode(raw)
                if packet.name == "login_request":
                    self.orders.sendall(soupbintcp.encode("login_accepted", session=SESSION, sequence=1))
                elif packet.name == "unsequenced_data":
                    answer = ouch50.encode_outbound("account_query_response", {}, timestamp_ns=1, next_user_reference=1)
                    self.orders.sendall(soupbintcp.encode("sequenced_data", answer))
                    answered = True

    def _wait_until_active(self) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            state = self.state()
            up = all(row["session"] == "UP" for row in state["venues"])
            if state["engine_state"] == "ACTIVE" and up:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"the engine stays {state['engine_state']}")

    def state(self) -> dict[str, Any]:
        """The engine's own state, as the desk sees it."""
        follower: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.DEALER)
        follower.setsockopt(zmq.LINGER, 0)
        follower.connect(self._endpoints.follow)
        try:
            follower.send(json.dumps({"op": "state"}).encode())
            if not follower.poll(int(PATIENCE_S * 1000)):
                raise RuntimeError("the engine does not tell its state")
            answer = decode_answer(follower.recv_multipart())
            return dict(answer.state)  # type: ignore[union-attr]
        finally:
            follower.close()

    def details(self) -> dict[str, Any]:
        """Its own histogram from packet received to send called, and what went wrong in it."""
        state = self.state()
        inside = {name: state["latency"][name] for name in ("n", "p50_ns", "p99_ns", "p999_ns", "max_ns")}
        return {"inside": inside, "refused": state["refused"], "engine_state": state["engine_state"]}

    def stop(self) -> None:
        """End it, remove its shared memory."""
        super().stop()
        self._control.close()
        shutil.rmtree(shared_memory_path(self._state), ignore_errors=True)


def read_script(path: Path) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """What a rehearsal wrote: begins and ends by first message, and the stream."""
    raw = np.frombuffer(path.read_bytes(), np.uint8)
    count = int(raw[:8].view("<i8")[0])
    numbers = raw[16 : 16 + 16 * count].view("<i8")
    return numbers[:count].copy(), numbers[count:].copy(), raw[16 + 16 * count :].copy()


@hot
def receive_and_send(udp, tcp, buffer, begins, ends, count, stream):
    """The floor's loop; ends when the connection is closed."""
    while True:
        length = recv(udp, buffer, LARGEST_PACKET, DONT_WAIT)
        if length >= 20:
            at = load_be64(buffer + 10) * 8
            if at < count * 8 and load_i64(ends + at) > load_i64(begins + at):
                begin = load_i64(begins + at)
                send(tcp, stream + begin, load_i64(ends + at) - begin, NO_SIGNAL)
            continue
        if recv(tcp, buffer, LARGEST_PACKET, DONT_WAIT) == 0:
            return 0


def run_native(script: Path, udp_port: int, tcp_port: int) -> None:
    """The floor without a C compiler."""
    begins, ends, stream = read_script(script)
    buffer = np.zeros(LARGEST_PACKET, np.uint8)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    udp.bind(("127.0.0.1", udp_port))
    tcp = socket.create_connection(("127.0.0.1", tcp_port))
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    addresses = (address_of(buffer), address_of(begins), address_of(ends), len(begins), address_of(stream))
    receive_and_send(udp.fileno(), tcp.fileno(), *addresses)


async def run_asyncio(script: Path, udp_port: int, tcp_port: int) -> None:
    """The same with a datagram endpoint and a stream."""
    begins, ends, stream = read_script(script)
    begin_at, end_at, text = begins.tolist(), ends.tolist(), stream.tobytes()

    class Feed(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, _address: Any) -> None:
            sequence = int.from_bytes(data[10:18], "big")
            if end_at[sequence] > begin_at[sequence]:
                writer.write(text[begin_at[sequence] : end_at[sequence]])

    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    udp.bind(("127.0.0.1", udp_port))
    udp.setblocking(False)
    reader, writer = await asyncio.open_connection("127.0.0.1", tcp_port)
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    await asyncio.get_running_loop().create_datagram_endpoint(Feed, sock=udp)
    while await reader.read(65536):
        pass


if __name__ == "__main__":
    how, where, udp_number, tcp_number = sys.argv[1:]
    if how == "native":
        run_native(Path(where), int(udp_number), int(tcp_number))
    else:
        asyncio.run(run_asyncio(Path(where), int(udp_number), int(tcp_number)))
