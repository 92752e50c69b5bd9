"""The terms of an order that somebody asked for, in words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from desk.blotter.emulated import good_till_words
from desk.blotter.market_orders import method_of, protection_words
from desk.blotter.models import time_of
from desk.link import client
from desk.markets.models import Instrument, Venue
from engine.messages.codes import Side
from engine.messages.control import SMART


def in_words(body: dict[str, Any]) -> list[tuple[str, str]]:
    """Label and text of each term of an entry's body, in the order of the ticket."""
    known = client.known_catalogue() if "algorithm" in body else None
    kinds = known.algorithm_kinds if known else []
    kind = next((kind for kind in kinds if kind.name == body.get("algorithm")), None)
    names = dict(Instrument.objects.values_list("pk", "name"))
    legs = [_leg(leg, names) for leg in body.get("legs", [])]
    rows = [
        ("How", (kind.label if kind else str(body["algorithm"])) if "algorithm" in body else method_of(body)),
        ("Instrument", names.get(body["instrument"], str(body["instrument"]))),
        ("Side", Side(body["side"]).name.capitalize()),
        ("Quantity", f"{body['quantity']:,}"),
        ("Limit price", f"{Decimal(body['price']):,f}" if body["price"] else "none"),
        *([("Protection", protection_words(body))] if body.get("protection") else []),
        ("Venues", _venues(body)),
    ]
    if legs:
        all_of_them = " / ".join(names.get(leg["instrument"], str(leg["instrument"])) for leg in body["legs"])
        told = [(f"Leg {at}", text) for at, text in enumerate(legs, 1)]
        rows = [rows[0], ("Instrument", all_of_them), *told, ("Venues", _venues(body))]
    if "algorithm" not in body:
        return [*rows, ("Time in force", good_till_words(body))]
    rows.append(("Begins", _moment(body["start_ns"]) if body["start_ns"] else "when it is released"))
    rows.append(("Ends", _moment(body["end_ns"]) if body["end_ns"] else f"{body['seconds']:,} seconds after that"))
    labels = {parameter.name: parameter.label for parameter in kind.parameters} if kind else {}
    return rows + [(labels.get(name, name), f"{value:,g}") for name, value in body["parameters"].items()]


def _leg(leg: dict[str, Any], names: dict[int, str]) -> str:
    limit = f" at {Decimal(leg['price']):,f}" if leg["price"] else ""
    name = names.get(leg["instrument"], str(leg["instrument"]))
    return f"{Side(leg['side']).name.capitalize()} {leg['quantity']:,} {name}{limit}"


def _venues(body: dict[str, Any]) -> str:
    names = dict(Venue.objects.values_list("number", "name"))
    numbers = body.get("venues") or [body["venue"]]
    return ", ".join("Smart: over all venues" if at == SMART else names.get(at, str(at)) for at in numbers)


def _moment(time_ns: int) -> str:
    return f"{time_of(time_ns):%Y-%m-%d %H:%M:%S} UTC"
