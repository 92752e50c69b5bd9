"""Killing takes one person and one step; taking a kill back takes two."""

from django.db import transaction
from django.utils import timezone

from desk.accounts import policy
from desk.accounts.models import User
from desk.audit.services import record
from desk.link import client
from desk.refusals import Conflict, NotFound
from desk.risk.agreed import agree, carry_out
from desk.risk.bounds import team_of_scope
from desk.risk.changes import LIFETIME, check_reason, diff_hash_of
from desk.risk.models import ChangeRequest, KillState
from engine.messages.codes import Scope
from engine.messages.control import Kill, Rearm, command

State = ChangeRequest.State


def kill(actor: User, scope: int, scope_id: int = 0, reason: str = "") -> KillState:
    """Cancel every working order in the scope and let none out until it is re-armed. May be pressed again and again.

    Raises NotPermitted; EngineNotReached or OutcomeUnknown when the engine did not confirm: the kill is kept and sent
    again by `manage.py reconcile`, and the engine host's own kill should be used.
    """
    scope_id = 0 if scope == Scope.FIRM else scope_id
    team_id = team_of_scope(scope, scope_id)
    policy.require(policy.may_kill(actor, scope, team_id), "Your role may not kill this.")
    with transaction.atomic():
        state, new = KillState.objects.select_for_update().get_or_create(
            scope=scope, scope_id=scope_id, active=True, defaults={"reason": reason[:300], "killed_by": actor}
        )
        action = "kill.pressed" if new else "kill.pressed_again"
        record(actor, action, _words(scope, scope_id), reason=reason)
    return confirm_kill(state, actor.get_username())


def confirm_kill(state: KillState, actor: str) -> KillState:
    """Send a kill to the engine and keep that it was confirmed."""
    status = client.apply(command(Kill(state.scope, state.scope_id, state.reason), actor))
    state.confirmed = True
    state.sequence = status.journal_sequence
    state.save(update_fields=["confirmed", "sequence"])
    return state


def active_kills(user: User | None = None) -> list[KillState]:
    """Kills that hold, the widest scope first; with `user`, those that the person may know of."""
    held = KillState.objects.filter(active=True).select_related("killed_by").order_by("scope", "scope_id")
    return [state for state in held if user is None or _may_know(user, state)]


def _may_know(user: User, state: KillState) -> bool:
    if state.scope in (Scope.FIRM, Scope.VENUE):
        return True
    try:
        return policy.may_see_team(user, team_of_scope(state.scope, state.scope_id))
    except NotFound:
        return policy.sees_every_team(user)


def propose_rearm(actor: User, scope: int, scope_id: int, reason: str) -> ChangeRequest:
    """Ask a risk manager to take a kill back. Raises Conflict when nothing is killed or it was asked already."""
    team_id = team_of_scope(scope, scope_id)
    policy.require(policy.may_propose_rearm(actor, scope, team_id), "Your role may not ask for this re-arm.")
    check_reason(reason)
    with transaction.atomic():
        held = KillState.objects.select_for_update().filter(scope=scope, scope_id=scope_id, active=True).first()
        if held is None:
            raise Conflict("Nothing is killed there.", code="not_killed")
        kind = ChangeRequest.Kind.REARM
        open_one = ChangeRequest.objects.filter(kind=kind, state=State.PROPOSED, scope=scope, scope_id=scope_id)
        if open_one.filter(expires_at__gt=timezone.now()).exists():
            raise Conflict("A re-arm of this waits for approval already.", code="already_proposed")
        before, after = {"kill": held.reason, "since": held.killed_at.isoformat()}, {"kill": None}
        change = ChangeRequest.objects.create(
            kind=kind,
            scope=scope,
            scope_id=scope_id,
            before=before,
            after=after,
            diff_hash=diff_hash_of(kind, scope, scope_id, before, after, reason),
            loosens=True,
            reason=reason,
            proposer=actor,
            expires_at=timezone.now() + LIFETIME,
        )
        record(actor, "rearm.proposed", _words(scope, scope_id), before=before, after=after, reason=reason)
    return change


def approve_rearm(actor: User, change_id: int, diff_hash: str) -> ChangeRequest:
    """A second person agrees and the engine is re-armed at once; never later by itself.

    Raises NotPermitted, Conflict, EngineNotReached (still open), EngineRefused (closed), OutcomeUnknown (approve
    again).
    """
    change = agree(actor, change_id, ChangeRequest.Kind.REARM, diff_hash, lambda one: _approved(actor, one))
    status = carry_out(change, Rearm(change.scope, change.scope_id, change.reason, actor.get_username()))
    with transaction.atomic():
        change.state = State.APPLIED
        change.save(update_fields=["state"])
        KillState.objects.filter(scope=change.scope, scope_id=change.scope_id, active=True).update(
            active=False, rearmed_by=actor, rearmed_at=timezone.now(), rearmed_sequence=status.journal_sequence
        )
        record(
            actor, "rearm.applied", _words(change.scope, change.scope_id), after={"journal": status.journal_sequence}
        )
    return change


def _approved(actor: User, change: ChangeRequest) -> None:
    record(actor, "rearm.approved", _words(change.scope, change.scope_id), reason=change.reason)


def _words(scope: int, scope_id: int) -> str:
    return f"{Scope(scope).name.lower()} {scope_id}" if scope_id else Scope(scope).name.lower()
