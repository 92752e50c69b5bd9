"""Positions to look at."""

from django.contrib import admin

from desk.admin_base import ReadOnlyAdmin
from desk.positions.models import Position


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    list_display = ["strategy", "team", "instrument", "venue", "quantity", "average_price", "realised", "fees"]
    list_select_related = ["strategy", "team", "instrument", "venue"]
