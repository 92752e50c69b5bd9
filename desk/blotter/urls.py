"""Addresses of the blotter."""

from django.urls import path

from desk.blotter import queue_views, ticket_views, views

app_name = "blotter"
urlpatterns = [
    path("orders/", views.orders, name="orders"),
    path("fills/", views.fills, name="fills"),
    path("refused/", views.refused, name="refused"),
    path("orders/cancel/", views.cancel, name="cancel"),
    path("orders/<int:order_id>/", views.order, name="order"),
    path("orders/replace/", views.replace, name="replace"),
    path("ticket/", ticket_views.ticket, name="ticket"),
    path("ticket/method/", ticket_views.ticket_method, name="ticket_method"),
    path("parents/", ticket_views.parent_orders, name="parents"),
    path("parents/cancel/", ticket_views.cancel_parent, name="cancel_parent"),
    path("parents/<int:parent_id>/", ticket_views.parent, name="parent"),
    path("queue/", queue_views.queue, name="queue"),
    path("queue/<int:waiting>/", queue_views.waiting_order, name="waiting"),
    path("queue/<int:waiting>/release/", queue_views.release, name="release"),
    path("queue/<int:waiting>/return/", queue_views.give_back, name="give_back"),
    path("queue/<int:waiting>/ask/", queue_views.ask_again, name="ask_again"),
    path("orders.csv", views.orders_csv, name="orders_csv"),
    path("fills.csv", views.fills_csv, name="fills_csv"),
]
