"""What people do about limits and kills, by name."""

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
from desk.risk.versions import push_limits

__all__ = [
    "active_kills",
    "approve_change",
    "approve_rearm",
    "change_history",
    "expire_changes",
    "find_change",
    "inherit_limits",
    "install_limits",
    "kill",
    "pending_changes",
    "propose_limits",
    "propose_rearm",
    "push_limits",
    "reject_change",
    "visible_limits",
]
