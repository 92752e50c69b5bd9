"""Positions and P&L: live from the stream, its past from the samples in the database."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from desk.accounts.person import person
from desk.positions import services
from desk.risk.targets import parse_target

CHART_POINTS = 1500
PAST = timedelta(hours=12)


@login_required
def positions(request: HttpRequest) -> HttpResponse:
    """Every position that the person may see."""
    return render(request, "positions/positions.html", {"projected": services.visible_positions(person(request))})


@login_required
def pnl_points(request: HttpRequest) -> JsonResponse:
    """The day's P&L for the chart, thinned to CHART_POINTS: columns `time` (s), `net`, `realised` (in the currency)."""
    text = request.GET.get("scope")
    scope, scope_id = parse_target(text) if text else services.pnl_scope(person(request))
    since = timezone.now() - PAST
    points = list(services.pnl_points(person(request), scope, scope_id, since))
    step = max(1, len(points) // CHART_POINTS)
    kept = points[::-step][::-1] if points else []
    return JsonResponse(
        {
            "time": [int(point.time.timestamp()) for point in kept],
            "net": [float(point.net) for point in kept],
            "realised": [float(point.realised) for point in kept],
        }
    )
