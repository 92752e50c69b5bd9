"""Folders of sockets under /tmp: gone after a clean stop, and after a kill with the next start."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.messages.endpoints import engine_endpoints, socket_directory
from engine.messages.socket_folders import leave_socket_directory, make_socket_directory, take_away_stale


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A /tmp of the test's own, with a path that a socket's fits into."""
    with tempfile.TemporaryDirectory(prefix="sf-", dir="/tmp") as made:
        monkeypatch.setattr(tempfile, "tempdir", made)
        yield Path(made)


def deep(temporary: Path, name: str = "state") -> Path:
    return temporary / ("deep" * 20) / name


def bound(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.bind(str(path))
    made.listen()
    return made


def test_who_only_asks_makes_no_folder_and_who_listens_takes_it_away(temporary: Path) -> None:
    state = deep(temporary)
    address = engine_endpoints(state).control.removeprefix("ipc://")
    assert list(temporary.iterdir()) == []
    folder = make_socket_directory(state)
    assert (Path(address).parent, folder.stat().st_mode & 0o777) == (folder, 0o700)
    bound(Path(address)).close()
    leave_socket_directory(state)
    assert not folder.exists()
    leave_socket_directory(state)


def test_a_folder_of_the_state_directory_stays(temporary: Path) -> None:
    folder = make_socket_directory(temporary / "s")
    bound(folder / "control.ipc").close()
    leave_socket_directory(temporary / "s")
    assert list(folder.iterdir()) == []


def test_what_a_killed_process_left_is_taken_away_and_nothing_else(temporary: Path) -> None:
    folders = {name: make_socket_directory(deep(temporary, name)) for name in ("dead", "alive", "files", "empty")}
    for name in ("dead", "files"):
        bound(folders[name] / "control.ipc").close()
    (folders["files"] / "note").write_text("mine")
    other = temporary / "desk-elsewhere"
    other.mkdir()
    with bound(folders["alive"] / "control.ipc"):
        assert take_away_stale() == []  # too young: somebody may be about to listen
        assert sorted(take_away_stale(time.time() + 61)) == sorted([folders["dead"], folders["empty"]])
    assert sorted(path for path in temporary.iterdir() if path.name.startswith("desk-")) == sorted(
        [folders["alive"], folders["files"], other]
    )
    assert (folders["files"] / "note").read_text() == "mine"


def test_a_link_is_not_followed(temporary: Path) -> None:
    target = temporary / "target"
    target.mkdir()
    link = temporary / socket_directory(deep(temporary)).name
    link.symlink_to(target)
    assert (take_away_stale(time.time() + 61), target.exists(), link.is_symlink()) == ([], True, True)
