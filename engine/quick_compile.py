"""Progress while the hot path is compiled from nothing, and nothing else in the way."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.native import BACKEND

PROGRESS_S = 5.0


def say_compiled(count: int, seconds: float) -> None:
    """Progress for people."""
    print(f"  {count} functions ready, {seconds:.0f} s", file=sys.stderr, flush=True)


@contextmanager
def quick_compile(progress: Callable[[int, float], None] = say_compiled) -> Iterator[None]:
    """For a process that compiles in one thread; does nothing for interpreted hot code. `progress` hears every
    PROGRESS_S how many functions were compiled, or found in the cache, and in how many seconds. Meanwhile nothing
    listens to numba's own timers and nobody collects garbage: each costs about a tenth."""
    if BACKEND != "native":
        yield
        return
    from numba.core import event

    from engine.native_library import listen

    count = 0
    begun = told = time.monotonic()

    def hear() -> None:
        nonlocal count, told
        count += 1
        if (now := time.monotonic()) - told >= PROGRESS_S:
            told = now
            progress(count, now - begun)

    broadcast, event.broadcast = event.broadcast, lambda _event: None
    collected = gc.isenabled()
    gc.disable()
    deaf = listen(hear)
    try:
        yield
    finally:
        deaf()
        event.broadcast = broadcast
        if collected:
            gc.enable()
