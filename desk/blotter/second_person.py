"""Which orders of people wait for a second person: those over what the team's rule allows one person alone."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from desk.accounts.models import User
from desk.blotter.legs import single_bodies
from desk.link import client
from desk.markets.models import Instrument, Venue
from desk.risk.models import SecondPersonRule
from engine.messages.control import SMART, command
from engine.messages.control import Preview as Ask
from engine.messages.prices import to_decimal

NS_PER_SECOND = 1_000_000_000


def why_held(actor: User, body: dict[str, Any]) -> str:
    """Why an order of this body (`checked_order`, `checked_parent`) waits for a second person; empty: it does not.

    What cannot be measured counts as too large. Raises EngineNotReached, OutcomeUnknown: the engine knows the prices.
    """
    rule = SecondPersonRule.objects.filter(team_id=actor.team_id or 0).first()
    if rule is None:
        return ""
    parts = [(Instrument.objects.get(pk=part["instrument"]), part) for part in single_bodies(body)]
    if rule.notional is not None:
        worth = Decimal(0)
        for instrument, part in parts:
            price = dearest_price(actor, instrument, part)
            if price is None:
                return f"Nothing is quoted for {instrument.name}, so nobody can say what it is worth."
            worth += price * part["quantity"]
        if worth > rule.notional:
            return f"It is worth {worth:,.2f} USD; over {rule.notional:,.2f} USD a second person looks at it."
    if rule.volume_percent is None:
        return ""
    for instrument, part in parts:
        share, of = volume_share(instrument, part)
        if share is None:
            return f"The average volume of {instrument.name} is not known."
        if share > rule.volume_percent:
            most = f"{rule.volume_percent.normalize():f} %"
            return f"It is {share:,.2f} % of {of}; over {most} a second person looks at it."
    return ""


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
