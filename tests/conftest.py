"""Fixtures for every test."""

import gc
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.running_desk import RunningDesk, new_desk

HERE = Path(__file__).resolve().parent
PROJECT_ROOT = HERE.parent
DEADLINE_SECONDS = 20.0

# A busy machine, or a first call that compiles, is no failure of what is tested.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

# The product's first start and tour take longest. pytest-django puts tests with a database before all others: the hot
# path, which they do not need, is compiled meanwhile.
TURNS = ("browser", "desk", "docker", "system", "engine")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long and waiting tests go first, and one worker runs a whole file: what a file shares is made once."""
    items.sort(key=lambda item: _turn(item.path))
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path.relative_to(HERE).with_suffix(""))))


def _turn(path: Path) -> int:
    folder = path.relative_to(HERE).parts[0]
    return TURNS.index(folder) if folder in TURNS else len(TURNS)


def pytest_collection_finish() -> None:
    """What was imported and collected stays: the collector need not look at it again and again."""
    gc.freeze()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Directory of recorded market data: $DESK_SHARED_DATA, or `shared/data` beside the checkout."""
    path = Path(os.environ.get("DESK_SHARED_DATA") or PROJECT_ROOT.parent / "shared" / "data")
    if not path.is_dir():
        pytest.skip("no recorded market data: set DESK_SHARED_DATA or put it in ../shared/data")
    return path


@pytest.fixture(scope="session")
def first_desk() -> Iterator[RunningDesk]:
    """A desk that was started for the first time. It takes a minute, so the tests of the group `launcher` share it: the
    tour, and then what stops it, starts it again and kills it."""
    made = new_desk()
    try:
        made.start()
        yield made
    finally:
        made.remove()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool], str], None]:
    """Wait until a condition holds, at most 20 s; the text says what was waited for."""

    def wait(condition: Callable[[], bool], what: str, seconds: float = DEADLINE_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
            time.sleep(0.02)

    return wait
