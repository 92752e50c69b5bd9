"""Limits: the grid, proposing, approving what a second person is shown, history and versions."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from desk.accounts import policy
from desk.accounts.models import Role, User
from desk.accounts.person import person
from desk.blotter.terms import in_words
from desk.fields import Field, filled, other_errors
from desk.refusals import Invalid, NotFound, Refusal
from desk.risk import services
from desk.risk.bounds import team_of_scope, text_of
from desk.risk.labels import LABELS, UNITS
from desk.risk.models import LIMIT_NAMES, MONEY_LIMITS, ChangeRequest, Limit, LimitsVersion
from desk.risk.targets import Target, label_of, parse_target
from desk.strategies.models import Strategy
from engine.messages.codes import Scope

SHOWN = 50
LEAD = (
    "What tightens holds at once. What widens waits for a risk manager other than you, and expires after 30 minutes. "
    "An empty field unsets the limit, which blocks every order."
)
NUMBERS = {"next_inbound": "Next number expected", "next_outbound": "Next number sent"}
RULES = {
    "notional": ("Notional over", "USD"),
    "volume_percent": ("Share of average volume over", "percent"),
    "minutes": ("Counted with orders of the last", "minutes"),
}


@dataclass(frozen=True)
class LimitRow:
    """One scope of the grid. `bounds` by name in the order of LIMIT_NAMES; `waiting` changes are not approved yet."""

    target: Target
    bounds: list[tuple[str, Any]]
    waiting: int
    may_propose: bool


@dataclass(frozen=True)
class DiffRow:
    """One limit of a change, before and after."""

    name: str
    label: str
    unit: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class ChangeRow:
    """A change with its scope in words and its diff."""

    change: ChangeRequest
    label: str
    diff: list[DiffRow]
    may_approve: bool
    may_reject: bool
    has_approver: bool
    proposer_is_risk: bool
    terms: list[tuple[str, str]]


def diff_of(change: ChangeRequest) -> list[DiffRow]:
    """What differs; a re-arm and an order have no limits and no rows."""
    if change.kind == ChangeRequest.Kind.SESSION:
        return [DiffRow(name, NUMBERS[name], "", change.before.get(name), change.after[name]) for name in NUMBERS]
    if change.kind == ChangeRequest.Kind.REVIEW:
        return [DiffRow(name, *RULES[name], change.before.get(name), change.after.get(name)) for name in RULES]
    if change.kind != ChangeRequest.Kind.LIMITS:
        return []
    names = [name for name in LIMIT_NAMES if name in change.after]
    return [DiffRow(name, LABELS[name], UNITS[name], change.before.get(name), change.after[name]) for name in names]


def change_row(user: User, change: ChangeRequest) -> ChangeRow:
    """A change as the person sees it."""
    pending = change.state == ChangeRequest.State.PROPOSED
    return ChangeRow(
        change,
        label_of(change.scope, change.scope_id),
        diff_of(change),
        pending and policy.may_approve(user, change),
        pending and policy.may_reject(user, change),
        policy.has_approver(change),
        policy.role_of(change.proposer) == Role.RISK,
        in_words(change.after) if change.kind == ChangeRequest.Kind.ORDER else [],
    )


@login_required
@require_GET
def limits(request: HttpRequest) -> HttpResponse:
    """Every limit that the person may see, by scope, and what the engine runs."""
    user = person(request)
    pending = [change for change in services.pending_changes(user) if change.kind != ChangeRequest.Kind.ORDER]
    history = [change for change in services.change_history(user, SHOWN) if change.kind != ChangeRequest.Kind.ORDER]
    archived = set(Strategy.objects.exclude(archived_at=None).values_list("pk", flat=True))
    listed = [
        row for row in services.visible_limits(user) if row.scope != Scope.STRATEGY or row.scope_id not in archived
    ]
    rows = [_limit_row(user, limit, pending) for limit in listed]
    context = {
        "rows": rows,
        "columns": [(LABELS[name], UNITS[name]) for name in LIMIT_NAMES],
        "pending": [change_row(user, change) for change in pending],
        "history": [change_row(user, change) for change in history],
        "versions": LimitsVersion.objects.all()[:20],
    }
    return render(request, "risk/limits.html", context)


def _limit_row(user: User, limit: Limit, pending: list[ChangeRequest]) -> LimitRow:
    target = Target(Scope(limit.scope), limit.scope_id, label_of(limit.scope, limit.scope_id))
    waiting = sum((change.scope, change.scope_id) == (limit.scope, limit.scope_id) for change in pending)
    try:
        may_propose = policy.may_propose_limits(user, limit.scope, team_of_scope(limit.scope, limit.scope_id))
    except NotFound:
        may_propose = False
    return LimitRow(target, [(name, getattr(limit, name)) for name in LIMIT_NAMES], waiting, may_propose)


@login_required
def propose(request: HttpRequest, target: str) -> HttpResponse:
    """Ask for other limits: tightening holds at once, widening waits for a second person."""
    user = person(request)
    scope, scope_id = parse_target(target)
    team_id = team_of_scope(scope, scope_id)
    if not policy.may_see_limits(user, scope, team_id):
        raise NotFound("There is no such scope.")
    policy.require(policy.may_propose_limits(user, scope, team_id), "Your role may not propose these limits.")
    limit = Limit.objects.filter(scope=scope, scope_id=scope_id).first() or Limit(scope=scope, scope_id=scope_id)
    fields = [
        Field(
            name,
            LABELS[name],
            value=text_of(getattr(limit, name)) or "",
            unit=UNITS[name],
            help=_in_force(limit, name),
            inputmode="decimal" if name in MONEY_LIMITS else "numeric",
            required=False,
        )
        for name in LIMIT_NAMES
    ]
    reason = Field(
        "reason", "Reason", kind="textarea", help="The approver and the audit trail see it.", wide=True, longest=300
    )
    typed: dict[str, Any] = request.POST.dict()
    errors: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        values = {name: typed.get(name, "").replace(",", "").strip() for name in LIMIT_NAMES if name in typed}
        try:
            changes = services.propose_limits(user, scope, scope_id, values, typed.get("reason", ""))
            _say_proposed(request, changes)
            return redirect("risk:limits")
        except Refusal as refusal:
            if refusal.status in (403, 404):
                raise
            errors = refusal.errors if isinstance(refusal, Invalid) else {"": refusal.sentence}
            status = refusal.status
    context = {
        "title": f"Limits of {label_of(scope, scope_id)}",
        "lead": LEAD,
        "back": "risk:limits",
        "fields": filled(fields, typed, errors),
        "reason": filled([reason], typed, errors)[0],
        "errors": other_errors([*fields, reason], errors),
    }
    return render(request, "risk/propose.html", context, status=status)


def _in_force(limit: Limit, name: str) -> str:
    text = text_of(getattr(limit, name))
    return "In force: unset, which blocks." if text is None else f"In force: {Decimal(text):,f}."


def _say_proposed(request: HttpRequest, changes: list[ChangeRequest]) -> None:
    for change in changes:
        if change.loosens:
            text = f"Change {change.pk} waits for a second person; it expires in 30 minutes."
            messages.info(request, text)
        elif change.state == ChangeRequest.State.APPLIED:
            messages.success(request, f"Tightened: the engine runs limits version {change.limits_version}.")
        else:
            messages.warning(request, f"Tightened here, but the engine has not taken it yet. {change.note}")


@login_required
@require_GET
def approvals(request: HttpRequest) -> HttpResponse:
    """What waits for a second person."""
    user = person(request)
    pending = [change for change in services.pending_changes(user) if change.kind != ChangeRequest.Kind.ORDER]
    rows = [change_row(user, change) for change in pending]
    return render(request, "risk/approvals.html", {"rows": rows})


@login_required
@require_GET
def change(request: HttpRequest, change_id: int) -> HttpResponse:
    """One change: its diff, who asked, and approving exactly what is shown."""
    user = person(request)
    row = change_row(user, services.find_change(user, change_id))
    return render(request, "risk/change.html", {"row": row})


@login_required
@require_POST
def approve(request: HttpRequest, change_id: int) -> HttpResponse:
    """Agree to what was shown, named by its hash."""
    user = person(request)
    found = services.find_change(user, change_id)
    step = services.APPROVALS[found.kind]
    try:
        done = step(user, change_id, request.POST.get("diff_hash", ""))
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        messages.error(request, refusal.sentence)
        return redirect("risk:change", change_id)
    if done.state == ChangeRequest.State.APPLIED:
        version = f"; the engine runs limits version {done.limits_version}" if done.limits_version else ""
        messages.success(request, f"Change {done.pk} is approved and applied{version}.")
    else:
        messages.warning(request, f"Change {done.pk} is approved, but the engine has not taken it yet. {done.note}")
    return redirect("risk:approvals")


@login_required
@require_POST
def reject(request: HttpRequest, change_id: int) -> HttpResponse:
    """Say no, or take the own proposal back."""
    user = person(request)
    found = services.find_change(user, change_id)
    try:
        services.reject_change(user, change_id, request.POST.get("note", ""))
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        messages.error(request, refusal.sentence)
        return redirect("risk:change", change_id)
    messages.success(request, f"Change {change_id} is {'taken back' if found.proposer_id == user.pk else 'rejected'}.")
    return redirect("risk:approvals")
