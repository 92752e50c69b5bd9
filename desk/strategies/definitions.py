"""A strategy's definition checked against the catalogue of the running engine."""

from typing import Any
from unicodedata import category

from desk.markets.models import Instrument, Venue
from desk.refusals import Invalid
from desk.strategies.models import Strategy
from engine.messages.catalogue import AlgorithmKind, Catalogue, Parameter, StrategyKind


def find_kind(announced: Catalogue, name: str) -> StrategyKind:
    """The kind by name, or Invalid: the running engine does not know it."""
    for kind in announced.strategy_kinds:
        if kind.name == name:
            return kind
    raise Invalid({"kind": f"The running engine knows no strategy kind {name!r}."})


def check_name(name: str) -> str:
    """The name without the spaces around it."""
    name = name.strip()
    if not 1 <= len(name) <= 60:
        raise Invalid({"name": "A name has 1 to 60 characters."})
    if not name.isprintable() or any(category(letter) == "Cf" for letter in name):
        raise Invalid({"name": "A name has printable characters only."})
    return name


def check_parameters(kind: StrategyKind | AlgorithmKind, values: dict[str, Any]) -> dict[str, float]:
    """Every parameter of the kind within its bounds and below what it must be below; Invalid names those that are not,
    or are missing or unknown."""
    errors = {name: f"{kind.label} has no parameter {name!r}." for name in values if name not in _names(kind)}
    checked: dict[str, float] = {}
    for parameter in kind.parameters:
        try:
            checked[parameter.name] = _check_parameter(parameter, values.get(parameter.name))
        except ValueError as error:
            errors[parameter.name] = str(error)
    labels = {parameter.name: parameter.label for parameter in kind.parameters}
    for low, high in kind.below:
        if low in checked and high in checked and checked[low] >= checked[high]:
            errors[low] = f"{labels[low]} must be below {labels[high]}, which is {checked[high]:g}."
    if errors:
        raise Invalid(errors)
    return checked


def _names(kind: StrategyKind | AlgorithmKind) -> set[str]:
    return {parameter.name for parameter in kind.parameters}


def _check_parameter(parameter: Parameter, value: Any) -> float:
    if value is None or value == "":
        raise ValueError(f"{parameter.label} is missing.")
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{parameter.label} is not a number: {value!r}.") from None
    if not parameter.low <= number <= parameter.high:
        raise ValueError(f"{parameter.label} must be from {parameter.low:g} to {parameter.high:g}, not {number:g}.")
    if parameter.step == 1 and number != int(number):
        raise ValueError(f"{parameter.label} must be a whole number, not {number:g}.")
    return number


def check_instruments(kind: StrategyKind, instruments: list[int]) -> list[int]:
    """As many different, known instruments as the kind trades, in its order."""
    labels = kind.instrument_labels
    if len(instruments) != len(labels):
        raise Invalid({"instruments": f"{kind.label} trades {len(labels)} instruments: {', '.join(labels)}."})
    if len(set(instruments)) != len(instruments):
        raise Invalid({"instruments": "The instruments must differ."})
    known = set(Instrument.objects.filter(pk__in=instruments).values_list("pk", flat=True))
    for instrument in instruments:
        if instrument not in known:
            raise Invalid({"instruments": f"There is no instrument {instrument}."}, code="unknown_instrument")
    return list(instruments)


def check_venue(number: int) -> Venue:
    """An enabled venue."""
    venue = Venue.objects.filter(number=number, enabled=True).first()
    if venue is None:
        raise Invalid({"venue": f"There is no venue {number}."})
    return venue


def definition_of(strategy: Strategy) -> dict[str, Any]:
    """What a run or a backtest keeps of the strategy: everything that decides what it does."""
    return {
        "strategy": strategy.pk,
        "name": strategy.name,
        "team": strategy.team_id,
        "kind": strategy.kind,
        "kind_hash": strategy.kind_hash,
        "venue": strategy.venue_id,
        "instruments": list(strategy.instruments),
        "parameters": dict(strategy.parameters),
    }
