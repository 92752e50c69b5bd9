"""`python -m engine study tca PATH`: what the orders of a journal cost, and why."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from engine.journal.tails import JournalCorrupt
from engine.messages.costs import CostRow, write_costs
from engine.messages.tca import BY_FILL, BY_PARENT, COSTS, MONEY_SCALE, SUMS, TABLES, basis_points, zero_sums
from engine.quick_compile import quick_compile
from engine.studies.tca.costs import Report, analyse
from engine.studies.tca.export import columns_of, write_csv, write_exports
from engine.studies.tca.fit import fit_costs
from engine.studies.tca.groups import group, total
from engine.studies.tca.market import Series, Tape, series_of
from engine.studies.tca.names import Names, read_names
from engine.studies.tca.orders import Book
from engine.studies.tca.parquet import write_parquet
from engine.studies.tca.sources import Sources

DAY_NS = 86_400_000_000_000
GROUPINGS = (*BY_PARENT, *BY_FILL)


class Study:
    """The report of the logs at `path`: `report`, `series` by instrument, `book`, `names`, `costs`.

    `day`: only parents decided on this day (UTC, ns of its midnight), None all; `strategy`: only those of one.
    ValueError, FileNotFoundError and JournalCorrupt say what is wrong with the logs.
    """

    def __init__(self, path: Path, day: int | None = None, strategy: int | None = None) -> None:
        sources = Sources(path)
        start = sources.start()
        self.names: Names = read_names(sources)
        self.book = Book(sources)
        self.book.keep(day, None if day is None else day + DAY_NS, strategy)
        self.series: dict[int, Series] = {}
        wanted = sorted({parent.instrument for parent in self.book.parents})
        if wanted:
            tape = Tape(start.instruments, start.venue_count, wanted)
            tape.walk(sources.recording(), self.book.changes)
            self.series = {instrument: series_of(tape, instrument) for instrument in wanted}
        self.report: Report = analyse(self.book, self.series)
        self.costs: list[CostRow] = fit_costs(
            self.report, self.series, (order for parent in self.book.parents for order in parent.orders)
        )

    @property
    def from_ns(self) -> int:
        parents = self.report.parents
        return int(parents["decided_ns"].min()) if len(parents) else 0

    def document(self) -> dict[str, Any]:
        """report.json."""
        totals = zero_sums()
        teams = total(self.report)
        for row in teams:
            for name in SUMS:
                totals[name] += row[name]
        groups = group(self.report)
        labels = {name: {row["key"] for row in groups if row["grouping"] == name} for name in GROUPINGS}
        return {
            "from_ns": self.from_ns,
            "to_ns": self.book.last_ns,
            "totals": totals,
            "groups": teams + groups,
            "labels": {
                name: {str(key): self.names.label(name, key) for key in sorted(keys)} for name, keys in labels.items()
            },
            "costs": [asdict(row) for row in self.costs],
        }

    def write(self, out: Path) -> None:
        """Everything that engine.messages.tca names, in the directory `out`."""
        out.mkdir(parents=True, exist_ok=True)
        for name in TABLES:
            np.save(out / f"{name}.npy", getattr(self.report, name))
        write_costs(out / "costs.json", self.costs, self.from_ns, self.book.last_ns)
        write_exports(out / "export", self.report, self.names)
        (out / "report.json").write_text(json.dumps(self.document()) + "\n")


def main(arguments: list[str]) -> int:
    """The command. 1 when the logs cannot be read, with a sentence."""
    asked = _parser().parse_args(arguments)
    try:
        with quick_compile(lambda _count, _seconds: None):
            study = Study(asked.path, asked.day, asked.strategy)
        document = study.document()
        if asked.out:
            study.write(asked.out)
        for file, write, exact in ((asked.csv, write_csv, True), (asked.parquet, write_parquet, False)):
            if file:
                write(file, columns_of(getattr(study.report, asked.table), study.names, exact=exact))
        if asked.costs:
            write_costs(asked.costs, study.costs, study.from_ns, study.book.last_ns)
    except (OSError, ValueError, LookupError, JournalCorrupt) as problem:
        print(f"study tca: {problem}", file=sys.stderr)
        return 1
    if asked.json:
        print(json.dumps(document))
    else:
        _print(document, asked.by)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m engine study tca", description=__doc__)
    parser.add_argument("path", type=Path, help="a state directory, or that of a backtest with --recording")
    parser.add_argument("--day", type=_day, help="only what was decided on this day (UTC): 2026-01-31")
    parser.add_argument("--strategy", type=int, help="only orders of the strategy of this number; 0: by hand")
    parser.add_argument("--by", choices=GROUPINGS, default="venue", help="what to group by")
    parser.add_argument("--out", type=Path, help="write the whole report into this directory")
    parser.add_argument("--table", choices=("parents", "orders", "fills"), default="parents")
    parser.add_argument("--csv", type=Path, help="write the table to this file")
    parser.add_argument("--parquet", type=Path, help="the same as Parquet")
    parser.add_argument("--costs", type=Path, help="write the fitted costs to this file")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    return parser


def _day(text: str) -> int:
    return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def _print(document: dict[str, Any], grouping: str) -> None:
    totals, labels = document["totals"], document["labels"][grouping]
    print(f"{totals['parents']} parents, {totals['orders']} orders, {totals['fills']} fills", end="")
    print(f", {totals['unpriced']} without a market" if totals["unpriced"] else "")
    print(f"{grouping:24} {'filled':>10} {'shortfall':>12} {'bp':>8}  " + "".join(f"{name:>12}" for name in COSTS))
    merged: dict[int, dict[str, int]] = {}
    for row in document["groups"]:
        if row["grouping"] == grouping:
            sums = merged.setdefault(row["key"], zero_sums())
            for name in SUMS:
                sums[name] += row[name]
    for key, sums in sorted(merged.items()):
        _print_row(labels[str(key)], sums)
    _print_row("all", totals)


def _print_row(label: str, sums: dict[str, int]) -> None:
    points = basis_points(sums["shortfall"], sums["paper"])
    figures = "".join(f"{sums[name] / MONEY_SCALE:12.2f}" for name in COSTS)
    said = "" if points is None else f"{points:.2f}"
    print(f"{label:24} {sums['filled']:10} {sums['shortfall'] / MONEY_SCALE:12.2f} {said:>8}  {figures}")
