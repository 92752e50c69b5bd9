"""Kill, health and the engine's status."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from desk.api.authentication import caller
from desk.api.lookups import word
from desk.api.market_shapes import LatencyOut
from desk.api.models import ApiScope
from desk.api.routes.limits import change_shape
from desk.api.shapes import ChangeOut, HealthOut, KillIn, KillOut, StatusOut, stamp
from desk.link import client
from desk.link.projector import offset
from desk.link.state import newest_state
from desk.refusals import Refusal
from desk.risk import services
from desk.risk.models import KillState
from engine.messages.codes import Scope

router = Router(tags=["operations"])


def kill_shape(state: KillState) -> dict[str, Any]:
    return {
        "scope": word(Scope(state.scope)),
        "scope_id": str(state.scope_id),
        "reason": state.reason,
        "confirmed": state.confirmed,
        "killed_at": state.killed_at.isoformat().replace("+00:00", "Z"),
    }


@router.get("/catalogue", response=dict[str, Any])
def catalogue(request: HttpRequest) -> Any:
    """What the running engine can do: strategy and algorithm kinds with their parameters, venue kinds with their
    settings."""
    caller(request, ApiScope.READ)
    announced = client.catalogue().as_body()
    return {name: announced[name] for name in ("build_hash", "strategy_kinds", "algorithm_kinds", "venue_kinds")}


@router.get("/kill", response=list[KillOut])
def list_kills(request: HttpRequest) -> Any:
    """Kills that hold."""
    user = caller(request, ApiScope.READ)
    return [kill_shape(row) for row in services.active_kills(user)]


@router.post("/kill", response=KillOut)
def kill(request: HttpRequest, body: KillIn) -> Any:
    """Cancel every working order in the scope and let none out until it is re-armed. May be sent again and again."""
    user = caller(request, ApiScope.KILL)
    return kill_shape(services.kill(user, Scope[body.scope.upper()], body.scope_id, body.reason))


@router.post("/kill/rearm", response={201: ChangeOut})
def propose_rearm(request: HttpRequest, body: KillIn) -> Any:
    """Ask a risk manager to take a kill back."""
    user = caller(request, ApiScope.KILL)
    change = services.propose_rearm(user, Scope[body.scope.upper()], body.scope_id, body.reason)
    return Status(201, change_shape(change))


@router.get("/health", response=HealthOut, auth=None)
def health(request: HttpRequest) -> Any:
    """Whether the web process answers; nothing about the firm."""
    return {"status": "ok"}


@router.get("/status", response=StatusOut)
def status(request: HttpRequest) -> Any:
    """The engine as the desk sees it."""
    caller(request, ApiScope.READ)
    absent = {"mode": None, "epoch": None, "build_hash": None, "limits_version": None}
    projected = {"projected_sequence": str(offset().sequence)}
    try:
        announced = client.catalogue()
    except Refusal as refusal:
        return {"engine": refusal.code} | absent | projected
    known = {
        "engine": "answers",
        "mode": announced.mode,
        "epoch": str(announced.epoch),
        "build_hash": announced.build_hash,
        "limits_version": str(announced.limits_version),
    }
    return known | projected


@router.get("/latency", response=LatencyOut)
def latency(request: HttpRequest) -> Any:
    """How long the engine takes from packet to order, and the alarms that hold."""
    caller(request, ApiScope.READ)
    state = newest_state()
    alarms = [row | {"since": stamp(row["since_ns"]), "since_ns": str(row["since_ns"])} for row in state["alarms"]]
    return {window: state["latency"].get(window, {}) for window in ("minute", "day")} | {"alarms": alarms}
