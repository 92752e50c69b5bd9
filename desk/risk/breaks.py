"""Breaks of reconciliation: what is open, and how a named person settles it."""

from collections.abc import Iterable

from django.db import transaction

from desk.accounts import policy
from desk.accounts.models import User
from desk.audit.services import record
from desk.blotter.models import Order
from desk.link import client
from desk.refusals import Invalid
from desk.risk.changes import check_reason
from desk.risk.models import Break
from engine.messages.control import ResolveBreak, command

SHOWN = 100


def open_breaks() -> list[Break]:
    """Those that nobody has settled, the oldest first."""
    return list(Break.objects.filter(resolved_at=None).order_by("sequence"))


def settled_breaks() -> list[Break]:
    """The newest that somebody has."""
    return list(Break.objects.exclude(resolved_at=None)[:SHOWN])


def hidden_orders(user: User, rows: Iterable[Break]) -> set[int]:
    """Orders among the breaks that are another team's: their terms are not shown to the person."""
    if policy.sees_every_team(user):
        return set()
    numbers = {row.order_id for row in rows}
    return numbers - set(policy.visible(Order.objects.filter(order_id__in=numbers), user).values_list("pk", flat=True))


def resolve_break(actor: User, name: str, sentence: str) -> None:
    """Tell the engine how it was settled; orders that add risk in the instrument pass again when none is left.

    Raises NotPermitted, Invalid, EngineRefused (no such break is open), EngineNotReached, OutcomeUnknown.
    """
    policy.require(policy.may_resolve_break(actor), "Only risk managers and administrators resolve breaks.")
    check_reason(sentence)
    if not name:
        raise Invalid({"name": "Say which break."})
    status = client.apply(command(ResolveBreak(name, sentence.strip()), actor.get_username()))
    with transaction.atomic():
        record(actor, "break.resolved", f"break {name}", after={"journal": status.journal_sequence}, reason=sentence)
