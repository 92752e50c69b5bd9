"""Addresses of instruments and venues."""

from django.urls import path

from desk.markets import views
from desk.risk import session_views

app_name = "markets"
urlpatterns = [
    path("instruments/", views.instruments, name="instruments"),
    path("venues/", views.venues, name="venues"),
    path("venues/new/", views.new_venue, name="new_venue"),
    path("venues/<int:number>/", views.venue, name="venue"),
    path("venues/<int:number>/remove/", views.remove_venue, name="remove_venue"),
    path("venues/<int:number>/session/", session_views.session, name="session"),
    path("venues/<int:number>/session/connect/", session_views.connect, name="connect"),
    path("venues/<int:number>/session/disconnect/", session_views.disconnect, name="disconnect"),
    path("venues/<int:number>/session/reset/", session_views.reset, name="reset"),
]
