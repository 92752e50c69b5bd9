"""Names for the numbers in the engine's records, and which team a strategy belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field

MANUAL = 0
"""The strategy number of orders entered by hand."""


@dataclass(frozen=True)
class Names:
    """Looked up in PostgreSQL from time to time; a number without a name is shown as the number."""

    instruments: dict[int, str] = field(default_factory=dict)
    venues: dict[int, str] = field(default_factory=dict)
    strategies: dict[int, str] = field(default_factory=dict)
    teams: dict[int, int] = field(default_factory=dict)

    def instrument(self, number: int) -> str:
        """Name of an instrument."""
        return self.instruments.get(number, f"#{number}")

    def venue(self, number: int) -> str:
        """Name of a venue."""
        return self.venues.get(number, f"venue {number}")

    def strategy(self, number: int) -> str:
        """Name of a strategy."""
        return "manual" if number == MANUAL else self.strategies.get(number, f"strategy {number}")
