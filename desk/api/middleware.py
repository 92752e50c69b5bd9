"""Every answer of the API names its request, so that a program's log and ours can be laid side by side."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from desk.api.problems import request_id

PREFIX = "/api/"


class RequestIdMiddleware:
    """Adds X-Request-ID to answers of the API, and keeps them out of caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith(PREFIX):
            response["X-Request-ID"] = request_id(request)
            response.setdefault("Cache-Control", "no-store")
        return response
