"""What people see of positions and P&L."""

from datetime import datetime

from django.db.models import QuerySet

from desk.accounts import policy
from desk.accounts.models import User
from desk.positions.models import PnlPoint, Position
from desk.risk.bounds import team_of_scope
from engine.messages.codes import Scope


def visible_positions(user: User) -> QuerySet[Position]:
    """Positions that the person may see."""
    return policy.visible(Position.objects.select_related("strategy", "team", "instrument", "venue"), user)


def pnl_scope(user: User) -> tuple[int, int]:
    """The widest scope whose P&L the person may see: the firm, or the own team."""
    if policy.sees_every_team(user):
        return Scope.FIRM.value, 0
    return Scope.TEAM.value, user.team_id or 0


def pnl_points(user: User, scope: int, scope_id: int, since: datetime) -> QuerySet[PnlPoint]:
    """The P&L of a scope since a time, the oldest first; nothing when the person may not see it."""
    points = PnlPoint.objects.filter(scope=scope, scope_id=scope_id, time__gte=since).order_by("time")
    if scope == Scope.FIRM:
        return points if policy.sees_every_team(user) else points.none()
    return points if policy.may_see_team(user, team_of_scope(scope, scope_id)) else points.none()
