"""What a backtest leaves behind: totals, equity curve and fills, money as decimals."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np

from engine.control.configuration import Configuration
from engine.hotpath.entries import middle_of
from engine.hotpath.memory import EngineMemory
from engine.messages.codes import Liquidity, RecordKind, ReportKind, Side
from engine.messages.prices import to_decimal
from engine.messages.records import TextRecord, bodies, runs

EQUITY_STEP_NS = 1_000_000_000
EQUITY_COLUMNS = ("time_ns", "realised", "unrealised", "fees", "net")
FILL_COLUMNS = (
    *("time_ns", "sequence", "order_id", "strategy", "instrument", "venue"),
    *("side", "price", "quantity", "fee", "liquidity"),
)


class Results:
    """Collects while the backtest runs."""

    def __init__(self, memory: EngineMemory, configuration: Configuration) -> None:
        self._memory, self._configuration = memory, configuration
        self._equity: list[tuple[int, int, int, int]] = []
        self._fills: list[tuple[Any, ...]] = []
        self._next_ns = 0

    def sample_if_due(self, time_ns: int) -> None:
        """One point of the equity curve each second of the session."""
        if time_ns >= self._next_ns:
            self.sample(time_ns)
            self._next_ns = time_ns + EQUITY_STEP_NS

    def sample(self, time_ns: int) -> None:
        """One point of the equity curve."""
        legs = self._memory.legs
        used = np.flatnonzero(legs["bought"] + legs["sold"])
        realised = unrealised = fees = 0
        for leg in legs[used]:
            cost, position = int(leg["cost"]), int(leg["position"])
            mark = self._mark(int(leg["listing"]), int(leg["instrument"]))
            realised += int(leg["cash"]) + cost
            unrealised += (position * mark - cost) if mark else 0
            fees += int(leg["fees"])
        self._equity.append((time_ns, realised, unrealised, fees))

    def _mark(self, listing: int, instrument: int) -> int:
        top = self._memory.book.tops[listing]
        mark = int(middle_of(top["bid"], top["bid_quantity"], top["ask"], top["ask_quantity"]))
        return mark or int(self._memory.marks[instrument])

    def add_fills(self, journal: bytes) -> None:
        """Keep the fills among new journal records."""
        for run in runs(journal):
            if isinstance(run, TextRecord):
                continue
            headers, reports = bodies(run, RecordKind.ORDER_REPORT)
            for header, row in zip(headers, reports, strict=True):
                if row["kind"] == ReportKind.EXECUTED and not row["duplicate"]:
                    self._fills.append(_fill(header, row))

    def totals(self) -> dict[str, Any]:
        """Orders, fills and P&L, after fees."""
        _, realised, unrealised, fees = self._equity[-1] if self._equity else (0, 0, 0, 0)
        return {
            "orders": int(self._memory.core["orders_entered"][0]),
            "denials": int(self._memory.core["denials"][0]),
            "fills": len(self._fills),
            "volume": int((self._memory.legs["bought"] + self._memory.legs["sold"]).sum()),
            "fees": str(to_decimal(fees)),
            "pnl": str(to_decimal(realised + unrealised - fees)),
        }

    def write(self, out: Path, totals: dict[str, Any]) -> None:
        """result.json, equity.csv and fills.csv."""
        (out / "result.json").write_text(json.dumps(totals, indent=1) + "\n")
        with (out / "equity.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(EQUITY_COLUMNS)
            for time_ns, realised, unrealised, fees in self._equity:
                money = (realised, unrealised, fees, realised + unrealised - fees)
                writer.writerow([time_ns, *(to_decimal(value) for value in money)])
        with (out / "fills.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(FILL_COLUMNS)
            writer.writerows(self._fills)


def _fill(header: Any, row: Any) -> tuple[Any, ...]:
    order = [int(row[name]) for name in ("order_id", "strategy", "instrument", "venue")]
    side, liquidity = Side(int(row["side"])).name, Liquidity(int(row["liquidity"])).name
    price, fee = to_decimal(int(row["price"])), to_decimal(int(row["fee"]))
    return (int(header["time_ns"]), int(header["sequence"]), *order, side, price, int(row["quantity"]), fee, liquidity)
