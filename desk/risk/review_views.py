"""Pages of the teams' rules: which orders of their people wait for a second person."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from desk.accounts import policy
from desk.accounts.person import person
from desk.fields import Field, filled, other_errors
from desk.refusals import Invalid, NotFound, Refusal
from desk.risk import review, services
from desk.risk.models import ChangeRequest
from desk.risk.targets import label_of
from desk.risk.views import RULES, change_row
from engine.messages.codes import Scope

LEAD = (
    "Orders and parent orders that people of the team enter wait for a second person when they are over a bound, with "
    "what the team sent in the instrument in the minutes before. A lower bound, or more minutes, holds at once; a "
    "higher one, or none, waits for a risk manager other than you and expires after 30 minutes. An empty bound makes "
    "no order wait; without minutes each order counts by itself."
)


@login_required
@require_GET
def rules(request: HttpRequest) -> HttpResponse:
    """Every rule that the person may see, and changes that wait."""
    user = person(request)
    pending = [change for change in services.pending_changes(user) if change.kind == ChangeRequest.Kind.REVIEW]
    context = {
        "rows": [
            (team, rule, policy.may_propose_limits(user, Scope.TEAM, team.pk))
            for team, rule in review.visible_rules(user)
        ],
        "pending": [change_row(user, change) for change in pending],
    }
    return render(request, "risk/rules.html", context)


@login_required
def propose_rule(request: HttpRequest, team_id: int) -> HttpResponse:
    """Ask for another rule: a stricter one holds at once, a looser one waits for a second person."""
    user = person(request)
    if not policy.may_see_team(user, team_id):
        raise NotFound("There is no such team.")
    allowed = policy.may_propose_limits(user, Scope.TEAM, team_id)
    policy.require(allowed, "Your role may not change which orders of this team wait.")
    label, now = label_of(Scope.TEAM, team_id), review.rule_of(team_id)
    fields = [
        Field(name, name_of, value=now[name] or "", unit=unit, required=False, inputmode="decimal")
        for name, (name_of, unit) in RULES.items()
    ]
    reason = Field("reason", "Reason", "textarea", help="The approver and the audit trail see it.", wide=True)
    typed, errors, status = {name: str(text) for name, text in request.POST.items()}, {}, 200
    if request.method == "POST":
        values = {name: typed[name] for name in review.NAMES if name in typed}
        try:
            change = review.propose_rule(user, team_id, values, typed.get("reason", ""))
            held = "waits for a second person" if change.loosens else "holds"
            messages.info(request, f"Change {change.pk} of which orders of {label} wait {held}.")
            return redirect("risk:rules")
        except Refusal as refusal:
            if refusal.status in (403, 404):
                raise
            errors = refusal.errors if isinstance(refusal, Invalid) else {"": refusal.sentence}
            status = refusal.status
    context = {
        "title": f"Second person for {label}",
        "lead": LEAD,
        "back": "risk:rules",
        "fields": filled(fields, typed, errors),
        "reason": filled([reason], typed, errors)[0],
        "errors": other_errors([*fields, reason], errors),
    }
    return render(request, "risk/propose.html", context, status=status)
