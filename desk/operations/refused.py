"""Refusals of services as answers to people: an error page, or a sentence on the page they came from."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render

from desk.refusals import Refusal

HEADINGS = {
    403: "You may not do this",
    404: "There is nothing here",
    409: "This cannot be done now",
    422: "Something in this is not right",
    429: "Too many attempts",
    503: "Engine unreachable: numbers are stale",
    504: "The engine did not answer",
}


class PageMiddleware:
    """Turns refusals that no view caught into pages, and keeps signed-in pages out of caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith(settings.STATIC_URL):
            return response
        response.headers.setdefault("Cache-Control", "no-store")
        if getattr(request, "htmx", False):
            response.headers["Vary"] = ", ".join(filter(None, [response.headers.get("Vary", ""), "HX-Request"]))
            if isinstance(response, HttpResponseRedirect) and response.url.startswith(settings.LOGIN_URL):
                # A fragment must not be replaced by the sign-in page: the browser goes there as a whole.
                return HttpResponse(status=204, headers={"HX-Redirect": settings.LOGIN_URL})
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A refusal as an error page with its sentence."""
        if not isinstance(exception, Refusal) or request.path.startswith("/api/"):
            return None
        return error_page(request, exception.status, exception.sentence)


def error_page(request: HttpRequest, status: int, sentence: str = "") -> HttpResponse:
    """The page for one status."""
    context = {"status": status, "heading": HEADINGS.get(status, "This did not work"), "sentence": sentence}
    return render(request, "error.html", context, status=status)


def say_and_return(request: HttpRequest, refusal: Refusal, address: str) -> HttpResponse:
    """Show the refusal's sentence on the page at `address`."""
    messages.error(request, refusal.sentence)
    return redirect(address)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404"""
    return error_page(request, 404)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler403"""
    return error_page(request, 403)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW: a form of another site, or one that was open while the session changed."""
    return error_page(
        request, 403, "This form was no longer valid and nothing was done. Load the page again and repeat it."
    )


def locked_out(request: HttpRequest, *_args: object, **_options: object) -> HttpResponse:
    """AXES_LOCKOUT_CALLABLE: signing in is locked for this name from this address; sessions that are open go on."""
    return error_page(request, 429, "Signing in is locked here for some minutes after too many wrong passwords.")
