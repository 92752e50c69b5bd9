"""People and teams, for administrators."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from desk.accounts import policy
from desk.accounts.models import Team, User
from desk.admin_base import person
from desk.audit.services import record

admin.site.unregister(Group)


class PeopleAdmin(ModelAdmin):
    """Administrators add and change, risk managers look, nobody deletes: audit entries and orders refer to people."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return policy.may_see_audit(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return policy.may_manage_people(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return policy.may_manage_people(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        """Saved and audited in one transaction; passwords are named and never written down."""
        noun = type(obj).__name__.lower()
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            after = {
                name: str(form.cleaned_data.get(name))
                for name in form.changed_data
                if "password" not in name and name in form.cleaned_data
            }
            record(person(request), f"{noun}.{'changed' if change else 'created'}", f"{noun} {obj}", after=after)


@admin.register(Team)
class TeamAdmin(PeopleAdmin):
    list_display = ["name"]
    search_fields = ["name"]


@admin.register(User)
class UserAdmin(PeopleAdmin, DjangoUserAdmin):
    """Passwords are set here too, which the audit trail names without the password."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "role", "team", "is_active", "last_login"]
    list_filter = ["role", "team", "is_active"]
    search_fields = ["username"]
    filter_horizontal = []
    readonly_fields = ["last_login", "date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password", "role", "team", "is_active"]}),
        ("Contact", {"fields": ["first_name", "last_name", "email"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    add_fieldsets = [(None, {"fields": ["username", "usable_password", "password1", "password2", "role", "team"]})]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002  Django's name
        with transaction.atomic():
            answer = super().user_change_password(request, id, form_url)
            if request.method == "POST" and answer.status_code == 302:
                record(person(request), "user.password_changed", f"user {User.objects.get(pk=id)}")
        return answer
