"""The web process: pages and REST over HTTP, streams over WebSocket from the desk's own origin only."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import OriginValidator
from django.conf import settings
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "desk.settings")
pages = get_asgi_application()

from desk.live.routing import websocket_urlpatterns  # noqa: E402  models must be loaded before the consumers

application = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": OriginValidator(
            AuthMiddlewareStack(URLRouter(websocket_urlpatterns)), list(settings.CSRF_TRUSTED_ORIGINS)
        ),
    }
)
