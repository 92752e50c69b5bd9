"""Strategies to look at; traders define them on the desk's own pages."""

from django.contrib import admin

from desk.admin_base import ReadOnlyAdmin
from desk.strategies.models import Strategy


@admin.register(Strategy)
class StrategyAdmin(ReadOnlyAdmin):
    list_display = [
        "name",
        "team",
        "owner",
        "kind",
        "venue",
        "version",
        "desired_state",
        "reported_state",
        "archived_at",
    ]
    list_filter = ["team", "kind", ("archived_at", admin.EmptyFieldListFilter)]
    list_select_related = ["team", "owner", "venue"]
