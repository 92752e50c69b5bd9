"""Folders of Unix sockets: made by who listens, taken away when it stops, and by the next one when it was killed.

Those of a state directory whose path is too long for a socket are in /tmp, named `desk-USER-DIGEST`, where nobody would
find what a killed process left.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import tempfile
import time
from pathlib import Path

from engine.messages.endpoints import socket_directory

NAMES = ("control.ipc", "follow.ipc")
SETTLED_S = 60.0  # a folder younger than this may be somebody's who is about to listen


def make_socket_directory(state: Path) -> Path:
    """The engine's, private to the user."""
    directory = socket_directory(state)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory


def leave_socket_directory(state: Path) -> None:
    """At a clean stop: the engine's sockets go, and the folder if it was made for them."""
    directory = socket_directory(state)
    for name in NAMES:
        (directory / name).unlink(missing_ok=True)
    forget_folder(directory)


def forget_folder(directory: Path) -> None:
    """Take away a folder of sockets under /tmp in which nothing is left; any other stays."""
    if directory.parent == Path(tempfile.gettempdir()) and directory.name.startswith(_prefix()):
        with contextlib.suppress(OSError):
            directory.rmdir()


def take_away_stale(now_s: float | None = None) -> list[Path]:
    """Take away folders of this user under /tmp with nothing in them but sockets that nobody listens on. Which."""
    taken = []
    before = (time.time() if now_s is None else now_s) - SETTLED_S
    for directory in sorted(Path(tempfile.gettempdir()).glob(f"{_prefix()}*")):
        with contextlib.suppress(OSError):
            found = directory.lstat()
            mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
            if mine and found.st_mtime < before and all(map(_is_dead, directory.iterdir())):
                for path in directory.iterdir():
                    path.unlink()
                directory.rmdir()
                taken.append(directory)
    return taken


def _prefix() -> str:
    return f"desk-{os.getuid()}-"


def _is_dead(path: Path) -> bool:
    if not stat.S_ISSOCK(path.lstat().st_mode):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        return probe.connect_ex(str(path)) == errno.ECONNREFUSED
