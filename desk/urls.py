"""Addresses of the desk: one line for each app that has pages; the Desk page is the root."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from desk.accounts.views import sign_in_to_administration

PREFIXES = {
    "accounts": "accounts/",
    "markets": "markets/",
    "strategies": "strategies/",
    "runs": "runs/",
    "blotter": "blotter/",
    "positions": "positions/",
    "risk": "risk/",
    "research": "research/",
    "reports": "reports/",
    "audit": "audit/",
    "api": "api/v1/",
    "operations": "",
    "live": "",
}

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/login/", sign_in_to_administration),
    path("admin/", admin.site.urls),
]
urlpatterns += [
    path(prefix, include(f"desk.{app}.urls")) for app, prefix in PREFIXES.items() if find_spec(f"desk.{app}.urls")
]

handler403 = "desk.operations.refused.forbidden"
handler404 = "desk.operations.refused.not_found"
