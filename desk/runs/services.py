"""Opening and closing runs."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from desk.accounts import policy
from desk.accounts.models import User
from desk.runs.models import Run
from desk.strategies.models import Strategy


def open_run(
    actor: User, strategy: Strategy, *, mode: int, epoch: int, definition: dict[str, Any], sequence: int
) -> Run:
    """A run begins with the engine's answer to a start; one that was still open ends with it."""
    close_runs(strategy.pk, actor=actor, sequence=sequence, ending="started again")
    return Run.objects.create(
        strategy=strategy,
        mode=mode,
        definition=definition,
        strategy_version=strategy.version,
        engine_epoch=epoch,
        started_by=actor,
        started_at=timezone.now(),
        started_sequence=sequence,
    )


def close_runs(strategy_id: int, *, actor: User | None, sequence: int, ending: str, at: datetime | None = None) -> int:
    """End the strategy's open runs that began before journal `sequence`; returns how many there were."""
    rows = Run.objects.filter(strategy_id=strategy_id, stopped_at=None, started_sequence__lte=sequence)
    return rows.update(
        stopped_by=actor, stopped_at=at or timezone.now(), stopped_sequence=sequence, ending=ending[:120]
    )


def visible_runs(user: User) -> QuerySet[Run]:
    """Runs of the strategies that the person sees, the newest first."""
    rows = Run.objects.select_related("strategy", "strategy__team", "started_by", "stopped_by")
    return policy.visible(rows, user, "strategy__team")
