"""The queue: orders that wait for a second person, who lets them go or returns them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from desk.accounts import policy
from desk.accounts.models import User
from desk.accounts.person import person
from desk.blotter import waiting as services
from desk.blotter.market_orders import LIMIT, MARKET
from desk.blotter.models import OrderEntry, time_of
from desk.blotter.terms import in_words
from desk.blotter.ticket import EVERYWHERE, TicketForm, make_ticket, read_ticket
from desk.blotter.ticket_views import by_field, checked_body
from desk.link import client
from desk.refusals import Invalid, Refusal
from desk.risk.changes import reject_change
from desk.risk.models import ChangeRequest
from engine.messages.codes import Side, TimeInForce

SHOWN = 100
AS_ASKED = "as asked"


@login_required
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """Orders that wait, and what became of the latest."""
    user = person(request)
    rows = list(services.waiting_entries(user)[:SHOWN])
    ended = services.queue_entries(user).exclude(change__state__in=services.WAITING)[:SHOWN]
    context = {
        "waiting": [(entry, dict(in_words(entry.body))) for entry in rows],
        "ended": [(entry, dict(in_words(entry.terms))) for entry in ended],
    }
    return render(request, "blotter/queue.html", context)


@login_required
@require_GET
def waiting_order(request: HttpRequest, waiting: int) -> HttpResponse:
    """One of them: what was asked, letting it go, returning it."""
    user = person(request)
    return _page(request, user, services.find_waiting(user, waiting))


def _page(
    request: HttpRequest,
    user: User,
    entry: OrderEntry,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    change = entry.change
    assert change is not None
    open_now = change.state == ChangeRequest.State.PROPOSED
    may_release = open_now and policy.may_approve(user, change)
    context = {
        "entry": entry,
        "change": change,
        "asked": in_words(entry.body),
        "sent": in_words(entry.released_body) if entry.released_body else [],
        "form": _form(typed or _typed(entry), errors) if may_release and not entry.body.get("legs") else None,
        "may_release": may_release,
        "may_return": open_now and policy.may_reject(user, change),
        "may_ask": change.state == ChangeRequest.State.APPROVED and policy.may_reject(user, change),
        "own": change.proposer_id == user.pk,
        "has_releaser": policy.has_approver(change),
    }
    return render(request, "blotter/waiting.html", context, status=status)


def _form(typed: dict[str, str], errors: dict[str, str] | None) -> TicketForm | None:
    """None while no engine says what there is."""
    known = client.known_catalogue()
    return make_ticket(known, typed, errors, release=True) if known else None


def _typed(entry: OrderEntry) -> dict[str, str]:
    """The waiting order as somebody would type it into the ticket."""
    body = entry.body
    typed = {
        "client_order_id": entry.client_order_id,
        "method": body.get("algorithm", MARKET if body.get("protection") else LIMIT),
        "instrument": str(body["instrument"]),
        "side": Side(body["side"]).name.lower(),
        "quantity": str(body["quantity"]),
        "price": "" if body["price"] is None else str(body["price"]),
    }
    if body.get("protection"):
        typed["protection"] = str(body["protection"])
    if "algorithm" not in body:
        good_till = time_of(body["good_till_ns"]).strftime("%Y-%m-%d %H:%M:%S") if body.get("good_till_ns") else ""
        in_force = TimeInForce(body["time_in_force"]).name.lower()
        return typed | {"venue": str(body["venue"]), "time_in_force": in_force, "good_till": good_till}
    venue = str(body["venues"][0]) if len(body["venues"]) == 1 else EVERYWHERE
    typed |= {name: f"{value:g}" for name, value in body["parameters"].items()}
    minutes = format((Decimal(body["seconds"]) / 60).normalize(), "f") if body["seconds"] else ""
    return typed | {"venues": venue, "minutes": minutes}


@login_required
@require_POST
def release(request: HttpRequest, waiting: int) -> HttpResponse:
    """Let it go: as it was asked for, or with the terms that were typed."""
    user = person(request)
    entry = services.find_waiting(user, waiting)
    assert entry.change is not None
    typed = {name: str(text) for name, text in request.POST.items()}
    typed |= {name: _typed(entry)[name] for name in ("client_order_id", "instrument", "side", "quantity")}
    try:
        policy.require(policy.may_approve(user, entry.change), "You may not release this order.")
        terms = _terms(typed, entry) if typed.get("terms") != AS_ASKED else None
        services.release(user, waiting, typed.get("diff_hash", ""), terms)
    except Invalid as refusal:
        return _page(request, user, entry, typed, by_field(refusal.errors), status=422)
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        messages.error(request, refusal.sentence)
        return redirect("blotter:waiting", waiting)
    messages.success(request, f"Order {entry.client_order_id} is released and sent.")
    return redirect("blotter:queue")


def _terms(typed: dict[str, str], entry: OrderEntry) -> dict[str, Any]:
    """What the releaser typed, as a body; an end by the clock stays unless another one, or a length, was typed."""
    announced = client.catalogue()
    end_ns = entry.body.get("end_ns", 0)
    kept = typed.get("method") not in (LIMIT, MARKET) and end_ns and not typed.get("minutes") and not typed.get("ends")
    terms = checked_body(read_ticket(announced, typed | ({"minutes": "1"} if kept else {}), datetime.now(UTC)))
    return terms | ({"end_ns": end_ns, "seconds": 0} if kept else {})


@login_required
@require_POST
def give_back(request: HttpRequest, waiting: int) -> HttpResponse:
    """Return it with a reason; who entered it takes it back."""

    def act(user: User) -> str:
        services.find_waiting(user, waiting)
        reject_change(user, waiting, request.POST.get("note", "").strip())
        return "It is returned; nothing was sent."

    return _done(request, waiting, act)


@login_required
@require_POST
def ask_again(request: HttpRequest, waiting: int) -> HttpResponse:
    """Ask the engine what became of a release whose answer was lost."""

    def act(user: User) -> str:
        services.ask_again(user, waiting)
        return "The engine has it."

    return _done(request, waiting, act)


def _done(request: HttpRequest, waiting: int, act: Callable[[User], str]) -> HttpResponse:
    try:
        messages.success(request, act(person(request)))
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        messages.error(request, refusal.sentence)
        return redirect("blotter:waiting", waiting)
    return redirect("blotter:queue")
