"""The risk managers' console: limits, changes to approve, versions the engine runs, kills."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from desk.accounts import policy
from desk.admin_base import ReadOnlyAdmin, person
from desk.refusals import Refusal
from desk.risk.changes import propose_limits, reject_change
from desk.risk.models import LIMIT_NAMES, ChangeRequest, KillState, Limit, LimitsVersion
from desk.risk.services import APPROVALS

CHANGES_PAGE = "admin:risk_changerequest_changelist"


class ProposalForm(forms.ModelForm):
    """New bounds of one scope. Saving proposes them; what only tightens is applied at once."""

    reason = forms.CharField(max_length=300, help_text="Shown to the person who approves, and kept in the audit trail.")

    class Meta:
        model = Limit
        fields = list(LIMIT_NAMES)


@admin.register(Limit)
class LimitAdmin(ReadOnlyAdmin):
    """Changing a limit here is proposing it: another risk manager approves what loosens."""

    form = ProposalForm
    list_display = ["__str__", *LIMIT_NAMES, "changed_at"]
    list_filter = ["scope"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_view_permission(request) and policy.may_propose_limits(request.user, 0, None)

    def save_model(self, request: HttpRequest, obj: Limit, form: forms.ModelForm, change: bool) -> None:
        """Nothing is saved here: the service proposes, and applies what tightens."""
        values = {name: form.cleaned_data[name] for name in LIMIT_NAMES}
        try:
            changes = propose_limits(person(request), obj.scope, obj.scope_id, values, form.cleaned_data["reason"])
        except Refusal as refusal:
            messages.error(request, refusal.sentence)
            return
        for made in changes:
            messages.info(request, f"Change {made.pk} is {made.get_state_display()}. {made.note}")

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """The audit trail tells what happened."""

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return redirect(CHANGES_PAGE)


@admin.register(ChangeRequest)
class ChangeRequestAdmin(ReadOnlyAdmin):
    """What waits for a second person, and what became of it."""

    list_display = ["id", "kind", "__str__", "before", "after", "reason", "proposer", "state", "approver", "expires_at"]
    list_filter = ["state", "kind"]
    list_select_related = ["proposer", "approver"]
    actions = ["approve", "reject"]

    @admin.action(description="Approve the selected changes, exactly as shown")
    def approve(self, request: HttpRequest, queryset: QuerySet[ChangeRequest]) -> None:
        """A change is never edited after it was proposed, so the row that was shown is the row that is signed."""
        for change in queryset:
            decide = APPROVALS[change.kind]
            self._tell(request, partial(decide, person(request), change.pk, change.diff_hash))

    @admin.action(description="Reject the selected changes")
    def reject(self, request: HttpRequest, queryset: QuerySet[ChangeRequest]) -> None:
        for change in queryset:
            self._tell(request, partial(reject_change, person(request), change.pk, "rejected"))

    def _tell(self, request: HttpRequest, decide: Callable[[], ChangeRequest]) -> None:
        try:
            change = decide()
            messages.info(request, f"Change {change.pk} is {change.get_state_display()}. {change.note}")
        except Refusal as refusal:
            messages.error(request, refusal.sentence)


@admin.register(LimitsVersion)
class LimitsVersionAdmin(ReadOnlyAdmin):
    list_display = ["number", "content_hash", "applied_by", "applied_at", "journal_sequence"]


@admin.register(KillState)
class KillStateAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "active", "confirmed", "reason", "killed_by", "killed_at", "rearmed_by", "rearmed_at"]
    list_filter = ["active"]
