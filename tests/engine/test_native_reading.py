"""What is left out of numba's reading changes nothing: the same variables, the same options, and what hot code does not
use still compiles."""

from __future__ import annotations

import numpy as np
import pytest

from engine.native import BACKEND, hot

pytestmark = pytest.mark.skipif(BACKEND != "native", reason="nothing is compiled by the plain backend")


def sample(rows, scale):
    """Loops, branches, tuples, keywords, nested calls: every kind of statement."""
    total, best = 0.0, (0, 0.0)
    for index, row in enumerate(rows):
        if row > scale and index < 10:
            best = max(best, (index, float(row)), key=None)
        total += row * scale
        rows[index] = total
    del index
    return {"total": total, "best": [best, -total]}


def test_every_statement_has_the_variables_that_numba_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core import compiler, ir

    from engine import native_reading

    statements = [row for block in compiler.run_frontend(sample).blocks.values() for row in block.body]
    assert len(statements) > 40
    ours = [[variable.name for variable in row.list_vars()] for row in statements]
    monkeypatch.setattr(ir.Inst, "_rec_list_vars", native_reading._rec_list_vars)
    assert ours == [[variable.name for variable in row.list_vars()] for row in statements]


def test_options_are_what_was_set_over_the_defaults() -> None:
    from numba.core.compiler import Flags

    flags = Flags()
    flags.release_gil = True
    flags.error_model = "numpy"
    assert flags.values() == {name: getattr(flags, name) for name in Flags.options}
    assert flags == flags.copy() != Flags()


def test_a_function_that_makes_another_and_sums_of_arrays_still_compile() -> None:
    def closure(n):
        def twice(k):
            return 2 * k

        return twice(n) + 1

    def sums(left, right):
        return left + right

    assert hot(closure)(20) == 41
    assert hot(sums)(np.arange(3), np.arange(3) * 10).tolist() == [0, 11, 22]
    assert hot(sums)(1, 2.5) == 3.5
