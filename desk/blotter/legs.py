"""Multi-leg orders as people give them: several instruments, each with side, quantity, limit price and venue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Sum

from desk.blotter.models import Order, OrderEntry, Parent
from desk.fields import Field
from desk.markets.models import Instrument, Venue
from desk.refusals import Invalid
from engine.messages.codes import Side
from engine.messages.control import SMART
from engine.messages.prices import from_decimal, to_decimal

LARGEST_QUANTITY = 1 << 24
LARGEST_PRICE = 2**37
LEAST = 2
MOST_DIGITS = 12
SIDES = (("buy", "Buy"), ("sell", "Sell"))


@dataclass(frozen=True)
class LegTerms:
    """One leg as asked for: `price` None without a limit; venue SMART goes to the best of all."""

    venue: int
    instrument: int
    side: Side
    quantity: int
    price: Decimal | None


@dataclass(frozen=True)
class LegDone:
    """How far a leg is; `quantity` None where nobody entered the order here."""

    instrument: str
    side: int
    quantity: int | None
    filled: int
    unwound: int
    average_price: Decimal | None


def of_the_whole(legs: list[LegTerms]) -> dict[str, Any]:
    """The terms of a parent order that its legs decide."""
    first = legs[0]
    named = {leg.venue for leg in legs}
    if SMART in named:
        named = (named - {SMART}) | set(Venue.objects.filter(enabled=True).values_list("number", flat=True))
    return {
        "instrument": first.instrument,
        "side": first.side,
        "price": first.price,
        "quantity": sum(leg.quantity for leg in legs),
        "venues": sorted(named),
        "legs": legs,
    }


def check_legs(legs: list[LegTerms], most: int) -> dict[str, str]:
    """What is wrong with them, by the names that the ticket has; empty: nothing."""
    if not LEAST <= len(legs) <= most:
        return {"legs": f"A multi-leg order has {LEAST} to {most} legs."}
    if len({leg.instrument for leg in legs}) != len(legs):
        return {"legs": "Each leg is another instrument."}
    errors: dict[str, str] = {}
    for at, leg in enumerate(legs, 1):
        instrument = Instrument.objects.filter(pk=leg.instrument).first()
        if instrument is None:
            errors[f"leg{at}_instrument"] = f"There is no instrument {leg.instrument}."
        if leg.venue != SMART and not Venue.objects.filter(pk=leg.venue, enabled=True).exists():
            errors[f"leg{at}_venue"] = f"There is no venue {leg.venue}."
        if not 1 <= leg.quantity <= LARGEST_QUANTITY or (instrument and leg.quantity % instrument.lot_size):
            errors[f"leg{at}_quantity"] = f"The quantity is whole lots, at most {LARGEST_QUANTITY:,} shares."
        if leg.price is not None and (wrong := _price_error(leg.price, instrument)):
            errors[f"leg{at}_price"] = wrong
    return errors


def _price_error(price: Decimal, instrument: Instrument | None) -> str:
    try:
        number = from_decimal(price)
    except ValueError as error:
        return f"{error}."
    if number <= 0 or (instrument and number % from_decimal(instrument.tick_size)):
        return "The price must be a positive multiple of the tick size, or empty for no limit."
    return f"The price is at most {to_decimal(LARGEST_PRICE):,}." if number > LARGEST_PRICE else ""


def as_body(legs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Legs as an entry keeps them: prices as text."""
    return [leg | {"price": None if leg["price"] is None else str(leg["price"])} for leg in legs]


def as_command(legs: list[dict[str, Any]]) -> list[dict[str, int]]:
    """Legs of an entry as they cross to the engine."""
    return [leg | {"price": from_decimal(Decimal(leg["price"])) if leg["price"] else 0} for leg in legs]


