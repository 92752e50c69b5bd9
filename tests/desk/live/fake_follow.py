"""The engine's follow stream without an engine: serves records and a state that the test sets, over a real socket."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zmq

from engine.messages.endpoints import engine_endpoints
from engine.messages.follow import CreditRequest, FollowRequest, decode_request, encode_batch, encode_state
from engine.messages.socket_folders import leave_socket_directory, make_socket_directory


def state_of(**changes: Any) -> dict[str, Any]:
    """A whole state frame of a quiet engine, with changes."""
    quiet: dict[str, Any] = {
        "version": 1,
        "epoch": 1,
        "build_hash": "b" * 64,
        "mode": "PAPER",
        "engine_state": "ACTIVE",
        "time_ns": 0,
        "journal_sequence": 0,
        "recording_position": 0,
        "limits_version": 1,
        "limits_hash": "c" * 64,
        "kills": [],
        "venues": [],
        "feeds": [],
        "strategies": [],
        "positions": [],
        "tops": [],
        "pnl": {"realised": 0, "unrealised": 0, "fees": 0, "net": 0, "today": 0},
        "latency": {"n": 0, "p50_ns": None, "p99_ns": None, "p999_ns": None, "max_ns": None},
    }
    return quiet | changes


def strategy_state(strategy: int, **changes: Any) -> dict[str, Any]:
    """A strategy's row of the state frame."""
    row = {"strategy": strategy, "state": "RUNNING", "signal": 0.0, "orders": 0, "fills": 0, "denials": 0, "working": 0}
    return row | {"realised": 0, "unrealised": 0, "fees": 0} | changes


@dataclass
class FakeFollow:
    """`records` holds the journal; `state` is sent every `state_seconds` with the head's sequence filled in."""

    directory: Path
    records: list[bytes] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=state_of)
    state_seconds: float = 0.05
    follow_requests: list[FollowRequest] = field(default_factory=list)
    silent: bool = False

    def start(self) -> FakeFollow:
        self._stop = threading.Event()
        self._socket = zmq.Context.instance().socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 0)
        make_socket_directory(self.directory)
        self._socket.bind(engine_endpoints(self.directory).follow)
        self._positions: dict[bytes, list[int]] = {}  # follower: next record, credit left
        self._watchers: set[bytes] = set()
        self._forgotten = threading.Event()
        self._forgotten.set()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._socket.close()
        leave_socket_directory(self.directory)

    def forget(self) -> None:
        """Know none of the followers any more, as after a restart."""
        self._forgotten.clear()
        assert self._forgotten.wait(5.0)

    def _serve(self) -> None:
        state_due = 0.0
        while not self._stop.is_set():
            while self._socket.poll(5):
                self._take(*self._socket.recv_multipart())
            if not self._forgotten.is_set():
                self._positions, self._watchers = {}, set()
                self._forgotten.set()
            if self.silent:
                continue
            for follower in self._positions:
                self._feed(follower)
            if time.monotonic() >= state_due:
                state_due = time.monotonic() + self.state_seconds
                parts = encode_state(self.state | {"journal_sequence": len(self.records), "time_ns": time.time_ns()})
                for follower in self._watchers:
                    self._socket.send_multipart([follower, *parts])

    def _take(self, follower: bytes, frame: bytes) -> None:
        request = decode_request(frame)
        if isinstance(request, FollowRequest):
            self.follow_requests.append(request)
            self._positions[follower] = [request.after, request.credit]
        elif isinstance(request, CreditRequest):
            self._positions[follower][1] += request.count
        else:
            self._watchers.add(follower)

    def _feed(self, follower: bytes) -> None:
        after, credit = self._positions[follower]
        batch = self.records[after : after + credit]
        if batch:
            self._positions[follower] = [after + len(batch), credit - len(batch)]
            self._socket.send_multipart([follower, *encode_batch(after + 1, len(batch), b"".join(batch))])
