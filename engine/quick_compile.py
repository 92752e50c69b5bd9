"""Compiling the hot path from nothing in fewer passes.

numba optimises and emits every function together with all that it calls, so the small ones at the bottom are optimised
once for each of the dozen levels above them. While `quick_compile` holds, a function that is compiled because another
one calls it gets the cheap passes only; the outermost one, which contains them all, gets everything, and it is what the
loop runs. Nothing listens to numba's timers meanwhile: with deep nesting their bookkeeping alone costs a tenth.
`docs/decisions/cold-compile.md` has the figures.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from engine.native import BACKEND

PROGRESS_S = 5.0


def say_compiled(count: int, seconds: float) -> None:
    """Progress for people."""
    print(f"  {count} functions ready, {seconds:.0f} s", file=sys.stderr, flush=True)


@contextmanager
def quick_compile(progress: Callable[[int, float], None] = say_compiled) -> Iterator[None]:
    """For a process that compiles in one thread; does nothing for interpreted hot code. `progress` hears every
    PROGRESS_S how many functions were compiled, or found in the cache, and in how many seconds."""
    if BACKEND != "native":
        yield
        return
    from numba.core import event
    from numba.core.codegen import CPUCodeLibrary
    from numba.core.dispatcher import Dispatcher

    depth = count = 0
    begun = told = time.monotonic()
    compile_function, optimise = Dispatcher.compile, CPUCodeLibrary._optimize_final_module  # noqa: SLF001

    def compile_counting(self: Any, signature: Any) -> Any:
        nonlocal depth, count, told
        depth += 1
        known = len(self.overloads)
        try:
            return compile_function(self, signature)
        finally:
            depth -= 1
            count += len(self.overloads) - known
            if (now := time.monotonic()) - told >= PROGRESS_S:
                told = now
                progress(count, now - begun)

    def optimise_by_depth(self: Any) -> None:
        if depth <= 1:
            optimise(self)
            return
        codegen = self._codegen
        passes, builder = codegen._module_pass_manager(  # noqa: SLF001
            loop_vectorize=False,
            slp_vectorize=False,
            opt=codegen._opt_level,  # noqa: SLF001
            cost="cheap",
        )
        passes.run(self._final_module, builder)

    with ExitStack() as restored:
        for owner, name, replacement in (
            (event, "broadcast", lambda _event: None),
            (Dispatcher, "compile", compile_counting),
            (CPUCodeLibrary, "_optimize_final_module", optimise_by_depth),
        ):
            restored.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, replacement)
        yield
