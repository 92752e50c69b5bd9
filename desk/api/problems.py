"""Errors as `application/problem+json` (RFC 9457), with what a program needs to decide what to do next."""

import logging
from typing import Any
from uuid import uuid4

from django.http import Http404, HttpRequest, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from desk.refusals import NOT_SENT, UNKNOWN, Refusal

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not permitted",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    422: "Invalid values",
    500: "Internal error",
    503: "Engine unreachable",
    504: "Outcome unknown",
}


def problem(
    request: HttpRequest,
    status: int,
    code: str,
    detail: str,
    *,
    parameter: str = "",
    outcome: str = NOT_SENT,
    retryable: bool = False,
    errors: dict[str, str] | None = None,
) -> JsonResponse:
    """One problem. `code` is stable, `detail` is a sentence for people."""
    body: dict[str, Any] = {
        "type": f"urn:desk:problem:{code}",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        "param": parameter or None,
        "retryable": retryable,
        "outcome": outcome,
        "trace_id": request_id(request),
    }
    if errors:
        body["errors"] = errors
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)


def request_id(request: HttpRequest) -> str:
    """The caller's X-Request-ID, or one of ours; it comes back in the answer and stands in the log."""
    known = getattr(request, "request_id", "")
    if not known:
        given = request.headers.get("X-Request-ID", "")
        known = given if 1 <= len(given) <= 64 and given.isascii() and given.isprintable() else uuid4().hex
        request.request_id = known  # type: ignore[attr-defined]
    return known


def nothing_here(request: HttpRequest, _rest: str) -> JsonResponse:
    """An address below the API that is none of it."""
    return problem(request, 404, "not_found", "There is nothing here.")


def _place(path: tuple[str | int, ...]) -> str:
    """A field's name from where the parser found it: the body's own parameter is not part of it."""
    parts = [str(part) for part in path[1:]]
    return ".".join(parts[1:] if len(parts) > 1 and parts[0] == "body" else parts) or "body"


def _sentence(said: str) -> str:
    """The parser's words as those of this API."""
    words = {"Field required": "it is missing", "Extra inputs are not permitted": "there is no such field"}
    return words.get(said, said.removeprefix("Value error, "))


def install(api: NinjaAPI) -> None:
    """Answer every error of this API as a problem."""

    @api.exception_handler(Refusal)
    def _refusal(request: HttpRequest, refusal: Refusal) -> JsonResponse:
        return problem(
            request,
            refusal.status,
            refusal.code,
            refusal.sentence,
            parameter=refusal.parameter,
            outcome=refusal.outcome,
            retryable=refusal.retryable,
            errors=getattr(refusal, "errors", None),
        )

    @api.exception_handler(ValidationError)
    def _validation(request: HttpRequest, error: ValidationError) -> JsonResponse:
        errors = {_place(row["loc"]): _sentence(str(row["msg"])) for row in error.errors}
        parameter = next(iter(errors), "")
        said = "; ".join(f"{name}: {sentence}" for name, sentence in errors.items())
        return problem(request, 422, "invalid", said, parameter=parameter, errors=errors)

    @api.exception_handler(AuthenticationError)
    def _authentication(request: HttpRequest, _: AuthenticationError) -> JsonResponse:
        answer = problem(request, 401, "not_authenticated", "Send a living API key, or sign in.")
        answer["WWW-Authenticate"] = 'Bearer realm="desk"'
        return answer

    @api.exception_handler(Http404)
    def _not_found(request: HttpRequest, _: Http404) -> JsonResponse:
        return problem(request, 404, "not_found", "There is nothing here.")

    @api.exception_handler(HttpError)
    def _http(request: HttpRequest, error: HttpError) -> JsonResponse:
        code = {400: "malformed", 403: "not_permitted"}.get(error.status_code, "refused")
        return problem(request, error.status_code, code, str(error))

    @api.exception_handler(Exception)
    def _bug(request: HttpRequest, error: Exception) -> JsonResponse:
        logger.exception("request %s failed", request_id(request), exc_info=error)
        return problem(request, 500, "internal_error", "The desk failed; look before you try again.", outcome=UNKNOWN)
