"""One demo user for each role, with a random password that is shown once and kept nowhere in clear."""

import secrets
from dataclasses import dataclass

from django.db import transaction

from desk.accounts.models import Role, Team, User
from desk.audit.services import record

TEAM_NAME = "Pairs"
PASSWORD_BYTES = 12
STAFF = {Role.RISK, Role.ADMIN}


@dataclass(frozen=True)
class DemoUser:
    """Who may sign in. `password` is empty for a user who was there before."""

    username: str
    role: str
    password: str


def seed_team() -> Team:
    """Return the demo team."""
    return Team.objects.get_or_create(name=TEAM_NAME)[0]


def seed_users(team: Team, *, new_passwords: bool = False) -> list[DemoUser]:
    """Make the users that are missing, or give all of them new passwords; return every demo user."""
    return [_seed_user(role, team, new_passwords) for role in Role]


@transaction.atomic
def _seed_user(role: Role, team: Team, new_password: bool) -> DemoUser:
    user = User.objects.filter(username=role.value).first()
    if user is not None and not new_password:
        return DemoUser(user.username, user.role, "")
    action = "user.password_changed" if user else "user.created"
    user = user or User(username=role.value, role=role, is_staff=role in STAFF, is_superuser=role == Role.ADMIN)
    user.team = team if role == Role.TRADER else None
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    user.set_password(password)
    user.save()
    record(None, action, f"user {user.username}", after={"role": user.role}, reason="demo")
    return DemoUser(user.username, user.role, password)
