"""What to trade: plain functions with PARAMETERS and STATE. A new kind is a file beside these and one line here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from engine.messages.catalogue import StrategyKind
from engine.native import address_of_function, compile_strategy
from engine.strategies import pairs

STRATEGIES: dict[str, tuple[int, ModuleType]] = {
    "pairs": (1, pairs),
}


@dataclass(frozen=True)
class Kind:
    """A compiled kind: `entry` is what the loop calls, `number` what records carry."""

    name: str
    number: int
    module: ModuleType
    entry: int
    hash: str


def source_hash(module: ModuleType) -> str:
    """What a kind is: hash of its source, parameters included. 16 hexadecimal digits."""
    return hashlib.sha256(Path(str(module.__file__)).read_bytes()).hexdigest()[:16]


@cache
def compiled_kind(name: str) -> Kind:
    """Compile (or load from the cache) the hook of a kind. KeyError for an unknown one."""
    number, module = STRATEGIES[name]
    entry = address_of_function(compile_strategy(module.on_event))
    return Kind(name, number, module, entry, source_hash(module))


def kind_name(number: int) -> str:
    """Name of the kind that a record's `kind` field means; empty for orders that people entered."""
    return next((name for name, (at, _) in STRATEGIES.items() if at == number), "")


def announced_kinds() -> list[StrategyKind]:
    """The catalogue's entries."""
    return [
        StrategyKind(
            name=name,
            label=module.LABEL,
            summary=module.SUMMARY,
            instrument_labels=list(module.INSTRUMENT_LABELS),
            parameters=list(module.PARAMETERS),
            hash=source_hash(module),
            below=[list(pair) for pair in getattr(module, "BELOW", ())],
        )
        for name, (_, module) in STRATEGIES.items()
    ]
