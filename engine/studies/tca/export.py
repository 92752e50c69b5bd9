"""The tables of a report as CSV (exact decimals) and Parquet (fractions): one row for each parent, order or fill."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from engine.messages.codes import Liquidity, OrderState, Side
from engine.messages.tca import ALGORITHM, COSTS, HORIZON_LABELS, MARKED, MARKOUTS, MONEY_SCALE
from engine.studies.tca.costs import Report
from engine.studies.tca.names import Names
from engine.studies.tca.parquet import write_parquet

Array = np.ndarray[Any, Any]
PLACES = Decimal("0.00001")
PRICES_2 = ("arrival_2", "end_2", "close_2", "sent_2", "middle_2")
MONEY = ("paper", "notional", *COSTS, "shortfall", "against_middle", "against_vwap", "against_close")
LEFT_OUT = (
    "first_order", "first_fill", "first_point", "points", "parent_row", "order_row", "interval_value", "vwap_notional",
    "close_notional", "kind", *MARKED,
)  # fmt: skip


def write_csv(path: Path, columns: dict[str, Any]) -> None:
    """A header and the rows."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def write_exports(directory: Path, report: Report, names: Names) -> None:
    """`directory`/parents.csv, orders.csv, fills.csv and their .parquet: the firm's, and in team-N those of a team."""
    _write(directory, report, names)
    for team in np.unique(report.parents["team"]).tolist():
        _write(directory / f"team-{team}", team_part(report, team), names)


def team_part(report: Report, team: int) -> Report:
    """The rows of one team."""
    own = report.parents["team"] == team
    orders = report.orders[own[report.orders["parent_row"]]]
    fills = report.fills[own[report.fills["parent_row"]]]
    return Report(report.parents[own], orders, fills, report.paths)


def _write(directory: Path, report: Report, names: Names) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("parents", "orders", "fills"):
        table = getattr(report, name)
        write_csv(directory / f"{name}.csv", columns_of(table, names, exact=True))
        write_parquet(directory / f"{name}.parquet", columns_of(table, names, exact=False))


def columns_of(table: Array, names: Names, *, exact: bool) -> dict[str, Any]:
    """Columns for people: names, decimals and words. `exact`: money as decimal text, else as fractions. Prices, money
    in the currency; what is not known is empty, or NaN."""
    columns: dict[str, Any] = {}
    for name in table.dtype.names or ():
        values = table[name]
        if name in LEFT_OUT:
            continue
        if name in PRICES_2:
            columns[name.removesuffix("_2")] = _money(values, exact, known=values > 0)
        elif name == "price" or name == "spread_width":
            columns[name] = _money(2 * values, exact)
        elif name in MONEY or name in MARKOUTS:
            known = table[MARKED[MARKOUTS.index(name)]] > 0 if name in MARKOUTS else None
            columns[_markout_name(name)] = _money(values, exact, known)
        else:
            columns[name] = _words(name, values, names)
    if "interval_value" in (table.dtype.names or ()):
        columns["vwap"] = _vwap(table, exact)
        columns["algorithm"] = _algorithms(table, names)
    return columns


def _markout_name(name: str) -> str:
    return "markout_" + HORIZON_LABELS[MARKOUTS.index(name)].replace(" ", "_") if name in MARKOUTS else name


def _money(values: Array, exact: bool, known: Array | None = None) -> Any:
    known = np.ones(len(values), bool) if known is None else known
    if not exact:
        return np.where(known, values / MONEY_SCALE, np.nan)
    pairs = zip(values.tolist(), known.tolist(), strict=True)
    return [str((Decimal(value) / MONEY_SCALE).quantize(PLACES)) if told else "" for value, told in pairs]


def _vwap(table: Array, exact: bool) -> Any:
    volume = table["interval_volume"]
    average = 2 * table["interval_value"] / np.maximum(volume, 1)
    return _money(np.rint(average).astype(np.int64), exact, known=volume > 0)


def _algorithms(table: Array, names: Names) -> Array:
    keys = table["kind"].astype(np.int64) + ALGORITHM * (table["parent_id"] > 0)
    return _texts([names.algorithm(key) for key in keys.tolist()])


def _words(name: str, values: Array, names: Names) -> Array:
    say = {
        "instrument": names.instrument,
        "venue": names.venue,
        "strategy": names.strategy,
        "side": lambda code: Side(code).name,
        "state": lambda code: OrderState(code).name,
        "liquidity": lambda code: Liquidity(code).name,
    }.get(name)
    return values if say is None else _texts([say(value) for value in values.tolist()])


def _texts(words: list[str]) -> Array:
    return np.array(words, dtype=np.str_) if words else np.zeros(0, "U1")
