"""Limits as they cross: a whole snapshot, numbered by the engine, applied by compare-and-set."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from engine.messages.codes import LimitName, Scope

LARGEST = {
    LimitName.ORDER_QUANTITY: 10**9,
    LimitName.ORDER_VALUE: 10**17,
    LimitName.COLLAR_BASIS_POINTS: 10**6,
    LimitName.POSITION: 10**12,
    LimitName.ORDERS_PER_SECOND: 10**9,
    LimitName.DAILY_LOSS: 10**17,
}  # beyond any use, and small enough that no product of the gate overflows
UNSET = -1  # a limit nobody set; the gate refuses every order that needs it


@dataclass(frozen=True)
class LimitsRow:
    """Bounds of one scope. UNSET (-1) blocks.

    order_quantity shares; order_value and daily_loss money (1/10,000); collar_basis_points from the live reference;
    position shares per instrument, working orders counted; orders_per_second requests.
    """

    scope: int
    scope_id: int
    order_quantity: int = UNSET
    order_value: int = UNSET
    collar_basis_points: int = UNSET
    position: int = UNSET
    orders_per_second: int = UNSET
    daily_loss: int = UNSET

    def bound(self, name: LimitName) -> int:
        """Value of the named limit."""
        return int(getattr(self, name.name.lower()))


def validate(rows: list[LimitsRow]) -> None:
    """ValueError with a sentence for the first row that no engine should accept."""
    seen = set()
    for row in rows:
        if row.scope not in (Scope.FIRM, Scope.TEAM, Scope.STRATEGY):
            raise ValueError(f"a limits row has scope {row.scope}; it must be firm, team or strategy")
        if (row.scope, row.scope_id) in seen:
            raise ValueError(f"limits of {Scope(row.scope).name.lower()} {row.scope_id} appear twice")
        seen.add((row.scope, row.scope_id))
        for name in LimitName:
            if row.bound(name) < UNSET:
                raise ValueError(f"{name.name.lower()} of {Scope(row.scope).name.lower()} {row.scope_id} is negative")
            if row.bound(name) > LARGEST[name]:
                raise ValueError(f"{name.name.lower()} is at most {LARGEST[name]}")


def content_hash(rows: list[LimitsRow]) -> str:
    """SHA-256 over the rows in canonical order: two snapshots with the same hash bind alike."""
    ordered = sorted((asdict(row) for row in rows), key=lambda row: (row["scope"], row["scope_id"]))
    return hashlib.sha256(json.dumps(ordered, sort_keys=True).encode()).hexdigest()
