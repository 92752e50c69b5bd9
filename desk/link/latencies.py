"""Latency rows of the engine, kept for the timeline of an order. They are no projection of the journal: they come from
the engine's latency log, by journal sequence, and what is there already stays as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db.models import Max

from desk.blotter.models import OrderLatency
from engine.messages.latency import NEVER

COLUMNS = ("sequence", "order_id", "received_ns", "decided_ns", "journaled_ns", "sent_ns", "action", "cause")
AT_ONCE = 2_000


def newest_latency() -> int:
    """Journal sequence of the newest request whose latency is kept, 0 before the first."""
    return int(OrderLatency.objects.aggregate(newest=Max("sequence"))["newest"] or 0)


def keep_latency(rows: np.ndarray[Any, Any]) -> None:
    """Keep rows of LATENCY_ROW."""
    made = [OrderLatency(**dict(zip(COLUMNS, row, strict=True))) for row in rows[list(COLUMNS)].tolist()]
    for latency in made:
        if latency.sent_ns == NEVER:
            latency.sent_ns = None
    OrderLatency.objects.bulk_create(made, batch_size=AT_ONCE, ignore_conflicts=True)
