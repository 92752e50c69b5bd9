"""The Operations page: the engine, its feeds and sessions, the processes, and what happened to them."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from desk.link import client
from desk.link.models import EngineEvent, ProjectionOffset
from desk.markets.models import Venue
from desk.operations.probes import process_rows
from desk.refusals import Refusal
from engine.messages.codes import EngineState, FeedEventKind, RecordKind, SessionState, StrategyState
from engine.messages.control import ALARM

SHOWN = 60
SHOWN_ALARMS = 20
QUIET_KINDS = (RecordKind.TIMER.value,)


@login_required
@require_GET
def operations(request: HttpRequest) -> HttpResponse:
    """Live parts come by the stream; processes and events from probes and the database."""
    names = dict(Venue.objects.values_list("pk", "name"))
    try:
        catalogue = client.catalogue()
    except Refusal:
        catalogue = None
    offset = ProjectionOffset.objects.first()
    context: dict[str, Any] = {
        "catalogue": catalogue,
        "offset": offset,
        "offset_age": (timezone.now() - offset.moved_at).total_seconds() if offset else None,
        "processes": process_rows(),
        "alarms": EngineEvent.objects.filter(kind=RecordKind.COMMAND, detail__kind=ALARM)[:SHOWN_ALARMS],
        "events": [
            (event, _sentence(event, names)) for event in EngineEvent.objects.exclude(kind__in=QUIET_KINDS)[:SHOWN]
        ],
    }
    return render(request, "operations/operations.html", context)


def _sentence(event: EngineEvent, venues: dict[int, str]) -> str:
    detail = event.detail
    venue = venues.get(detail.get("venue", 0), f"venue {detail.get('venue')}")
    if event.kind == RecordKind.SESSION_EVENT:
        return f"Session of {venue}: {SessionState(detail['state']).name.lower()}"
    if event.kind == RecordKind.FEED_EVENT:
        words = FeedEventKind(detail["kind"]).name.replace("_", " ").lower()
        return f"Feed of {venue}: {words}, expected {detail.get('expected')}, received {detail.get('received')}"
    if event.kind == RecordKind.STRATEGY_STATE:
        return f"Strategy {detail['strategy']}: {StrategyState(detail['state']).name.lower()}"
    if event.kind == RecordKind.ENGINE_STATE:
        return f"Engine: {EngineState(detail['state']).name.lower()}"
    if event.kind == RecordKind.COMMAND:
        made = detail.get("command", detail)
        if made.get("kind") == ALARM:
            return f"{'Alarm' if made['body']['raised'] else 'Alarm over'}: {made['body']['sentence']}"
        return f"Command {made.get('kind', '')} by {made.get('actor', '')}".strip()
    return ", ".join(
        f"{name} {value}" for name, value in list(detail.items())[:6] if not isinstance(value, dict | list)
    )
