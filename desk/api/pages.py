"""Cursor pages: rows after a journal sequence, in its order."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest


def page(
    request: HttpRequest, rows: QuerySet[Any], after: int, limit: int, shape: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    """At most `limit` rows with a greater sequence than `after`, and where the following ones are."""
    return page_of_all(request, rows, after, limit, lambda items: [shape(row) for row in items])


def page_of_all(
    request: HttpRequest,
    rows: QuerySet[Any],
    after: int,
    limit: int,
    shapes: Callable[[list[Any]], list[dict[str, Any]]],
) -> dict[str, Any]:
    """The same with a function that shapes all rows of the page together."""
    found = list(rows.filter(sequence__gt=after).order_by("sequence")[: limit + 1])
    items, more = found[:limit], len(found) > limit
    following = None
    if more:
        query = {key: value for key, value in request.GET.items() if key not in ("after", "limit")}
        following = f"{request.path}?{urlencode(query | {'after': items[-1].sequence, 'limit': limit})}"
    return {"items": shapes(items), "next": following}
