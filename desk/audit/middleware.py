"""Remembers from which address a request came, for the audit entries it causes."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from desk.audit.services import address


class AddressMiddleware:
    """Behind a proxy the server itself must be told to trust the proxy's header (uvicorn --forwarded-allow-ips)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = address.set(request.META.get("REMOTE_ADDR", ""))
        try:
            return self.get_response(request)
        finally:
            address.reset(token)
