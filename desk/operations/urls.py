"""Addresses of the desk's operation."""

from django.urls import path

from desk.operations import health, views

app_name = "operations"
urlpatterns = [
    path("operations/", views.operations, name="operations"),
    path("livez", health.livez, name="livez"),
    path("readyz", health.readyz, name="readyz"),
]
