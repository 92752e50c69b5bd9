"""Names of instruments, venues, strategies and kinds, as the journal's commands and the registries have them."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.algorithms import algorithm_label
from engine.messages.codes import Liquidity
from engine.messages.control import DEFINE_VENUE, START_STRATEGY
from engine.messages.records import TextRecord
from engine.messages.tca import ALGORITHM, HALF_HOUR_NS, NO_VOLUME, NOT_EXECUTED, SIZE_LABELS
from engine.strategies import kind_name
from engine.studies.tca.sources import Sources

MINUTE_NS = 60_000_000_000


@dataclass
class Names:
    """By number; what has no name is called by its number."""

    instruments: dict[int, str] = field(default_factory=dict)
    venues: dict[int, str] = field(default_factory=dict)
    strategies: dict[int, str] = field(default_factory=dict)

    def instrument(self, number: int) -> str:
        return self.instruments.get(number, f"instrument {number}")

    def venue(self, number: int) -> str:
        return self.venues.get(number, f"venue {number}" if number else "several")

    def strategy(self, number: int) -> str:
        return self.strategies.get(number, f"strategy {number}" if number else "by hand")

    @staticmethod
    def algorithm(key: int) -> str:
        """Of a key of the grouping by algorithm."""
        if key >= ALGORITHM:
            return algorithm_label(key - ALGORITHM) or f"algorithm {key - ALGORITHM}"
        return kind_name(key) or ("by hand" if key == 0 else f"kind {key}")

    def label(self, grouping: str, key: int) -> str:
        """The words for a group."""
        match grouping:
            case "instrument":
                return self.instrument(key)
            case "strategy":
                return self.strategy(key)
            case "algorithm":
                return self.algorithm(key)
            case "venue":
                return self.venue(key) if key != NOT_EXECUTED else "not executed"
            case "liquidity":
                return Liquidity(key).name.lower() if key != NOT_EXECUTED else "not said, or not executed"
            case "time_of_day":
                hours, minutes = divmod(key * HALF_HOUR_NS // MINUTE_NS, 60)
                return f"{hours:02}:{minutes:02}"
            case "size":
                return SIZE_LABELS[key] if key < NO_VOLUME else "no volume"
        return "all"


def read_names(sources: Sources) -> Names:
    """From the journal's starts and commands; the newest name of a number."""
    names = Names({row.id: row.name for row in sources.start().instruments})
    for run in sources.journal():
        if not isinstance(run, TextRecord):
            continue
        kind, body = run.document.get("kind"), run.document.get("body", {})
        if kind == DEFINE_VENUE:
            names.venues[int(body["venue"])] = str(body["name"])
        elif kind == START_STRATEGY:
            names.strategies[int(body["strategy"])] = str(body["name"])
    return names
