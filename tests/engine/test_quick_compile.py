"""Compiling in fewer passes: what numba had is back afterwards, results are the same, and the cache is ours."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.native import BACKEND, hot
from engine.quick_compile import quick_compile

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(BACKEND != "native", reason="nothing is compiled by the plain backend")


def test_numba_is_as_it_was_afterwards() -> None:
    from numba.core import event
    from numba.core.codegen import CPUCodeLibrary
    from numba.core.dispatcher import Dispatcher

    def state() -> tuple[object, ...]:
        return event.broadcast, Dispatcher.compile, CPUCodeLibrary._optimize_final_module

    before = state()
    with quick_compile():
        assert all(one is not other for one, other in zip(state(), before, strict=True))
    assert state() == before


def test_nested_functions_compute_the_same() -> None:
    def triangle(n):
        total = 0
        for k in range(n + 1):
            total += k
        return total

    inner = hot(triangle)

    def tetrahedron(n):
        total = 0
        for k in range(n + 1):
            total += inner(k)
        return total

    with quick_compile():
        assert hot(tetrahedron)(10) == 220
    assert inner(10) == 55


def test_compiled_code_goes_to_the_cache_of_the_build_whoever_imported_numba_first(tmp_path: Path) -> None:
    source = "import numba\nfrom engine.hotpath.calibration import read_cycles\nread_cycles()\n"
    environment = os.environ | {"ENGINE_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", source], cwd=ROOT, env=environment, check=True)
    assert [file.suffix for file in sorted(tmp_path.rglob("calibration.read_cycles*"))] == [".nbc", ".nbi"]
