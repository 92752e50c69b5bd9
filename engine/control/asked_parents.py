"""Parent orders that strategies asked for in the loop, as the commands that enter them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from engine.algorithms import ALGORITHMS, compiled_algorithm
from engine.hotpath.tables import LEGS_PER_STRATEGY, MOST_CHOSEN
from engine.messages.control import SMART, Command, EnterParent, command

ENGINE_ACTOR = "engine"
ASKED_WITHIN_NS = 5_000_000_000  # what a strategy asked for longer ago has lost its reason
SAME = ("strategy", "algorithm", "duration_ns", "asked_ns")  # of what a strategy asked for in one call


def asked_commands(rows: list[Any], venues: list[int]) -> list[Command]:
    """One command for each order; one that may go anywhere goes to `venues`, the most wanted first. What a strategy
    asked for in one call of an algorithm of several legs, one after the other, are the legs of one order."""
    groups: list[list[Any]] = []
    for row in rows:
        several = hasattr(_algorithm(row)[1], "MOST_LEGS")
        if several and groups and all(groups[-1][0][name] == row[name] for name in SAME):
            groups[-1].append(row)
        else:
            groups.append([row])
    return [
        command(_body(group, venues), ENGINE_ACTOR, f"strategy-parent-{int(group[0]['number'])}") for group in groups
    ]


def _algorithm(row: Any) -> tuple[str, ModuleType | None]:
    """Name and module; an algorithm that there is not has no name, and is refused."""
    number = int(row["algorithm"])
    return next(((name, module) for name, (at, module) in ALGORITHMS.items() if at == number), ("", None))


def _parameters(group: list[Any], module: ModuleType) -> dict[str, float]:
    """The defaults, and what the strategy chose. A place that the list does not have is refused like any unknown
    name."""
    names = [parameter.name for parameter in module.PARAMETERS]
    values = {parameter.name: float(parameter.default) for parameter in module.PARAMETERS}
    for row in group:
        for at in range(MOST_CHOSEN):
            if int(row["chosen"]) >> at & 1:
                values[names[at] if at < len(names) else f"parameter {at}"] = float(row["values"][at])
    return values


def _body(group: list[Any], venues: list[int]) -> EnterParent:
    row, (name, module) = group[0], _algorithm(group[0])
    named = {int(one["venue"]) for one in group}
    legs = []
    if hasattr(module, "MOST_LEGS"):
        legs = [
            {part: int(one[part]) for part in ("venue", "instrument", "side", "quantity", "price")} for one in group
        ]
    return EnterParent(
        client_order_id=f"strategy-{int(row['strategy'])}-{int(row['number'])}",
        strategy=int(row["strategy"]),
        team=int(row["team"]),
        trader=0,
        algorithm=name,
        kind_hash=compiled_algorithm(name).hash if name else "",
        instrument=int(row["instrument"]),
        venues=sorted(named if SMART not in named else venues if legs else venues[:LEGS_PER_STRATEGY]),
        side=int(row["side"]),
        quantity=sum(int(one["quantity"]) for one in group),
        price=int(row["price"]),
        start_ns=0,
        end_ns=int(row["asked_ns"]) + int(row["duration_ns"]),
        parameters=_parameters(group, module) if module else {},
        expires_ns=int(row["asked_ns"]) + ASKED_WITHIN_NS,
        legs=legs,
    )
