"""The exchange's own log: a JSON line for everything it accepted, filled, canceled and rejected. It judges recovery."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from engine.messages.codes import Liquidity, ReportKind, Side
from engine.simulator.layout import CancelReason, Refusal


class Oracle:
    """Appends lines; `flush` hands them to the kernel, so that they outlive this and every other process."""

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("a", encoding="utf-8", buffering=1 << 20) if path else None
        self._waiting = False

    def write(self, venue: str, user: str, instrument: str, result: np.void, fee: int, sequence: int) -> None:
        """Log one result; `sequence` is the SoupBinTCP sequence number of the message that tells the client, or 0."""
        if self._file is None:
            return
        kind = ReportKind(int(result["kind"]))
        line: dict[str, Any] = {
            "time_ns": int(result["time_ns"]),
            "venue": venue,
            "user": user,
            "kind": kind.name.lower(),
            "user_reference": int(result["user_reference"]),
            "instrument": instrument,
            "side": Side(int(result["side"])).name.lower() if result["side"] in (1, 2) else int(result["side"]),
            "price": int(result["price"]),
            "quantity": int(result["quantity"]),
            "leaves": int(result["leaves"]),
            "reference": int(result["reference"]),
            "sequence": sequence,
        }
        if kind is ReportKind.REPLACED:
            line["previous_reference"] = int(result["previous_reference"])
        if kind is ReportKind.EXECUTED:
            line["match_number"] = int(result["match_number"])
            line["liquidity"] = Liquidity(int(result["liquidity"])).name.lower()
            line["fee"] = fee
        if kind is ReportKind.CANCELED:
            line["reason"] = CancelReason(int(result["reason"])).name.lower()
        if kind is ReportKind.REJECTED:
            line["reason"] = Refusal(int(result["reason"])).name.lower()
        self._file.write(json.dumps(line) + "\n")
        self._waiting = True

    def flush(self) -> None:
        """Hand waiting lines to the kernel."""
        if self._waiting and self._file is not None:
            self._file.flush()
            self._waiting = False
