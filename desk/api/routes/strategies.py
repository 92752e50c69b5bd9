"""Strategies: list, define, change, start, stop, archive."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from desk.api.authentication import caller
from desk.api.lookups import instrument_id, instrument_names, venue_number, word
from desk.api.models import ApiScope
from desk.api.shapes import Id, RunOut, StopIn, StrategyIn, StrategyOut, StrategyPatch
from desk.strategies import services
from desk.strategies.models import Strategy
from engine.messages.codes import Mode, StrategyState

router = Router(tags=["strategies"])


def shape(strategy: Strategy) -> dict[str, Any]:
    return {
        "id": str(strategy.pk),
        "name": strategy.name,
        "team": strategy.team.name,
        "owner": strategy.owner.get_username(),
        "kind": strategy.kind,
        "kind_hash": strategy.kind_hash,
        "venue": strategy.venue.name,
        "instruments": instrument_names(strategy.instruments),
        "parameters": strategy.parameters,
        "version": strategy.version,
        "desired_state": word(StrategyState(strategy.desired_state)),
        "reported_state": word(StrategyState(strategy.reported_state)),
        "archived": strategy.archived_at is not None,
    }


@router.get("", response=list[StrategyOut])
def list_strategies(request: HttpRequest, archived: bool = False) -> Any:
    """Strategies of the teams that the caller sees; `archived=true` gives the archived ones instead."""
    rows = services.visible_strategies(caller(request, ApiScope.READ)).filter(archived_at__isnull=not archived)
    return [shape(row) for row in rows]


@router.post("", response={201: StrategyOut})
def create_strategy(request: HttpRequest, body: StrategyIn) -> Any:
    """Define a strategy of the caller's team; it is stopped and has its team's limits."""
    user = caller(request, ApiScope.STRATEGIES)
    made = services.create_strategy(
        user,
        name=body.name,
        kind=body.kind,
        venue=venue_number(body.venue),
        instruments=[instrument_id(name) for name in body.instruments],
        parameters=body.parameters,
    )
    return Status(201, shape(made))


@router.get("/{strategy_id}", response=StrategyOut)
def get_strategy(request: HttpRequest, strategy_id: Id) -> Any:
    return shape(services.find_strategy(caller(request, ApiScope.READ), strategy_id))


@router.patch("/{strategy_id}", response=StrategyOut)
def change_strategy(request: HttpRequest, strategy_id: Id, body: StrategyPatch) -> Any:
    """Change a stopped strategy. 409 `version_differs` when somebody else changed it."""
    user = caller(request, ApiScope.STRATEGIES)
    strategy = services.find_strategy(user, strategy_id)
    changed = services.change_strategy(
        user,
        strategy,
        version=body.version,
        name=body.name,
        venue=None if body.venue is None else venue_number(body.venue),
        instruments=None if body.instruments is None else [instrument_id(name) for name in body.instruments],
        parameters=body.parameters,
    )
    return shape(changed)


@router.post("/{strategy_id}/start", response=RunOut)
def start_strategy(request: HttpRequest, strategy_id: Id) -> Any:
    """Start it; the answer names the run that began."""
    user = caller(request, ApiScope.STRATEGIES)
    run = services.start_strategy(user, services.find_strategy(user, strategy_id))
    return {
        "id": str(run.pk),
        "strategy": str(run.strategy_id),
        "mode": word(Mode(run.mode)),
        "journal_sequence": str(run.started_sequence),
    }


@router.post("/{strategy_id}/stop", response={204: None})
def stop_strategy(request: HttpRequest, strategy_id: Id, body: StopIn) -> Any:
    """Stop it and cancel its working orders; its positions stay."""
    user = caller(request, ApiScope.STRATEGIES)
    services.stop_strategy(user, services.find_strategy(user, strategy_id), body.reason or "")
    return Status(204, None)


@router.post("/{strategy_id}/archive", response=StrategyOut)
def archive_strategy(request: HttpRequest, strategy_id: Id, body: StopIn) -> Any:
    """Take a stopped strategy off the lists; its history is kept."""
    user = caller(request, ApiScope.STRATEGIES)
    return shape(services.archive_strategy(user, services.find_strategy(user, strategy_id), body.reason or ""))


@router.post("/{strategy_id}/restore", response=StrategyOut)
def restore_strategy(request: HttpRequest, strategy_id: Id) -> Any:
    """Bring an archived strategy back, stopped."""
    user = caller(request, ApiScope.STRATEGIES)
    return shape(services.restore_strategy(user, services.find_strategy(user, strategy_id)))