def single_bodies(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The bodies of orders of one instrument that amount to the same: itself, or one for each leg."""
    return [body | {"venues": [leg["venue"]], "legs": []} | leg for leg in body.get("legs") or []] or [body]


def leg_fields(most: int, instruments: tuple[tuple[str, str], ...], venues: tuple[tuple[str, str], ...]) -> list[Field]:
    """The part of the ticket that asks for the legs; those after the second may stay empty."""
    fields = []
    for at in range(1, most + 1):
        needed = at <= LEAST
        blank = "Choose" if needed else "None"
        choices = ((str(SMART), "Best of all venues"), *venues) if len(venues) > 1 else venues
        first = choices[0][0] if choices else ""
        fields += [
            Field(f"leg{at}_instrument", f"Leg {at}", "select", choices=instruments, blank=blank, required=needed),
            Field(f"leg{at}_side", f"Side of leg {at}", "select", choices=SIDES, blank=blank, required=needed),
            Field(f"leg{at}_quantity", f"Quantity of leg {at}", unit="shares", inputmode="numeric", required=needed),
            Field(f"leg{at}_price", f"Limit price of leg {at}", unit="USD", inputmode="decimal", required=False),
            Field(f"leg{at}_venue", f"Venue of leg {at}", "select", choices=choices, value=first),
        ]
    return fields


def read_legs(typed: Mapping[str, str], most: int) -> list[LegTerms]:
    """The legs that were typed; Invalid names each field that cannot be read."""
    errors: dict[str, str] = {}
    legs = []
    for at in range(1, most + 1):
        told = {name: typed.get(f"leg{at}_{name}", "").strip() for name in ("instrument", "side", "quantity", "price")}
        if at > LEAST and not any(told.values()):
            continue
        venue, quantity = typed.get(f"leg{at}_venue", ""), told["quantity"].replace(",", "")
        price = _price(told["price"].replace(",", ""), f"leg{at}_price", errors)
        if not _is_number(told["instrument"]):
            errors[f"leg{at}_instrument"] = "Choose the instrument."
        if told["side"] not in dict(SIDES):
            errors[f"leg{at}_side"] = "Choose the side."
        if not _is_number(quantity):
            errors[f"leg{at}_quantity"] = "The quantity is a whole number of shares."
        if not _is_number(venue):
            errors[f"leg{at}_venue"] = "Choose a venue."
        if not errors:
            legs.append(LegTerms(int(venue), int(told["instrument"]), Side[told["side"].upper()], int(quantity), price))
    if errors:
        raise Invalid(errors)
    return legs


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS


def _price(text: str, name: str, errors: dict[str, str]) -> Decimal | None:
    try:
        price = Decimal(text) if text else None
    except InvalidOperation:
        price = Decimal("NaN")
    if price is not None and not price.is_finite():
        errors[name] = "The limit price is a number, or empty for no limit."
    return price


def legs_done(parent: Parent) -> list[LegDone]:
    """How far each leg of a multi-leg order is, from its children; what was given back is taken off and told apart."""
    entry = OrderEntry.objects.filter(parent_id=parent.pk).first()
    asked = {leg["instrument"]: leg for leg in (entry.terms.get("legs", []) if entry else [])}
    rows = Order.objects.filter(parent_id=parent.pk).order_by().values("instrument_id", "side")
    sums: dict[int, dict[int, tuple[int, Decimal]]] = {number: {} for number in asked}
    for row in rows.annotate(filled=Sum("filled_quantity"), value=Sum("filled_value")):
        sums.setdefault(row["instrument_id"], {})[row["side"]] = (row["filled"], row["value"])
    names = dict(Instrument.objects.filter(pk__in=sums).values_list("pk", "name"))
    return [_done(names.get(number, str(number)), sides, asked.get(number)) for number, sides in sums.items()]


def _done(name: str, sides: dict[int, tuple[int, Decimal]], asked: dict[str, Any] | None) -> LegDone:
    side = asked["side"] if asked else max(sides, key=lambda one: sides[one][0])
    filled, value = sides.get(side, (0, Decimal(0)))
    back, _ = sides.get(Side.BUY + Side.SELL - side, (0, Decimal(0)))
    average = (value / filled).quantize(Decimal("0.0001")) if filled else None
    return LegDone(name, side, asked["quantity"] if asked else None, filled - back, back, average)
