"""Administration pages that ask the policy, not Django's model permissions."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin

from desk.accounts import policy
from desk.accounts.models import Role, User


class ReadOnlyAdmin(ModelAdmin):
    """Rows to look at: nobody adds, changes or deletes them here."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return policy.role_of(request.user) in (Role.RISK, Role.ADMIN)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def person(request: HttpRequest) -> User:
    """Who is signed in; the administration pages let nobody else through."""
    assert isinstance(request.user, User)
    return request.user
