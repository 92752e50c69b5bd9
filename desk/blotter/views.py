"""Orders, fills and what was refused: filtered by the server, paged by journal sequence, exported as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from desk.accounts import policy
from desk.accounts.person import person
from desk.blotter import services
from desk.blotter.authors import author_of, with_authors
from desk.blotter.canceling import cancel_answer, posted_number
from desk.blotter.csv_rows import FILL_COLUMNS, ORDER_COLUMNS, fill_row, order_row
from desk.blotter.emulated import NS_PER_SECOND, ending
from desk.blotter.filters import filter_fields, filtered, page_before
from desk.blotter.market_orders import missed_sentence
from desk.blotter.refused import refused_orders
from desk.blotter.routes import route_of
from desk.blotter.timeline import timelines
from desk.refusals import Invalid, Refusal

LONGEST_EXPORT = 100_000
SHOWN_REFUSED = 200


@login_required
def orders(request: HttpRequest) -> HttpResponse:
    """Every order that the person may see."""
    return _listing(request, "orders", services.visible_orders(person(request)), with_state=True)


@login_required
def fills(request: HttpRequest) -> HttpResponse:
    """Every fill that the person may see."""
    return _listing(request, "fills", services.visible_fills(person(request)), with_state=False)


def _listing(request: HttpRequest, kind: str, rows: QuerySet[Any], with_state: bool) -> HttpResponse:
    page = page_before(filtered(rows, request.GET, with_state), request.GET.get("before", ""))
    query = request.GET.copy()
    query.pop("before", None)
    context = {
        "kind": kind,
        "page": page,
        "fields": filter_fields(person(request), request.GET, with_state),
        "query": query.urlencode(),
        "paged": "before" in request.GET,
    }
    fragment = getattr(request, "htmx", False) and request.htmx.target == "rows"  # type: ignore[attr-defined]
    return render(request, "blotter/_rows.html" if fragment else "blotter/listing.html", context)


@login_required
def refused(request: HttpRequest) -> HttpResponse:
    """Orders that the risk gate denied or a venue rejected."""
    rows = refused_orders(person(request), SHOWN_REFUSED)
    return render(request, "blotter/refused.html", {"kind": "refused", "denials": rows, "after": 2**53})


@login_required
def order(request: HttpRequest, order_id: int) -> HttpResponse:
    """One order from its request to its end."""
    found = services.find_order(person(request), order_id)
    events = list(services.order_events(found))
    context = {
        "order": found,
        "author": author_of(found),
        "events": events,
        "timelines": timelines(order_id, events),
        "route": route_of(order_id),
        "missed": missed_sentence(found),
        "good_till": ending(found.good_till_s * NS_PER_SECOND) if found.good_till_s else "",
        "fills": services.visible_fills(person(request)).filter(order_id=order_id),
        "refusal": next(iter(refused_orders(person(request), 1, order_id=order_id)), None),
        "may_replace": services.may_replace(person(request), found),
        "may_cancel": found.working and policy.may_cancel_order(person(request), found.team_id),
    }
    return render(request, "blotter/order.html", context)


@login_required
@require_POST
def cancel(request: HttpRequest) -> HttpResponse:
    """Ask to cancel one order."""
    number, user = posted_number(request, "order_id", "order"), person(request)
    done = f"Asked the venue to cancel order {number}."
    return cancel_answer(request, lambda: services.cancel_order(user, number), done, "blotter:order", number)


@login_required
@require_POST
def replace(request: HttpRequest) -> HttpResponse:
    """Give a working order another price and open quantity."""
    number = posted_number(request, "order_id", "order")
    try:
        price, quantity = _terms(request.POST)
        status = services.replace_order(person(request), number, price, quantity)
        following = int(status.body.get("order_id", number))
        same = following == number
        sentence = f"Asked the venue to change order {number}" + ("." if same else f"; it goes on as {following}.")
        messages.success(request, sentence)
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        sentences = refusal.errors.values() if isinstance(refusal, Invalid) else [refusal.sentence]
        messages.error(request, " ".join(sentences))
    return redirect("blotter:order", number)


def _terms(typed: Mapping[str, str]) -> tuple[Decimal, int]:
    """Price and quantity of a replacement as typed; Invalid for what is no number."""
    try:
        price = Decimal(typed.get("price", "").replace(",", "").strip())
    except InvalidOperation:
        raise Invalid({"price": "The price is a number."}) from None
    quantity = typed.get("quantity", "").replace(",", "").strip()
    if not (quantity.isascii() and quantity.isdigit() and len(quantity) <= 12) or not price.is_finite():
        raise Invalid({"quantity": "The quantity is a whole number of shares, and the price is a number."})
    return price, int(quantity)


@login_required
def orders_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The filtered orders as a file, at most LONGEST_EXPORT of them."""
    rows = filtered(services.visible_orders(person(request)), request.GET, with_state=True)
    made = (order_row(row, author) for row, author in with_authors(rows[:LONGEST_EXPORT].iterator()))
    return _csv("orders.csv", ORDER_COLUMNS, made)


@login_required
def fills_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The filtered fills as a file, at most LONGEST_EXPORT of them."""
    rows = filtered(services.visible_fills(person(request)), request.GET, with_state=False)
    return _csv("fills.csv", FILL_COLUMNS, (fill_row(row) for row in rows[:LONGEST_EXPORT].iterator()))


class _Echo:
    """A file that gives back what is written to it, for csv.writer."""

    def write(self, text: str) -> str:
        return text


def _csv(name: str, columns: Iterable[str], rows: Iterable[list[str]]) -> StreamingHttpResponse:
    writer = csv.writer(_Echo())

    def lines() -> Iterator[str]:
        yield writer.writerow(columns)
        for row in rows:
            yield writer.writerow(row)

    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8", headers=disposition)
