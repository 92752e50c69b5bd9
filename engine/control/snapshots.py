"""When a venue's books come from a snapshot instead of retransmission, and how: asked for by the cold path, applied by
the loop's own functions between batches, a bounded number of packets at a time.

A snapshot is taken when more messages are missing than the venue's setting allows, when a gap does not close, and when
the engine was killed in the middle of one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.hotpath.entries import begin_again, begin_snapshot, consume_snapshot, join_snapshot
from engine.hotpath.memory import EngineMemory
from engine.hotpath.snapshot_feed import JOINING
from engine.native import address_of, touched
from engine.venues.fields import SnapshotSettings
from engine.venues.glimpse_session import PACKET_BYTES, Snapshot, SnapshotAttempt
from engine.venues.secret_files import SecretFiles
from engine.venues.soupbin_session import LoginFailed

STUCK_S = 1.0  # a gap that has not moved for so long will not close by itself
FIRST_RETRY_S, LONGEST_RETRY_S = 0.5, 10.0
PACKETS_AT_ONCE = 256
SESSION_BYTES = 10
Say = Callable[[str], None]


class SnapshotCare:
    """One venue's snapshots. `settings` is None for a venue that has none. Called by the loop's thread only."""

    def __init__(
        self,
        memory: EngineMemory,
        venue: int,
        settings: SnapshotSettings | None,
        wanted: frozenset[bytes],
        say: Say,
        secrets: SecretFiles,
    ) -> None:
        self._secrets = secrets
        self._memory, self._venue, self._settings, self._wanted, self._say = memory, venue, settings, wanted, say
        self._attempt: SnapshotAttempt | None = None
        self._snapshot: Snapshot | None = None  # being applied
        self._applied = 0
        self._stuck_at, self._stuck_since = 0, 0.0
        self._retry_at, self._retry_s = 0.0, FIRST_RETRY_S
        self._packet = touched(PACKET_BYTES, np.dtype("u1"))

    def care(self) -> None:
        """One look. Cheap while nothing is missing."""
        row = self._memory.venues[self._venue]
        if self._snapshot is not None:
            self._apply(self._snapshot)
        elif self._attempt is not None:
            self._take(self._attempt)
        elif row["gap_since_ns"] == 0 and row["expected"] >= 0:
            self._stuck_at = 0
        elif self._settings is None:
            if row["expected"] == JOINING:
                begin_again(self._memory.address, self._venue)
        elif time.monotonic() >= self._retry_at and self._needed(self._settings):
            self._begin(self._settings)

    def _begin(self, settings: SnapshotSettings) -> None:
        try:
            password = self._secrets.text(settings.password)
        except ValueError as error:
            self._postpone(f"no snapshot: {error}")
            return
        self._attempt = SnapshotAttempt(replace(settings, password=password), self._session(), self._wanted)

    def _session(self) -> bytes:
        """The feed's session as its ten bytes."""
        return self._memory.venues[self._venue]["feed_session"].tobytes()[:SESSION_BYTES]

    def _needed(self, settings: SnapshotSettings) -> bool:
        row = self._memory.venues[self._venue]
        expected = int(row["expected"])
        if expected == JOINING:
            return True
        if not row["dirty"]:
            return False
        if int(row["pending_from"]) - expected > settings.after:
            return True
        now = time.monotonic()
        if expected != self._stuck_at:
            self._stuck_at, self._stuck_since = expected, now
        return now - self._stuck_since >= STUCK_S

    def _take(self, attempt: SnapshotAttempt) -> None:
        """What came of an attempt: begin, or try again later."""
        if attempt.outcome is None:
            return
        self._attempt = None
        row = self._memory.venues[self._venue]
        if isinstance(attempt.outcome, LoginFailed):
            self._postpone(f"no snapshot: {attempt.outcome}")
            return
        snapshot = attempt.outcome
        if row["gap_since_ns"] == 0 and row["expected"] != JOINING:
            return  # retransmission was faster
        if snapshot.session != self._session() or snapshot.sequence <= int(row["expected"]):
            self._postpone("the snapshot is older than the books; asking again")
            return
        begin_snapshot(self._memory.address, self._venue, snapshot.sequence)
        self._snapshot, self._applied = snapshot, 0
        self._apply(snapshot)

    def _postpone(self, sentence: str) -> None:
        self._retry_at = time.monotonic() + self._retry_s
        self._retry_s = min(LONGEST_RETRY_S, self._retry_s * 2)
        self._say(sentence)

    def _apply(self, snapshot: Snapshot) -> None:
        """The next packets; the feed is joined after the last one."""
        row = self._memory.venues[self._venue]
        if row["expected"] != JOINING:
            self._snapshot = None  # a new session has begun meanwhile
            return
        for packet in snapshot.packets[self._applied : self._applied + PACKETS_AT_ONCE]:
            self._packet[: len(packet)] = np.frombuffer(packet, np.uint8)
            consume_snapshot(self._memory.address, self._venue, address_of(self._packet), len(packet))
            self._applied += 1
        if self._applied < len(snapshot.packets):
            self._memory.core["wake"] = 1  # come back after one turn of the loop
            return
        self._snapshot = None
        self._stuck_at, self._retry_s = 0, FIRST_RETRY_S
        join_snapshot(self._memory.address, self._venue, snapshot.sequence)
        self._say(f"books from a snapshot of {snapshot.messages} messages; the feed goes on with {snapshot.sequence}")
