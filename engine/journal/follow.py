"""The follow server: journal records from any sequence to any number of followers, read from the journal alone.

It never touches the loop. A follower gets at most as many records as it gave credit for: a slow one waits for itself
and for nobody else. With a copier, records are sent once the disk has them: no screen or projection is ever ahead of
what a power cut leaves; when the copier is gone, what the loop published is sent (the engine halts, and people must see
it).
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import zmq

from engine.journal.places import LogPlace
from engine.journal.reader import LogReader
from engine.journal.status import CopierStatus
from engine.journal.tails import JournalCorrupt
from engine.messages.follow import (
    BEAT_SECONDS,
    MOST_CREDIT,
    MOST_LATENCY_ROWS,
    STATE_SECONDS,
    CreditRequest,
    FollowRequest,
    LatencyRequest,
    decode_request,
    encode_batch,
    encode_latency,
    encode_refusal,
    encode_state,
)
from engine.messages.latency import LATENCY_ROW

BATCH_RECORDS = 4096
WAITING_MESSAGES = 64  # of one follower, in the socket
HEAD_WAIT_MS, EMPTY_WAIT_MS = 5, 50


@dataclass
class _Follower:
    reader: LogReader
    credit: int
    beats: bool
    heard_s: float  # when something was last sent to it
    unsent: list[bytes] = field(default_factory=list)


class FollowServer:
    """Serves one journal at a ZeroMQ endpoint in a thread of its own.

    `state` makes the conflated state (`engine.messages.state`); it is called at most four times a second, only when
    somebody asked for it. `copier`: send only what it has made durable, as long as it lives. `latency` gives rows of
    the latency log after a sequence, at most so many.
    """

    def __init__(
        self,
        place: LogPlace,
        endpoint: str,
        state: Callable[[], dict[str, Any]] | None = None,
        copier: CopierStatus | None = None,
        latency: Callable[[int, int], np.ndarray[Any, Any]] | None = None,
    ) -> None:
        self._place, self._state, self._copier, self._latency = place, state, copier, latency
        self._socket: zmq.Socket[bytes] = zmq.Context.instance().socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self._socket.setsockopt(zmq.SNDHWM, WAITING_MESSAGES)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.bind(endpoint)
        self._followers: dict[bytes, _Follower] = {}
        self._watchers: set[bytes] = set()
        self._state_sent_s = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="follow server", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stop serving and close the socket."""
        self._stop.set()
        self._thread.join()

    def _serve(self) -> None:
        try:
            wait_ms = 0
            while not self._stop.is_set():
                if self._socket.poll(wait_ms):
                    self._receive()
                busy = self._send_records()
                self._send_state()
                wait_ms = 0 if busy else (HEAD_WAIT_MS if self._followers else EMPTY_WAIT_MS)
        finally:
            self._socket.close()

    def _receive(self) -> None:
        while self._socket.poll(0):
            peer, *parts = self._socket.recv_multipart()
            try:
                request = decode_request(parts[-1] if parts else b"")
            except ValueError as error:
                self._send(peer, encode_refusal(str(error)))
                continue
            if isinstance(request, FollowRequest):
                credit = min(request.credit, MOST_CREDIT)
                reader = LogReader(self._place, request.after)
                self._followers[peer] = _Follower(reader, credit, request.beats, time.monotonic())
            elif isinstance(request, CreditRequest):
                follower = self._followers.get(peer)
                if follower is not None:
                    follower.credit = min(follower.credit + request.count, MOST_CREDIT)
            elif isinstance(request, LatencyRequest):
                self._send_latency(peer, request.after)
            else:
                self._watchers.add(peer)
                self._state_sent_s = 0.0

    def _send_records(self) -> bool:
        """One batch to each follower that may have one. Whether there may be more at once."""
        busy = False
        for peer, follower in list(self._followers.items()):
            try:
                busy |= self._send_batch(peer, follower)
            except (LookupError, JournalCorrupt, ValueError) as refusal:
                print(f"follow: {refusal}", file=sys.stderr)
                if follower.beats:
                    self._send(peer, encode_refusal(str(refusal)))
                self._followers.pop(peer, None)
        return busy

    def _send_batch(self, peer: bytes, follower: _Follower) -> bool:
        if not follower.unsent:
            follower.unsent = self._next_batch(follower)
        if not follower.unsent:
            return False
        if not self._send(peer, follower.unsent):
            return False
        follower.unsent = []
        follower.heard_s = time.monotonic()
        return True

    def _next_batch(self, follower: _Follower) -> list[bytes]:
        if follower.credit:
            span = follower.reader.next_span(min(follower.credit, BATCH_RECORDS), self._limit())
            if span is not None:
                count = span.last - span.first + 1
                follower.credit -= count
                return encode_batch(span.first, count, span.data.tobytes())
        if follower.beats and time.monotonic() - follower.heard_s >= BEAT_SECONDS:
            return encode_batch(follower.reader.sequence + 1, 0, b"")
        return []

    def _limit(self) -> tuple[int, int] | None:
        if self._copier is None or not self._copier.alive():
            return None
        return self._copier.durable(self._place.word)

    def _send_state(self) -> None:
        now_s = time.monotonic()
        if self._state is None or not self._watchers or now_s - self._state_sent_s < STATE_SECONDS:
            return
        self._state_sent_s = now_s
        parts = encode_state(self._state())
        for peer in list(self._watchers):
            self._send(peer, parts)

    def _send_latency(self, peer: bytes, after: int) -> None:
        rows = np.empty(0, LATENCY_ROW)
        if self._latency is not None:
            try:
                rows = self._latency(after, MOST_LATENCY_ROWS)
            except OSError as error:
                print(f"follow: the latency log cannot be read: {error.strerror}", file=sys.stderr)
        self._send(peer, encode_latency(rows))

    def _send(self, peer: bytes, parts: list[bytes]) -> bool:
        """Send if there is room. False: not now, or the peer has gone and is forgotten."""
        try:
            self._socket.send_multipart([peer, *parts], zmq.NOBLOCK)
        except zmq.Again:
            return False
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            self._followers.pop(peer, None)
            self._watchers.discard(peer)
            return False
        return True
