"""The code's own shape: small files and functions, tests that assert, nothing that nobody uses."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("tidy")  # every source is read and parsed once
PROJECT_ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("desk", "engine", "tests")
LONGEST_FILE = 500
LONGEST_FUNCTION = 70
LOADED_BY_NAME = (
    "/management/commands/",
    "/migrations/",
    "/apps.py",
    "/admin.py",
    "/tasks.py",
    "/models.py",
    "/urls.py",
)
ENTRIES = {"engine/__main__.py", "desk/operations/probe.py"}
CHECKS = re.compile(r"\bassert|raises\(|expect\(|\bcheck\w*\(|\bfail\(")


def sources() -> list[Path]:
    files = [file for package in PACKAGES for file in (PROJECT_ROOT / package).rglob("*.py")]
    return sorted(file for file in files if "/migrations/" not in str(file) and "node_modules" not in str(file))


def name_of(file: Path) -> str:
    return str(file.relative_to(PROJECT_ROOT))


SOURCES = {name_of(file): file.read_text() for file in sources()}


@cache
def functions_of(text: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_files_are_small() -> None:
    long = {name: text.count("\n") for name, text in SOURCES.items() if text.count("\n") > LONGEST_FILE}
    assert long == {}


def test_functions_are_small() -> None:
    long = {
        f"{name}:{function.lineno} {function.name}": length
        for name, text in SOURCES.items()
        for function in functions_of(text)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > LONGEST_FUNCTION
    }
    assert long == {}


def test_no_file_is_a_drawer_for_everything() -> None:
    assert [name for name in SOURCES if Path(name).stem in {"util", "utils", "helpers", "common", "misc"}] == []


def test_every_test_asserts() -> None:
    silent = [
        f"{name}:{function.lineno} {function.name}"
        for name, text in SOURCES.items()
        if Path(name).name.startswith("test_")
        for lines in [text.split("\n")]
        for function in functions_of(text)
        if function.name.startswith("test_")
        and not CHECKS.search("\n".join(lines[function.lineno - 1 : function.end_lineno]))
    ]
    assert silent == []


def test_every_module_is_used() -> None:
    everything = "\n".join(SOURCES.values()) + "".join(
        (PROJECT_ROOT / name).read_text() for name in ("Makefile", "pyproject.toml", "manage.py")
    )
    used = _used(everything)
    unused = [
        name
        for name in SOURCES
        if not name.startswith("tests/")
        and not name.endswith("__init__.py")
        and name not in ENTRIES
        and not any(part in f"/{name}" for part in LOADED_BY_NAME)
        and name.removesuffix(".py").replace("/", ".") not in used
    ]
    assert unused == []


def _used(everything: str) -> set[str]:
    """Modules that are imported from their package, or named in full, also as the beginning of something longer."""
    used: set[str] = set()
    for package, names in re.findall(r"from ([\w.]+) import (\([^)]*\)|[^\n(]*)", everything):
        used.update(f"{package}.{name}" for name in re.findall(r"\w+", names))
    for named in set(re.findall(r"\w+(?:\.\w+)+", everything)):
        parts = named.split(".")
        used.update(".".join(parts[:length]) for length in range(2, len(parts) + 1))
    return used


def test_nothing_is_left_for_later() -> None:
    words = re.compile(r"NotImplementedError|\bTO" r"DO\b|\bFIX" r"ME\b|\bXX" r"X\b|coming soon")
    left = [
        f"{name}: {line.strip()}" for name, text in SOURCES.items() for line in text.split("\n") if words.search(line)
    ]
    assert [line for line in left if not line.startswith("tests/test_tidy.py")] == []


def test_the_migrations_of_an_app_are_one_chain() -> None:
    """Two that were made at the same time from the same one: nothing migrates any more."""
    seen: dict[tuple[Path, str], str] = {}
    for path in sorted(PROJECT_ROOT.glob("desk/*/migrations/[0-9]*.py")):
        key = (path.parent, path.name[:4])
        assert key not in seen, f"{path} and {seen[key]}"
        seen[key] = path.name
    assert seen
