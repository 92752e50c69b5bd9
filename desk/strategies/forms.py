"""The form of a strategy, made from the catalogue that the running engine announces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from desk.fields import Field, filled, other_errors
from desk.markets.models import Instrument, Pair, Venue
from desk.refusals import Invalid, check_all
from desk.strategies.definitions import check_name, check_parameters
from desk.strategies.models import Strategy
from engine.messages.catalogue import Catalogue, Parameter, StrategyKind

# Which parameter of a kind a pair's estimate fills in, by the names that kinds give it.
ESTIMATES = {
    "hedge_ratio": "hedge_ratio",
    "centre": "centre",
    "deviation": "spread_deviation",
    "spread_deviation": "spread_deviation",
    "half_life": "half_life",
}


@dataclass(frozen=True)
class StrategyForm:
    """What the form shows. `errors` are sentences about the whole."""

    kind: StrategyKind
    kinds: list[tuple[str, str]]
    identity: list[Field]
    pairs: Field | None
    instruments: list[Field]
    parameters: list[Field]
    errors: list[str]


def make_form(catalogue: Catalogue, typed: Mapping[str, str], errors: Mapping[str, str] | None = None) -> StrategyForm:
    """The form with what was typed. Invalid when the engine announces no strategy kind, or not the one asked for."""
    if not catalogue.strategy_kinds:
        raise Invalid({"kind": "The running engine announces no strategy kinds."})
    name = typed.get("kind") or catalogue.strategy_kinds[0].name
    kind = next((kind for kind in catalogue.strategy_kinds if kind.name == name), None)
    if kind is None:
        raise Invalid({"kind": f"The running engine knows no strategy kind {name!r}."})
    venues = tuple((str(venue.pk), venue.name) for venue in Venue.objects.filter(enabled=True))
    identity = [
        Field("name", "Name", help="What everybody calls it; at most 60 characters."),
        Field("venue", "Venue", "select", choices=venues, value=venues[0][0] if venues else ""),
    ]
    pairs = _pairs_field() if len(kind.instrument_labels) == 2 else None
    listed = tuple((str(pk), name) for pk, name in Instrument.objects.order_by("name").values_list("pk", "name"))
    instruments = [
        Field(f"instrument_{index}", label, "select", choices=listed, blank="Choose")
        for index, label in enumerate(kind.instrument_labels)
    ]
    parameters = [parameter_field(parameter) for parameter in kind.parameters]
    errors = dict(errors or {})
    if "instruments" in errors and instruments:
        errors[instruments[0].name] = errors.pop("instruments")
    shown = [*identity, *instruments, *parameters]
    return StrategyForm(
        kind=kind,
        kinds=[(other.name, other.label) for other in catalogue.strategy_kinds],
        identity=filled(identity, typed, errors),
        pairs=filled([pairs], typed)[0] if pairs else None,
        instruments=filled(instruments, typed, errors),
        parameters=filled(parameters, typed, errors),
        errors=other_errors(shown, errors),
    )


def parameter_field(parameter: Parameter) -> Field:
    """One parameter as a field; its bounds are told before they are broken."""
    if parameter.choices:
        choices = tuple((number, words.capitalize()) for number, words in parameter.choices.items())
        return Field(
            parameter.name, parameter.label, "select", choices=choices, value=_number(parameter.default),
            help=f"{parameter.help[:1].upper()}{parameter.help[1:]}." if parameter.help else "",
        )  # fmt: skip
    bounds = f"From {_number(parameter.low)} to {_number(parameter.high)}."
    help_text = f"{parameter.help[:1].upper()}{parameter.help[1:]}. {bounds}" if parameter.help else bounds
    return Field(
        parameter.name,
        parameter.label,
        value=_number(parameter.default),
        unit=parameter.unit,
        help=help_text,
        inputmode="numeric" if parameter.step == 1 else "decimal",
    )


def with_pair(typed: Mapping[str, str], kind: StrategyKind) -> dict[str, str]:
    """What was typed, with the instruments and estimates of the chosen pair in place of what stood there."""
    values = dict(typed)
    chosen = typed.get("pair", "")
    pair = Pair.objects.select_related("first", "second").filter(pk=int(chosen)).first() if chosen.isdigit() else None
    if pair is None:
        return values
    values["instrument_0"], values["instrument_1"] = str(pair.first_id), str(pair.second_id)
    for parameter in kind.parameters:
        if parameter.name in ESTIMATES:
            value = float(f"{getattr(pair, ESTIMATES[parameter.name]):.6g}")
            values[parameter.name] = _number(min(max(value, parameter.low), parameter.high))
    if not values.get("name") or " / " in values["name"]:
        values["name"] = f"{pair.first} / {pair.second}"
    return values


def values_of(strategy: Strategy) -> dict[str, str]:
    """A strategy's definition as somebody would have typed it."""
    values = {"name": strategy.name, "venue": str(strategy.venue_id), "kind": strategy.kind}
    values |= {f"instrument_{index}": str(number) for index, number in enumerate(strategy.instruments)}
    return values | {name: _number(value) for name, value in strategy.parameters.items()}


def read_definition(typed: Mapping[str, str], kind: StrategyKind) -> dict[str, Any]:
    """Arguments of `create_strategy` and `change_strategy` from what was typed; Invalid names what is missing."""
    errors = {}
    instruments = []
    for index, label in enumerate(kind.instrument_labels):
        text = typed.get(f"instrument_{index}", "")
        if not text.isdigit():
            errors[f"instrument_{index}"] = f"Choose the instrument: {label.lower()}."
        else:
            instruments.append(int(text))
    venue = typed.get("venue", "")
    if not venue.isdigit():
        errors["venue"] = "Choose a venue."
    name = typed.get("name", "")
    parameters = {parameter.name: typed.get(parameter.name, "") for parameter in kind.parameters}
    if errors:
        try:
            check_all(lambda: check_name(name), lambda: check_parameters(kind, parameters))
        except Invalid as others:
            errors = others.errors | errors
        raise Invalid(errors)
    return {"name": name, "venue": int(venue), "instruments": instruments, "parameters": parameters}


def _pairs_field() -> Field:
    pairs = Pair.objects.select_related("first", "second")
    choices = tuple(
        (str(pair.pk), f"{pair.first} / {pair.second}, t {pair.engle_granger_t:.1f}, half-life {pair.half_life:.0f} s")
        for pair in pairs
    )
    return Field(
        "pair",
        "Start from a pair",
        "select",
        choices=choices,
        blank="None: I fill in everything myself",
        required=False,
        help="Fills in the instruments and what was estimated from the earlier session. You can change all of it.",
        wide=True,
    )


def _number(value: float) -> str:
    return f"{value:.10g}"
