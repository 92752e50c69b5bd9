"""Signing in and out, and the person's own account."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.views import LoginView, LogoutView, redirect_to_login
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from desk.accounts import policy
from desk.accounts.person import person
from desk.api.keys import LONGEST_DAYS
from desk.api.models import ApiScope
from desk.audit.services import record


class SignIn(LoginView):
    """User name and password; too many failures lock the sign-in for some minutes, never the kill path."""

    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        response = super().form_invalid(form)
        response.status_code = 422
        return response


def sign_in_to_administration(request: HttpRequest) -> HttpResponse:
    """Where the administration pages send whom they do not let in: to the desk's own sign-in, or to the reason."""
    wanted = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        wanted = reverse("admin:index")
    if not request.user.is_authenticated:
        return redirect_to_login(wanted)
    policy.require(request.user.is_staff, "The administration pages are for risk managers and administrators.")
    return redirect(wanted)


class SignOut(LogoutView):
    """Ends the session; the page's stream is closed by the hub within a second."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: object, **options: object) -> HttpResponse:
        response = super().post(request, *args, **options)
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        return response


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Who one is, which sessions are open, the password, and the keys of one's programs."""
    return account_page(request)


def account_page(request: HttpRequest, status: int = 200, **shown: Any) -> HttpResponse:
    """The page with what a form of it just did or refused."""
    context = {
        "form": PasswordChangeForm(person(request)),
        "sessions": _sessions_of(request),
        "keys": person(request).api_keys.filter(revoked_at=None),
        "scopes": ApiScope.choices,
        "key_typed": {"name": "", "days": str(LONGEST_DAYS), "scopes": []},
        "key_errors": {},
    }
    return render(request, "accounts/account.html", context | shown, status=status)


@login_required
@require_POST
def change_password(request: HttpRequest) -> HttpResponse:
    """A new password; other sessions end with the old one."""
    form = PasswordChangeForm(person(request), request.POST)
    if not form.is_valid():
        return account_page(request, form=form, status=422)
    with transaction.atomic():
        user = form.save()
        record(user, "user.password_changed", f"user {user.get_username()}")
    update_session_auth_hash(request, user)
    messages.success(request, "Your password is changed. Other sessions of yours have ended.")
    return redirect("accounts:account")


@login_required
@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    """End every session of the person but this one."""
    ended = [row["key"] for row in _sessions_of(request) if not row["current"]]
    with transaction.atomic():
        Session.objects.filter(session_key__in=ended).delete()
        record(
            person(request), "session.ended", f"user {person(request).get_username()}", after={"sessions": len(ended)}
        )
    messages.success(request, f"Ended {len(ended)} other session{'' if len(ended) == 1 else 's'}.")
    return redirect("accounts:account")


def _sessions_of(request: HttpRequest) -> list[dict[str, object]]:
    mine = str(person(request).pk)
    rows = []
    for session in Session.objects.filter(expire_date__gt=timezone.now()).order_by("-expire_date"):
        if session.get_decoded().get("_auth_user_id") == mine:
            current = session.session_key == request.session.session_key
            rows.append({"key": session.session_key, "expires": session.expire_date, "current": current})
    return rows
