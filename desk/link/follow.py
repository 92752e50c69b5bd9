"""The desk's end of the follow stream: journal records from a sequence on, across restarts of either side."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import TracebackType

import zmq

from engine.messages.follow import (
    Batch,
    CreditRequest,
    FollowRequest,
    LatencyBatch,
    LatencyRequest,
    Refusal,
    Request,
    StateFrame,
    StateRequest,
    decode_answer,
    encode_request,
)

CREDIT_RECORDS = 32_768
SILENCE_SECONDS = 3.0


class FollowRefused(Exception):
    """The engine has no records after the sequence that was asked for: this is another, or a shorter, journal."""


class FollowClient:
    """Follows one engine. `sequence` is the last record handed out.

    Credit for more records is given only when a batch was taken, so that a slow reader is never flooded. After
    `silence_seconds` without a sign of life the connection is made anew, from the last record handed out.
    """

    def __init__(
        self,
        endpoint: str,
        after: int = 0,
        *,
        credit: int = CREDIT_RECORDS,
        state: bool = False,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        self.sequence = after
        self._endpoint, self._credit, self._state = endpoint, credit, state
        self._silence_seconds = silence_seconds
        self._socket: zmq.Socket[bytes] | None = None
        self._heard_s = 0.0

    def __enter__(self) -> FollowClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ask_latency(self, after: int) -> None:
        """Ask for latency rows of the requests after journal sequence `after`; they come by `receive`, once."""
        self._connected()
        self._send(LatencyRequest(after))

    def receive(self, wait_seconds: float) -> Batch | StateFrame | LatencyBatch | None:
        """What the engine says next; None when that is nothing new for `wait_seconds`. Raises FollowRefused."""
        deadline = time.monotonic() + wait_seconds
        while True:
            socket = self._connected()
            remaining_ms = max(0, int((deadline - time.monotonic()) * 1000))
            if not socket.poll(min(remaining_ms, int(self._silence_seconds * 1000))):
                if time.monotonic() >= deadline:
                    return None
                continue
            self._heard_s = time.monotonic()
            answer = decode_answer(socket.recv_multipart())
            if isinstance(answer, Refusal):
                raise FollowRefused(answer.reason)
            if isinstance(answer, StateFrame | LatencyBatch):
                return answer
            if answer.count:
                return self._take(answer)

    def batches(self, wait_seconds: float = 1.0) -> Iterator[Batch | None]:
        """Batches for ever; None whenever nothing new came for `wait_seconds`, so that the caller can do other work."""
        while True:
            answer = self.receive(wait_seconds)
            if not isinstance(answer, StateFrame | LatencyBatch):
                yield answer

    def _take(self, batch: Batch) -> Batch:
        if batch.first != self.sequence + 1:
            raise FollowRefused(f"record {self.sequence + 1} was to come, the engine sent {batch.first}")
        self.sequence = batch.last
        self._send(CreditRequest(batch.count))
        return batch

    def _connected(self) -> zmq.Socket[bytes]:
        if self._socket is not None and time.monotonic() - self._heard_s > self._silence_seconds:
            self.close()
        if self._socket is None:
            self._socket = zmq.Context.instance().socket(zmq.DEALER)
            self._socket.setsockopt(zmq.LINGER, 0)
            self._socket.setsockopt(zmq.RCVHWM, 64)
            self._socket.connect(self._endpoint)
            self._heard_s = time.monotonic()
            self._send(FollowRequest(self.sequence, self._credit, beats=True))
            if self._state:
                self._send(StateRequest())
        return self._socket

    def _send(self, request: Request) -> None:
        assert self._socket is not None
        self._socket.send(encode_request(request))
