"""Orders, fills and denials to look at."""

from django.contrib import admin

from desk.admin_base import ReadOnlyAdmin
from desk.blotter.models import Denial, Fill, Order, OrderEntry


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = ["order_id", "time", "strategy", "team", "instrument", "venue", "side", "price", "quantity", "state"]
    list_filter = ["state", "side"]
    search_fields = ["=order_id"]
    list_select_related = ["strategy", "team", "instrument", "venue"]


@admin.register(Fill)
class FillAdmin(ReadOnlyAdmin):
    list_display = [
        "sequence",
        "time",
        "order_id",
        "strategy",
        "instrument",
        "venue",
        "side",
        "price",
        "quantity",
        "fee",
    ]
    list_filter = ["side", "liquidity"]
    search_fields = ["=order_id"]
    list_select_related = ["strategy", "instrument", "venue"]


@admin.register(Denial)
class DenialAdmin(ReadOnlyAdmin):
    list_display = ["sequence", "time", "strategy", "instrument", "reason", "limit_name", "measured", "bound", "scope"]
    list_filter = ["reason"]
    list_select_related = ["strategy", "instrument"]


@admin.register(OrderEntry)
class OrderEntryAdmin(ReadOnlyAdmin):
    list_display = ["client_order_id", "entered_at", "entered_by", "team", "outcome", "reason", "order_id"]
    list_filter = ["outcome"]
    search_fields = ["=client_order_id"]
