"""Addresses of strategies."""

from django.urls import path

from desk.strategies import archive_views, views

app_name = "strategies"
urlpatterns = [
    path("", views.strategies, name="list"),
    path("new/", views.new, name="new"),
    path("new/definition/", views.definition, name="definition"),
    path("archived/", archive_views.archived, name="archived"),
    path("<int:strategy_id>/", views.detail, name="detail"),
    path("<int:strategy_id>/change/", views.change, name="change"),
    path("<int:strategy_id>/start/", views.start, name="start"),
    path("<int:strategy_id>/stop/", views.stop, name="stop"),
    path("<int:strategy_id>/archive/", archive_views.archive, name="archive"),
    path("<int:strategy_id>/restore/", archive_views.restore, name="restore"),
]
