"""How parent orders are worked: strategy functions over the same instrument on each venue that they may use. A new
one is a file beside these and one line here."""

from __future__ import annotations

from functools import cache
from types import ModuleType

from engine.algorithms import (
    at_session,
    closing,
    good_till,
    iceberg,
    legs,
    participation,
    pegged,
    shortfall,
    sniper,
    stop,
    twap,
    vwap,
)
from engine.messages.catalogue import AlgorithmKind
from engine.native import address_of_function, compile_strategy
from engine.strategies import Kind, source_hash

# Numbers are told apart from those of strategies: records carry both in one field.
ALGORITHMS: dict[str, tuple[int, ModuleType]] = {
    "twap": (101, twap),
    "vwap": (102, vwap),
    "participation": (103, participation),
    "shortfall": (104, shortfall),
    "iceberg": (105, iceberg),
    "sniper": (106, sniper),
    "close": (107, closing),
    "stop": (108, stop),
    "pegged": (109, pegged),
    "legs": (110, legs),
    "good_till": (111, good_till),
    "at_session": (112, at_session),
}


@cache
def compiled_algorithm(name: str) -> Kind:
    """Compile (or load from the cache) an algorithm. KeyError for an unknown one."""
    number, module = ALGORITHMS[name]
    return Kind(name, number, module, address_of_function(compile_strategy(module.on_event)), source_hash(module))


def algorithm_label(number: int) -> str:
    """What people call the algorithm that a record's `kind` field means."""
    return next((str(module.LABEL) for at, module in ALGORITHMS.values() if at == number), "")


def announced_algorithms() -> list[AlgorithmKind]:
    """The catalogue's entries."""
    return [
        AlgorithmKind(
            name=name,
            number=number,
            label=module.LABEL,
            summary=module.SUMMARY,
            parameters=list(module.PARAMETERS),
            hash=source_hash(module),
            needs_price=getattr(module, "NEEDS_PRICE", False),
            below=[list(pair) for pair in getattr(module, "BELOW", ())],
            most_legs=getattr(module, "MOST_LEGS", 0),
            emulates=hasattr(module, "EMULATES"),
        )
        for name, (number, module) in ALGORITHMS.items()
    ]
