"""An exchange and an engine as real processes on real sockets, without a desk: started, killed, commanded, compared."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import zmq

from engine.messages import control
from engine.messages.control import Status, decode_status
from engine.messages.endpoints import engine_endpoints
from engine.messages.follow import StateFrame, StateRequest, decode_answer, encode_request
from engine.messages.instruments import Instrument, write_instruments
from engine.messages.risk import LimitsRow

ROOT = Path(__file__).resolve().parents[2]
USER, PASSWORD, TEAM = "desk", "secret", 1
XSIM, XFIX = 1, 2
COMPILES_WITHIN_S = 600.0
DIRTY_ATTEMPTS = 20
WIDE = LimitsRow(1, 0, 10_000, 10**13, 2_000, 1_000_000, 100_000, 10**14)


def free_port(kind: socket.SocketKind) -> int:
    """A port of the loopback that nobody has now."""
    with socket.socket(socket.AF_INET, kind) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_until(condition: Callable[[], Any], what: str | Callable[[], str], seconds: float = 20.0) -> Any:
    """What the condition gives once that is something. A `what` that is called tells how things are when it did not."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        late = time.monotonic() >= deadline
        assert not late, f"not within {seconds:.0f} s: {what if isinstance(what, str) else what()}"
        time.sleep(0.005)
    return found


def pairs_parameters(**changed: float) -> dict[str, float]:
    """A pairs strategy that trades all the time: it follows its spread closely and hardly waits."""
    usual = {"hedge_ratio": 1.0, "centre": 0.0, "deviation": 0.02, "entry": 0.5, "exit": 0.1}
    return usual | {"quantity": 100.0, "patience": 0.05, "memory": 1.0, "routing": 0.0} | changed


