"""Addresses of the blotter."""

from django.urls import path

from desk.blotter import views

app_name = "blotter"
urlpatterns = [
    path("orders/", views.orders, name="orders"),
    path("fills/", views.fills, name="fills"),
    path("refused/", views.refused, name="refused"),
    path("orders/cancel/", views.cancel, name="cancel"),
    path("orders/<int:order_id>/", views.order, name="order"),
    path("orders.csv", views.orders_csv, name="orders_csv"),
    path("fills.csv", views.fills_csv, name="fills_csv"),
]
