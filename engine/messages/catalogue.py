"""What the running engine can do, announced at the handshake (answer to `hello`). The forms in the browser come from
it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

YES_OR_NO = "1 yes, 0 no"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a strategy kind. `low` and `high` are inclusive hard bounds; `step` 1 means an integer; a unit
    like YES_OR_NO, numbers with a word for each, makes it a choice."""

    name: str
    label: str
    unit: str
    low: float
    high: float
    default: float
    step: float = 0.0
    help: str = ""

    @property
    def choices(self) -> dict[str, str]:
        """Words by number for a parameter that is a choice; empty for any other."""
        parts = [part.strip().partition(" ") for part in self.unit.split(",")]
        return {number: words for number, _, words in parts} if all(number.isdigit() for number, _, _ in parts) else {}

    def told(self, value: float) -> tuple[str, float | str]:
        """Unit and value as people read them: a choice is its word and has no unit."""
        return ("", self.choices.get(f"{value:g}", f"{value:g}")) if self.choices else (self.unit, value)


@dataclass(frozen=True)
class StrategyKind:
    """`instrument_labels` names the instruments a row trades, in order; `hash` identifies source and parameters.

    `below` holds pairs of parameter names: the first's value must be less than the second's."""

    name: str
    label: str
    summary: str
    instrument_labels: list[str]
    parameters: list[Parameter]
    hash: str
    below: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class AlgorithmKind:
    """How a parent order is worked. `number` is what records carry; `needs_price`: it does not work without a limit;
    `most_legs`: it works a multi-leg order of 2 to so many legs, 0: an order of one instrument; `emulates`: nobody asks
    for it, the engine works with it an order whose time in force the venue does not have."""

    name: str
    number: int
    label: str
    summary: str
    parameters: list[Parameter]
    hash: str
    needs_price: bool = False
    below: list[list[str]] = field(default_factory=list)
    most_legs: int = 0
    emulates: bool = False


@dataclass(frozen=True)
class VenueField:
    """One setting of a venue kind. `kind`: text, integer, address ("host:port"), secret. `optional`: may be empty.

    `unless`: another setting; where that one is given and not 0, this one may be empty, too."""

    name: str
    label: str
    kind: str
    default: str = ""
    help: str = ""
    optional: bool = False
    unless: str = ""


@dataclass(frozen=True)
class VenueKind:
    """A protocol that the engine can trade over."""

    protocol: str
    label: str
    fields: list[VenueField]


@dataclass(frozen=True)
class Catalogue:
    """Body of the answer to `hello`. `runtime`: what was asked of the machine (setting, asked, obtained, words)."""

    build_hash: str
    epoch: int
    mode: str
    limits_version: int
    limits_hash: str
    strategy_kinds: list[StrategyKind] = field(default_factory=list)
    algorithm_kinds: list[AlgorithmKind] = field(default_factory=list)
    venue_kinds: list[VenueKind] = field(default_factory=list)
    instruments: list[dict[str, Any]] = field(default_factory=list)
    venues: list[dict[str, Any]] = field(default_factory=list)
    runtime: list[dict[str, Any]] = field(default_factory=list)

    def as_body(self) -> dict[str, Any]:
        """As JSON-ready dictionaries."""
        return asdict(self)