class Rig:
    """One exchange with an OUCH venue (and a FIX venue when asked for), and the engine that trades there."""

    def __init__(
        self, directory: Path, instruments: list[Instrument], *, fix: bool = False, dialect: str = "ouch50"
    ) -> None:
        self.directory, self.instruments, self.fix, self.dialect = directory, instruments, fix, dialect
        self.state = directory / "state"
        self.state.mkdir(parents=True, exist_ok=True)
        write_instruments(directory / "instruments.json", instruments)
        self.feed_ports = {venue: free_port(socket.SOCK_DGRAM) for venue in (XSIM, XFIX)}
        self.order_ports = {venue: free_port(socket.SOCK_STREAM) for venue in (XSIM, XFIX)}
        self.retransmission_ports = {venue: free_port(socket.SOCK_DGRAM) for venue in (XSIM, XFIX)}
        self.exchange: subprocess.Popen[bytes] | None = None
        self.engine: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        (self.state / "engine.toml").write_text('instruments = "../instruments.json"\n')

    def write_exchange(self, head: str = "", market: str = "seed = 7\nrate = 400.0") -> None:
        """exchange.toml: `head` are settings of the exchange; no `market` means that another source is in `head`."""
        text = f'out = "exchange"\ninstruments = "instruments.json"\n{head}\n'
        text += f"[market]\n{market}\n" if market else ""
        for venue, name, protocol in ((XSIM, "XSIM", self.dialect), (XFIX, "XFIX", "fix44"))[: 2 if self.fix else 1]:
            text += f'[[venues]]\nname = "{name}"\nid = {venue}\nprotocol = "{protocol}"\n'
            text += f"order_port = {self.order_ports[venue]}\n"
            text += f'line_a = ["127.0.0.1:{self.feed_ports[venue]}"]\n'
            text += f"retransmission_port = {self.retransmission_ports[venue]}\nmaker_fee = -20\ntaker_fee = 30\n"
            text += f'users = [{{ name = "{USER}", password = "{PASSWORD}" }}]\n'
        (self.directory / "exchange.toml").write_text(text)

    def start_exchange(self) -> None:
        """Start the exchange and wait until it listens."""
        ready = self.directory / "exchange" / "exchange.json"
        ready.unlink(missing_ok=True)
        self.exchange = self.start("exchange", self.directory / "exchange.toml")
        wait_until(lambda: ready.exists() or self.exchange_ended(), "the exchange listens", COMPILES_WITHIN_S)
        assert not self.exchange_ended(), self.said("exchange")

    def described(self) -> dict[str, Any]:
        """Where venue 1 of the running exchange listens."""
        ready = json.loads((self.directory / "exchange" / "exchange.json").read_text())
        venue: dict[str, Any] = ready["venues"][0]
        return venue

    def exchange_ended(self) -> bool:
        """Whether the exchange's process is over."""
        return self.exchange is None or self.exchange.poll() is not None

    def start_engine(self, *, wait: bool = True) -> float:
        """Start the engine and wait until it answers. Seconds that took."""
        self.started_at = time.monotonic()
        self.engine = self.start("run", self.state / "engine.toml")
        if wait:
            self.wait_for_engine()
        return time.monotonic() - self.started_at

    def wait_for_engine(self, seconds: float = COMPILES_WITHIN_S) -> dict[str, Any]:
        """The catalogue, as soon as the engine answers."""
        deadline = time.monotonic() + seconds
        while True:
            assert self.engine is not None
            assert self.engine.poll() is None, (self.engine.returncode, self.said("run"))
            assert time.monotonic() < deadline, f"the engine does not answer: {self.said('run')}"
            try:
                return self.send(control.Hello(), 0.25).body
            except TimeoutError:
                continue

    def start(self, door: str, config: Path) -> subprocess.Popen[bytes]:
        """`python -m engine DOOR CONFIG`, its words in DOOR.log."""
        with (self.directory / f"{door}.log").open("ab") as log:
            command = [sys.executable, "-m", "engine", door, str(config)]
            return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def said(self, door: str) -> str:
        """The last words of a process."""
        return (self.directory / f"{door}.log").read_text()[-2000:]

    def kill_engine(self) -> None:
        """SIGKILL, as nobody can refuse."""
        assert self.engine is not None
        self.engine.send_signal(signal.SIGKILL)
        self.engine.wait()

    def engine_processor_seconds(self) -> float:
        """Processor time that the engine's process has used, user and system."""
        assert self.engine is not None
        fields = Path(f"/proc/{self.engine.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop_engine(self) -> int:
        """SIGTERM. The exit status."""
        assert self.engine is not None
        self.engine.terminate()
        return self.engine.wait(20)

    def stop_exchange(self) -> None:
        """SIGTERM."""
        assert self.exchange is not None
        self.exchange.terminate()
        assert (self.exchange.wait(20), "Traceback" in self.said("exchange")) == (0, False), self.said("exchange")

    def close(self) -> None:
        """End what still runs."""
        for process in (self.engine, self.exchange):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()

    def send(self, body: Any, seconds: float = 10.0) -> Status:
        """One command. TimeoutError without an answer in time."""
        with zmq.Context.instance().socket(zmq.DEALER) as door:
            door.setsockopt(zmq.LINGER, 0)
            door.connect(engine_endpoints(self.state).control)
            door.send(control.command(body, "rig").encode())
            if not door.poll(round(seconds * 1000)):
                raise TimeoutError(f"no answer to {body}")
            return decode_status(door.recv())

    def apply(self, body: Any) -> Status:
        """One command that must not be refused, but for missing packets: a busy machine loses some, and then an order
        is given again, under another name."""
        for attempt in range(DIRTY_ATTEMPTS):
            status = self.send(body)
            if status.applied or "book dirty" not in status.reason:
                break
            wait_until(lambda: not any(line["dirty"] for line in self.state_frame()["feeds"]), "clean books")
            if isinstance(body, control.EnterOrder):
                body = replace(body, client_order_id=f"{body.client_order_id} {attempt}")
        assert status.applied, status.reason
        return status

    def state_frame(self) -> dict[str, Any]:
        """One state frame, sent after this call."""
        with zmq.Context.instance().socket(zmq.DEALER) as door:
            door.setsockopt(zmq.LINGER, 0)
            door.connect(engine_endpoints(self.state).follow)
            door.send(encode_request(StateRequest()))
            assert door.poll(10_000), "no state frame"
            frame = decode_answer(door.recv_multipart())
            assert isinstance(frame, StateFrame)
            return frame.state

    def define_ouch_venue(self, *, order_port: int = 0, lockstep: bool = False) -> None:
        """Venue 1; `order_port` when something stands between engine and exchange."""
        settings = {
            "order_address": f"127.0.0.1:{order_port or self.order_ports[XSIM]}",
            "user": USER,
            "password": PASSWORD,
            "lockstep": str(int(lockstep)),
        }
        self.apply(control.DefineVenue(XSIM, "XSIM", self.dialect, settings | self._feed(XSIM)))

    def define_fix_venue(self, protocol: str = "fix44") -> None:
        """Venue 2: `fix44` through a session process, `fix` by the loop itself."""
        settings = {
            "order_address": f"127.0.0.1:{self.order_ports[XFIX]}",
            "sender_comp_id": USER,
            "target_comp_id": "XFIX",
            "username": USER,
            "password": PASSWORD,
        }
        self.apply(control.DefineVenue(XFIX, "XFIX", protocol, settings | self._feed(XFIX)))

    def _feed(self, venue: int) -> dict[str, str]:
        return {
            "feed_line_a": f"127.0.0.1:{self.feed_ports[venue]}",
            "retransmission": f"127.0.0.1:{self.retransmission_ports[venue]}",
            "maker_fee": "-20",
            "taker_fee": "30",
        }

    def apply_limits(self, strategies: list[int]) -> None:
        """Limits so wide that they rarely bind."""
        current = self.send(control.Hello()).body["limits_version"]
        scopes = [(1, 0), (2, TEAM), (3, 0), *((3, strategy) for strategy in strategies)]
        rows = [WIDE.__class__(scope, number, *_bounds(WIDE)) for scope, number in scopes]
        self.apply(control.ApplyLimits(current, [row.__dict__ for row in rows]))

    def start_pairs(self, strategy: int, first: int, second: int, venue: int = XSIM, **changed: float) -> None:
        """Start one pairs strategy."""
        kind = next(k for k in self.send(control.Hello()).body["strategy_kinds"] if k["name"] == "pairs")
        prices = {row.id: row.open_price for row in self.instruments}
        parameters = pairs_parameters(**{"centre": (prices[first] - prices[second]) / 10_000} | changed)
        name = f"pair {strategy}"
        self.apply(
            control.StartStrategy(strategy, name, TEAM, "pairs", kind["hash"], venue, [first, second], parameters)
        )

    def door(self, *arguments: str) -> dict[str, Any]:
        """`python -m engine ... --json`: its answer."""
        done = subprocess.run(
            [sys.executable, "-m", "engine", *arguments, "--json"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            env=os.environ,
        )
        assert done.stdout, (done.returncode, done.stderr)
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return answer


def _bounds(row: LimitsRow) -> list[int]:
    return list(row.__dict__.values())[2:]


@contextmanager
def running(rig: Rig) -> Iterator[Rig]:
    """The rig, closed in the end, its shared memory given back."""
    from engine.messages.endpoints import shared_memory_path

    try:
        yield rig
    finally:
        rig.close()
        shared = shared_memory_path(rig.state)
        for path in shared.glob("*") if shared.is_dir() else ():
            path.unlink(missing_ok=True)
        if shared.is_dir():
            shared.rmdir()
