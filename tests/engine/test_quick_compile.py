"""Hot functions become one library: pieces are no libraries of their own, whoever is called computes the same, and the
cache is ours."""

from __future__ import annotations

import fcntl
import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from engine.native import BACKEND, hot
from engine.quick_compile import quick_compile

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(BACKEND != "native", reason="nothing is compiled by the plain backend")


def test_timers_and_collector_are_as_they_were_afterwards() -> None:
    from numba.core import event

    before = event.broadcast
    with quick_compile():
        assert event.broadcast is not before
        assert not gc.isenabled()
    assert event.broadcast is before
    assert gc.isenabled()


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

    outer = hot(tetrahedron)
    with quick_compile():
        assert outer(10) == 220
    piece = next(iter(inner.overloads.values())).library
    whole = next(iter(outer.overloads.values())).library
    assert piece.deferred
    assert not whole.deferred
    assert inner(10) == 55
    assert not next(iter(inner.overloads.values())).library.deferred
    assert outer(4) == 20


def test_what_is_below_is_emitted_once_and_only_as_part_of_the_whole() -> None:
    def leaf(n):
        return n * 3

    lowest = hot(leaf)

    def left(n):
        return lowest(n) + 1

    def right(n):
        return lowest(n) + 2

    one, other = hot(left), hot(right)

    def top(n):
        return one(n) * other(n)

    outer = hot(top)
    assert outer(2) == 7 * 8
    defined = [function.name for function in next(iter(outer.overloads.values())).library.get_defined_functions()]
    assert [name for name in defined if "leaf" in name or "left" in name or "right" in name] == []
    assert [one(2), other(2), lowest(2)] == [7, 8, 6]


def test_a_known_number_and_a_narrow_field_are_integers_like_others() -> None:
    def double(n):
        return n * 2

    inner = hot(double)
    row = np.zeros(1, np.dtype([("narrow", "u1"), ("wide", "<i8"), ("real", "<f8")]))
    row[0] = (200, -5, 0.5)

    def several(rows):
        return inner(3) + inner(rows[0].narrow) + inner(rows[0].wide) + inner(rows[0].real)

    assert hot(several)(row) == 6 + 400 - 10 + 1.0
    assert sorted(str(arguments[0]) for arguments in inner.overloads) == ["float64", "int64"]


def test_a_callback_and_a_loaded_function_are_wholes_too(tmp_path: Path) -> None:
    source = (
        "from engine.hotpath.mark import middle_of\n"
        "from engine.hotpath.book_levels import level_address\n"
        "from engine.strategies import compiled_kind\n"
        "print(middle_of(100_000, 1, 100_100, 1), compiled_kind('pairs').entry != 0)\n"
    )
    environment = os.environ | {"ENGINE_CACHE_DIR": str(tmp_path)}
    for _ in range(2):
        ran = subprocess.run([sys.executable, "-c", source], cwd=ROOT, env=environment, check=True, capture_output=True)
        assert ran.stdout == b"100050 True\n"


def test_compiled_code_goes_to_the_cache_of_the_build_whoever_imported_numba_first(tmp_path: Path) -> None:
    source = "import numba\nfrom engine.hotpath.calibration import read_cycles\nread_cycles()\n"
    environment = os.environ | {"ENGINE_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", source], cwd=ROOT, env=environment, check=True)
    assert {file.suffix for file in tmp_path.rglob("calibration.read_cycles*")} == {".nbc", ".nbi", ".lock"}


def test_what_another_process_is_compiling_is_waited_for_and_not_compiled_again(tmp_path: Path) -> None:
    source = (
        "from engine.hotpath.calibration import read_cycles\nread_cycles()\n"
        "print(sum(read_cycles.stats.cache_hits.values()), sum(read_cycles.stats.cache_misses.values()))\n"
    )
    command, environment = [sys.executable, "-c", source], os.environ | {"ENGINE_CACHE_DIR": str(tmp_path)}
    first = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    (index,) = tmp_path.rglob("calibration.read_cycles*.nbi")
    index.rename(tmp_path / "not yet")
    with index.with_name(f"{index.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pipe = subprocess.PIPE
        with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True) as second:
            assert second.stderr is not None
            assert second.stderr.readline() == "another process is compiling this; waiting for it\n"
            (tmp_path / "not yet").rename(index)
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert (first.stdout, second.communicate()[0]) == (b"0 1\n", "1 0\n")


def test_threads_that_compile_at_once_get_wholes() -> None:
    def make(add):
        def leaf(n):
            return n + add

        lowest = hot(leaf)

        def caller(n):
            return lowest(n) * 2

        return hot(caller)

    callers = [make(number) for number in range(8)]
    with ThreadPoolExecutor(len(callers)) as threads:
        found = list(threads.map(lambda caller: caller(1), callers))
    assert found == [2 * (1 + number) for number in range(8)]
