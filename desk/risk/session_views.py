"""The page of a venue's order session: its numbers, its last messages, and what people do with it."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from desk.accounts import policy
from desk.accounts.person import person
from desk.markets.models import Venue
from desk.refusals import Refusal
from desk.risk import services, sessions
from desk.risk.models import ChangeRequest
from desk.risk.views import change_row
from engine.messages.codes import Scope

PAGE = "markets:session"


@login_required
@require_GET
def session(request: HttpRequest, number: int) -> HttpResponse:
    """State for everybody; numbers, rates and messages for who trades or answers for it."""
    user = person(request)
    venue = get_object_or_404(Venue, number=number)
    seen, unreached = None, ""
    try:
        seen = sessions.view_session(user, number)
    except Refusal as refusal:
        unreached = refusal.sentence
    mine = [c for c in services.pending_changes(user) if (c.kind, c.scope_id) == (ChangeRequest.Kind.SESSION, number)]
    context = {
        "venue": venue,
        "seen": seen,
        "unreached": unreached,
        "may_see": policy.may_see_session(user),
        "own_only": not policy.sees_every_team(user),
        "may_run": policy.may_run_session(user) and venue.enabled,
        "pending": [change_row(user, change) for change in mine if change.scope == Scope.VENUE],
    }
    return render(request, "markets/session.html", context)


@login_required
@require_POST
def connect(request: HttpRequest, number: int) -> HttpResponse:
    """Keep it up again."""
    return _done(request, number, lambda: f"{sessions.connect(person(request), number)} is being connected.")


@login_required
@require_POST
def disconnect(request: HttpRequest, number: int) -> HttpResponse:
    """Log out and stay away."""
    reason = request.POST.get("reason", "")

    def act() -> str:
        return f"{sessions.disconnect(person(request), number, reason)} is being disconnected; its orders stay there."

    return _done(request, number, act)


@login_required
@require_POST
def reset(request: HttpRequest, number: int) -> HttpResponse:
    """Ask for other sequence numbers."""
    typed = [request.POST.get(name, "") for name in ("next_inbound", "next_outbound", "reason")]

    def act() -> str:
        change = sessions.propose_reset(person(request), number, *typed)
        return f"Change {change.pk} waits for a second person, a risk manager, on this page and under Approvals."

    return _done(request, number, act)


def _done(request: HttpRequest, number: int, act: Callable[[], str]) -> HttpResponse:
    try:
        messages.success(request, act())
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        messages.error(request, refusal.sentence)
    return redirect(PAGE, number)
