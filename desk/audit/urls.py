"""Addresses of the audit trail."""

from django.urls import path

from desk.audit import views

app_name = "audit"
urlpatterns = [path("", views.entries, name="entries")]
