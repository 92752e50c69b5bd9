"""What every page shows around itself: navigation, kills that hold, whose P&L, and what KILL would kill."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from desk.accounts import policy
from desk.accounts.models import User
from desk.link.client import CATALOGUE_KEY
from desk.live.lookup import permissions_of
from desk.risk.models import Break, ChangeRequest
from desk.risk.services import active_kills, pending_changes
from desk.risk.targets import Target, label_of
from engine.messages.codes import Scope


@dataclass(frozen=True)
class Item:
    """One line of the navigation."""

    label: str
    address: str
    current: bool
    count: int = 0


@dataclass(frozen=True)
class Group:
    """Lines under one heading."""

    heading: str
    items: list[Item]


@dataclass(frozen=True)
class ActiveKill:
    """A kill that holds, as the notice on every page says it."""

    label: str
    reason: str
    confirmed: bool


@dataclass(frozen=True)
class Shell:
    """Everything around a page."""

    navigation: list[Group]
    account_address: str
    kills: list[ActiveKill]
    mode: str
    teams: str
    pnl_channel: str
    pnl_of: str
    kill_target: Target | None


def shell(request: HttpRequest) -> dict[str, object]:
    """Context processor; people who are not signed in get no shell."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or policy.role_of(user) is None:
        return {}
    # Lazy: the administration pages have a shell of their own.
    return {"shell": SimpleLazyObject(lambda: _shell(request, user))}


def _shell(request: HttpRequest, user: User) -> Shell:
    teams, firm_wide = permissions_of(user)
    catalogue = cache.get(CATALOGUE_KEY) or {}
    return Shell(
        navigation=_navigation(request, user),
        account_address=reverse("accounts:account"),
        kills=[ActiveKill(label_of(kill.scope, kill.scope_id), kill.reason, kill.confirmed) for kill in active_kills()],
        mode=str(catalogue.get("mode", "")).upper(),
        teams=" ".join(str(team) for team in sorted(teams | ({0} if firm_wide else set()))),
        pnl_channel="pnl.0" if firm_wide else f"pnl.{user.team_id or 0}",
        pnl_of="firm" if firm_wide else "team",
        kill_target=_kill_target(user),
    )


def _kill_target(user: User) -> Target | None:
    if policy.may_kill(user, Scope.FIRM, None):
        return Target(Scope.FIRM, 0, "the firm")
    if user.team is not None and policy.may_kill(user, Scope.TEAM, user.team_id):
        return Target(Scope.TEAM, user.team.pk, f"team {user.team}")
    return None


def _navigation(request: HttpRequest, user: User) -> list[Group]:
    def item(label: str, name: str, count: int = 0) -> Item:
        address = reverse(name)
        current = request.path == address or (address != "/" and request.path.startswith(address))
        return Item(label, address, current, count)

    pending = [change for change in _pending(user) if policy.may_approve(user, change)]
    waiting = sum(change.kind == ChangeRequest.Kind.ORDER for change in pending)
    operate = [item("Venues", "markets:venues"), item("Operations", "operations:operations")]
    if policy.may_see_audit(user):
        operate.append(item("Audit", "audit:entries"))
    if user.is_staff:
        operate.append(item("Administration", "admin:index"))
    return [
        Group(
            "Trade",
            [
                item("Desk", "live:desk"),
                item("Strategies", "strategies:list"),
                *([item("Ticket", "blotter:ticket")] if policy.may_enter_order(user, user.team_id) else []),
                item("Orders & fills", "blotter:orders"),
                item("Parent orders", "blotter:parents"),
                item("Queue", "blotter:queue", waiting),
                item("Positions", "positions:positions"),
                item("Instruments", "markets:instruments"),
                item("Backtests", "research:backtests"),
                item("TCA", "reports:reports"),
            ],
        ),
        Group(
            "Risk",
            [
                item("Limits", "risk:limits"),
                item("Approvals", "risk:approvals", len(pending) - waiting),
                item("Second person", "risk:rules"),
                item("Breaks", "risk:breaks", Break.objects.filter(resolved_at=None).count()),
                item("Kill", "risk:kill"),
            ],
        ),
        Group("Operate", operate),
    ]


def _pending(user: User) -> list[ChangeRequest]:
    return pending_changes(user) if policy.role_of(user) is not None else []
