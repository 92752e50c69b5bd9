"""Instruments with their tops, and venues: what the engine is connected to and how."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from desk.accounts import policy
from desk.accounts.person import person
from desk.fields import Field, filled, other_errors
from desk.link import client
from desk.markets import services
from desk.markets.models import Instrument, Pair, Venue
from desk.refusals import Invalid, NotFound, Refusal
from engine.messages.catalogue import VenueKind
from engine.messages.secrets import REFERENCE, without_secrets

EXAMPLES = {"address": "As host:port.", "secret": "Or file:NAME, a file of the engine's secrets folder."}
INPUTS = {"integer": ("text", "numeric"), "secret": ("password", ""), "address": ("text", ""), "text": ("text", "")}
UNCHANGED = "••••••••"


@login_required
def instruments(request: HttpRequest) -> HttpResponse:
    """Every instrument, and its best bid and offer at each venue, live."""
    context = {
        "instruments": Instrument.objects.all(),
        "venues": [venue for venue in Venue.objects.filter(enabled=True) if venue.has_feed],
        "pairs": Pair.objects.select_related("first", "second")[:40],
    }
    return render(request, "markets/instruments.html", context)


@login_required
def venues(request: HttpRequest) -> HttpResponse:
    """Every venue with the state of its session."""
    context = {"venues": Venue.objects.all(), "may_define": policy.may_define_venue(person(request))}
    return render(request, "markets/venues.html", context)


@login_required
def new_venue(request: HttpRequest) -> HttpResponse:
    """Define a venue of one of the kinds that the running engine speaks."""
    policy.require(policy.may_define_venue(person(request)), "Only risk managers and administrators define venues.")
    kinds = client.catalogue().venue_kinds
    typed = (request.POST if request.method == "POST" else request.GET).dict()
    kind = next((kind for kind in kinds if kind.protocol == typed.get("protocol")), None)
    if kind is None:
        return render(request, "markets/choose_kind.html", {"kinds": kinds})
    return _venue_form(request, kind, typed, None)


@login_required
def venue(request: HttpRequest, number: int) -> HttpResponse:
    """One venue: its session, and its settings for those who may change them."""
    found = _find(number)
    may_define = policy.may_define_venue(person(request))
    if request.method == "POST" and not may_define:
        policy.require(False, "Only risk managers and administrators change venues.")
    kind = _kind_if_known(found.protocol)
    if kind is None or not may_define:
        shown = _shown_settings(found, kind)
        return render(request, "markets/venue.html", {"venue": found, "kind": kind, "shown": shown})
    if request.method == "POST":
        typed = request.POST.dict()
    else:
        typed = {"name": found.name} | {key: str(value) for key, value in found.settings.items()}
        typed |= {field.name: UNCHANGED for field in kind.fields if _is_hidden(field.kind, typed.get(field.name, ""))}
    return _venue_form(request, kind, typed, found)


@login_required
@require_POST
def remove_venue(request: HttpRequest, number: int) -> HttpResponse:
    """Cancel everything there and disconnect."""
    try:
        removed = services.remove_venue(person(request), number, request.POST.get("reason", ""))
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        messages.error(request, refusal.sentence)
        return redirect("markets:venue", number)
    messages.success(request, f"{removed} is removed; its orders were canceled.")
    return redirect("markets:venues")


def _venue_form(request: HttpRequest, kind: VenueKind, typed: Mapping[str, str], found: Venue | None) -> HttpResponse:
    errors: dict[str, str] = {}
    if request.method == "POST":
        settings = {field.name: _typed_setting(field.name, field.kind, typed, found) for field in kind.fields}
        try:
            made = services.define_venue(
                person(request),
                name=typed.get("name", ""),
                protocol=kind.protocol,
                settings=settings,
                number=found.number if found else None,
            )
            _say_answer(request, made)
            return redirect("markets:venues")
        except Refusal as refusal:
            if refusal.status in (403, 404):
                raise
            errors = refusal.errors if isinstance(refusal, Invalid) else {"": refusal.sentence}
    described = [_field(field, typed.get(field.name, "")) for field in kind.fields]
    fields = [Field("name", "Name", help="At most 16 characters, as on every screen."), *described]
    context = {
        "kind": kind,
        "venue": found,
        "fields": filled(fields, typed, errors),
        "errors": other_errors(fields, errors),
    }
    return render(request, "markets/venue_form.html", context, status=422 if errors else 200)


def _field(announced: Any, typed: str) -> Field:
    kind, inputmode = INPUTS.get(announced.kind, ("text", ""))
    if REFERENCE.fullmatch(typed):
        kind = "text"
    example = EXAMPLES.get(announced.kind, "")
    text = f"{announced.help[:1].upper()}{announced.help[1:]}." if announced.help else ""
    return Field(
        announced.name,
        announced.label,
        kind=kind,
        value=announced.default,
        help=" ".join(filter(None, [text, example])),
        inputmode=inputmode,
        required=not announced.optional and not announced.default and not announced.unless,
        unit="optional" if announced.optional else "",
    )


def _typed_setting(name: str, kind: str, typed: Mapping[str, str], found: Venue | None) -> str:
    """A secret that was not typed anew stays what it was: the form never shows it."""
    text = typed.get(name, "")
    if kind == "secret" and text == UNCHANGED and found is not None:
        return str(found.settings.get(name, ""))
    return text


def _say_answer(request: HttpRequest, made: Venue) -> None:
    if made.answer == Venue.Answer.APPLIED:
        messages.success(request, f"The engine took {made} and is connecting to it.")
    else:
        messages.error(request, f"{made} is saved, but the engine has not taken it: {made.engine_answer}")


def _find(number: int) -> Venue:
    found = Venue.objects.filter(number=number).first()
    if found is None:
        raise NotFound("There is no such venue.")
    return found


def _kind_if_known(protocol: str) -> VenueKind | None:
    try:
        return services.find_venue_kind(protocol)
    except Refusal:
        return None


def _shown_settings(found: Venue, kind: VenueKind | None) -> list[tuple[str, str]]:
    labels = {field.name: field.label for field in kind.fields} if kind else {}
    kinds = {field.name: field.kind for field in kind.fields} if kind else {}
    return [
        (labels.get(name, name), UNCHANGED if _is_hidden(kinds.get(name, ""), str(value)) else str(value))
        for name, value in without_secrets(found.settings).items()
    ]


def _is_hidden(kind: str, value: str) -> bool:
    """Whether a setting is a secret itself; the name of its file may be seen."""
    return kind == "secret" and value != "" and not REFERENCE.fullmatch(value)
