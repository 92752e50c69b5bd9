"""Stale compiled code can never run: the cache has the name of the sources, all of them, and they are looked at again
when everything is compiled."""

from __future__ import annotations

import ast
import importlib
import os
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import engine
from engine import build
from engine.native import BACKEND

ROOT = Path(__file__).parents[2]
NATIVE = pytest.mark.skipif(BACKEND != "native", reason="nothing is compiled by the plain backend")
INNER = "from engine.native import hot\n\n\n@hot\ndef inner(value):\n    return value + {}\n"
OUTER = """
from engine.hotpath.inner import inner
from engine.native import hot


@hot
def outer(value):
    return inner(value) * 10
"""
# Imported by hot modules, in no hot function.
NEVER_COMPILED = {
    "engine/quick_compile.py",
    "engine/guarded_memory.py",
    "engine/control/commands.py",
    "engine/control/configuration.py",
    "engine/control/warm_decisions.py",
    "engine/config.py",
}
RUN = "from engine.hotpath.outer import outer; print(outer(1))"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the engine with two hot functions more, one calling the other from another file."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "engine", tmp_path / "engine", ignore=ignored)
    (tmp_path / "engine/hotpath/inner.py").write_text(INNER.format(1))
    (tmp_path / "engine/hotpath/outer.py").write_text(OUTER)
    return tmp_path


def run(tree: Path, source: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"ENGINE_CACHE_DIR": str(tree / "cache"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-c", source], cwd=tree, env=environment, capture_output=True, text=True)


def caches(tree: Path) -> set[str]:
    return {path.name for path in (tree / "cache").iterdir()}


@NATIVE
def test_a_changed_callee_in_another_file_runs_at_once_from_a_cache_of_its_own(tree: Path) -> None:
    assert run(tree, RUN).stdout == "20\n"
    first = caches(tree)
    assert run(tree, RUN).stdout == "20\n"
    assert caches(tree) == first
    (tree / "engine/hotpath/inner.py").write_text(INNER.format(5))
    assert run(tree, RUN).stdout == "60\n"
    assert len(caches(tree)) == 2
    (tree / "engine/hotpath/inner.py").write_text(INNER.format(1))
    assert run(tree, RUN).stdout == "20\n"
    assert len(caches(tree)) == 2


@NATIVE
def test_without_the_name_of_the_sources_numba_runs_the_old_callee(tree: Path) -> None:
    """The fault that the name is for. When this fails, numba has learnt it, and the name may go."""
    kept = f"from engine import build; build.compiled_hash = lambda: 'one'; {RUN}"
    assert run(tree, kept).stdout == "20\n"
    (tree / "engine/hotpath/inner.py").write_text(INNER.format(5))
    assert run(tree, kept).stdout == "20\n"


@pytest.mark.parametrize("file", ["engine/hotpath/inner.py", "engine/native.py", "engine/messages/codes.py"])
def test_a_source_that_changes_while_the_engine_starts_is_found_at_the_end_of_compiling(tree: Path, file: str) -> None:
    source = f"""
from pathlib import Path
from engine.build import compiled_hash, require_unchanged
compiled_hash()
require_unchanged()
path = Path({file!r})
path.write_text(path.read_text() + "# changed")
try:
    require_unchanged()
except RuntimeError as error:
    print(error)
"""
    assert run(tree, source).stdout == "a source of the engine was changed while it was starting; start it again\n"


@NATIVE
def test_every_hot_function_is_in_a_source_that_names_the_cache() -> None:
    """Also of a package that somebody adds: hot code elsewhere would be cached under a name that does not change."""
    named = {str(path) for path in build._hot_sources()}
    outside = set()
    hot_modules = set()
    for found in pkgutil.walk_packages(engine.__path__, "engine."):
        if found.name.endswith("__main__"):
            continue
        for value in vars(importlib.import_module(found.name)).values():
            file = hot_source(value)
            if str(ROOT / "engine") in file:
                hot_modules.add(file)
                outside |= {file} - named
    assert outside == set()
    assert str(ROOT / "engine/hotpath/pipeline.py") in hot_modules
    imported = {file for hot in hot_modules for file in imported_by(Path(hot))}
    assert {str(file.relative_to(ROOT)) for file in imported if str(file) not in named} <= NEVER_COMPILED


def hot_source(value: object) -> str:
    """File of a compiled function, empty for anything else."""
    function = getattr(value, "py_func", None)
    code = getattr(function, "__code__", None)
    return str(code.co_filename) if code is not None else ""


def imported_by(file: Path) -> set[Path]:
    """Modules of the engine that a module imports: their constants are compiled in."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("engine"):
            base = ROOT / str(node.module).replace(".", "/")
            places = [base.with_suffix(".py"), base / "__init__.py", *(base / f"{name.name}.py" for name in node.names)]
            found |= {place for place in places if place.exists()}
    return found
