"""The blotter's filter: what a person chose, checked, as a query on orders, fills or denials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import QueryDict

from desk.accounts.models import User
from desk.fields import Field, filled
from desk.markets.models import Instrument, Venue
from desk.strategies.services import visible_strategies
from engine.messages.codes import OPEN_STATES, OrderState, Side

Rows = TypeVar("Rows", bound=Model)
PAGE_SIZE = 100
NAMES = ("strategy", "instrument", "venue", "side", "state")
WORKING = "working"


@dataclass(frozen=True)
class Page:
    """Rows after a journal sequence, the newest first, and where the next page begins (None at the end)."""

    rows: list[Any]
    next_before: int | None


def filter_fields(user: User, chosen: QueryDict, with_state: bool) -> list[Field]:
    """The filter's controls with what was chosen."""
    strategies = [("manual", "manual"), *((str(row.pk), row.name) for row in visible_strategies(user))]
    instruments = [(str(pk), name) for pk, name in Instrument.objects.order_by("name").values_list("pk", "name")]
    venues = [(str(pk), name) for pk, name in Venue.objects.values_list("pk", "name")]
    sides = [(side.name.lower(), side.name.capitalize()) for side in Side]
    states = [
        (WORKING, "Working"),
        *((state.name.lower(), state.name.replace("_", " ").lower()) for state in OrderState),
    ]
    fields = [
        _select("strategy", "Strategy", strategies),
        _select("instrument", "Instrument", instruments),
        _select("venue", "Venue", venues),
        _select("side", "Side", sides),
    ]
    if with_state:
        fields.append(_select("state", "State", states))
    return filled(fields, chosen.dict())  # type: ignore[arg-type]


def _select(name: str, label: str, choices: list[tuple[str, str]]) -> Field:
    return Field(name, label, "select", choices=tuple(choices), blank="All", required=False)


def filtered(rows: QuerySet[Rows], chosen: QueryDict, with_state: bool) -> QuerySet[Rows]:
    """The rows that match; a choice that makes no sense matches nothing."""
    for name in NAMES:
        value = chosen.get(name, "")
        if not value or (name == "state" and not with_state):
            continue
        condition = _condition(name, value)
        rows = rows.none() if condition is None else rows.filter(**condition)
    return rows


def _condition(name: str, value: str) -> dict[str, Any] | None:
    if name == "strategy" and value == "manual":
        return {"strategy_id__isnull": True}
    if name in ("strategy", "instrument", "venue"):
        return {f"{name}_id": int(value)} if value.isascii() and value.isdigit() and len(value) < 10 else None
    if name == "state" and value == WORKING:
        return {"state__in": [state.value for state in OPEN_STATES]}
    members: Any = (Side if name == "side" else OrderState).__members__
    return {name: members[value.upper()].value} if value.upper() in members else None


def page_before(rows: QuerySet[Any], before: str) -> Page:
    """One page by journal sequence, so that rows that arrive meanwhile do not shift it."""
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(sequence__lt=int(before))
    found = list(rows[: PAGE_SIZE + 1])
    more = len(found) > PAGE_SIZE
    return Page(found[:PAGE_SIZE], found[PAGE_SIZE - 1].sequence if more else None)
