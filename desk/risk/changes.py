"""Changes of limits: proposed, approved by a second person who signs what was shown, rejected, voided, expired.

The rows of `Limit` are what people agreed on; `desk.risk.versions` brings them to the engine.
"""

import hashlib
import json
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from desk.accounts import policy
from desk.accounts.models import User
from desk.audit.services import FIRM_CHAIN, record, team_chain
from desk.blotter.models import OrderEntry
from desk.refusals import Conflict, Invalid, NotFound, Refusal, check_all
from desk.risk.bounds import Bound, loosens, parse, team_of_scope, text_of
from desk.risk.models import LIMIT_NAMES, ChangeRequest, Limit
from desk.risk.versions import push_limits
from desk.strategies.models import Strategy
from engine.messages.codes import Scope

LIFETIME = timedelta(minutes=30)
LONGEST_REASON = 300
State = ChangeRequest.State


def propose_limits(actor: User, scope: int, scope_id: int, values: dict[str, Any], reason: str) -> list[ChangeRequest]:
    """Ask for new bounds of one scope; `values` by limit name, None or "" to unset, names left out stay.

    What tightens is applied at once and voids pending loosenings of the same limits; what loosens waits for a second
    person. A mixture becomes two changes. Raises NotPermitted, Invalid, Conflict (nothing differs).
    """
    scope_id = 0 if scope == Scope.FIRM else scope_id
    team_id = team_of_scope(scope, scope_id)
    policy.require(policy.may_propose_limits(actor, scope, team_id), "Your role may not propose these limits.")
    wanted = _checked_proposal(values, reason)
    with transaction.atomic():
        limit = _locked(scope, scope_id)
        differing = {name: bound for name, bound in wanted.items() if text_of(bound) != text_of(getattr(limit, name))}
        if not differing:
            raise Conflict("Nothing differs from the limits in force.", code="nothing_differs")
        wider = {name: bound for name, bound in differing.items() if loosens(getattr(limit, name), bound)}
        narrower = {name: bound for name, bound in differing.items() if name not in wider}
        changes = []
        if narrower:
            changes.append(_tighten(actor, limit, narrower, reason))
        if wider:
            changes.append(_open_change(actor, limit, wider, reason, loosening=True))
    if narrower:
        _apply(actor, changes[0])
    return changes


def _checked_proposal(values: dict[str, Any], reason: str) -> dict[str, Bound]:
    bounds = check_all(*(partial(parse, name, value) for name, value in values.items()), partial(check_reason, reason))
    return dict(zip(values, bounds, strict=False))


def check_reason(reason: str) -> None:
    """Invalid unless it says something and is no longer than what is kept."""
    if not reason.strip():
        raise Invalid({"reason": "Say why."})
    if len(reason) > LONGEST_REASON:
        raise Invalid({"reason": f"At most {LONGEST_REASON} characters are kept; this has {len(reason)}."})


def approve_change(actor: User, change_id: int, diff_hash: str) -> ChangeRequest:
    """A second person agrees to exactly what was shown (`diff_hash`), and it is sent to the engine.

    The change comes back APPLIED, or APPROVED with a note when the engine was not reached (it is sent again when the
    engine is back). Raises NotPermitted, or Conflict when it is no longer open or the limits moved meanwhile.
    """
    with transaction.atomic():
        change = _open(change_id)
        if change.kind != ChangeRequest.Kind.LIMITS:
            raise Conflict("This change is not one of limits.")
        refusal = check_approval(actor, change, diff_hash)
        limit = _locked(change.scope, change.scope_id)
        if refusal is None and any(text_of(getattr(limit, name)) != was for name, was in change.before.items()):
            refusal = close_change(change, State.VOID, "The limits changed after this was proposed.")
        if refusal is None:
            _write(actor, limit, change)
    if refusal is not None:
        raise refusal
    _apply(actor, change)
    return change


