"""Limits of the desk (decimals, null for unset) and limits as they cross to the engine (integers, -1 for unset)."""

from decimal import Decimal
from typing import Any

from desk.accounts.models import Team
from desk.markets.models import Venue
from desk.refusals import Invalid, NotFound
from desk.risk.models import LIMIT_NAMES, MONEY_LIMITS, Limit
from desk.strategies.models import Strategy
from engine.messages.codes import Scope
from engine.messages.prices import from_decimal
from engine.messages.risk import UNSET, LimitsRow

Bound = Decimal | int | None
LARGEST = 10**12


def row_of(limit: Limit) -> LimitsRow:
    """One scope as it crosses."""
    return LimitsRow(
        limit.scope, limit.scope_id, **{name: crossing(name, getattr(limit, name)) for name in LIMIT_NAMES}
    )


def snapshot() -> list[LimitsRow]:
    """Every approved limit, in the order of scope."""
    return [row_of(limit) for limit in Limit.objects.order_by("scope", "scope_id")]


def crossing(name: str, bound: Bound) -> int:
    """A bound as the engine counts it."""
    if bound is None:
        return UNSET
    return from_decimal(Decimal(bound)) if name in MONEY_LIMITS else int(bound)


def loosens(before: Bound, after: Bound) -> bool:
    """Every limit is an upper bound. Setting an unset one loosens; deleting one counts as loosening too."""
    return before is None or after is None or after > before


def text_of(bound: Bound) -> str | None:
    """A bound as it is signed and shown: no trailing zeros, None when unset."""
    return None if bound is None else format(Decimal(bound).normalize(), "f")


def parse(name: str, text: Any) -> Bound:
    """A bound from a form, a program or a signed change. Invalid names the limit."""
    if name not in LIMIT_NAMES:
        raise Invalid({name: f"There is no limit {name!r}."})
    if text is None or text == "":
        return None
    try:
        value = Decimal(str(text))
    except ArithmeticError:
        raise Invalid({name: f"{text!r} is not a number."}) from None
    try:
        from_decimal(value)
    except ValueError:
        raise Invalid({name: f"{text} has more than four decimals."}) from None
    if not 0 <= value <= LARGEST:
        raise Invalid({name: f"{text} is not between 0 and {LARGEST:,}."})
    if name in MONEY_LIMITS:
        return value
    if value != value.to_integral_value():
        raise Invalid({name: f"{text} must be a whole number."})
    return int(value)


def team_of_scope(scope: int, scope_id: int) -> int | None:
    """The team that a scope belongs to; None for the firm and for venues. NotFound when there is no such thing."""
    if scope == Scope.TEAM:
        if not Team.objects.filter(pk=scope_id).exists():
            raise NotFound("There is no such team.")
        return scope_id
    if scope == Scope.VENUE and not Venue.objects.filter(number=scope_id).exists():
        raise NotFound("There is no such venue.")
    if scope == Scope.STRATEGY:
        strategy = Strategy.objects.filter(pk=scope_id).only("team_id").first()
        if strategy is None:
            raise NotFound("There is no such strategy.")
        return strategy.team_id
    return None
