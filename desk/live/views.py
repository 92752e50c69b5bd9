"""The Desk page: everything that moves, on one screen."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from desk.accounts import policy
from desk.accounts.person import person
from desk.blotter.refused import refused_orders
from desk.blotter.services import visible_fills, working_orders
from desk.link.models import ProjectionOffset
from desk.strategies.services import listed_strategies
from desk.strategies.views import strategy_rows

SHOWN = 100


@login_required
def desk(request: HttpRequest) -> HttpResponse:
    """What the database knows now; the stream goes on from `after`, the last projected journal sequence."""
    user = person(request)
    # Read before the rows: the stream's resume repeats a record projected in between, and the page knows it by its row.
    offset = ProjectionOffset.objects.first()
    context = {
        "after": offset.sequence if offset else 0,
        "strategies": strategy_rows(user, listed_strategies(user)),
        "working": working_orders(user)[: 2 * SHOWN],
        "fills": visible_fills(user)[:SHOWN],
        "denials": refused_orders(user, SHOWN),
        "shown": SHOWN,
        "may_define": policy.may_define_strategy(user, user.team),
    }
    return render(request, "live/desk.html", context)
