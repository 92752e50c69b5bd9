"""Costs that reports fitted, as the router has them: by command, so that a replay routes alike."""

from __future__ import annotations

from typing import Any

from engine.control.configuration import Configuration, Refusal
from engine.hotpath.fitted_costs import MILLI_POINTS, impact_scale
from engine.messages.control import ApplyCosts
from engine.messages.costs import (
    CostRow,
    by_place,
    check_rows,
    costs_hash,
    nearest,
    tells_adverse_move,
    tells_impact,
)


def check_costs(configuration: Configuration, body: ApplyCosts) -> list[CostRow]:
    """The rows; Refusal when one is of a venue or an instrument that there is not, or when the hash is of others."""
    try:
        rows = check_rows(body.rows)
    except ValueError as error:
        raise Refusal(str(error)) from None
    if body.hash != costs_hash(rows):
        raise Refusal("these costs are not those of their hash")
    last = int(configuration.memory.core["venue_count"][0])
    for row in rows:
        if row.venue > last or (row.instrument and row.instrument not in configuration.names):
            raise Refusal(f"there are costs of venue {row.venue}, instrument {row.instrument}, which there is not")
    return rows


def bind_costs(configuration: Configuration, identity: str, rows: list[CostRow]) -> dict[str, Any]:
    """Give every instrument on every venue its fitted figures, nothing where no row says any. A latency counts until
    the engine has measured one itself."""
    memory = configuration.memory
    took, added = by_place(rows, tells_impact), by_place(rows, tells_adverse_move)
    answered = by_place(rows, lambda row: row.latency_us > 0)
    for venue in range(1, int(memory.core["venue_count"][0]) + 1):
        for instrument in configuration.names:
            learned = memory.learned[memory.listing(venue, instrument)]
            learned["impact_scale"] = impact_scale(nearest(took, venue, instrument))
            row = nearest(added, venue, instrument)
            points = row.adverse_basis_points if row else 0.0
            learned["adverse"] = max(-MILLI_POINTS, min(MILLI_POINTS, round(points * 1000)))
            timed = answered.get((venue, instrument)) or answered.get((venue, 0))  # how far one venue is says no other
            if timed and learned["latency_ns"] == 0:
                learned["latency_ns"] = timed.latency_us * 1000
    configuration.costs_hash = identity
    return {"hash": identity, "rows": len(rows)}
