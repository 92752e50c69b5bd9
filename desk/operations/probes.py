"""Whether the processes of the desk answer, as the Operations page shows it. Each probe is bounded in time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.utils import timezone
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from desk.celery import app
from desk.link import client
from desk.link.models import ProjectionOffset
from desk.link.samples import QUIET_SECONDS
from desk.positions.models import PnlPoint
from desk.refusals import Refusal
from engine.messages.codes import Scope
from engine.messages.control import Hello, command

WORKER_SECONDS = 0.6
PROJECTOR_LATE_SECONDS = QUIET_SECONDS + 15.0


@dataclass(frozen=True)
class ProcessRow:
    """One process: what it answered and how fast."""

    name: str
    up: bool
    detail: str
    milliseconds: float


def process_rows() -> list[ProcessRow]:
    """Probe each in turn."""
    return [
        _probe("Engine", _engine),
        _probe("Projector", _projector),
        _probe("PostgreSQL", _database),
        _probe("Valkey", _cache),
        _probe("Worker", _worker),
    ]


def _probe(name: str, ask: Callable[[], tuple[bool, str]]) -> ProcessRow:
    started = time.perf_counter()
    try:
        up, detail = ask()
    except (Refusal, DatabaseError, RedisError, OSError, KombuError, ValueError) as problem:
        up, detail = False, str(problem)[:200] or type(problem).__name__
    return ProcessRow(name, up, detail, (time.perf_counter() - started) * 1000)


def _engine() -> tuple[bool, str]:
    body = client.send(command(Hello(), "desk"), timeout_seconds=1.0).body
    return True, f"{body.get('mode', '')}, epoch {body.get('epoch', '')}, build {str(body.get('build_hash', ''))[:8]}"


def _projector() -> tuple[bool, str]:
    """It writes a P&L point at least every QUIET_SECONDS, also when the journal rests."""
    offset = ProjectionOffset.objects.first()
    if offset is None:
        return False, "has projected nothing yet"
    point = PnlPoint.objects.filter(scope=Scope.FIRM).order_by("-time").first()
    written = max(offset.moved_at, point.time) if point else offset.moved_at
    age = (timezone.now() - written).total_seconds()
    return age < PROJECTOR_LATE_SECONDS, f"at journal {offset.sequence:,}, wrote {max(0.0, age):.0f} s ago"


def _database() -> tuple[bool, str]:
    with connection.cursor() as cursor:
        cursor.execute("show server_version")
        return True, f"version {cursor.fetchone()[0]}"


def _cache() -> tuple[bool, str]:
    cache.set("operations-probe", "1", 5)
    return cache.get("operations-probe") == "1", "writes and reads"


def _worker() -> tuple[bool, str]:
    answers = app.control.inspect(timeout=WORKER_SECONDS).ping() or {}
    return bool(answers), ", ".join(sorted(answers)) or "no worker answered"