def reject_change(actor: User, change_id: int, note: str) -> ChangeRequest:
    """A risk manager says no, or the proposer takes it back."""
    with transaction.atomic():
        change = _open(change_id)
        policy.require(policy.may_reject(actor, change), "Only a risk manager or the proposer may reject this.")
        taken_back = change.proposer_id == actor.pk
        if change.kind == ChangeRequest.Kind.ORDER and not taken_back:
            check_reason(note)
        close_change(change, State.REJECTED, note or ("Taken back by the proposer." if taken_back else ""))
        action = f"{change.kind}.taken_back" if taken_back else f"{change.kind}.rejected"
        chain = chain_of(change)
        record(actor, action, str(change), before=change.before, after=change.after, reason=note, chain=chain)
    return change


def chain_of(change: ChangeRequest) -> str:
    """The audit chain that tells of it: an order's is its team's."""
    return team_chain(change.scope_id) if change.kind == ChangeRequest.Kind.ORDER else FIRM_CHAIN


def pending_changes(user: User) -> list[ChangeRequest]:
    """Open changes that the person may see, the oldest first; those past their time are closed on the way."""
    expire_changes()
    rows = ChangeRequest.objects.filter(state=State.PROPOSED).select_related("proposer").order_by("proposed_at")
    return [row for row in rows if _sees(user, row)]


def change_history(user: User, count: int = 100) -> list[ChangeRequest]:
    """The newest changes that the person may see."""
    rows = ChangeRequest.objects.exclude(state=State.PROPOSED).select_related("proposer", "approver")[: count * 2]
    return [row for row in rows if _sees(user, row)][:count]


def find_change(user: User, change_id: int) -> ChangeRequest:
    """One change that the person may see, or NotFound."""
    expire_changes()
    row = ChangeRequest.objects.filter(pk=change_id).select_related("proposer", "approver").first()
    if row is None or not _sees(user, row):
        raise NotFound("There is no such change.")
    return row


def expire_changes() -> int:
    """Close what nobody approved in time; returns how many."""
    with transaction.atomic():
        late = ChangeRequest.objects.select_for_update().filter(state=State.PROPOSED, expires_at__lte=timezone.now())
        for change in (rows := list(late)):
            close_change(change, State.EXPIRED, "Nobody approved it in time.")
            action, chain = f"{change.kind}.expired", chain_of(change)
            record(None, action, str(change), before=change.before, after=change.after, chain=chain)
    return len(rows)


def visible_limits(user: User) -> list[Limit]:
    """The limits that the person may see, the firm's first."""
    return [
        limit
        for limit in Limit.objects.all()
        if policy.may_see_limits(user, limit.scope, _team_or_none(limit.scope, limit.scope_id))
    ]


def inherit_limits(actor: User, strategy: Strategy) -> Limit:
    """A new strategy starts with its team's bounds; must run in the transaction that creates it."""
    team = Limit.objects.filter(scope=Scope.TEAM, scope_id=strategy.team_id).first()
    bounds = {name: getattr(team, name) if team else None for name in LIMIT_NAMES}
    limit = Limit.objects.create(scope=Scope.STRATEGY, scope_id=strategy.pk, **bounds)
    after = {name: text_of(bound) for name, bound in bounds.items()}
    record(actor, "limits.inherited", f"strategy {strategy.pk}", after=after)
    return limit


def install_limits(scope: int, scope_id: int, bounds: dict[str, Bound]) -> Limit | None:
    """The first bounds of a scope that has none, for the seed of a new desk; does nothing where there are some."""
    with transaction.atomic():
        limit = _locked(scope, scope_id)
        if any(getattr(limit, name) is not None for name in LIMIT_NAMES):
            return None
        for name, bound in bounds.items():
            setattr(limit, name, parse(name, bound))
        limit.save()
        after = {name: text_of(getattr(limit, name)) for name in LIMIT_NAMES}
        record(None, "limits.installed", str(limit), after=after)
    return limit


def diff_hash_of(kind: str, scope: int, scope_id: int, before: Any, after: Any, reason: str) -> str:
    """What an approver signs: SHA-256 over everything that was shown."""
    shown = {"kind": kind, "scope": scope, "scope_id": scope_id, "before": before, "after": after, "reason": reason}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def check_approval(actor: User, change: ChangeRequest, diff_hash: str) -> Refusal | None:
    """What keeps this person from approving; NotPermitted is raised, a change that is over is closed and returned."""
    if change.proposer_id == actor.pk:
        policy.require(False, "A change needs a second person: you proposed this one.")
    of_an_order = change.kind == ChangeRequest.Kind.ORDER
    others = "another trader of the team or a risk manager releases it" if of_an_order else "a risk manager may approve"
    policy.require(policy.may_approve(actor, change), f"Only {others}.")
    if change.expires_at <= timezone.now():
        return close_change(change, State.EXPIRED, "Nobody approved it in time.")
    if diff_hash != change.diff_hash:
        raise Conflict("This is not the change that was shown to you; look at it again.", code="diff_differs")
    return None


