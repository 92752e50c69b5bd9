"""Backtests: submitting one, its progress, its result, and two side by side."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from desk.accounts import policy
from desk.accounts.models import User
from desk.accounts.person import person
from desk.fields import Field, filled, other_errors
from desk.markets.models import Instrument
from desk.refusals import Invalid, NotFound, Refusal
from desk.research import services
from desk.research.models import Backtest
from desk.research.results import largest_drawdown, net_of, read_equity, read_fills
from desk.strategies.services import listed_strategies

SHOWN = 100
SIDES = ("First", "Second")
FITTED = "fitted"
MARKETS = (("", "as recorded"), (FITTED, "answers by fitted costs"))


@dataclass(frozen=True)
class BacktestRow:
    """A backtest with the figures that its files and totals give."""

    backtest: Backtest
    net: Decimal | None
    drawdown: Decimal | None = None


def _visible(user: User) -> QuerySet[Backtest]:
    rows = Backtest.objects.select_related("strategy", "submitted_by")
    return policy.visible(rows, user, "strategy__team")


def _find(user: User, backtest_id: int) -> Backtest:
    rows = Backtest.objects.select_related("strategy", "submitted_by")
    return policy.find_visible(rows, user, "strategy__team", pk=backtest_id)


@login_required
@require_GET
def backtests(request: HttpRequest) -> HttpResponse:
    """The newest backtests that the person may see."""
    rows = [BacktestRow(found, net_of(found)) for found in _visible(person(request))[:SHOWN]]
    return render(request, "research/backtests.html", {"rows": rows})


@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Submit a strategy, with the parameters it has now, on a recorded session."""
    user = person(request)
    strategies = [row for row in listed_strategies(user) if policy.may_backtest(user, row)]
    recordings = services.recordings()
    fields = [
        Field("strategy", "Strategy", "select", choices=tuple((str(row.pk), row.name) for row in strategies)),
        Field("recording", "Recorded session", "select", choices=tuple((name, name) for name in recordings)),
        Field("costs", "Market", "select", choices=MARKETS, required=False, help="whether it moves after orders"),
    ]
    source = request.POST if request.method == "POST" else request.GET
    typed = {name: str(value) for name, value in source.items()}
    errors: dict[str, str] = {}
    if request.method == "POST":
        chosen = next((row for row in strategies if str(row.pk) == typed.get("strategy")), None)
        try:
            if chosen is None:
                raise Invalid({"strategy": "Choose a strategy."})
            made = services.submit_backtest(user, chosen, typed.get("recording", ""), typed.get("costs") == FITTED)
            return redirect("research:backtest", made.pk)
        except Refusal as refusal:
            if refusal.status in (403, 404):
                raise
            errors = refusal.errors if isinstance(refusal, Invalid) else {"": refusal.sentence}
    context = {
        "fields": filled(fields, typed, errors),
        "errors": other_errors(fields, errors),
        "possible": bool(strategies and recordings),
        "has_strategies": bool(strategies),
    }
    return render(request, "research/new.html", context, status=422 if errors else 200)


@login_required
@require_GET
def backtest(request: HttpRequest, backtest_id: int) -> HttpResponse:
    """One backtest: its progress, then its result."""
    user = person(request)
    found = _find(user, backtest_id)
    names = dict(Instrument.objects.values_list("pk", "name"))
    context = {
        "backtest": found,
        "percent": _percent(found),
        "net": net_of(found),
        "drawdown": largest_drawdown(read_equity(found)["net"]),
        "fills": read_fills(found),
        "instruments": " / ".join(names.get(number, f"#{number}") for number in found.definition["instruments"]),
        "others": _visible(user).filter(state=Backtest.State.DONE).exclude(pk=found.pk)[:20],
        "may_cancel": not found.finished and policy.may_backtest(user, found.strategy),
    }
    return render(request, "research/backtest.html", context)


@login_required
@require_GET
def progress(request: HttpRequest, backtest_id: int) -> HttpResponse:
    """The part of the page that asks for itself again until the backtest ends; then the whole page is loaded."""
    found = _find(person(request), backtest_id)
    if found.finished:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "research/_progress.html", {"backtest": found, "percent": _percent(found)})


@login_required
@require_POST
def cancel(request: HttpRequest, backtest_id: int) -> HttpResponse:
    """End a backtest that has not finished."""
    try:
        services.cancel_backtest(person(request), _find(person(request), backtest_id))
        messages.success(request, f"Backtest {backtest_id} is canceled.")
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        messages.error(request, refusal.sentence)
    return redirect("research:backtest", backtest_id)


@login_required
@require_GET
def equity(request: HttpRequest, backtest_id: int) -> JsonResponse:
    """The equity curve for the chart."""
    return JsonResponse(read_equity(_find(person(request), backtest_id)))


@login_required
@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """Two results side by side."""
    user = person(request)
    chosen = [_find(user, _number(text)) for text in request.GET.getlist("id")[: len(SIDES)]]
    columns = [BacktestRow(found, net_of(found), largest_drawdown(read_equity(found)["net"])) for found in chosen]
    names = sorted({name for found in chosen for name in found.definition["parameters"]})
    picked = [found.pk for found in chosen] + [None] * len(SIDES)
    context = {
        "columns": columns,
        "parameters": [(name, [found.definition["parameters"].get(name) for found in chosen]) for name in names],
        "choices": _visible(user).filter(state=Backtest.State.DONE)[:SHOWN],
        "sides": [{"label": side, "chosen": picked[index]} for index, side in enumerate(SIDES)],
    }
    return render(request, "research/compare.html", context)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound("There is no such backtest.")
    return int(text)


def _percent(found: Backtest) -> int:
    return int(found.progress * 100)
