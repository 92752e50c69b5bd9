"""The loop's one clock."""

from __future__ import annotations

from engine.hotpath.tables import ENGINE
from engine.native import clock_gettime, hot, view

REALTIME = 0


@hot
def read_clock(engine):
    """Time of what is being processed: read once per packet, recorded, and the only clock that decisions see."""
    core = view(engine, 1, ENGINE)[0]
    core.clock_ns = clock_gettime(REALTIME, core.timespec)
