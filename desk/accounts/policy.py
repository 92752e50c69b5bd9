"""Who may do what. Views, services, admin pages, API and socket channels ask here and nowhere else.

A trader acts for one team and does not see the others'. Viewers, risk managers and administrators see every team.
Making things safer (stopping, canceling, killing, tightening) is open to more people than the opposite.
"""

from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Model, Q, QuerySet

from desk.accounts.models import Role, Team, User
from desk.refusals import NotFound, NotPermitted
from engine.messages.codes import Scope

Person = User | AnonymousUser
AnyModel = TypeVar("AnyModel", bound=Model)
ORDER = "order"  # the kind of a change that is an order waiting for a person


def role_of(user: Person) -> Role | None:
    """The role of a person who is signed in and active."""
    if not user.is_authenticated or not user.is_active:
        return None
    return Role.ADMIN if user.is_superuser else Role(user.role)


def _is(user: Person, *roles: Role) -> bool:
    return role_of(user) in roles


def _acts_for(user: Person, team_id: int | None) -> bool:
    return _is(user, Role.TRADER) and team_id is not None and user.team_id == team_id  # type: ignore[union-attr]


def sees_every_team(user: Person) -> bool:
    """Whether team isolation does not apply."""
    return _is(user, Role.VIEWER, Role.RISK, Role.ADMIN)


def may_see_team(user: Person, team_id: int | None) -> bool:
    """Whether strategies, orders, fills and positions of the team are shown."""
    return sees_every_team(user) or _acts_for(user, team_id)


def visible(rows: QuerySet[AnyModel], user: Person, team_field: str = "team") -> QuerySet[AnyModel]:
    """The rows that the person may see."""
    if sees_every_team(user):
        return rows
    team_id = getattr(user, "team_id", None)
    return rows.filter(**{f"{team_field}_id": team_id}) if _acts_for(user, team_id) else rows.none()


def find_visible(rows: QuerySet[AnyModel], user: Person, team_field: str = "team", **lookup: Any) -> AnyModel:
    """One visible row, or NotFound: another team's row looks like no row."""
    found = visible(rows, user, team_field).filter(**lookup).first()
    if found is None:
        raise NotFound(f"There is no such {rows.model._meta.verbose_name}.")  # noqa: SLF001  Django's public name for it
    return found


def may_define_strategy(user: Person, team: Team | None) -> bool:
    return team is not None and _acts_for(user, team.pk)


def may_start_strategy(user: Person, strategy: Any) -> bool:
    return _acts_for(user, strategy.team_id)


def may_stop_strategy(user: Person, strategy: Any) -> bool:
    return _acts_for(user, strategy.team_id) or _is(user, Role.RISK, Role.ADMIN)


def may_archive_strategy(user: Person, strategy: Any) -> bool:
    """Nothing trades by it: who may stop it may also tidy it away, and bring it back."""
    return may_stop_strategy(user, strategy)


def may_backtest(user: Person, strategy: Any) -> bool:
    return _acts_for(user, strategy.team_id) or _is(user, Role.RISK)


def may_make_report(user: Person) -> bool:
    """Ask a worker for a report of what orders cost. Whoever reads one sees the rows of the own team, or of all."""
    return _is(user, Role.TRADER, Role.RISK, Role.ADMIN)


def may_define_venue(user: Person) -> bool:
    return _is(user, Role.RISK, Role.ADMIN)


def may_see_session(user: Person) -> bool:
    """The numbers and messages of an order session; a viewer sees its state only."""
    return _is(user, Role.TRADER, Role.RISK, Role.ADMIN)


def may_run_session(user: Person) -> bool:
    """Connect, disconnect, ask for other sequence numbers; a second person, a risk manager, approves those."""
    return _is(user, Role.RISK, Role.ADMIN)


def may_resolve_break(user: Person) -> bool:
    """Say how a difference between journal, venue and drop copy was settled; the instrument may take risk again."""
    return _is(user, Role.RISK, Role.ADMIN)


def may_enter_order(user: Person, team_id: int | None) -> bool:
    return _acts_for(user, team_id)


def may_cancel_order(user: Person, team_id: int | None) -> bool:
    return _acts_for(user, team_id) or _is(user, Role.RISK, Role.ADMIN)


def may_propose_limits(user: Person, scope: int, team_id: int | None) -> bool:
    """`team_id` is the team that the scope belongs to, None for the firm. A trader proposes for the own team."""
    if _is(user, Role.RISK):
        return True
    return scope in (Scope.TEAM, Scope.STRATEGY) and _acts_for(user, team_id)


def may_tighten_limits(user: Person, scope: int, team_id: int | None) -> bool:
    """Tightening takes one person: whoever may propose."""
    return may_propose_limits(user, scope, team_id)


def may_approve(user: Person, change: Any) -> bool:
    """A risk manager who is not the proposer; of an order that waits, another trader of the team too."""
    if user.pk == change.proposer_id:
        return False
    return _is(user, Role.RISK) or (change.kind == ORDER and _acts_for(user, change.scope_id))


def has_approver(change: Any) -> bool:
    """Whether anybody could approve it now."""
    able = Q(role=Role.RISK)
    if change.kind == ORDER:
        able |= Q(role=Role.TRADER, team_id=change.scope_id)
    return User.objects.filter(able, is_active=True, is_superuser=False).exclude(pk=change.proposer_id).exists()


def may_reject(user: Person, change: Any) -> bool:
    """Any risk manager, of an order another trader of the team; the proposer may take it back."""
    return may_approve(user, change) or (role_of(user) is not None and user.pk == change.proposer_id)


def may_kill(user: Person, scope: int, team_id: int | None) -> bool:
    """A trader kills the own team or one of its strategies; risk and administrators everything."""
    if _is(user, Role.RISK, Role.ADMIN):
        return True
    return scope in (Scope.TEAM, Scope.STRATEGY) and _acts_for(user, team_id)


def may_propose_rearm(user: Person, scope: int, team_id: int | None) -> bool:
    """Whoever could have killed; a second person, a risk manager, approves."""
    return may_kill(user, scope, team_id)


def may_manage_people(user: Person) -> bool:
    return _is(user, Role.ADMIN)


def may_see_audit(user: Person) -> bool:
    return _is(user, Role.RISK, Role.ADMIN)


def may_see_limits(user: Person, scope: int, team_id: int | None) -> bool:
    """Limits of the firm are everybody's to know; those of a team are seen with the team."""
    return role_of(user) is not None if scope == Scope.FIRM else may_see_team(user, team_id)


def require(allowed: bool, sentence: str) -> None:
    """NotPermitted with the sentence unless allowed."""
    if not allowed:
        raise NotPermitted(sentence)
