"""What people do about limits and kills, by name."""

from collections.abc import Callable

from desk.accounts.models import User
from desk.blotter.waiting import release_as_asked
from desk.risk.changes import (
    approve_change,
    change_history,
    expire_changes,
    find_change,
    inherit_limits,
    install_limits,
    pending_changes,
    propose_limits,
    reject_change,
    visible_limits,
)
from desk.risk.kills import active_kills, approve_rearm, kill, propose_rearm
from desk.risk.models import ChangeRequest
from desk.risk.review import approve_rule, propose_rule
from desk.risk.sessions import approve_session
from desk.risk.versions import push_limits

# How a change of each kind is approved: (who, its number, what was signed).
APPROVALS: dict[str, Callable[[User, int, str], ChangeRequest]] = {
    ChangeRequest.Kind.LIMITS: approve_change,
    ChangeRequest.Kind.REARM: approve_rearm,
    ChangeRequest.Kind.SESSION: approve_session,
    ChangeRequest.Kind.ORDER: release_as_asked,
    ChangeRequest.Kind.REVIEW: approve_rule,
}

__all__ = [
    "APPROVALS",
    "active_kills",
    "approve_change",
    "approve_rearm",
    "approve_session",
    "change_history",
    "expire_changes",
    "find_change",
    "inherit_limits",
    "install_limits",
    "kill",
    "pending_changes",
    "propose_limits",
    "propose_rearm",
    "propose_rule",
    "push_limits",
    "reject_change",
    "visible_limits",
]
