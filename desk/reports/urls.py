"""Addresses of cost reports."""

from django.urls import path

from desk.reports import views

app_name = "reports"
urlpatterns = [
    path("costs/", views.reports, name="reports"),
    path("costs/<int:report_id>/", views.costs, name="costs"),
    path("costs/<int:report_id>/progress/", views.progress, name="progress"),
    path("costs/<int:report_id>/markouts.json", views.markouts, name="markouts"),
    path("costs/<int:report_id>/parents/<int:row>/", views.parent, name="parent"),
    path("costs/<int:report_id>/parents/<int:row>/path.json", views.path, name="path"),
    path("costs/<int:report_id>/<str:table>.<str:form>", views.export, name="export"),
]
