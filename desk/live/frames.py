"""Frames of the stream protocol desk.v1 as JSON text, each made once however many clients get it."""

from __future__ import annotations

import json
import time
from typing import Any

PROTOCOL = "desk.v1.json"
PROTOCOL_VERSION = 1
HEARTBEAT_MS = 500

BAD_FRAME = 4000
NOT_SIGNED_IN = 4001
FORBIDDEN = 4003
SESSION_REVOKED = 4004
SLOW_CONSUMER = 4008
SUPERSEDED = 4009
EPOCH_CHANGED = 4010
TOO_FAST = 4029

MAX_FRAME_BYTES = 16 * 1024
MAX_FRAMES_PER_SECOND = 20
MAX_CHANNELS = 64
MAX_SOCKETS_PER_USER = 6
MAX_QUEUED_FRAMES = 2000
MAX_QUEUED_CHARACTERS = 8 * 1024 * 1024
CLIENT_SILENCE_SECONDS = 15.0


def encode(frame: dict[str, Any]) -> str:
    """Compact JSON."""
    return json.dumps(frame, separators=(",", ":"), ensure_ascii=False)


def now_ms() -> int:
    """Milliseconds since the epoch, for the client's clock."""
    return time.time_ns() // 1_000_000


def hello(epoch: int) -> str:
    """First frame of every connection."""
    return encode(
        {
            "t": "hello",
            "v": PROTOCOL_VERSION,
            "epoch": epoch,
            "server_ts": now_ms(),
            "hb_ms": HEARTBEAT_MS,
            "limits": {
                "channels": MAX_CHANNELS,
                "frames_per_second": MAX_FRAMES_PER_SECOND,
                "frame_bytes": MAX_FRAME_BYTES,
            },
        }
    )


def snapshot(channel: str, sid: int, seq: int, journal_sequence: int, rows: dict[str, dict[str, Any]]) -> str:
    """All rows of a STATE channel; deltas after it carry `prev` = its `seq`."""
    return encode(
        {
            "t": "snap",
            "ch": channel,
            "sid": sid,
            "seq": seq,
            "jseq": journal_sequence,
            "ts": now_ms(),
            "d": [[key, row] for key, row in rows.items()],
        }
    )


def delta(
    channel: str, sid: int, seq: int, journal_sequence: int, changed: dict[str, dict[str, Any]], gone: list[str]
) -> str:
    """Absolute values of the columns that changed (`u`) and the keys that are gone (`x`)."""
    return encode(
        {
            "t": "delta",
            "ch": channel,
            "sid": sid,
            "seq": seq,
            "prev": seq - 1,
            "jseq": journal_sequence,
            "d": {"u": [[key, row] for key, row in changed.items()], "x": gone},
        }
    )


def event(channel: str, sequence: int, previous: int, body: dict[str, Any]) -> str:
    """One record of an EVENT channel."""
    return encode({"t": "event", "ch": channel, "jseq": sequence, "prev_jseq": previous, "d": body})


def heartbeat(journal_sequence: int, engine_age_ms: int | None) -> str:
    """`stale.engine` is the age of the engine's last state frame, null while there was none."""
    return encode({"t": "hb", "ts": now_ms(), "jseq": journal_sequence, "stale": {"engine": engine_age_ms}})


def gap(channel: str, first: int, last: int) -> str:
    """Records `first` to `last` are no longer kept here: read them from the REST API."""
    return encode({"t": "gap", "ch": channel, "from": first, "to": last})


def bye(code: int, reason: str, resume: dict[str, int]) -> str:
    """Last frame before the server closes; `resume` says after which sequence to subscribe again."""
    return encode({"t": "bye", "code": code, "reason": reason, "resume": resume})


def acknowledgement(request: object) -> str:
    """The operation with this id was done."""
    return encode({"t": "ack", "id": request})


def error(request: object, code: int, message: str) -> str:
    """The operation with this id was refused."""
    return encode({"t": "err", "id": request, "code": code, "message": message})
