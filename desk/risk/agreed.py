"""Changes that are one command to the engine: sent when a second person agrees, and never later by itself."""

import hashlib
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.utils import timezone

from desk.accounts.models import User
from desk.link import client
from desk.refusals import Conflict, EngineNotReached, EngineRefused, NotFound
from desk.risk.changes import check_approval, close_change
from desk.risk.models import ChangeRequest
from engine.messages.control import Command, Status, command

State = ChangeRequest.State


def agree(
    actor: User, change_id: int, kind: str, diff_hash: str, note: Callable[[ChangeRequest], None]
) -> ChangeRequest:
    """The open change of this kind, approved by `actor`; `note` writes the audit entry in the same transaction.

    Raises NotFound, NotPermitted, Conflict.
    """
    with transaction.atomic():
        change = ChangeRequest.objects.select_for_update().filter(pk=change_id, kind=kind).first()
        if change is None:
            raise NotFound("There is no such change.")
        if change.state not in (State.PROPOSED, State.APPROVED):
            raise Conflict(f"This change is {change.get_state_display()}.", code=f"change_{change.state}")
        refusal = check_approval(actor, change, diff_hash)
        if refusal is None:
            change.state, change.approver, change.decided_at = State.APPROVED, actor, timezone.now()
            change.save()
            note(change)
    if refusal is not None:
        raise refusal
    return change


def identity_of(change: ChangeRequest) -> str:
    """The id of the change's command."""
    return hashlib.sha256(f"{change.pk} {change.proposed_at} {change.diff_hash}".encode()).hexdigest()[:32]


def carry_out(change: ChangeRequest, body: Any, apply: Callable[[Command], Status] | None = None) -> Status:
    """Send the command of an approved change, under an identity of its own: said again it is the same command.
    `apply` sends it, and raises as `client.apply`.

    Raises EngineNotReached (the change is open again), EngineRefused (it is closed), OutcomeUnknown (approve again).
    """
    try:
        return (apply or client.apply)(command(body, change.proposer.get_username(), identity_of(change)))
    except EngineNotReached:
        change.state, change.approver = State.PROPOSED, None
        change.save(update_fields=["state", "approver"])
        raise
    except EngineRefused as refusal:
        close_change(change, State.REJECTED, refusal.sentence)
        raise
