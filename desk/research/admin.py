"""Backtests to look at."""

from django.contrib import admin

from desk.admin_base import ReadOnlyAdmin
from desk.research.models import Backtest


@admin.register(Backtest)
class BacktestAdmin(ReadOnlyAdmin):
    list_display = ["id", "strategy", "recording", "state", "progress", "submitted_by", "submitted_at", "finished_at"]
    list_filter = ["state"]
    list_select_related = ["strategy", "submitted_by"]
