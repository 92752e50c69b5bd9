"""Where the engine listens, derived from its state directory so that both sides agree without configuration."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import NamedTuple

LONGEST_SOCKET_PATH = 90  # sun_path holds 108 bytes


class Endpoints(NamedTuple):
    """ZeroMQ addresses."""

    control: str
    follow: str


def state_digest(state: Path) -> str:
    """Short name of a state directory."""
    return hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:10]


def socket_directory(state: Path) -> Path:
    """Directory of the engine's sockets; under /tmp when the state path is too long for a socket. Creates nothing: who
    listens makes it (`engine.messages.socket_folders`)."""
    directory = state.resolve() / "engine"
    if len(str(directory / "control.ipc")) > LONGEST_SOCKET_PATH:
        directory = Path(tempfile.gettempdir()) / f"desk-{os.getuid()}-{state_digest(state)}"
    return directory


def engine_endpoints(state: Path) -> Endpoints:
    """Control and follow endpoints of the engine that runs on `state`."""
    directory = socket_directory(state)
    return Endpoints(f"ipc://{directory}/control.ipc", f"ipc://{directory}/follow.ipc")


def shared_memory_path(state: Path) -> Path:
    """Where the journal's live segments and the rings are: memory that outlives a killed process. Creates nothing."""
    base = Path("/dev/shm")
    if not (base.is_dir() and os.access(base, os.W_OK)):
        base = state.resolve()
    return base / f"desk-{state_digest(state)}"


def shared_memory_directory(state: Path) -> Path:
    """The same, created if it was not there."""
    directory = shared_memory_path(state)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory
