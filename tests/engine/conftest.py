"""Tests of the engine may be the first to need compiled code."""

from __future__ import annotations

from pathlib import Path

import pytest

COMPILING_SECONDS = 900


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A build's first call of the loop compiles it: half a minute, and many times that on a busy machine."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(COMPILING_SECONDS))
