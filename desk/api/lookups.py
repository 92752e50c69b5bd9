"""Names as programs write them to rows, and rows to the names that programs read."""

from typing import Any

from desk.enumerations import words
from desk.markets.models import Instrument, Venue
from desk.refusals import Invalid


def word(member: Any) -> str:
    """An enumeration's member as the API spells it: lower case, words joined by underscores."""
    return words(member).replace(" ", "_")


def instrument_id(name: str) -> int:
    """The instrument's id by its name."""
    found = Instrument.objects.filter(name=name).values_list("pk", flat=True).first()
    if found is None:
        raise Invalid({"instrument": f"There is no instrument {name!r}."}, code="unknown_instrument")
    return found


def venue_number(name: str) -> int:
    """The number of an enabled venue by its name."""
    found = Venue.objects.filter(name=name, enabled=True).values_list("pk", flat=True).first()
    if found is None:
        raise Invalid({"venue": f"There is no venue {name!r}."}, code="unknown_venue")
    return found


def instrument_names(ids: list[int]) -> list[str]:
    """Names in the order of the ids."""
    names = dict(Instrument.objects.filter(pk__in=ids).values_list("pk", "name"))
    return [names.get(number, str(number)) for number in ids]


def name_of(row: Any, reference: str) -> str | None:
    """The name behind a weak reference: the number when the row is gone, None when there is none."""
    number = getattr(row, f"{reference}_id")
    if number is None:
        return None
    cached = row._state.fields_cache.get(reference)  # noqa: SLF001  select_related leaves None for a missing row
    return str(cached) if cached is not None else str(number)
