"""What the journal says about strategies and kills, brought to the rows that people look at.

A command stands in the journal only when the engine took it. Each effect carries its sequence, so that projecting the
journal again changes nothing.
"""

from datetime import datetime
from typing import Any

from desk.accounts.models import User
from desk.risk.models import Break, KillState
from desk.runs.services import close_runs
from desk.strategies.models import Strategy
from engine.messages.codes import StrategyState
from engine.messages.control import KILL, RAISE_BREAK, REARM, RESOLVE_BREAK, START_STRATEGY, STOP_STRATEGY


def note_command(document: dict[str, Any], sequence: int, at: datetime) -> None:
    """The effect of one command record, as it came to the engine."""
    body = document["body"]
    actor = User.objects.filter(username=document["actor"]).first()
    match document["kind"]:
        case kind if kind == START_STRATEGY:
            note_strategy_state(body["strategy"], StrategyState.RUNNING, sequence, at)
        case kind if kind == STOP_STRATEGY:
            note_strategy_state(body["strategy"], StrategyState.STOPPED, sequence, at, actor)
        case kind if kind == KILL:
            _note_kill(body, sequence, actor)
        case kind if kind == REARM:
            _note_rearm(body, sequence, at)
        case kind if kind == RAISE_BREAK:
            _note_break(body, sequence, at)
        case kind if kind == RESOLVE_BREAK:
            open_one = Break.objects.filter(name=body["name"], resolved_at=None)
            resolution = {"resolved_by": document["actor"], "resolution": body["sentence"][:300]}
            open_one.update(resolved_at=at, resolved_sequence=sequence, **resolution)


def note_strategy_state(strategy_id: int, state: int, sequence: int, at: datetime, actor: User | None = None) -> None:
    """The engine says that a strategy runs or stopped; a stop ends its run."""
    newer = Strategy.objects.filter(pk=strategy_id, reported_sequence__lt=sequence)
    newer.update(reported_state=int(state), reported_sequence=sequence)
    if state == StrategyState.STOPPED:
        close_runs(strategy_id, actor=actor, sequence=sequence, ending="stopped", at=at)


def _note_kill(body: dict[str, Any], sequence: int, actor: User | None) -> None:
    scope = {"scope": body["scope"], "scope_id": body["scope_id"]}
    if KillState.objects.filter(**scope, sequence__gte=sequence).exists():
        return
    KillState.objects.update_or_create(
        **scope,
        active=True,
        defaults={"confirmed": True, "sequence": sequence},
        create_defaults={
            **scope,
            "confirmed": True,
            "sequence": sequence,
            "reason": body["reason"][:300],
            "killed_by": actor,
        },
    )


def _note_rearm(body: dict[str, Any], sequence: int, at: datetime) -> None:
    approver = User.objects.filter(username=body["approver"]).first()
    held = KillState.objects.filter(scope=body["scope"], scope_id=body["scope_id"], active=True, sequence__lt=sequence)
    held.update(active=False, rearmed_by=approver, rearmed_at=at, rearmed_sequence=sequence)


def _note_break(body: dict[str, Any], sequence: int, at: datetime) -> None:
    known = {name: body[name] for name in ("kind", "venue", "instrument", "order_id")}
    found = known | {"sentence": body["sentence"][:300], "raised_at": at, "sequence": sequence}
    Break.objects.get_or_create(name=body["name"], defaults=found)
