"""`python -m engine study pairs FILE...`: cointegration of every pair in price tables, the strongest first."""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import asdict
from itertools import combinations
from pathlib import Path
from typing import Any

from engine.studies.cointegration import NotComparable, compare
from engine.studies.price_table import PriceTable, read_price_table

FORMATS = {"prices": read_price_table}
NUMBERS = ("hedge_ratio", "half_life", "engle_granger_t", "johansen_trace")


def study(table: PriceTable, lags: int | None = None) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Return (pairs, rejected): the pairs by rising Engle-Granger t, and those that cannot be compared, with why.

    A half-life that is infinite is null; `half_life_seconds` is there when the table's rows have times.
    """
    pairs: list[dict[str, Any]] = []
    rejected: list[dict[str, str]] = []
    for first, second in combinations(range(len(table.names)), 2):
        names = {"first": table.names[first], "second": table.names[second]}
        try:
            found = asdict(compare(table.prices[:, first], table.prices[:, second], lags))
        except NotComparable as reason:
            rejected.append(names | {"reason": str(reason)})
            continue
        if math.isinf(found["half_life"]):
            found["half_life"] = None
        if table.row_seconds is not None:
            rows = found["half_life"]
            found["half_life_seconds"] = None if rows is None else rows * table.row_seconds
        pairs.append(names | found)
    return sorted(pairs, key=lambda pair: pair["engle_granger_t"]), rejected


def main(arguments: list[str]) -> int:
    """Run the command; 1 when a file is not a price table."""
    parser = argparse.ArgumentParser(prog="python -m engine study pairs", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--format", choices=sorted(FORMATS), required=True)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="use every N-th row only")
    parser.add_argument("--lags", type=int, help="lagged differences of the unit root test; chosen by AIC when absent")
    parser.add_argument("--out", type=Path, help="write the JSON object to this file too")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    pairs: list[dict[str, Any]] = []
    rejected: list[dict[str, str]] = []
    for file in asked.files:
        try:
            table = FORMATS[asked.format](file).thinned(max(1, asked.every))
        except OSError as problem:
            print(f"study pairs: cannot read {file}: {problem.strerror}", file=sys.stderr)
            return 1
        except ValueError as problem:
            print(f"study pairs: {problem}", file=sys.stderr)
            return 1
        found, refused = study(table, asked.lags)
        pairs += [{"file": file.name} | pair for pair in found]
        rejected += [{"file": file.name} | pair for pair in refused]
    answer = json.dumps({"pairs": pairs, "rejected": rejected})
    if asked.out:
        asked.out.write_text(answer + "\n")
    print(answer if asked.json else _as_text(pairs, rejected))
    return 0


def _as_text(pairs: list[dict[str, Any]], rejected: list[dict[str, str]]) -> str:
    lines = [
        f"{'first':<16} {'second':<16} {'hedge_ratio':>12} {'half_life':>12} {'engle_granger_t':>16} johansen_trace"
    ]
    for pair in pairs:
        ratio, rows, statistic, trace = (pair[name] for name in NUMBERS)
        life = "none" if rows is None else f"{rows:.1f}"
        mark = " cointegrated" if pair["cointegrated"] else ""
        names = f"{pair['first']:<16} {pair['second']:<16}"
        lines.append(f"{names} {ratio:>12.4f} {life:>12} {statistic:>16.3f} {trace:>14.2f}{mark}")
    lines += [f"{pair['first']} {pair['second']}: {pair['reason']}" for pair in rejected]
    return "\n".join(lines)
