"""The files of a cost report, as much of them as a person may see, in decimals."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from desk.refusals import NotFound
from desk.reports.models import CostReport
from engine.messages.tca import (
    BY_PARENT,
    COSTS,
    HORIZON_LABELS,
    MARKED,
    MARKOUTS,
    MONEY_SCALE,
    NOT_EXECUTED,
    SUMS,
    basis_points,
    keys_of,
    zero_sums,
)

Teams = frozenset[int] | None
IN_ORDER = ("time_of_day", "size")
LABELS = {
    "venue": "Venue",
    "algorithm": "Algorithm",
    "strategy": "Strategy",
    "instrument": "Instrument",
    "time_of_day": "Time of day",
    "size": "Size against volume",
    "liquidity": "Liquidity",
}


def to_money(value: Any) -> Decimal:
    """Of the report's whole numbers."""
    return Decimal(int(value)) / MONEY_SCALE


@dataclass(frozen=True)
class GroupRow:
    """One group. `points`: shortfall and its parts in basis points of the paper value, None without one."""

    key: int
    label: str
    sums: dict[str, int]

    @property
    def parts(self) -> list[tuple[str, Decimal]]:
        """Name and money of each part."""
        return [(name, to_money(self.sums[name])) for name in COSTS]

    @property
    def shortfall(self) -> Decimal:
        return to_money(self.sums["shortfall"])

    @property
    def points(self) -> float | None:
        return basis_points(self.sums["shortfall"], self.sums["paper"])

    @property
    def part_points(self) -> list[float | None]:
        return [basis_points(self.sums[name], self.sums["paper"]) for name in COSTS]

    @property
    def fill_rate(self) -> float | None:
        """Per cent of the wanted shares."""
        return self.sums["filled"] / self.sums["quantity"] * 100 if self.sums["quantity"] else None

    @property
    def against_vwap(self) -> float | None:
        return basis_points(self.sums["against_vwap"], self.sums["vwap_notional"])

    @property
    def against_close(self) -> float | None:
        return basis_points(self.sums["against_close"], self.sums["close_notional"])

    @property
    def against_middle(self) -> float | None:
        return basis_points(self.sums["against_middle"], self.sums["notional"])

    @property
    def markouts(self) -> list[float | None]:
        """Basis points at each horizon; a gain is positive."""
        return [
            basis_points(self.sums[markout], self.sums[marked])
            for markout, marked in zip(MARKOUTS, MARKED, strict=True)
        ]

    @property
    def marked_out(self) -> list[tuple[str, float | None]]:
        """The horizons' words with them."""
        return list(zip(HORIZON_LABELS, self.markouts, strict=True))


