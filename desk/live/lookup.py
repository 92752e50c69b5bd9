"""What the hub reads from PostgreSQL: names for numbers, and who may still see what."""

from __future__ import annotations

from django.contrib.sessions.models import Session
from django.db import close_old_connections
from django.utils import timezone

from desk.accounts import policy
from desk.accounts.models import Team, User
from desk.live.names import Names
from desk.markets.models import Instrument, Venue
from desk.strategies.models import Strategy

Permissions = tuple[frozenset[int], bool]


def load_names() -> Names:
    """Names of everything that the engine's records number."""
    close_old_connections()
    strategies = list(Strategy.objects.values_list("pk", "name", "team_id"))
    return Names(
        instruments=dict(Instrument.objects.values_list("pk", "name")),
        venues=dict(Venue.objects.values_list("pk", "name")),
        strategies={number: name for number, name, _ in strategies},
        teams={number: team for number, _, team in strategies},
    )


def permissions_of(user: User) -> Permissions:
    """The teams whose rows the person sees, and whether the firm's own rows too."""
    firm_wide = policy.sees_every_team(user)
    teams = Team.objects.values_list("pk", flat=True)
    return frozenset(team for team in teams if policy.may_see_team(user, team)), firm_wide


def load_permissions(session_keys: set[str]) -> dict[str, Permissions]:
    """Permissions by session key; a session that ended, or whose user may no longer sign in, is absent."""
    close_old_connections()
    sessions = Session.objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    users = {session.session_key: session.get_decoded().get("_auth_user_id") for session in sessions}
    present = User.objects.filter(pk__in=[user for user in users.values() if user], is_active=True)
    active = {str(user.pk): user for user in present}
    return {key: permissions_of(active[user]) for key, user in users.items() if user in active}
