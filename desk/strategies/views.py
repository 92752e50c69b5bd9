"""Strategies: the list, one of them, defining, changing, starting and stopping."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from desk.accounts import policy
from desk.accounts.models import User
from desk.accounts.person import person
from desk.blotter.refused import refused_orders
from desk.blotter.services import visible_fills, working_orders
from desk.link import client
from desk.link.models import ProjectionOffset
from desk.markets.models import Instrument
from desk.refusals import Invalid, Refusal
from desk.risk.models import LIMIT_NAMES, KillState, Limit
from desk.risk.services import active_kills
from desk.risk.targets import label_of
from desk.runs.services import visible_runs
from desk.strategies import services
from desk.strategies.definitions import find_kind
from desk.strategies.forms import make_form, read_definition, values_of, with_pair
from desk.strategies.models import Strategy
from engine.messages.catalogue import StrategyKind
from engine.messages.codes import Scope

SHOWN = 50
PAGES = {"desk": "live:desk", "list": "strategies:list"}


@dataclass(frozen=True)
class StrategyRow:
    """One line of a list of strategies."""

    strategy: Strategy
    instruments: str
    may_start: bool
    may_stop: bool


def strategy_rows(user: User, strategies: Iterable[Strategy]) -> list[StrategyRow]:
    """The strategies with the names of their instruments and what the person may do."""
    names = dict(Instrument.objects.values_list("pk", "name"))
    return [_row(user, strategy, names) for strategy in strategies]


def _row(user: User, strategy: Strategy, names: dict[int, str]) -> StrategyRow:
    return StrategyRow(
        strategy,
        " / ".join(names.get(number, f"#{number}") for number in strategy.instruments),
        policy.may_start_strategy(user, strategy) and strategy.archived_at is None,
        policy.may_stop_strategy(user, strategy) and strategy.archived_at is None,
    )


@login_required
@require_GET
def strategies(request: HttpRequest) -> HttpResponse:
    """Every strategy that the person may see."""
    user = person(request)
    context = {
        "strategies": strategy_rows(user, services.listed_strategies(user)),
        "archived": services.visible_strategies(user).exclude(archived_at=None).count(),
        "may_define": policy.may_define_strategy(user, user.team),
    }
    return render(request, "strategies/list.html", context)


@login_required
def new(request: HttpRequest) -> HttpResponse:
    """Define a strategy: the form is made from the running engine's catalogue."""
    user = person(request)
    policy.require(policy.may_define_strategy(user, user.team), "Only a trader with a team defines strategies.")
    announced = client.catalogue()
    typed: dict[str, Any] = (request.POST if request.method == "POST" else request.GET).dict()
    if request.method != "POST":
        form = make_form(announced, typed)
        if "pair" in typed:
            form = make_form(announced, with_pair(typed, form.kind))
        return render(request, "strategies/new.html", {"form": form})
    try:
        kind = find_kind(announced, typed.get("kind", ""))
        made = services.create_strategy(user, kind=kind.name, **read_definition(typed, kind))
    except Invalid as refusal:
        form = make_form(announced, typed, refusal.errors)
        return render(request, "strategies/new.html", {"form": form}, status=422)
    messages.success(request, f"{made.name} is defined, with its team's limits. It does not trade until it is started.")
    return redirect("strategies:detail", made.pk)


@login_required
@require_GET
def definition(request: HttpRequest) -> HttpResponse:
    """The part of the form that depends on the kind and the pair."""
    announced = client.catalogue()
    typed = request.GET.dict()
    form = make_form(announced, typed)
    form = make_form(announced, with_pair(typed, form.kind))
    return render(request, "strategies/_definition.html", {"form": form})


