"""Reference data and venues to look at; venues are defined on the desk's own pages."""

from django.contrib import admin

from desk.admin_base import ReadOnlyAdmin
from desk.markets.models import Instrument, Pair, Venue


@admin.register(Instrument)
class InstrumentAdmin(ReadOnlyAdmin):
    list_display = ["id", "name", "tick_size", "lot_size", "currency", "open_price"]
    search_fields = ["name"]


@admin.register(Pair)
class PairAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "hedge_ratio", "half_life", "engle_granger_t", "source"]
    list_select_related = ["first", "second"]


@admin.register(Venue)
class VenueAdmin(ReadOnlyAdmin):
    list_display = ["number", "name", "protocol", "enabled", "version", "answer", "engine_answer"]
    exclude = ["settings"]
