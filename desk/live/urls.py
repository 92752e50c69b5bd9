"""The Desk page is the root of the site."""

from django.urls import path

from desk.live import views

app_name = "live"
urlpatterns = [path("", views.desk, name="desk")]
