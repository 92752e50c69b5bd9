"""What administrators do with people and teams; everything is audited."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from desk.accounts import policy
from desk.accounts.models import Role, Team, User
from desk.audit.services import record
from desk.refusals import Invalid


def create_team(actor: User | None, name: str) -> Team:
    """A new team; None as actor is the installation itself."""
    _require_manager(actor)
    try:
        with transaction.atomic():
            team = Team.objects.create(name=name.strip())
            record(actor, "team.created", f"team {team.pk}", after={"name": team.name})
    except IntegrityError:
        raise Invalid({"name": f"There is a team named {name!r} already."}, code="name_taken") from None
    return team


def create_user(actor: User | None, *, username: str, password: str, role: Role, team: Team | None = None) -> User:
    """A new person who may sign in. Invalid when the name is taken or the password too weak."""
    _require_manager(actor)
    user = User(username=username, role=role, team=team)
    check_password(password, user)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
            record(actor, "user.created", f"user {user.username}", after=_as_json(user))
    except IntegrityError:
        raise Invalid({"username": f"There is a user named {username!r} already."}, code="name_taken") from None
    return user


def change_user(actor: User, user: User, *, role: Role, team: Team | None, is_active: bool) -> User:
    """Another role, another team, or no access any more."""
    _require_manager(actor)
    with transaction.atomic():
        row = User.objects.select_for_update().get(pk=user.pk)
        before = _as_json(row)
        row.role, row.team, row.is_active = role, team, is_active
        row.save()
        record(actor, "user.changed", f"user {row.username}", before=before, after=_as_json(row))
    return row


def change_password(user: User, password: str) -> None:
    """The person's own new password."""
    check_password(password, user)
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        record(user, "user.password_changed", f"user {user.username}")


def check_password(password: str, user: User) -> None:
    """Invalid with every reason why the password will not do."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid({"password": " ".join(error.messages)}) from None


def _require_manager(actor: User | None) -> None:
    if actor is not None:
        policy.require(policy.may_manage_people(actor), "Only administrators manage people and teams.")


def _as_json(user: User) -> dict[str, Any]:
    return {"role": user.role, "team": user.team_id, "active": user.is_active}
