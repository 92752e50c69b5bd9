"""The follow stream: how the desk reads the engine. Frames of both directions; sockets are elsewhere.

Requests are one JSON part:
    {"op": "follow", "after": N, "credit": C, "beats": true}   journal records after sequence N, at most C for now
    {"op": "credit", "count": n}                               n more records may be sent
    {"op": "state"}                                            the conflated state, at 4 Hz, until the connection closes
    {"op": "latency", "after": N}                              latency rows of requests after journal sequence N, once
Answers are multipart:
    "R" first_sequence(u64) count(u32) records                 whole journal records back to back
    "S" json                                                   the state (`engine.messages.state`)
    "L" rows                                                   LATENCY_ROWs, at most MOST_LATENCY_ROWS; none: no newer
    "E" json {"reason": sentence}                              refused; only to who asked with "beats"
A follower that asked with "beats" gets an "R" of no records every second when there is nothing new: silence is a fault.
Numbers are little endian.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.messages.latency import LATENCY_ROW

BEAT_SECONDS = 1.0
STATE_SECONDS = 0.25
MOST_CREDIT = 65_536  # records on their way to one follower
MOST_LATENCY_ROWS = 8192  # in one answer


@dataclass(frozen=True)
class FollowRequest:
    """Journal records after sequence `after`; the server may send `credit` of them before it hears of more."""

    after: int
    credit: int
    beats: bool = False


@dataclass(frozen=True)
class CreditRequest:
    """`count` more records may be sent."""

    count: int


@dataclass(frozen=True)
class StateRequest:
    """The conflated state from now on."""


@dataclass(frozen=True)
class LatencyRequest:
    """Latency rows of the requests after journal sequence `after`, once."""

    after: int


@dataclass(frozen=True)
class Batch:
    """`count` journal records, the first of them numbered `first`, back to back in `data`. Empty: a beat."""

    first: int
    count: int
    data: bytes

    @property
    def last(self) -> int:
        """Sequence of the last record; of the one before `first` when empty."""
        return self.first + self.count - 1


@dataclass(frozen=True)
class StateFrame:
    """One conflated state."""

    state: dict[str, Any]


@dataclass(frozen=True)
class LatencyBatch:
    """Rows of `engine.messages.latency`, LATENCY_ROW, the oldest first; fewer than MOST_LATENCY_ROWS are the newest."""

    rows: np.ndarray[Any, Any]


@dataclass(frozen=True)
class Refusal:
    """The server will not serve this follower, and why."""

    reason: str


Request = FollowRequest | CreditRequest | StateRequest | LatencyRequest
Answer = Batch | StateFrame | LatencyBatch | Refusal


def encode_request(request: Request) -> bytes:
    """The JSON part of a request."""
    if isinstance(request, FollowRequest):
        fields = {"op": "follow", "after": request.after, "credit": request.credit, "beats": request.beats}
    elif isinstance(request, CreditRequest):
        fields = {"op": "credit", "count": request.count}
    elif isinstance(request, LatencyRequest):
        fields = {"op": "latency", "after": request.after}
    else:
        fields = {"op": "state"}
    return json.dumps(fields).encode()


def decode_request(data: bytes) -> Request:
    """A request. Raises ValueError for anything else."""
    try:
        fields = json.loads(data)
        match fields["op"]:
            case "follow":
                return FollowRequest(_count(fields["after"]), _count(fields["credit"]), fields.get("beats") is True)
            case "credit":
                return CreditRequest(_count(fields["count"]))
            case "state":
                return StateRequest()
            case "latency":
                return LatencyRequest(_count(fields["after"]))
    except (TypeError, KeyError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"not a request: {data[:80]!r}") from error
    raise ValueError(f"not a request: {data[:80]!r}")


def encode_batch(first: int, count: int, data: bytes) -> list[bytes]:
    """The parts of an "R"."""
    return [b"R", struct.pack("<Q", first), struct.pack("<I", count), data]


def encode_state(state: dict[str, Any]) -> list[bytes]:
    """The parts of an "S"."""
    return [b"S", json.dumps(state, separators=(",", ":"), allow_nan=False).encode()]


def encode_latency(rows: np.ndarray[Any, Any]) -> list[bytes]:
    """The parts of an "L"."""
    return [b"L", rows.tobytes()]


def encode_refusal(reason: str) -> list[bytes]:
    """The parts of an "E"."""
    return [b"E", json.dumps({"reason": reason}).encode()]


def decode_answer(parts: list[bytes]) -> Answer:
    """An answer. Raises ValueError for anything else."""
    match parts:
        case [b"R", first, count, data] if len(first) == 8 and len(count) == 4:
            return Batch(int.from_bytes(first, "little"), int.from_bytes(count, "little"), data)
        case [b"S", text]:
            return StateFrame(json.loads(text))
        case [b"L", data] if len(data) % LATENCY_ROW.itemsize == 0:
            return LatencyBatch(np.frombuffer(data, LATENCY_ROW))
        case [b"E", text]:
            return Refusal(str(json.loads(text)["reason"]))
    raise ValueError(f"not an answer: {len(parts)} parts that begin with {parts[0][:8] if parts else b''!r}")


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{value!r} is not a count")
    return value
