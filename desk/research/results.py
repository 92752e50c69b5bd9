"""What a finished backtest left behind: its totals, its equity curve and its fills, read for the screen."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import islice
from pathlib import Path

from desk.markets.models import Instrument
from desk.research.models import Backtest

CHART_POINTS = 1500
SHOWN_FILLS = 500


@dataclass(frozen=True)
class FillRow:
    """One fill of a backtest; `side` is BUY or SELL."""

    time_ns: int
    instrument: str
    side: str
    quantity: int
    price: Decimal
    fee: Decimal
    order_id: str


def read_equity(backtest: Backtest) -> dict[str, list[float]]:
    """Columns `time` (s) and `net` (in the currency), thinned to CHART_POINTS; empty without an artefact."""
    rows = _rows(backtest, "equity.csv")
    step = max(1, len(rows) // CHART_POINTS)
    kept = rows[::-step][::-1] if rows else []
    return {
        "time": [int(row["time_ns"]) / 1_000_000_000 for row in kept],
        "net": [float(row["net"]) for row in kept],
    }


def read_fills(backtest: Backtest) -> list[FillRow]:
    """The first SHOWN_FILLS fills."""
    names = {str(pk): name for pk, name in Instrument.objects.values_list("pk", "name")}
    return [
        FillRow(
            int(row["time_ns"]),
            names.get(row["instrument"], row["instrument"]),
            row["side"].upper(),
            int(row["quantity"]),
            Decimal(row["price"]),
            Decimal(row["fee"]),
            row["order_id"],
        )
        for row in _rows(backtest, "fills.csv", SHOWN_FILLS)
    ]


def net_of(backtest: Backtest) -> Decimal | None:
    """The P&L of the totals, None before there are any."""
    try:
        return Decimal(str(backtest.totals["pnl"]))
    except (KeyError, InvalidOperation):
        return None


def largest_drawdown(net: list[float]) -> Decimal | None:
    """The deepest fall from a peak, None without points."""
    if not net:
        return None
    peak, worst = net[0], 0.0
    for value in net:
        peak = max(peak, value)
        worst = max(worst, peak - value)
    return Decimal(str(round(worst, 2)))


def _rows(backtest: Backtest, name: str, count: int | None = None) -> list[dict[str, str]]:
    path = Path(backtest.artefacts) / name if backtest.artefacts else None
    if path is None or not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(islice(csv.DictReader(file), count))
