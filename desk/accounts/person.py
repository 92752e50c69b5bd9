"""Who is asking."""

from __future__ import annotations

from django.http import HttpRequest

from desk.accounts.models import User


def person(request: HttpRequest) -> User:
    """The signed-in person of a view behind `login_required`."""
    assert isinstance(request.user, User)
    return request.user
