"""API keys: administrators make and end them; the secret is shown once."""

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from desk.accounts import policy
from desk.admin_base import ReadOnlyAdmin, person
from desk.api.keys import LONGEST_DAYS, create_key, revoke_key
from desk.api.models import ApiKey, ApiScope
from desk.refusals import Refusal


class ApiKeyForm(forms.ModelForm):
    """A new key for somebody."""

    scopes = forms.MultipleChoiceField(choices=ApiScope.choices, widget=forms.CheckboxSelectMultiple)
    days = forms.IntegerField(min_value=1, max_value=LONGEST_DAYS, initial=30, widget=UnfoldAdminIntegerFieldWidget)

    class Meta:
        model = ApiKey
        fields = ["owner", "name"]


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    form = ApiKeyForm
    list_display = ["key_id", "name", "owner", "scopes", "created_at", "expires_at", "revoked_at", "used_at"]
    list_select_related = ["owner"]
    actions = ["revoke"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return policy.may_manage_people(request.user)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[str]:
        return self.list_display if obj else ["owner", "name", "scopes", "days"]

    def save_model(self, request: HttpRequest, obj: ApiKey, form: forms.ModelForm, change: bool) -> None:
        """The service makes the key; its text is in the page's message and nowhere else."""
        given = form.cleaned_data
        try:
            made = create_key(given["owner"], given["name"], given["scopes"], given["days"], person(request))
        except Refusal as refusal:
            messages.error(request, refusal.sentence)
            return
        obj.pk = made.key.pk
        messages.warning(request, f"Copy this key now, it is not shown again: {made.token}")

    @admin.action(description="Revoke the selected keys")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset.filter(revoked_at=None):
            try:
                revoke_key(person(request), key.key_id)
            except Refusal as refusal:
                messages.error(request, refusal.sentence)
