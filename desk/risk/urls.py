"""Addresses of limits, approvals and kills."""

from django.urls import path

from desk.risk import break_views, kill_views, review_views, views

app_name = "risk"
urlpatterns = [
    path("limits/", views.limits, name="limits"),
    path("limits/<str:target>/", views.propose, name="propose"),
    path("approvals/", views.approvals, name="approvals"),
    path("changes/<int:change_id>/", views.change, name="change"),
    path("changes/<int:change_id>/approve/", views.approve, name="approve"),
    path("changes/<int:change_id>/reject/", views.reject, name="reject"),
    path("second-person/", review_views.rules, name="rules"),
    path("second-person/<int:team_id>/", review_views.propose_rule, name="propose_rule"),
    path("breaks/", break_views.listing, name="breaks"),
    path("breaks/resolve/", break_views.resolve, name="resolve_break"),
    path("kill/", kill_views.kill, name="kill"),
    path("kill/rearm/", kill_views.rearm, name="rearm"),
]
