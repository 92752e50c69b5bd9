"""The projector's duty cycle against the engine's own follow server and a journal that the engine's own code wrote."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import OperationalError

from desk.blotter.models import OrderEvent, OrderLatency
from desk.link import following
from desk.link.follow import FollowClient, FollowRefused
from desk.link.following import Following
from desk.link.latencies import newest_latency
from desk.link.models import EngineEvent
from desk.link.projector import clear, digest, offset, project
from desk.positions.models import PnlPoint
from engine.control.latency_log import LatencyLog
from engine.journal.follow import FollowServer
from engine.journal.writer import Journal
from engine.messages.codes import RecordKind, Scope
from engine.messages.latency import LATENCY_ROW
from engine.messages.risk import content_hash
from tests.desk.fake_engine import FakeEngine
from tests.engine.journal.rig import append_order, open_small

pytestmark = pytest.mark.django_db
TIME_NS = 1_700_000_000_000_000_000


class Engine:
    """The reading side of an engine: a journal, and a follow server that can be restarted."""

    def __init__(self, state: Path, endpoint: str) -> None:
        self.journal: Journal = open_small(state)
        self.endpoint = endpoint
        self.written = 0
        self.limits_hash = content_hash([])
        self.server: FollowServer | None = None
        self.latency = LatencyLog(state, 0)

    def write(self, count: int) -> None:
        for _ in range(count):
            self.written += 1
            self.journal.keep()
            if self.written % 10:
                append_order(self.journal, self.written, TIME_NS + self.written)
            else:
                self.journal.append_text(RecordKind.ENGINE_STARTED, TIME_NS + self.written, {"epoch": self.written})

    def state(self) -> dict[str, Any]:
        pnl = {"realised": 20_000, "unrealised": -5_000, "fees": 300}
        return {
            "journal_sequence": self.written,
            "time_ns": TIME_NS,
            "limits_hash": self.limits_hash,
            "pnl": pnl,
            "strategies": [{"strategy": 1, **pnl}],
            "latency": {"logged": self.latency.sequence},
        }

    def serve(self) -> None:
        place = self.journal.places.journal
        self.server = FollowServer(place, self.endpoint, state=self.state, latency=self.latency.after)
        self.server.start()

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
            self.server = None


@pytest.fixture
def running(engine_state: Path, tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(tmp_path / "journalled", f"ipc://{tmp_path}/follow.ipc")
    engine.write(95)
    engine.serve()
    yield engine
    engine.stop()
    engine.journal.close()
    shutil.rmtree(engine.journal.places.journal.shared)


def test_it_reaches_the_head_and_goes_on_from_there(running: Engine) -> None:
    Following(running.endpoint).run(until_head=True)
    assert (offset().sequence, OrderEvent.objects.count(), EngineEvent.objects.count()) == (95, 86, 9)
    running.stop()
    running.write(20)
    running.serve()
    again = Following(running.endpoint)
    again.run(until_head=True)
    assert (again.projected, offset().sequence, OrderEvent.objects.count()) == (20, 115, 104)


def test_a_rebuild_gives_the_same_rows(running: Engine) -> None:
    Following(running.endpoint).run(until_head=True)
    before = digest()
    clear()
    Following(running.endpoint).run(until_head=True)
    assert digest() == before


def test_a_database_that_goes_away_loses_and_doubles_nothing(running: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def interrupted(records: bytes) -> int:
        calls.append(len(records))
        if len(calls) == 1:
            raise OperationalError("the connection is closed")
        return project(records)

    monkeypatch.setattr(following, "project", interrupted)
    monkeypatch.setattr(following, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(following.connection, "close", lambda: None)
    Following(running.endpoint).run(until_head=True)
    assert (calls[0], OrderEvent.objects.count()) == (calls[1], 86)


def test_a_journal_that_is_shorter_than_the_projection_is_refused(running: Engine) -> None:
    stands = offset()
    stands.sequence = 1_000
    stands.save()
    with pytest.raises(FollowRefused):
        Following(running.endpoint).run(until_head=True)


def test_the_pnl_of_the_state_frames_is_kept_for_the_chart(running: Engine) -> None:
    Following(running.endpoint).run(until_head=True)
    points = PnlPoint.objects.order_by("scope").values_list("scope", "scope_id", "realised", "unrealised", "fees")
    amounts = pytest.approx((2.0, -0.5, 0.03))
    assert [(scope, number, tuple(map(float, money))) for scope, number, *money in points] == [
        (Scope.FIRM, 0, amounts),
        (Scope.STRATEGY, 1, amounts),
    ]


def test_latency_rows_are_kept_once_and_never_ahead_of_the_journal(
    running: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MOST_LATENCY_ROWS", 20)
    monkeypatch.setattr("engine.journal.follow.MOST_LATENCY_ROWS", 20)
    sequences = [sequence for sequence in range(1, 120) if sequence % 10]
    rows = np.zeros(len(sequences), LATENCY_ROW)
    rows["sequence"] = rows["order_id"] = sequences
    rows["action"] = rows["cause"] = 1
    running.latency.append(rows)

    def kept_to(last: int) -> None:
        followed = Following(running.endpoint)
        with FollowClient(running.endpoint, offset().sequence, state=True) as follower:
            while newest_latency() < last:
                followed._turn(follower)

    kept_to(94)
    running.stop()
    running.write(24)
    running.serve()
    kept_to(119)
    assert list(OrderLatency.objects.values_list("sequence", flat=True)) == sequences


def test_limits_that_the_engine_lacks_are_brought_to_it(
    running: Engine, engine: FakeEngine, limits: None, eventually: Callable[..., None]
) -> None:
    assert engine.limits_version == 0
    Following(running.endpoint).run(until_head=True)
    assert (engine.limits_version, len(engine.limits)) == (1, 2)
