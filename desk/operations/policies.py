"""The content security policy of the administration pages, the only ones with a policy of their own."""

from collections.abc import Callable

from csp.constants import NONCE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse

ADMIN_PATH = "/admin/"
ADMIN_DIRECTIVES = {
    # django-unfold is built on Alpine, which evaluates its attributes and styles elements inline.
    "script-src": [SELF, NONCE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
}


class AdminPolicyMiddleware:
    """Lets the administration pages run the scripts they are made of, and nothing from elsewhere."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith(ADMIN_PATH):
            response._csp_replace = ADMIN_DIRECTIVES  # type: ignore[attr-defined]  # noqa: SLF001  django-csp's documented hook
        return response
