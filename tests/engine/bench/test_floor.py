"""The C program that the engine is measured beside: compiled where a compiler is, said not to be where none is."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from engine.bench.tick_to_order import COMPILERS, SOURCE, compile_floor


@pytest.mark.parametrize("named", ["no-such-compiler", "no-such-wrapper cc", "false"])
def test_a_compiler_that_is_not_there_or_fails_is_no_compiler(
    named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", named)
    assert compile_floor(tmp_path) is None


def test_without_any_compiler_there_is_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compile_floor(tmp_path) is None


@pytest.mark.skipif(not any(map(shutil.which, COMPILERS)), reason="no C compiler here")
def test_the_source_compiles_with_a_command_that_has_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiler = next(found for name in COMPILERS if (found := shutil.which(name)))
    monkeypatch.setenv("CC", f"{compiler} -Wall")
    program = compile_floor(tmp_path)
    assert program is not None
    assert os.access(program, os.X_OK)
    assert SOURCE.read_text().count("\n") < 300
