"""Signing in, signing out and failing to are audited."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.dispatch import receiver

from desk.accounts.models import User
from desk.audit.services import record


@receiver(user_logged_in)
def note_sign_in(user: User, **_: Any) -> None:
    with transaction.atomic():
        record(user, "user.signed_in", f"user {user.get_username()}")


@receiver(user_logged_out)
def note_sign_out(user: User | None, **_: Any) -> None:
    if user is not None:
        with transaction.atomic():
            record(user, "user.signed_out", f"user {user.get_username()}")


@receiver(user_login_failed)
def note_failure(credentials: dict[str, Any], **_: Any) -> None:
    with transaction.atomic():
        record(None, "user.sign_in_failed", f"user {str(credentials.get('username', ''))[:100]}")