def close_change(change: ChangeRequest, state: str, note: str) -> Conflict:
    """End a change without applying it."""
    change.state, change.note, change.decided_at = state, note[:300], timezone.now()
    change.save(update_fields=["state", "note", "decided_at"])
    if change.kind == ChangeRequest.Kind.ORDER:
        waiting = OrderEntry.objects.filter(change=change, outcome=OrderEntry.Outcome.WAITING)
        waiting.update(outcome=OrderEntry.Outcome.RETURNED, reason=change.note)
    return Conflict(note or "This change is closed.", code=f"change_{state}")


def _locked(scope: int, scope_id: int) -> Limit:
    Limit.objects.get_or_create(scope=scope, scope_id=scope_id)
    return Limit.objects.select_for_update().get(scope=scope, scope_id=scope_id)


def _open(change_id: int) -> ChangeRequest:
    change = ChangeRequest.objects.select_for_update().filter(pk=change_id).first()
    if change is None:
        raise NotFound("There is no such change.")
    if change.state != State.PROPOSED:
        raise Conflict(f"This change is {change.get_state_display()}.", code=f"change_{change.state}")
    return change


def _open_change(actor: User, limit: Limit, bounds: dict[str, Bound], reason: str, *, loosening: bool) -> ChangeRequest:
    before = {name: text_of(getattr(limit, name)) for name in bounds}
    after = {name: text_of(bound) for name, bound in bounds.items()}
    change = ChangeRequest.objects.create(
        scope=limit.scope,
        scope_id=limit.scope_id,
        before=before,
        after=after,
        diff_hash=diff_hash_of(ChangeRequest.Kind.LIMITS, limit.scope, limit.scope_id, before, after, reason),
        loosens=loosening,
        reason=reason,
        proposer=actor,
        expires_at=timezone.now() + LIFETIME,
    )
    record(actor, "limits.proposed", str(limit), before=before, after=after, reason=reason)
    return change


def _tighten(actor: User, limit: Limit, bounds: dict[str, Bound], reason: str) -> ChangeRequest:
    change = _open_change(actor, limit, bounds, reason, loosening=False)
    same_scope = ChangeRequest.objects.select_for_update().filter(
        kind=ChangeRequest.Kind.LIMITS, state=State.PROPOSED, scope=limit.scope, scope_id=limit.scope_id, loosens=True
    )
    for other in same_scope:
        if set(other.after) & set(bounds):
            close_change(other, State.VOID, f"Change {change.pk} tightened the same limit.")
            record(actor, "limits.voided", str(other), before=other.before, after=other.after)
    _write(actor, limit, change)
    return change


def _write(actor: User, limit: Limit, change: ChangeRequest) -> None:
    for name, text in change.after.items():
        setattr(limit, name, parse(name, text))
    limit.save()
    change.state, change.decided_at = State.APPROVED, timezone.now()
    change.approver = actor if change.loosens else None
    change.save()
    action = "limits.approved" if change.loosens else "limits.tightened"
    record(actor, action, str(limit), before=change.before, after=change.after, reason=change.reason)


def _apply(actor: User, change: ChangeRequest) -> None:
    try:
        push_limits(actor.get_username())
    except Refusal as refusal:
        ChangeRequest.objects.filter(pk=change.pk, state=State.APPROVED).update(note=refusal.sentence[:300])
    change.refresh_from_db()


def _sees(user: User, change: ChangeRequest) -> bool:
    team_id = _team_or_none(change.scope, change.scope_id)
    return policy.may_see_limits(user, change.scope, team_id) or user.pk == change.proposer_id


def _team_or_none(scope: int, scope_id: int) -> int | None:
    try:
        return team_of_scope(scope, scope_id)
    except NotFound:
        return None
