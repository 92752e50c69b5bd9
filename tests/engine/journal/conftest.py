"""A state directory whose shared memory is given back."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.messages.endpoints import shared_memory_path


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "state"
    yield directory
    shutil.rmtree(shared_memory_path(directory), ignore_errors=True)
