"""The projector's duty cycle: records into the database in bundles, state frames into samples, across every restart."""

from __future__ import annotations

import logging
import time

from django.db import InterfaceError, OperationalError, connection

from desk.link.follow import FollowClient
from desk.link.latencies import keep_latency, newest_latency
from desk.link.projector import offset, project
from desk.link.reconcile import reconcile, work_is_left
from desk.link.samples import Sampler
from desk.refusals import Refusal
from engine.messages.follow import MOST_LATENCY_ROWS, Batch, LatencyBatch, StateFrame

logger = logging.getLogger(__name__)

BUNDLE_SECONDS = 0.1  # at the head of the journal: one transaction for what arrives meanwhile
BUNDLE_RECORDS = 16_384
IDLE_SECONDS = 1.0
RECONCILE_SECONDS = 5.0
RETRY_SECONDS = 0.5


class Following:
    """One projector on one engine. `head` is the newest sequence that the engine told of, None before it told."""

    def __init__(self, endpoint: str) -> None:
        self.head: int | None = None
        self.projected = 0
        self._endpoint = endpoint
        self._sampler = Sampler()
        self._reconciled_at = 0.0
        self._latency_kept: int | None = None

    def run(self, until_head: bool = False) -> None:
        """Project for ever, or until everything that the engine had told of is projected."""
        with FollowClient(self._endpoint, self._sequence(), state=True) as follower:
            while not (until_head and self.head is not None and follower.sequence >= self.head):
                self._turn(follower)

    def _turn(self, follower: FollowClient) -> None:
        bundle: list[Batch] = []
        count = 0
        deadline = time.monotonic() + IDLE_SECONDS
        while count < BUNDLE_RECORDS and (left := deadline - time.monotonic()) > 0:
            answer = follower.receive(left)
            if answer is None:
                break
            if isinstance(answer, StateFrame):
                self._take_state(answer)
                self._ask_latency(follower, answer)
                if not bundle:
                    return
                continue
            if isinstance(answer, LatencyBatch):
                self._take_latency(follower, answer)
                continue
            if not bundle:
                deadline = min(deadline, time.monotonic() + BUNDLE_SECONDS)
            bundle.append(answer)
            count += answer.count
        if bundle:
            self._project(b"".join(batch.data for batch in bundle))

    def _project(self, records: bytes) -> None:
        while True:
            try:
                self.projected += project(records)
                return
            except (OperationalError, InterfaceError) as error:
                # Records that were projected before the connection was lost are passed over the second time.
                logger.warning("the database is not there (%s); trying again", str(error).strip())
                connection.close()
                time.sleep(RETRY_SECONDS)

    def _take_state(self, frame: StateFrame) -> None:
        if self.head is None:
            logger.info("following the engine's journal after record %d", self._sequence())
        self.head = int(frame.state["journal_sequence"])
        try:
            self._sampler.take(frame.state)
            self._reconcile(frame)
        except (OperationalError, InterfaceError):
            connection.close()

    def _ask_latency(self, follower: FollowClient, frame: StateFrame) -> None:
        """Ask for latency rows when the engine has some of requests that were followed and are not kept here."""
        logged = int((frame.state.get("latency") or {}).get("logged") or 0)
        try:
            if self._latency_kept is None:
                self._latency_kept = newest_latency()
        except (OperationalError, InterfaceError):
            connection.close()
            return
        if min(logged, follower.sequence) > self._latency_kept:
            follower.ask_latency(self._latency_kept)

    def _take_latency(self, follower: FollowClient, batch: LatencyBatch) -> None:
        # The log may be ahead of what the disk has of the journal: only rows of records that were followed are kept.
        rows = batch.rows[batch.rows["sequence"] <= follower.sequence]
        if not len(rows):
            return
        try:
            keep_latency(rows)
        except (OperationalError, InterfaceError):
            connection.close()
            return
        self._latency_kept = int(rows["sequence"][-1])
        if len(rows) == MOST_LATENCY_ROWS:
            follower.ask_latency(self._latency_kept)

    def _reconcile(self, frame: StateFrame) -> None:
        if time.monotonic() - self._reconciled_at < RECONCILE_SECONDS:
            return
        self._reconciled_at = time.monotonic()
        try:
            if work_is_left(str(frame.state["limits_hash"])):
                outcome = reconcile("projector")
                for sentence in outcome.refusals:
                    logger.warning("not reconciled: %s", sentence)
        except Refusal as refusal:
            logger.warning("not reconciled: %s", refusal.sentence)

    def _sequence(self) -> int:
        while True:
            try:
                return offset().sequence
            except (OperationalError, InterfaceError) as error:
                logger.warning("the database is not there (%s); trying again", str(error).strip())
                connection.close()
                time.sleep(RETRY_SECONDS)
