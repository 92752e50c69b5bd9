"""API keys of one's own: made, shown once, revoked."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from desk.accounts.person import person
from desk.accounts.views import account_page
from desk.api.keys import LONGEST_DAYS, create_key, revoke_key
from desk.refusals import Invalid


@login_required
@require_POST
def make_key(request: HttpRequest) -> HttpResponse:
    """A new key. The answer itself shows its token: nothing keeps it to show it later."""
    days = request.POST.get("days", "")
    typed = {"name": request.POST.get("name", ""), "days": days, "scopes": request.POST.getlist("scopes")}
    try:
        if not (days.isascii() and days.isdigit() and len(days) < 5):
            raise Invalid({"days": f"A key lives from 1 to {LONGEST_DAYS} days."})
        made = create_key(person(request), str(typed["name"]), list(typed["scopes"]), int(days))
    except Invalid as refusal:
        return account_page(request, key_typed=typed, key_errors=refusal.errors, status=422)
    return account_page(request, new_key=made)


@login_required
@require_POST
def end_key(request: HttpRequest) -> HttpResponse:
    """Revoke a key; programs that use it are refused from then on."""
    revoke_key(person(request), request.POST.get("key_id", ""))
    messages.success(request, "The key is revoked.")
    return redirect("accounts:account")
