"""Takes settled latency stamps out of the loop's ring, as rows in nanoseconds. Never waits for the loop, and the loop
never for it: stamps that were overwritten before they were taken are counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.hotpath.memory import EngineMemory
from engine.messages.latency import LATENCY_ROW, NEVER

Rows = np.ndarray[Any, Any]


class StampReader:
    """Reads one engine's ring from where it stands now. `lost`: stamps that were overwritten unread."""

    def __init__(self, memory: EngineMemory) -> None:
        self._core, self._ring = memory.core, memory.stamps
        self._next = int(self._core["stamps_settled"][0])
        self.lost = 0

    def take(self) -> Rows:
        """What was settled since the last call, as LATENCY_ROW, in the journal's order."""
        capacity = len(self._ring)
        settled = int(self._core["stamps_settled"][0])
        first = max(self._next, settled - capacity)
        taken = self._ring[np.arange(first, settled) & (capacity - 1)]  # a copy
        # What the loop has begun meanwhile stands where the oldest of these were.
        intact = max(first, int(self._core["stamps_made"][0]) + 1 - capacity)
        taken = taken[min(intact - first, len(taken)) :]
        self.lost += settled - self._next - len(taken)
        self._next = settled
        return self._in_nanoseconds(taken)

    def _in_nanoseconds(self, taken: Rows) -> Rows:
        rows = np.zeros(len(taken), LATENCY_ROW)
        for name in ("sequence", "order_id", "received_ns", "venue", "action", "cause"):
            rows[name] = taken[name]
        speed = int(self._core["cycles_per_us"][0])
        for stamp in ("decided", "journaled", "sent"):
            rows[f"{stamp}_ns"] = np.maximum(taken[stamp] - taken["received"], 0) * 1000 // speed
        rows["sent_ns"][taken["sent"] == 0] = NEVER
        return rows
