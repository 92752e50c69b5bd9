"""Which orders of people wait for a second person: those over what the team's rule allows one person alone.

Several small orders are one large one: what people of the team sent alone in an instrument, in the minutes that the
rule says, counts with the next one. What a second person released was looked at, and does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import BigIntegerField, Q, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, Greatest
from django.utils import timezone

from desk.accounts.models import User
from desk.blotter.legs import single_bodies
from desk.blotter.models import OrderEntry
from desk.link import client
from desk.markets.models import Instrument, Venue
from desk.risk.models import SecondPersonRule
from engine.messages.control import SMART, command
from engine.messages.control import Preview as Ask
from engine.messages.prices import to_decimal

NS_PER_SECOND = 1_000_000_000
MINUTES_OF_A_DAY = 1_440
MAY_BE_THERE = (OrderEntry.Outcome.SENT, OrderEntry.Outcome.UNKNOWN)


@dataclass(frozen=True)
class Part:
    """What an order asks for in one instrument; `price` is the dearest that it may come to, None: nobody knows."""

    instrument: Instrument
    body: dict[str, Any]
    price: Decimal | None


def decider(actor: User, body: dict[str, Any]) -> Callable[[OrderEntry], str]:
    """What says, inside the transaction that makes the entry, why it waits; empty: it does not.

    Prices are asked for now, the team's other orders counted then, one entry after the other: two at the same moment do
    not both pass. Raises EngineNotReached, OutcomeUnknown.
    """
    rule = _rule_of(actor)
    if rule is None:
        return lambda _entry: ""
    parts = _parts(actor, body, rule)

    def decide(entry: OrderEntry) -> str:
        locked = SecondPersonRule.objects.select_for_update().get(pk=rule.pk)
        return _why(locked, parts, sent_alone(locked, entry.pk))

    return decide


def why_it_waits(actor: User, body: dict[str, Any], instead_of: OrderEntry | None = None) -> str:
    """Why an order of this body (`checked_order`, `checked_parent`) would wait for a second person; empty: it would
    not. `instead_of`: the entry whose place it takes. Raises as `decider`.
    """
    rule = _rule_of(actor)
    if rule is None:
        return ""
    return _why(rule, _parts(actor, body, rule), sent_alone(rule, instead_of.pk if instead_of else None))


def sent_alone(rule: SecondPersonRule, besides: int | None) -> Counter[int]:
    """Shares by instrument that people of the team sent in the rule's minutes without a second person."""
    if rule.minutes is None:
        return Counter()
    since = timezone.now() - timedelta(minutes=rule.minutes)
    recent = Q(entered_at__gte=since) | Q(raised_at__gte=since)
    rows = OrderEntry.objects.filter(recent, team_id=rule.team_id, change=None, outcome__in=MAY_BE_THERE)
    if besides is not None:
        rows = rows.exclude(pk=besides)
    rows = rows.order_by()
    asked = Greatest(Cast(KT("body__quantity"), BigIntegerField()), Coalesce("raised_quantity", 0))
    single = rows.exclude(body__has_key="legs").values_list("body__instrument").annotate(shares=Sum(asked))
    made = Counter({int(instrument): int(quantity) for instrument, quantity in single})
    for body in rows.filter(body__has_key="legs").values_list("body", flat=True):
        for part in single_bodies(body):
            made[int(part["instrument"])] += int(part["quantity"])
    return made


def _rule_of(actor: User) -> SecondPersonRule | None:
    return SecondPersonRule.objects.filter(team_id=actor.team_id or 0).first()


def _parts(actor: User, body: dict[str, Any], rule: SecondPersonRule) -> list[Part]:
    made = []
    for part in single_bodies(body):
        instrument = Instrument.objects.get(pk=part["instrument"])
        price = dearest_price(actor, instrument, part) if rule.notional is not None else None
        made.append(Part(instrument, part, price))
    return made


def _why(rule: SecondPersonRule, parts: list[Part], sent: Counter[int]) -> str:
    """What cannot be measured counts as too large."""
    before = _before(rule, [part.instrument for part in parts if sent[part.instrument.pk]])
    if rule.notional is not None:
        worth = Decimal(0)
        for part in parts:
            if part.price is None:
                return f"Nothing is quoted for {part.instrument.name}, so nobody can say what it is worth."
            worth += part.price * (part.body["quantity"] + sent[part.instrument.pk])
        if worth > rule.notional:
            return f"{before} worth {worth:,.2f} USD; over {rule.notional:,.2f} USD a second person looks at it."
    if rule.volume_percent is None:
        return ""
    for part in parts:
        already = sent[part.instrument.pk]
        share, of = volume_share(part.instrument, part.body | {"quantity": part.body["quantity"] + already})
        if share is None:
            return f"The average volume of {part.instrument.name} is not known."
        if share > rule.volume_percent:
            most = f"{rule.volume_percent.normalize():f} %"
            before = _before(rule, [part.instrument] if already else [])
            return f"{before} {share:,.2f} % of {of}; over {most} a second person looks at it."
    return ""


def _before(rule: SecondPersonRule, instruments: list[Instrument]) -> str:
    if not instruments or rule.minutes is None:
        return "It is"
    whole = "day" if rule.minutes == MINUTES_OF_A_DAY else f"{rule.minutes:,} minutes"
    return f"With what the team sent in {' and '.join(row.name for row in instruments)} in the last {whole} it is"


def dearest_price(actor: User, instrument: Instrument, body: dict[str, Any]) -> Decimal | None:
    """The highest of its limit and the quotes of its venues: a sell order's limit says nothing of what it is worth."""
    venues = body.get("venues") or [body["venue"]]
    if venues == [SMART]:
        venues = list(Venue.objects.filter(enabled=True).values_list("number", flat=True))
    asked = Ask(actor.team_id or 0, instrument.pk, venues, body["side"], instrument.lot_size, 0)
    tops = client.apply(command(asked, actor.get_username())).body["tops"]
    quoted = [to_decimal(top[side]) for top in tops for side in ("bid", "ask") if top[side] is not None]
    limit = [Decimal(body["price"])] if body["price"] else []
    return max(quoted + limit, default=None)


def volume_share(instrument: Instrument, body: dict[str, Any]) -> tuple[Decimal | None, str]:
    """Percent of an average hour's volume, for a parent order in the time that it has; and of what."""
    if not instrument.hourly_volume:
        return None, ""
    parts = Decimal(body["quantity"] * 100)
    seconds = body.get("seconds", 0)
    if body.get("end_ns") and body["start_ns"]:
        seconds = (body["end_ns"] - body["start_ns"]) // NS_PER_SECOND
    if not seconds:
        return parts / instrument.hourly_volume, "an average hour's volume"
    return parts * 3600 / (instrument.hourly_volume * Decimal(seconds)), "the average volume in that time"
