"""Fitted trading costs: what a transaction cost report learned, for the router and the simulator.

A JSON file: {"version": 1, "from_ns": ..., "to_ns": ..., "rows": [one object for each CostRow]}. A row of venue 0 is of
every venue, one of instrument 0 of every instrument: `cost_of` takes the nearest one that is known.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

VERSION = 1


@dataclass(frozen=True)
class CostRow:
    """One venue and instrument. Prices in 1/10,000 of the currency, quantities in shares.

    Expected cost of `quantity` shares, in basis points of their value:
    `spread_share` x `half_spread_basis_points` + `impact_coefficient` x `volatility_basis_points` x
    sqrt(quantity / `volume`) + fees. `spread_share`: 1 crosses the spread, -1 earns it. `volatility_basis_points`: of
    the middle over the session that was measured, in which `volume` shares traded.
    """

    venue: int
    instrument: int
    fills: int
    quantity: int
    half_spread_basis_points: float
    spread_share: float
    added_share: float
    impact_coefficient: float
    impact_error: float
    volatility_basis_points: float
    volume: int
    fee_basis_points: float


def write_costs(path: Path, rows: list[CostRow], from_ns: int, to_ns: int) -> None:
    """Write the file whole, or not at all."""
    document = {"version": VERSION, "from_ns": from_ns, "to_ns": to_ns, "rows": [asdict(row) for row in rows]}
    unfinished = path.with_name(path.name + ".new")
    unfinished.write_text(json.dumps(document, indent=1) + "\n")
    unfinished.replace(path)


def read_costs(path: Path) -> list[CostRow]:
    """ValueError names what is wrong with the file."""
    try:
        document = json.loads(path.read_text())
        if document["version"] != VERSION:
            raise ValueError(f"{path} is of version {document['version']}, {VERSION} is wanted")
        kinds: dict[str, Any] = {field.name: float if field.type == "float" else int for field in fields(CostRow)}
        return [CostRow(**{name: kind(row[name]) for name, kind in kinds.items()}) for row in document["rows"]]
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is not a file of costs: {error!r}") from None


def cost_of(rows: list[CostRow], venue: int, instrument: int) -> CostRow | None:
    """The row of this venue and instrument, else of the instrument, of the venue, of everything; None without any."""
    known = {(row.venue, row.instrument): row for row in rows}
    for key in ((venue, instrument), (0, instrument), (venue, 0), (0, 0)):
        if key in known:
            return known[key]
    return None
