"""Keeps the records of a FIX session short: what no restart can need any more is left out, before a process opens
them.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from engine.messages.codes import OrderAction, RecordKind
from engine.messages.journal import ORDER_REPORT, ORDER_REQUEST
from engine.venues.fix44_orders import Orders
from engine.venues.fix44_records import RECORD, RecordFile

COMPACT_ABOVE = 200_000  # records, 25 MB
KEPT_ANYWAY = (
    100_000  # the newest ones: far more than a venue ever sends again, so every resent execution is recognised
)


def compact(records: RecordFile, after: int) -> bool:
    """Leave out old records: not among the newest, not of an open order, and known to the engine (number up to
    `after`).

    True when the file was replaced: the caller reopens `records`.
    """
    if records.count <= COMPACT_ABOVE:
        return False
    orders = Orders()
    for record in records:
        orders.apply(record)
    still_open = np.array([0, *(order.order_id for order in orders.open())], "<u8")
    raw = np.fromfile(records.path, RECORD, records.count)
    kept = np.isin(_order_ids(raw), still_open)
    kept |= (raw["kind"] == RecordKind.ORDER_REPORT) & (raw["number"] > after)
    kept[-KEPT_ANYWAY:] = True
    _replace(records.path, raw[kept].tobytes())
    return True


def _order_ids(raw: np.ndarray) -> np.ndarray:
    """The order of ours that each record is about."""
    bodies = np.ascontiguousarray(raw["body"])
    reports, requests = bodies.view(ORDER_REPORT), bodies.view(ORDER_REQUEST)
    cancels = (requests["action"] == OrderAction.CANCEL) & (requests["target_order_id"] != 0)
    requested = np.where(cancels, requests["target_order_id"], requests["order_id"])
    return np.where(raw["kind"] == RecordKind.ORDER_REPORT, reports["order_id"], requested)


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.new")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
