"""Strategies that are only history: the list of them, archiving, restoring."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from desk.accounts.person import person
from desk.refusals import Refusal
from desk.strategies import services
from desk.strategies.views import strategy_rows


@login_required
@require_GET
def archived(request: HttpRequest) -> HttpResponse:
    """Every archived strategy that the person may see."""
    user = person(request)
    rows = strategy_rows(user, services.visible_strategies(user).exclude(archived_at=None))
    return render(request, "strategies/archived.html", {"strategies": rows})


@login_required
@require_POST
def archive(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """Take a stopped strategy off the lists."""
    strategy = services.find_strategy(person(request), strategy_id)
    try:
        services.archive_strategy(person(request), strategy, request.POST.get("reason", ""))
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        messages.error(request, refusal.sentence)
    else:
        messages.success(request, f"{strategy.name} is archived: off the lists, its history is kept.")
    return redirect("strategies:detail", strategy.pk)


@login_required
@require_POST
def restore(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """Bring it back, stopped."""
    strategy = services.find_strategy(person(request), strategy_id)
    services.restore_strategy(person(request), strategy)
    messages.success(request, f"{strategy.name} is back on the lists, stopped.")
    return redirect("strategies:detail", strategy.pk)
