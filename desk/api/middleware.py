"""What holds for every answer of the API: it names its request, and errors are problems, those of addresses too."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse

from desk.api.problems import problem, request_id

PREFIX = "/api/"
CONVERTED = re.compile(r"<(?:\w+:)?(\w+)>")


class ApiMiddleware:
    """Adds X-Request-ID to answers of the API, keeps them out of caches, refuses query parameters that are not known (a
    misspelt filter would answer with everything), and makes problems of wrong methods."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not request.path.startswith(PREFIX):
            return response
        if response.status_code == 405:
            allowed = response.headers.get("Allow", "")
            response = problem(request, 405, "method_not_allowed", f"This address takes {allowed} only.")
            response["Allow"] = allowed
        response["X-Request-ID"] = request_id(request)
        response.setdefault("Cache-Control", "no-store")
        return response

    def process_view(
        self, request: HttpRequest, _view: Any, _arguments: Any, _options: dict[str, Any]
    ) -> HttpResponse | None:
        """A problem for a query parameter that the operation does not have."""
        if not request.path.startswith(PREFIX) or request.resolver_match is None:
            return None
        address = "/" + CONVERTED.sub(r"{\1}", request.resolver_match.route)
        known = _query_parameters().get((address, (request.method or "").lower()))
        unknown = sorted(set(request.GET) - known) if known is not None else []
        if not unknown:
            return None
        there_are = f"; there are {', '.join(sorted(known or ()))}" if known else ""
        said = f"There is no query parameter {unknown[0]!r} here{there_are}."
        return problem(request, 422, "invalid", said, parameter=unknown[0], errors={unknown[0]: said})


@cache
def _query_parameters() -> dict[tuple[str, str], frozenset[str]]:
    from desk.api.urls import api

    return {
        (path, method): frozenset(row["name"] for row in operation.get("parameters", []) if row["in"] == "query")
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method, operation in methods.items()
    }
