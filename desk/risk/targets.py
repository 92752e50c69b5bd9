"""Scopes that people choose from: the firm, teams, strategies, venues, by name."""

from __future__ import annotations

from typing import NamedTuple

from desk.accounts import policy
from desk.accounts.models import Team, User
from desk.markets.models import Venue
from desk.refusals import NotFound
from desk.strategies.models import Strategy
from engine.messages.codes import Scope


class Target(NamedTuple):
    """One scope; `value` is how a form names it."""

    scope: Scope
    scope_id: int
    label: str

    @property
    def value(self) -> str:
        return f"{self.scope.name.lower()}.{self.scope_id}"


def label_of(scope: int, scope_id: int) -> str:
    """The scope in words, with the name of the team, strategy or venue."""
    if scope == Scope.FIRM:
        return "the firm"
    found: Team | Strategy | Venue | None
    if scope == Scope.TEAM:
        found = Team.objects.filter(pk=scope_id).first()
    elif scope == Scope.STRATEGY:
        found = Strategy.objects.filter(pk=scope_id).first()
    else:
        found = Venue.objects.filter(pk=scope_id).first()
    return f"{Scope(scope).name.lower()} {found or scope_id}"


def parse_target(text: str) -> tuple[Scope, int]:
    """The scope that a form or an address names, or NotFound."""
    name, _, number = text.partition(".")
    try:
        return Scope[name.upper()], int(number)
    except (KeyError, ValueError):
        raise NotFound("There is no such scope.") from None


def kill_targets(user: User) -> list[Target]:
    """What the person may kill, the widest first."""
    targets = [Target(Scope.FIRM, 0, "Firm")]
    targets += [Target(Scope.TEAM, team.pk, f"Team {team}") for team in Team.objects.all()]
    targets += [Target(Scope.VENUE, venue.pk, f"Venue {venue}") for venue in Venue.objects.filter(enabled=True)]
    strategies = policy.visible(Strategy.objects.filter(archived_at=None).select_related("team"), user)
    targets += [Target(Scope.STRATEGY, strategy.pk, str(strategy)) for strategy in strategies]
    teams = dict(strategies.values_list("pk", "team_id"))
    return [target for target in targets if policy.may_kill(user, target.scope, _team(target, teams))]


def _team(target: Target, teams: dict[int, int]) -> int | None:
    if target.scope == Scope.TEAM:
        return target.scope_id
    return teams.get(target.scope_id) if target.scope == Scope.STRATEGY else None
