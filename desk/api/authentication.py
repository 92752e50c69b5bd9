"""Who calls: a program with a key, or a page with its session (then with the CSRF token, as every form)."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja.security import HttpBearer, SessionAuth

from desk.accounts.models import User
from desk.api.keys import check_token
from desk.api.models import ApiScope
from desk.api.problems import problem
from desk.refusals import NotPermitted


class KeyAuth(HttpBearer):
    """`Authorization: Bearer KEY_ID.SECRET`."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        key = check_token(token)
        if key is None:
            return None
        request.user = key.owner
        request.api_scopes = frozenset(key.scopes)  # type: ignore[attr-defined]
        return key


AUTHENTICATION = [KeyAuth(), SessionAuth()]


def for_callers(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A plain view for those who are signed in or send a living key."""

    def guarded(request: HttpRequest, *arguments: Any, **options: Any) -> HttpResponse:
        if any(authenticate(request) for authenticate in AUTHENTICATION):
            return view(request, *arguments, **options)
        return problem(request, 401, "not_authenticated", "Send a living API key, or sign in.")

    return guarded


def caller(request: HttpRequest, scope: ApiScope) -> User:
    """The person who calls, or for whom a program calls whose key has the scope."""
    scopes = getattr(request, "api_scopes", None)
    if scopes is not None and scope.value not in scopes:
        raise NotPermitted(f"This key does not have the scope {scope.value}.", code="scope_missing")
    assert isinstance(request.user, User)
    return request.user


def caller_in_person(request: HttpRequest) -> User:
    """Somebody who is signed in; no key will do."""
    if getattr(request, "api_scopes", None) is not None:
        raise NotPermitted("No key may do this; sign in.", code="person_required")
    assert isinstance(request.user, User)
    return request.user
