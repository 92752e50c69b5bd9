"""A FIX venue and an engine's end of a session with it, both gone after the test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from engine.messages.codes import SessionState
from engine.messages.endpoints import shared_memory_directory
from tests.engine.venues.fix44_engine import Engine
from tests.engine.venues.fix44_venue import VenueManager


@pytest.fixture(scope="package")
def venues() -> Iterator[VenueManager]:
    manager = VenueManager(ctx=get_context("spawn"))
    manager.start()
    yield manager
    manager.shutdown()


@pytest.fixture
def venue(tmp_path: Path, venues: VenueManager) -> Iterator[Any]:
    made = venues.Venue(tmp_path / "venue")  # type: ignore[attr-defined]  # registered by name
    yield made
    assert made.errors() == []


@pytest.fixture
def engine(tmp_path: Path, venue: Any) -> Iterator[Engine]:
    state = tmp_path / "state"
    state.mkdir()
    name, port = venue.address()
    made = Engine(state, port, name)
    made.wait_session(SessionState.UP)
    yield made
    made.kill()
    shutil.rmtree(shared_memory_directory(state))
