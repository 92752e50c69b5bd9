"""Limits and their changes."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Status

from desk.api.authentication import caller, caller_in_person
from desk.api.lookups import word
from desk.api.models import ApiScope
from desk.api.shapes import ChangeOut, DecisionIn, Id, LimitsOut, ProposalIn, RejectionIn
from desk.risk import services
from desk.risk.bounds import text_of
from desk.risk.models import LIMIT_NAMES, ChangeRequest, Limit
from engine.messages.codes import Scope

router = Router(tags=["limits"])


def limit_shape(limit: Limit) -> dict[str, Any]:
    return {
        "scope": word(Scope(limit.scope)),
        "scope_id": str(limit.scope_id),
        "bounds": {name: text_of(getattr(limit, name)) for name in LIMIT_NAMES},
    }


def change_shape(change: ChangeRequest) -> dict[str, Any]:
    return {
        "id": str(change.pk),
        "kind": change.kind,
        "scope": word(Scope(change.scope)),
        "scope_id": str(change.scope_id),
        "before": change.before,
        "after": change.after,
        "diff_hash": change.diff_hash,
        "loosens": change.loosens,
        "reason": change.reason,
        "state": change.state,
        "proposer": change.proposer.get_username(),
        "approver": change.approver.get_username() if change.approver else None,
        "expires_at": change.expires_at.isoformat().replace("+00:00", "Z"),
        "note": change.note,
        "limits_version": None if change.limits_version is None else str(change.limits_version),
    }


@router.get("", response=list[LimitsOut])
def list_limits(request: HttpRequest) -> Any:
    """Approved limits of the scopes that the caller sees."""
    return [limit_shape(row) for row in services.visible_limits(caller(request, ApiScope.READ))]


@router.get("/changes", response=list[ChangeOut])
def list_changes(request: HttpRequest) -> Any:
    """Changes that wait for a second person, then what became of the latest."""
    user = caller(request, ApiScope.READ)
    return [change_shape(row) for row in [*services.pending_changes(user), *services.change_history(user)]]


@router.post("/changes", response={201: list[ChangeOut]})
def propose_change(request: HttpRequest, body: ProposalIn) -> Any:
    """Propose bounds. What tightens is applied at once, what loosens waits: up to two changes come back."""
    user = caller(request, ApiScope.LIMITS_PROPOSE)
    changes = services.propose_limits(user, Scope[body.scope.upper()], body.scope_id, dict(body.bounds), body.reason)
    return Status(201, [change_shape(row) for row in changes])


@router.get("/changes/{change_id}", response=ChangeOut)
def get_change(request: HttpRequest, change_id: Id) -> Any:
    return change_shape(services.find_change(caller(request, ApiScope.READ), change_id))


@router.post("/changes/{change_id}/approve", response=ChangeOut)
def approve_change(request: HttpRequest, change_id: Id, body: DecisionIn) -> Any:
    """A second person, signed in: no key may approve. 409 `diff_differs` when it is not the change that was shown."""
    user = caller_in_person(request)
    change = services.find_change(user, change_id)
    decide = services.APPROVALS[change.kind]
    return change_shape(decide(user, change_id, body.diff_hash))


@router.post("/changes/{change_id}/reject", response=ChangeOut)
def reject_change(request: HttpRequest, change_id: Id, body: RejectionIn) -> Any:
    """A risk manager says no, or the proposer takes it back."""
    user = caller(request, ApiScope.LIMITS_PROPOSE)
    services.find_change(user, change_id)
    return change_shape(services.reject_change(user, change_id, body.note))
