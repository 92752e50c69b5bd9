"""The projections: blocks of journal records become rows, in one transaction with the sequence they reach.

Records at or before that sequence are passed over, so a block may come twice. What the rows become depends on the
records alone and not on how they were cut into blocks: a rebuild gives the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from django.db import connection, transaction

from desk.blotter.models import Denial, Fill, Order, OrderEvent, Parent, Route, time_of
from desk.link.effects import note_command, note_strategy_state
from desk.link.fold import fold_fills
from desk.link.merge import lose_session, merge
from desk.link.models import EngineEvent, ProjectionOffset
from desk.link.staging import TABLES, create_tables, empty_tables, stage
from desk.positions.models import Position
from desk.strategies.models import Strategy
from engine.messages.codes import RecordKind, SessionState, StrategyState
from engine.messages.journal import BODIES
from engine.messages.records import TextRecord, bodies, runs
from engine.messages.secrets import without_secrets

PROJECTIONS = (Order, Parent, OrderEvent, Fill, Denial, Route, Position, EngineEvent)
EVENT_KINDS = (
    RecordKind.SESSION_EVENT,
    RecordKind.FEED_EVENT,
    RecordKind.ENGINE_STATE,
    RecordKind.STRATEGY_STATE,
)
Group = np.ndarray[Any, Any]


class AnotherJournal(Exception):
    """The journal is not the one that was projected, or a part of it is missing."""


def offset() -> ProjectionOffset:
    """Where the projections stand."""
    return ProjectionOffset.objects.get_or_create(pk=1)[0]


def project(block: Any) -> int:
    """Project whole records, back to back; returns how many were new.

    Raises AnotherJournal when the records do not continue what was projected before.
    """
    create_tables()
    with transaction.atomic():
        stands = ProjectionOffset.objects.select_for_update().get_or_create(pk=1)[0]
        count = 0
        for run in runs(block):
            count += _project_text(stands, run) if isinstance(run, TextRecord) else _project_run(stands, run)
        stands.save()
    return count


def clear() -> None:
    """Drop every projected row, so that the journal can be projected from its beginning."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            tables = ", ".join(model._meta.db_table for model in PROJECTIONS)  # noqa: SLF001  Django's documented name
            cursor.execute(f"truncate {tables}")
        Strategy.objects.update(reported_state=StrategyState.STOPPED.value, reported_sequence=0)
        ProjectionOffset.objects.all().delete()


def _project_run(stands: ProjectionOffset, run: Group) -> int:
    sequences = run["header"]["sequence"]
    fresh = run[sequences > stands.sequence]
    _check_continues(stands, run, fresh)
    if not len(fresh):
        return 0
    for group in _groups(fresh):
        _project_group(group)
    last = fresh["header"][-1]
    stands.sequence, stands.time_ns = int(last["sequence"]), int(last["time_ns"])
    return len(fresh)


def _check_continues(stands: ProjectionOffset, run: Group, fresh: Group) -> None:
    known = run[run["header"]["sequence"] == stands.sequence]
    if len(known) and int(known["header"]["time_ns"][0]) != stands.time_ns:
        raise AnotherJournal(f"Record {stands.sequence} is not the one that was projected.")
    if len(fresh) and int(fresh["header"]["sequence"][0]) != stands.sequence + 1:
        raise AnotherJournal(f"Record {stands.sequence + 1} is missing from the journal.")


def _groups(run: Group) -> Iterator[Group]:
    """Cut after each lost session: it changes orders that earlier records made and later records change again."""
    session_events = np.flatnonzero(run["header"]["kind"] == RecordKind.SESSION_EVENT)
    start = 0
    for at in session_events.tolist():
        yield run[start : at + 1]
        start = at + 1
    if start < len(run):
        yield run[start:]


def _project_group(group: Group) -> None:
    staged = set()
    for kind in TABLES:
        headers, rows = bodies(group, kind)
        stage(kind, headers, rows)
        if len(headers):
            staged.add(kind)
    if staged:
        fold_fills(merge(staged))
        empty_tables()
    chosen = group[np.isin(group["header"]["kind"], [int(kind) for kind in EVENT_KINDS])]
    for row in chosen:
        _project_event(row)


def _project_event(row: np.void) -> None:
    header = row["header"]
    kind = RecordKind(int(header["kind"]))
    body = np.frombuffer(row["body"].tobytes(), BODIES[kind])[0]
    sequence, time_ns = int(header["sequence"]), int(header["time_ns"])
    names = [name for name in BODIES[kind].names or () if not name.startswith(("reserved", "unused"))]
    detail = {name: body[name].item() for name in names}
    EngineEvent.objects.create(sequence=sequence, kind=kind.value, time_ns=time_ns, detail=detail)
    if kind == RecordKind.SESSION_EVENT and detail["state"] == SessionState.DOWN:
        lose_session(detail["venue"], sequence)
    if kind == RecordKind.STRATEGY_STATE:
        note_strategy_state(detail["strategy"], detail["state"], sequence, time_of(time_ns))


def _project_text(stands: ProjectionOffset, text: TextRecord) -> int:
    if text.sequence <= stands.sequence:
        if text.sequence == stands.sequence and text.time_ns != stands.time_ns:
            raise AnotherJournal(f"Record {stands.sequence} is not the one that was projected.")
        return 0
    if text.sequence != stands.sequence + 1:
        raise AnotherJournal(f"Record {stands.sequence + 1} is missing from the journal.")
    EngineEvent.objects.create(
        sequence=text.sequence, kind=text.kind.value, time_ns=text.time_ns, detail=without_secrets(text.document)
    )
    if text.kind == RecordKind.COMMAND:
        note_command(text.document, text.sequence, time_of(text.time_ns))
    stands.sequence, stands.time_ns = text.sequence, text.time_ns
    return 1


def digest() -> dict[str, dict[str, Any]]:
    """Per projection, how many rows it has and a hash over all of them in the order of their keys."""
    found = {}
    with connection.cursor() as cursor:
        for model in PROJECTIONS:
            table, key = model._meta.db_table, model._meta.pk.column  # noqa: SLF001  Django's documented names
            row, order = ("to_jsonb(t) - 'id'", "to_jsonb(t) - 'id'") if key == "id" else ("to_jsonb(t)", key)
            cursor.execute(f"select count(*), md5(string_agg(({row})::text, ';' order by {order})) from {table} t")
            count, hashed = cursor.fetchone()
            found[table] = {"rows": count, "hash": hashed or ""}
    return found
