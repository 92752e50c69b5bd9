"""Addresses of positions and P&L."""

from django.urls import path

from desk.positions import views

app_name = "positions"
urlpatterns = [
    path("", views.positions, name="positions"),
    path("pnl-points.json", views.pnl_points, name="pnl_points"),
]
