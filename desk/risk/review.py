"""The rule of a team: which orders of its people wait for a second person. Stricter at once, looser by two people."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils import timezone

from desk.accounts import policy
from desk.accounts.models import Team, User
from desk.audit.services import record
from desk.refusals import Conflict, Invalid
from desk.risk.agreed import agree
from desk.risk.bounds import team_of_scope, text_of
from desk.risk.changes import LIFETIME, check_reason, diff_hash_of
from desk.risk.models import ChangeRequest, SecondPersonRule
from engine.messages.codes import Scope

REVIEW, State = ChangeRequest.Kind.REVIEW, ChangeRequest.State
BOUNDS, MINUTES = ("notional", "volume_percent"), "minutes"
NAMES = (*BOUNDS, MINUTES)
LARGEST = {"notional": Decimal(10**14), "volume_percent": Decimal(10_000), MINUTES: Decimal(10_080)}
Rule = dict[str, str | None]


def rule_of(team_id: int) -> Rule:
    """What is in force, as text; None: does not make an order wait, or counts each order by itself."""
    row = SecondPersonRule.objects.filter(team_id=team_id).first() or SecondPersonRule()
    return {name: text_of(getattr(row, name)) for name in NAMES}


def visible_rules(user: User) -> list[tuple[Team, Rule]]:
    """Teams that the person may see, with their rules."""
    return [(team, rule_of(team.pk)) for team in Team.objects.all() if policy.may_see_team(user, team.pk)]


def propose_rule(actor: User, team_id: int, values: dict[str, Any], reason: str) -> ChangeRequest:
    """Ask for another rule; `values` by name, None or "" for none, what is left out stays. Lower bounds and more
    minutes hold at once; the opposite, or none, waits for a second person. Raises NotPermitted, NotFound, Invalid,
    Conflict."""
    team_of_scope(Scope.TEAM, team_id)
    allowed = policy.may_propose_limits(actor, Scope.TEAM, team_id)
    policy.require(allowed, "Your role may not change which orders of this team wait.")
    wanted = {name: _parsed(name, value) for name, value in values.items()}
    check_reason(reason)
    with transaction.atomic():
        SecondPersonRule.objects.get_or_create(team_id=team_id)
        SecondPersonRule.objects.select_for_update().get(team_id=team_id)
        before = rule_of(team_id)
        after = before | {name: text_of(value) for name, value in wanted.items()}
        if after == before:
            raise Conflict("Nothing differs from the rule in force.", code="nothing_differs")
        looser = any(_looser(name, before[name], after[name]) for name in NAMES)
        change = ChangeRequest.objects.create(
            kind=REVIEW,
            scope=Scope.TEAM,
            scope_id=team_id,
            before=before,
            after=after,
            diff_hash=diff_hash_of(REVIEW, Scope.TEAM, team_id, before, after, reason),
            loosens=looser,
            reason=reason,
            proposer=actor,
            expires_at=timezone.now() + LIFETIME,
        )
        record(actor, "review.proposed", f"team {team_id}", before=before, after=after, reason=reason)
        if not looser:
            change.decided_at = timezone.now()
            _put(actor, change, "review.tightened")
    return change


def approve_rule(actor: User, change_id: int, diff_hash: str) -> ChangeRequest:
    """A second person agrees and the rule holds. Raises NotFound, NotPermitted, Conflict (the rule moved meanwhile)."""
    with transaction.atomic():
        return agree(actor, change_id, REVIEW, diff_hash, lambda change: _put(actor, change, "review.approved"))


def _put(actor: User, change: ChangeRequest, action: str) -> None:
    row = SecondPersonRule.objects.select_for_update().get(team_id=change.scope_id)
    if rule_of(change.scope_id) != change.before:
        raise Conflict("The rule changed after this was proposed; propose it again.", code="change_void")
    for name in NAMES:
        text = change.after[name]
        setattr(row, name, None if text is None else Decimal(text))
    row.save()
    change.state = State.APPLIED
    change.save()
    record(actor, action, f"team {change.scope_id}", before=change.before, after=change.after, reason=change.reason)


def _looser(name: str, before: str | None, after: str | None) -> bool:
    """More minutes count more orders, so fewer are looser."""
    if before is None or after is None:
        return before is not None and after is None
    return Decimal(after) < Decimal(before) if name == MINUTES else Decimal(after) > Decimal(before)


def _parsed(name: str, value: Any) -> Decimal | None:
    if name not in NAMES:
        raise Invalid({name: "There is no such bound."})
    text = str(value if value is not None else "").replace(",", "").strip()
    if not text:
        return None
    try:
        number = Decimal(text)
        places = 0 if name == MINUTES else 4
        if not number.is_finite() or not 0 < number <= LARGEST[name] or number != round(number, places):
            raise InvalidOperation
    except InvalidOperation:
        kind = "whole number of at most" if name == MINUTES else "number with at most four decimals of at most"
        raise Invalid({name: f"It is a positive {kind} {LARGEST[name]:,}."}) from None
    return number
