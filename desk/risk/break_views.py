"""The queue of breaks: differences between journal, venues' answers and drop copies that wait for a person."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from desk.accounts import policy
from desk.accounts.person import person
from desk.markets.models import Instrument, Venue
from desk.refusals import Refusal
from desk.risk import breaks
from desk.risk.models import Break


@login_required
@require_GET
def listing(request: HttpRequest) -> HttpResponse:
    """What is open, and what was settled by whom."""
    instruments = dict(Instrument.objects.values_list("id", "name"))
    venues = dict(Venue.objects.values_list("number", "name"))

    user, waiting, settled = person(request), breaks.open_breaks(), breaks.settled_breaks()
    hidden = breaks.hidden_orders(user, [*waiting, *settled])

    def named(row: Break) -> tuple[Break, str, str, bool]:
        instrument, venue = instruments.get(row.instrument, str(row.instrument)), venues.get(row.venue, str(row.venue))
        return row, instrument, venue, row.order_id in hidden

    context = {
        "open": [named(row) for row in waiting],
        "settled": [named(row) for row in settled],
        "may_resolve": policy.may_resolve_break(user),
    }
    return render(request, "risk/breaks.html", context)


@login_required
@require_POST
def resolve(request: HttpRequest) -> HttpResponse:
    """Settle one with a sentence."""
    try:
        breaks.resolve_break(person(request), request.POST.get("name", ""), request.POST.get("sentence", ""))
        messages.success(request, "The break is resolved; the row follows as soon as the journal is projected.")
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        messages.error(request, refusal.sentence)
    return redirect("risk:breaks")