@login_required
@require_GET
def detail(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """One strategy: what it is, what it does, what it did."""
    user = person(request)
    strategy = services.find_strategy(user, strategy_id)
    offset = ProjectionOffset.objects.first()
    limit = Limit.objects.filter(scope=Scope.STRATEGY, scope_id=strategy.pk).first()
    context = {
        "row": strategy_rows(user, [strategy])[0],
        "strategy": strategy,
        "parameters": _parameters(strategy),
        "runs": visible_runs(user).filter(strategy=strategy)[:SHOWN],
        "after": offset.sequence if offset else 0,
        "working": working_orders(user).filter(strategy=strategy)[: 2 * SHOWN],
        "fills": visible_fills(user).filter(strategy=strategy)[:SHOWN],
        "denials": refused_orders(user, SHOWN, strategy_id=strategy.pk),
        "shown": SHOWN,
        "limits": [(name, getattr(limit, name)) for name in LIMIT_NAMES] if limit else [],
        "may_change": policy.may_define_strategy(user, strategy.team) and strategy.archived_at is None,
        "may_backtest": policy.may_backtest(user, strategy) and strategy.archived_at is None,
        "may_archive": policy.may_archive_strategy(user, strategy),
    }
    return render(request, "strategies/detail.html", context)


@login_required
def change(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """Change a stopped strategy's definition."""
    user = person(request)
    strategy = services.find_strategy(user, strategy_id)
    policy.require(
        policy.may_define_strategy(user, strategy.team), "Only a trader of its team may change this strategy."
    )
    announced = client.catalogue()
    typed: dict[str, Any] = request.POST.dict() if request.method == "POST" else values_of(strategy)
    typed["kind"] = strategy.kind
    context = {"strategy": strategy, "version": typed.get("version", strategy.version)}
    if request.method != "POST":
        return render(request, "strategies/change.html", context | {"form": make_form(announced, typed)})
    try:
        kind = find_kind(announced, strategy.kind)
        version = int(typed["version"]) if str(typed.get("version", "")).isdigit() else None
        services.change_strategy(user, strategy, version=version, **read_definition(typed, kind))
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        errors = refusal.errors if isinstance(refusal, Invalid) else {"": refusal.sentence}
        context["form"] = make_form(announced, typed, errors)
        return render(request, "strategies/change.html", context, status=refusal.status)
    messages.success(request, f"{strategy.name} is changed. The new definition holds from the next start.")
    return redirect("strategies:detail", strategy.pk)


@login_required
@require_POST
def start(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """Start it in the engine."""
    strategy = services.find_strategy(person(request), strategy_id)
    try:
        services.start_strategy(person(request), strategy)
    except Refusal as refusal:
        return _answer(request, strategy, refusal)
    held = [label_of(kill.scope, kill.scope_id) for kill in active_kills() if _holds(kill, strategy)]
    remark = f" But KILL holds on {', '.join(held)}: nothing leaves until it is re-armed." if held else ""
    return _answer(request, strategy, f"{strategy.name} is started.{remark}")


def _holds(kill: KillState, strategy: Strategy) -> bool:
    own = {
        Scope.FIRM: 0,
        Scope.TEAM: strategy.team_id,
        Scope.STRATEGY: strategy.pk,
        Scope.VENUE: strategy.venue_id,
    }
    return own[Scope(kill.scope)] == kill.scope_id


@login_required
@require_POST
def stop(request: HttpRequest, strategy_id: int) -> HttpResponse:
    """Stop it and cancel its working orders: one step."""
    strategy = services.find_strategy(person(request), strategy_id)
    try:
        services.stop_strategy(person(request), strategy, request.POST.get("reason", ""))
    except Refusal as refusal:
        return _answer(request, strategy, refusal)
    return _answer(request, strategy, f"{strategy.name} is stopped; its working orders are being canceled.")


def _answer(request: HttpRequest, strategy: Strategy, said: str | Refusal) -> HttpResponse:
    if isinstance(said, Refusal) and said.status in (403, 404):
        raise said
    sentence = said.sentence if isinstance(said, Refusal) else said
    if getattr(request, "htmx", False):
        context = {"sentence": sentence, "refused": isinstance(said, Refusal)}
        context["row"] = strategy_rows(person(request), [strategy])[0]
        return render(request, "strategies/_actions_answer.html", context)
    (messages.error if isinstance(said, Refusal) else messages.success)(request, sentence)
    page = PAGES.get(request.POST.get("page", ""))
    return redirect(reverse(page) if page else reverse("strategies:detail", args=[strategy.pk]))


def _parameters(strategy: Strategy) -> list[dict[str, Any]]:
    kind = _kind_if_known(strategy)
    known = {parameter.name: parameter for parameter in kind.parameters} if kind else {}
    found = []
    for name in [*known, *(name for name in strategy.parameters if name not in known)]:
        value = strategy.parameters.get(name)
        unit, shown = known[name].told(value) if name in known and value is not None else ("", value)
        label = known[name].label if name in known else name.replace("_", " ").capitalize()
        found.append({"label": label, "unit": unit, "value": shown})
    return found


def _kind_if_known(strategy: Strategy) -> StrategyKind | None:
    try:
        return find_kind(client.catalogue(), strategy.kind)
    except Refusal:
        return None
