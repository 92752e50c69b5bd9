"""Tests of the engine may be the first to need compiled code."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import quick_compile
from engine.native import BACKEND

COMPILING_SECONDS = 900


@pytest.fixture(scope="session", autouse=True)
def silent_compiler() -> Iterator[None]:
    """What a command of this process says of its compiling depends on who came before it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick_compile, "PROGRESS_S", math.inf)
        if BACKEND == "native":
            patch.setattr("engine.native_library.say_waiting", lambda: None)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A build's first call of the loop compiles it: half a minute, and many times that on a busy machine."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(COMPILING_SECONDS))
