"""Between receive and send compiled code takes no memory: numba's own count of allocations stands still."""

from __future__ import annotations

from typing import Any

import pytest

from engine.messages.codes import ReportKind
from engine.native import BACKEND
from tests.engine.loop_builder import ALPHA, BRAVO, OPEN_NS, PARAMETERS, SECOND_NS, Loop

pytestmark = pytest.mark.skipif(BACKEND != "native", reason="about compiled code")

MIDDLE = 1_000_000


@pytest.fixture
def allocations() -> Any:
    """Count of memory blocks that compiled code has taken, and a way to take one."""
    import numba
    import numpy as np
    from numba.core.runtime import _nrt_python, rtsys

    @numba.njit
    def take(count: int) -> Any:
        return np.empty(count)

    enabled = _nrt_python.memsys_stats_enabled()
    _nrt_python.memsys_enable_stats()
    yield lambda: rtsys.get_allocation_stats().alloc, take
    if not enabled:
        _nrt_python.memsys_disable_stats()


def busy(loop: Loop, rounds: int, start: int) -> None:
    """Packets whose spread swings, so that both legs trade; fills and denials among the answers."""
    for at in range(start, start + rounds):
        time_ns = OPEN_NS + at * SECOND_NS
        swing = 2_000 if at % 2 else -2_000
        loop.quote(ALPHA, MIDDLE + swing - 100, MIDDLE + swing + 100, time_ns)
        loop.quote(BRAVO, MIDDLE - 100, MIDDLE + 100, time_ns)
        for order in loop.memory.orders[loop.memory.orders["leaves"] > 0].tolist():
            loop.report(ReportKind.EXECUTED, order[0], min(40, order[5]), MIDDLE)
        loop.enter(quantity=1_000_000)
        loop.sent()
        loop.journal.take()
        loop.recording.forget(int(loop.core["position"]))


def test_no_memory_is_taken_from_packet_to_order_and_from_answer_to_position(allocations: Any) -> None:
    count, take = allocations
    loop = Loop()
    loop.wide_limits()
    assert loop.start_pairs(parameters=PARAMETERS).applied
    busy(loop, 4, 0)
    take(10)
    before = count()
    entered, denied = int(loop.core["orders_entered"]), int(loop.core["denials"])
    busy(loop, 300, 4)
    assert count() == before
    assert int(loop.core["orders_entered"]) > entered + 100
    assert int(loop.core["denials"]) >= denied + 300
    take(10)
    assert count() == before + 1
