"""Addresses of signing in and of one's own account."""

from django.urls import path

from desk.accounts import key_views, views

app_name = "accounts"
urlpatterns = [
    path("", views.account, name="account"),
    path("sign-in/", views.SignIn.as_view(), name="sign_in"),
    path("sign-out/", views.SignOut.as_view(), name="sign_out"),
    path("password/", views.change_password, name="password"),
    path("keys/", key_views.make_key, name="make_key"),
    path("keys/revoke/", key_views.end_key, name="end_key"),
    path("sessions/end/", views.end_other_sessions, name="end_sessions"),
]
