"""Why an order went where it went: the decision of the router, venue by venue."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from desk.blotter.models import Route
from engine.messages.codes import RouteReason

SENTENCES = {
    RouteReason.TAKEN: "Takes here",
    RouteReason.RESTED: "Rests here",
    RouteReason.TAKEN_AND_RESTED: "Takes and rests here",
    RouteReason.PINGED: "Asked for what may be hidden at the midpoint",
    RouteReason.VENUE_DOWN: "Passed over: no session, or killed",
    RouteReason.BOOK_DIRTY: "Passed over: messages of its feed are missing",
    RouteReason.NO_QUOTE: "Passed over: it displays nothing",
    RouteReason.OUTSIDE_LIMIT: "Passed over: its price is outside the limit",
    RouteReason.OWN_ORDER: "Passed over: an order of our own is on the other side",
    RouteReason.BELOW_MINIMUM: "Passed over: below its minimum quantity",
    RouteReason.BETTER_PRICE_ELSEWHERE: "Passed over: a better displayed price stays elsewhere",
    RouteReason.COSTS_MORE: "Passed over: it costs more",
    RouteReason.HALTED: "Passed over: trading is restricted there",
}


@dataclass(frozen=True)
class RouteRow:
    """One venue of a decision. `mine`: the order that was asked about went there."""

    route: Route
    sentence: str
    mine: bool


def route_of(order_id: int) -> list[RouteRow]:
    """The decision that made an order, a row for each venue, the chosen ones first; empty when none did."""
    own = Route.objects.filter(Q(taken=order_id) | Q(rested=order_id)).first()
    if own is None:
        return []
    rows = Route.objects.select_related("venue").filter(route_id=own.route_id, round=own.round)
    made = [RouteRow(row, SENTENCES.get(RouteReason(row.reason), ""), row == own) for row in rows]
    return sorted(made, key=lambda row: (not (row.route.taken or row.route.rested), row.route.sequence))
