"""The documents say what is there: links lead somewhere, commands and settings exist, and none is left out."""

import re
import subprocess
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest
from django.core.management import get_commands

from engine.__main__ import COMMANDS
from engine.bench.command import BENCHES
from engine.config import EngineConfig
from engine.simulator.config import ExchangeConfig, Replay, ScheduledOrder, VenueConfig
from engine.simulator.generator import Market
from engine.studies.command import STUDIES

PROJECT_ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
JOURNAL_ACTIONS = {"verify", "dump", "replay"}
VARIABLE = re.compile(r"""(?:environ|variables)(?:\.get\(|\[)"(\w+)"|_(?:flag|words)\(variables, "(\w+)"\)""")
ALSO_FOR_MAKE = {"DESK_STOP_WITH_PARENT"}
NOT_SET_BY_PEOPLE = {"PATH", "DJANGO_SETTINGS_MODULE", "NUMBA_CACHE_DIR", "PYTEST_XDIST_WORKER"}


@cache
def documents() -> dict[str, str]:
    """Every Markdown file of the repository, by its path."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    names = listed.stdout.split() or [
        str(path.relative_to(PROJECT_ROOT)) for path in [*PROJECT_ROOT.glob("*.md"), *PROJECT_ROOT.glob("docs/**/*.md")]
    ]
    return {name: (PROJECT_ROOT / name).read_text() for name in sorted(names) if (PROJECT_ROOT / name).exists()}


def mentioned(pattern: str) -> set[str]:
    """Words that the documents put after a command."""
    return {word for text in documents().values() for word in re.findall(pattern, text)}


def anchors_of(text: str) -> set[str]:
    """The anchors that a forge makes of headings."""
    headings = re.findall(r"^#+ +(.+?) *$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def first_cells(text: str) -> set[str]:
    """The words in backticks in the first column of the tables of a page."""
    rows = re.findall(r"^\|([^|]+)\|", text, re.MULTILINE)
    return {word for row in rows for word in re.findall(r"`\[*(\w+)\]*`", row)}


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]\w*):", (PROJECT_ROOT / "Makefile").read_text(), re.MULTILINE))


def test_every_link_leads_to_a_file_and_a_heading_that_are_there() -> None:
    broken = []
    for name, text in documents().items():
        for plain, image in LINK.findall(FENCE.sub("", text)):
            link = plain or image
            if link.startswith(("http://", "https://", "mailto:")):
                continue
            path, _, anchor = link.partition("#")
            target = (PROJECT_ROOT / name).parent / path if path else PROJECT_ROOT / name
            missing_anchor = anchor and target.suffix == ".md" and anchor not in anchors_of(target.read_text())
            if not target.exists() or missing_anchor:
                broken.append(f"{name}: {link}")
    assert broken == []


@pytest.mark.parametrize(("pattern", "known"), [
    (r"python -m engine (\w[\w-]*)", lambda: set(COMMANDS)),
    (r"python -m engine bench (\w[\w-]*)", lambda: {*BENCHES, "all"}),
    (r"python -m engine study (\w[\w-]*)", lambda: set(STUDIES)),
    (r"python -m engine journal (\w[\w-]*)", lambda: JOURNAL_ACTIONS),
    (r"manage\.py (\w[\w-]*)", lambda: set(get_commands())),
    (r"(?:^|`|=\S+ )make ([a-z]\w*)", make_targets),
])  # fmt: skip
def test_every_command_that_the_documents_name_exists(pattern: str, known: Callable[[], set[str]]) -> None:
    named = mentioned(f"(?m){pattern}")
    assert named, f"no document matches {pattern}"
    assert named - known() == set()


def test_every_command_is_documented() -> None:
    ours = {name for name, app in get_commands().items() if app.startswith("desk.")}
    doors = documents()["docs/doors.md"]
    wanted = [
        *(f"python -m engine {name}" for name in COMMANDS if name not in {"bench", "study", "journal"}),
        *(f"python -m engine bench {name}" for name in [*BENCHES, "all"]),
        *(f"python -m engine study {name}" for name in STUDIES),
        *(f"python -m engine journal {name}" for name in JOURNAL_ACTIONS),
        *(f"python manage.py {name}" for name in ours),
        *(f"make {name}" for name in make_targets()),
    ]
    assert [command for command in wanted if f"`{command}" not in doors] == []


def test_every_document_is_in_an_index() -> None:
    for index, folder in (("docs/README.md", "docs"), ("docs/decisions/README.md", "docs/decisions")):
        text = documents()[index]
        pages = [Path(name).name for name in documents() if str(Path(name).parent) == folder]
        assert [page for page in pages if page != "README.md" and f"({page})" not in text] == []


def test_every_setting_of_the_engine_is_documented() -> None:
    page = documents()["docs/configuration.md"]
    assert {field.name for field in fields(EngineConfig)} == first_cells(page[page.index("## The engine") :])


def test_every_setting_of_the_exchange_is_documented() -> None:
    page = documents()["docs/simulator.md"]
    settings = {
        field.name for kind in (ExchangeConfig, VenueConfig, Market, Replay, ScheduledOrder) for field in fields(kind)
    }
    configuration = page[page.index("## Configuration") : page.index("## How it trades")]
    assert settings == first_cells(configuration)


def test_every_variable_that_the_code_reads_is_documented() -> None:
    sources = "\n".join(
        path.read_text() for folder in ("desk", "engine") for path in (PROJECT_ROOT / folder).rglob("*.py")
    )
    read = {first or second for first, second in VARIABLE.findall(sources)} - NOT_SET_BY_PEOPLE - ALSO_FOR_MAKE
    page = documents()["docs/configuration.md"]
    table = page[page.index("## Environment") : page.index("## The engine")]
    assert read == first_cells(table)
    assert all(name in table for name in ALSO_FOR_MAKE)