class CostFiles:
    """A finished report's files, seen by somebody of these teams (None: by all)."""

    def __init__(self, report: CostReport, teams: Teams) -> None:
        """NotFound when the report has no files."""
        self.directory = Path(report.artefacts)
        self.teams = teams
        if not report.artefacts or not (self.directory / "report.json").is_file():
            raise NotFound("This report has no files.")
        self.document: dict[str, Any] = json.loads((self.directory / "report.json").read_text())

    def _table(self, name: str) -> np.ndarray[Any, Any]:
        try:
            made: np.ndarray[Any, Any] = np.load(self.directory / f"{name}.npy", mmap_mode="r")
        except FileNotFoundError:
            raise NotFound("The report is being put in its place; look again.") from None
        return made

    @cached_property
    def parents(self) -> np.ndarray[Any, Any]:
        """Every team's: a row's place is its number."""
        return self._table("parents")

    def sees(self, team: int) -> bool:
        return self.teams is None or team in self.teams

    def label(self, grouping: str, key: int) -> str:
        return str(self.document["labels"][grouping].get(str(key), key))

    def label_of_seen(self, grouping: str, key: int, rows: list[GroupRow]) -> str:
        """The name of a group of `rows`; of any other, which may be another team's, only its number."""
        return next((row.label for row in rows if row.key == key), f"{LABELS[grouping]} {key}")

    def groups(self, grouping: str) -> list[GroupRow]:
        """Rows of a grouping, the largest shortfalls and gains first, or in their own order where they have one."""
        merged: dict[int, dict[str, int]] = {}
        for row in self.document["groups"]:
            if row["grouping"] == grouping and self.sees(row["team"]):
                sums = merged.setdefault(row["key"], zero_sums())
                for name in SUMS:
                    sums[name] += row[name]
        rows = [GroupRow(key, self.label(grouping, key), sums) for key, sums in merged.items()]
        if grouping in IN_ORDER:
            return sorted(rows, key=lambda row: row.key)
        last = NOT_EXECUTED if grouping == "venue" else None
        return sorted(rows, key=lambda row: (row.key == last, -abs(row.sums["shortfall"])))

    def total(self) -> GroupRow:
        """Everything that may be seen."""
        sums = zero_sums()
        for row in self.document["groups"]:
            if row["grouping"] == "total" and self.sees(row["team"]):
                for name in SUMS:
                    sums[name] += row[name]
        return GroupRow(0, "All", sums)

    def largest(self, most: int, grouping: str = "", key: int | None = None) -> list[dict[str, Any]]:
        """Parents, the largest shortfalls and gains first; of one group, where `grouping` has whole parents."""
        table = self.parents
        seen = np.ones(len(table), bool) if self.teams is None else np.isin(table["team"], sorted(self.teams))
        if key is not None and grouping in BY_PARENT:
            seen &= keys_of(table, grouping) == key
        rows = np.flatnonzero(seen)
        rows = rows[np.argsort(-np.abs(table["shortfall"][rows]), kind="stable")][:most]
        return [self.parent(int(row)) for row in rows]

    def parent(self, row: int) -> dict[str, Any]:
        """One parent with names and decimals. NotFound for another team's."""
        if not 0 <= row < len(self.parents) or not self.sees(int(self.parents[row]["team"])):
            raise NotFound("There is no such parent in the report.")
        found = self.parents[row]
        told = {name: found[name].item() for name in found.dtype.names or ()}
        volume = told["interval_volume"]
        return told | {
            "row": row,
            "instrument_name": self.label("instrument", told["instrument"]),
            "strategy_name": self.label("strategy", told["strategy"]),
            "algorithm": self.label("algorithm", int(keys_of(self.parents[row : row + 1], "algorithm")[0])),
            "venue_name": self.label("venue", told["venue"]) if told["venue"] else "several",
            "costs": [to_money(told[name]) for name in COSTS],
            "part_points": [basis_points(told[name], told["paper"]) for name in COSTS],
            "shortfall_money": to_money(told["shortfall"]),
            "points": basis_points(told["shortfall"], told["paper"]),
            "arrival": to_money(told["arrival_2"]) if told["arrival_2"] else None,
            "end": to_money(told["end_2"]) if told["end_2"] else None,
            "close": to_money(told["close_2"]) if told["close_2"] else None,
            "vwap": round(to_money(2 * told["interval_value"]) / volume, 4) if volume else None,
            "average": round(to_money(told["notional"]) / told["filled"], 4) if told["filled"] else None,
            "participation": told["filled"] / volume * 100 if volume else None,
            "against": {
                "vwap": basis_points(told["against_vwap"], told["vwap_notional"]),
                "close": basis_points(told["against_close"], told["close_notional"]),
                "middle": basis_points(told["against_middle"], told["notional"]),
            },
            "markouts": [
                basis_points(told[markout], told[marked]) for markout, marked in zip(MARKOUTS, MARKED, strict=True)
            ],
        }

    def part_of(self, name: str, row: int) -> np.ndarray[Any, Any]:
        """The rows of one of a parent's tables: orders, fills or points of its path."""
        parent = self.parents[row]
        first, count = {
            "orders": ("first_order", "orders"), "fills": ("first_fill", "fills"), "paths": ("first_point", "points"),
        }[name]  # fmt: skip
        begin = int(parent[first])
        return self._table(name)[begin : begin + int(parent[count])]

    def export(self, table: str, form: str) -> Path:
        """The file of the firm, or of the one team that is seen. NotFound when there is none."""
        if table not in ("parents", "orders", "fills") or form not in ("csv", "parquet"):
            raise NotFound("There is no such file.")
        directory = self.directory / "export"
        if self.teams is not None:
            directory = directory / (f"team-{next(iter(self.teams))}" if self.teams else "nobody")
        path = directory / f"{table}.{form}"
        if not path.is_file():
            raise NotFound("There is nothing of your team in this report.")
        return path
