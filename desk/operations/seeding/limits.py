"""The demo's first limits: a firm and a team that may trade, with bounds that a demo day can reach."""

from decimal import Decimal

from desk.accounts.models import Team
from desk.risk.bounds import Bound
from desk.risk.services import install_limits
from engine.messages.codes import Scope

FIRM_LIMITS: dict[str, Bound] = {
    "order_quantity": 5_000,
    "order_value": Decimal(1_000_000),
    "collar_basis_points": 500,
    "position": 50_000,
    "orders_per_second": 500,
    "daily_loss": Decimal(1_000_000),
}
TEAM_LIMITS: dict[str, Bound] = {
    "order_quantity": 1_000,
    "order_value": Decimal(250_000),
    "collar_basis_points": 300,
    "position": 5_000,
    "orders_per_second": 200,
    "daily_loss": Decimal(250_000),
}


def seed_limits(team: Team) -> None:
    """Set the limits of the firm and of the demo team where none are set."""
    install_limits(Scope.FIRM, 0, FIRM_LIMITS)
    install_limits(Scope.TEAM, team.pk, TEAM_LIMITS)
