"""Fitted trading costs: what a transaction cost report learned, for the router and the simulator.

A JSON file: {"version": 2, "hash": ..., "from_ns": ..., "to_ns": ..., "rows": [one object for each CostRow]}. A row of
venue 0 is of every venue, one of instrument 0 of every instrument: `cost_of` takes the nearest one that is known.
Version 1, which had no hash and no order's latency or adverse move, is still read.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

VERSION = 2
LARGEST = 1e12  # of a number in a row


@dataclass(frozen=True)
class CostRow:
    """One venue and instrument. Prices in 1/10,000 of the currency, quantities in shares.

    Expected cost of `quantity` shares, in basis points of their value:
    `spread_share` x `half_spread_basis_points` + `impact_coefficient` x `volatility_basis_points` x
    sqrt(quantity / `volume`) + fees. `spread_share`: 1 crosses the spread, -1 earns it. `volatility_basis_points`: of
    the middle over the session that was measured, in which `volume` shares traded. `impact_error` 0: too few orders
    took to say anything. `adverse_basis_points`: how far the middle had moved against fills that added liquidity ten
    seconds later. `latency_us`: from a request to the venue's first answer, the median; 0: none was seen.
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
    adverse_basis_points: float = 0.0
    latency_us: int = 0

    @property
    def impact_scale(self) -> float:
        """Impact of one share, in basis points; of more it grows with their square root. 0 when nothing is known."""
        if not tells_impact(self) or self.volume <= 0:
            return 0.0
        return max(0.0, self.impact_coefficient * self.volatility_basis_points / math.sqrt(self.volume))


def costs_hash(rows: list[CostRow]) -> str:
    """SHA-256 over the rows in canonical order: two files with the same hash say the same."""
    ordered = sorted((asdict(row) for row in rows), key=lambda row: (row["venue"], row["instrument"]))
    return hashlib.sha256(json.dumps(ordered, sort_keys=True).encode()).hexdigest()


def check_rows(raw: list[dict[str, Any]]) -> list[CostRow]:
    """The rows; ValueError with a sentence for a field that is missing or unknown, for a number that is none, and for
    two rows of one venue and instrument."""
    kinds: dict[str, Any] = {field.name: float if str(field.type) == "float" else int for field in fields(CostRow)}
    rows: dict[tuple[int, int], CostRow] = {}
    for given in raw:
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
                raise ValueError(f"a row of costs has {name} {value!r}, which is no number or too large")
            if kinds.get(name) is int and (value != int(value) or value < 0):
                raise ValueError(f"a row of costs has {name} {value!r}; it must be a whole number, not negative")
        try:
            row = CostRow(**{name: kinds[name](value) for name, value in given.items()})
        except (KeyError, TypeError):
            raise ValueError("a row of costs has an unknown or missing field") from None
        if (row.venue, row.instrument) in rows:
            raise ValueError(f"there are two rows of costs of venue {row.venue}, instrument {row.instrument}")
        rows[row.venue, row.instrument] = row
    return list(rows.values())


def write_costs(path: Path, rows: list[CostRow], from_ns: int, to_ns: int) -> None:
    """Write the file whole, or not at all."""
    told = {"version": VERSION, "hash": costs_hash(rows), "from_ns": from_ns, "to_ns": to_ns}
    unfinished = path.with_name(path.name + ".new")
    unfinished.write_text(json.dumps(told | {"rows": [asdict(row) for row in rows]}, indent=1) + "\n")
    unfinished.replace(path)


def read_costs(path: Path) -> list[CostRow]:
    """ValueError names what is wrong with the file."""
    try:
        document = json.loads(path.read_text())
        if document["version"] not in (1, VERSION):
            raise ValueError(f"{path} is of version {document['version']}, {VERSION} is wanted")
        rows = check_rows(document["rows"])
        if document["version"] == VERSION and document["hash"] != costs_hash(rows):
            raise ValueError(f"{path} is damaged or was changed by hand: its rows are not those of its hash")
    except (OSError, json.JSONDecodeError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{path} is not a file of costs: {error!r}") from None
    return rows


def tells_impact(row: CostRow) -> bool:
    """Whether enough orders took to say something of impact."""
    return row.impact_error > 0.0


def tells_adverse_move(row: CostRow) -> bool:
    """Whether any fill added liquidity."""
    return row.added_share > 0.0


Places = dict[tuple[int, int], CostRow]


def by_place(rows: list[CostRow], says: Callable[[CostRow], bool]) -> Places:
    """The rows that `says` is true of, by venue and instrument."""
    return {(row.venue, row.instrument): row for row in rows if says(row)}


def nearest(known: Places, venue: int, instrument: int) -> CostRow | None:
    """The row of this venue and instrument, else of the instrument, of the venue, of everything; None without any."""
    for key in ((venue, instrument), (0, instrument), (venue, 0), (0, 0)):
        if key in known:
            return known[key]
    return None


def cost_of(rows: list[CostRow], venue: int, instrument: int) -> CostRow | None:
    """`nearest` of all rows."""
    return nearest(by_place(rows, lambda _row: True), venue, instrument)
