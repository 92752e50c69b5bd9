"""The ticket: filled in, looked at, sent once; and the parent orders that came of it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from desk.accounts import policy
from desk.accounts.person import person
from desk.blotter import parents, refused, services
from desk.blotter.canceling import cancel_answer, posted_number
from desk.blotter.emulated import emulation_sentence, end_sentence, end_words
from desk.blotter.entries import Entered
from desk.blotter.legs import legs_done
from desk.blotter.models import OrderEntry, time_of
from desk.blotter.parents import ParentTicket
from desk.blotter.preview import preview, singles
from desk.blotter.second_person import why_it_waits
from desk.blotter.services import OrderTicket
from desk.blotter.ticket import make_ticket, read_ticket
from desk.link import client
from desk.refusals import Invalid, OutcomeUnknown, Refusal
from desk.reports.services import costs_of_parent
from engine.messages.catalogue import Catalogue
from engine.messages.codes import OrderState

SHOWN = 100
NOT_TERMS = {"csrfmiddlewaretoken", "action", "looked_at"}


@login_required
def ticket(request: HttpRequest) -> HttpResponse:
    """Fill in an order or parent order; it is sent only after its preview was looked at."""
    user = person(request)
    policy.require(policy.may_enter_order(user, user.team_id), "Only a trader with a team enters orders.")
    announced = client.catalogue()
    if request.method != "POST":
        typed = request.GET.dict()
        return render(request, "blotter/ticket.html", {"form": make_ticket(announced, _named(typed))})
    typed = _named(request.POST.dict())
    try:
        asked = read_ticket(announced, typed, datetime.now(UTC))
        body = checked_body(asked)
        if typed.get("action") != "send" or typed.get("looked_at") != _digest(typed):
            return _look(request, announced, typed, asked, body)
        entered = _enter(request, asked)
    except Invalid as refusal:
        return _form(request, announced, typed, by_field(refusal.errors), status=422)
    except OutcomeUnknown as refusal:
        sentence = f"{refusal.sentence} Preview and send it again: it is the same order, entered once."
        return _form(request, announced, typed, {"": sentence}, status=refusal.status)
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        return _form(request, announced, typed, {"": refusal.sentence}, status=refusal.status)
    entry = entered.entry
    if entry.outcome == OrderEntry.Outcome.REFUSED:
        again = typed | {"client_order_id": uuid4().hex}
        sentence = f"The engine refused it: {entry.reason}"
        return _form(request, announced, again, {"": sentence}, status=409)
    if entry.change_id is not None:
        messages.success(request, f"Order {entry.client_order_id} waits for a second person; nothing is sent yet.")
        return redirect("blotter:waiting", entry.change_id)
    if isinstance(asked, ParentTicket):
        messages.success(request, f"Parent order {entry.parent_id} is entered and works.")
        return redirect("blotter:parents")
    if entry.parent_id:
        messages.success(request, f"The order is kept by the desk as parent order {entry.parent_id}.")
        return redirect("blotter:parents")
    messages.success(request, f"Order {entry.order_id} is sent.")
    return redirect("blotter:orders")


@login_required
@require_GET
def ticket_method(request: HttpRequest) -> HttpResponse:
    """The part of the ticket that depends on the method; the time in force is that method's usual one."""
    typed = {name: text for name, text in request.GET.dict().items() if name != "time_in_force"}
    form = make_ticket(client.catalogue(), typed, release="release" in typed)
    return render(request, "blotter/_ticket_terms.html", {"form": form})


def _named(typed: dict[str, str]) -> dict[str, str]:
    """With a client order id: the double click and the reload send the same order."""
    return typed if typed.get("client_order_id") else typed | {"client_order_id": uuid4().hex}


def _digest(typed: dict[str, str]) -> str:
    """Of the terms: what is sent is what was looked at."""
    terms = sorted((name, text) for name, text in typed.items() if name not in NOT_TERMS)
    return hashlib.sha256(repr(terms).encode()).hexdigest()


def checked_body(asked: OrderTicket | ParentTicket) -> dict[str, Any]:
    """The body of the entry that the ticket would be; Invalid names what is wrong."""
    return parents.checked_parent(asked) if isinstance(asked, ParentTicket) else services.checked_order(asked)


def _enter(request: HttpRequest, asked: OrderTicket | ParentTicket) -> Entered:
    if isinstance(asked, ParentTicket):
        return parents.enter_parent(person(request), asked)
    return services.enter_order(person(request), asked)


def by_field(errors: dict[str, str]) -> dict[str, str]:
    """Errors under the names that the form has."""
    names = {"venues": "venue", "seconds": "minutes", "end": "ends"}
    return {names.get(name, name): sentence for name, sentence in errors.items()}


def _look(
    request: HttpRequest, announced: Catalogue, typed: dict[str, str], asked: Any, body: dict[str, Any]
) -> HttpResponse:
    context = {
        "waits_because": "You asked for care." if asked.care else why_it_waits(person(request), body),
        "form": make_ticket(announced, typed),
        "previews": [preview(person(request), single) for single in singles(asked)],
        "looked_at": _digest(typed),
        "changed": typed.get("action") == "send",
    }
    return render(request, "blotter/ticket.html", context)


def _form(
    request: HttpRequest, announced: Catalogue, typed: dict[str, str], errors: dict[str, str], status: int
) -> HttpResponse:
    if "method" in errors or "algorithm" in errors:
        typed = {**typed, "method": ""}
    return render(request, "blotter/ticket.html", {"form": make_ticket(announced, typed, errors)}, status=status)


@login_required
@require_GET
def parent_orders(request: HttpRequest) -> HttpResponse:
    """Parent orders: those that work, live, and those that have ended."""
    user = person(request)
    context = {
        "kind": "parents",
        "rows": parents.visible_parents(user).exclude(ended_ns=None)[:SHOWN],
        "labels": parents.algorithm_labels(),
        "may_enter": policy.may_enter_order(user, user.team_id),
    }
    return render(request, "blotter/parents.html", context)


@login_required
@require_GET
def parent(request: HttpRequest, parent_id: int) -> HttpResponse:
    """One parent order with its children and fills."""
    user = person(request)
    found = parents.find_parent(user, parent_id)
    names = dict(parents.venue_names())
    venues = ", ".join(names.get(number, str(number)) for number in found.venue_numbers)
    name, children = parents.algorithm_names().get(found.kind, ""), parents.children_of(found)[:SHOWN]
    went_out = any(child.state != OrderState.DENIED for child in children)
    context = {
        "parent": found,
        "algorithm": parents.algorithm_labels().get(found.kind, f"algorithm {found.kind}"),
        "venues": venues,
        "average_price": parents.average_price(found),
        "terms": parents.terms_of(found),
        "emulated": emulation_sentence(name, venues),
        "expired": end_sentence(found, name, went_out),
        "ends": end_words(found, name),
        "refusal": refused.last_refusal(found.pk),
        "auction": parents.auction_sentence(found),
        "legs": legs_done(found) if found.legs else [],
        "children": children,
        "fills": parents.fills_of(found)[:SHOWN],
        "costs": costs_of_parent(user, found.pk, time_of(found.time_ns).date()),
        "may_cancel": found.working and policy.may_cancel_order(user, found.team_id),
    }
    return render(request, "blotter/parent.html", context)


@login_required
@require_POST
def cancel_parent(request: HttpRequest) -> HttpResponse:
    """Cancel one parent order."""
    number, user = posted_number(request, "parent_id", "parent order"), person(request)
    done = f"Parent order {number} is being canceled."
    return cancel_answer(request, lambda: parents.cancel_parent(user, number), done, "blotter:parent", number)
