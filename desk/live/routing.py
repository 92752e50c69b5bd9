"""WebSocket addresses of the desk."""

from django.urls import path

from desk.live.consumer import DeskConsumer

websocket_urlpatterns = [path("ws/v1", DeskConsumer.as_asgi())]
