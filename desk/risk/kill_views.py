"""Killing, in one step and without scripts, and asking for the re-arm, which takes two people."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from desk.accounts import policy
from desk.accounts.models import User
from desk.accounts.person import person
from desk.refusals import NotFound, Refusal
from desk.risk import services
from desk.risk.bounds import team_of_scope
from desk.risk.models import ChangeRequest, KillState
from desk.risk.targets import kill_targets, label_of, parse_target
from desk.risk.views import change_row
from engine.messages.codes import Scope

ONE_STRATEGY = "strategy"  # the form then names it in a field of its own


@login_required
def kill(request: HttpRequest) -> HttpResponse:
    """What is killed, and the form that kills."""
    user = person(request)
    if request.method == "POST":
        return _kill(request, user)
    pending = [change for change in services.pending_changes(user) if change.kind == ChangeRequest.Kind.REARM]
    asked = {(change.scope, change.scope_id) for change in pending}
    targets = kill_targets(user)
    context = {
        "held": [_held(user, state, asked) for state in services.active_kills(user)],
        "past": [(label_of(state.scope, state.scope_id), state) for state in _past()],
        "wide": [target for target in targets if target.scope != Scope.STRATEGY],
        "strategies": [target for target in targets if target.scope == Scope.STRATEGY],
        "pending": [change_row(user, change) for change in pending],
    }
    return render(request, "risk/kill.html", context)


def _kill(request: HttpRequest, user: User) -> HttpResponse:
    target = request.POST.get("target", "")
    scope, scope_id = parse_target(request.POST.get("strategy", "") if target == ONE_STRATEGY else target)
    label = label_of(scope, scope_id)
    try:
        services.kill(user, scope, scope_id, request.POST.get("reason", ""))
        messages.success(request, f"Killed: {label}. Every working order is being canceled and no new one leaves.")
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        sentence = (
            f"The kill of {label} is kept and sent again, but the engine has not confirmed it: {refusal.sentence}"
        )
        messages.error(request, sentence)
    return redirect("risk:kill")


@login_required
@require_POST
def rearm(request: HttpRequest) -> HttpResponse:
    """Ask a risk manager to take a kill back."""
    user = person(request)
    scope, scope_id = parse_target(request.POST.get("target", ""))
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, "Say why it is safe to trade again.")
        return redirect("risk:kill")
    try:
        change = services.propose_rearm(user, scope, scope_id, reason)
        messages.info(
            request, f"Change {change.pk}, the re-arm of {label_of(scope, scope_id)}, waits for a second person."
        )
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        messages.error(request, refusal.sentence)
    return redirect("risk:kill")


def _past() -> list[KillState]:
    return list(KillState.objects.filter(active=False).select_related("killed_by", "rearmed_by")[:20])


def _held(user: User, state: KillState, asked: set[tuple[int, int]]) -> dict[str, object]:
    try:
        team_id = team_of_scope(state.scope, state.scope_id)
    except NotFound:
        team_id = None
    return {
        "state": state,
        "label": label_of(state.scope, state.scope_id),
        "target": f"{Scope(state.scope).name.lower()}.{state.scope_id}",
        "asked": (state.scope, state.scope_id) in asked,
        "may_rearm": policy.may_propose_rearm(user, state.scope, team_id),
    }
