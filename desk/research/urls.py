"""Addresses of backtests."""

from django.urls import path

from desk.research import views

app_name = "research"
urlpatterns = [
    path("backtests/", views.backtests, name="backtests"),
    path("backtests/new/", views.new, name="new"),
    path("backtests/compare/", views.compare, name="compare"),
    path("backtests/<int:backtest_id>/", views.backtest, name="backtest"),
    path("backtests/<int:backtest_id>/progress/", views.progress, name="progress"),
    path("backtests/<int:backtest_id>/cancel/", views.cancel, name="cancel"),
    path("backtests/<int:backtest_id>/equity.json", views.equity, name="equity"),
]
