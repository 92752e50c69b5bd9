"""`manage.py up` refuses in a clear sentence before it starts anything."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from desk.operations.state_lock import StateInUse, lock_state

PROJECT_ROOT = Path(__file__).resolve().parents[3]


def up(state: Path, port: int) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "manage.py", "up"],
        cwd=PROJECT_ROOT,
        env=os.environ | {"DESK_STATE": str(state), "PORT": str(port)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = up(tmp_path, port)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"CommandError: Port {port} on 127.0.0.1 is taken by another process. Choose another one, for example: "
        f"PORT={port + 1} make up\n"
    )
    assert not (tmp_path / "logs").exists()


def test_a_second_launcher_on_the_same_state_is_told_who_runs(tmp_path: Path) -> None:
    with lock_state(tmp_path, "http://localhost:8000"):
        done = up(tmp_path, 8000)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"CommandError: A desk already runs on {tmp_path} (process {os.getpid()}, http://localhost:8000). Stop it with "
        f"Ctrl-C in its terminal, or use another state directory and port: DESK_STATE=/path PORT=8001 make up\n"
    )


def test_the_state_is_free_again_when_its_launcher_has_ended(tmp_path: Path) -> None:
    with lock_state(tmp_path, "http://localhost:8000"), pytest.raises(StateInUse):
        lock_state(tmp_path, "http://localhost:8001")
    lock_state(tmp_path, "http://localhost:8001").close()
    assert (tmp_path / "lock").read_text() == f"process {os.getpid()}, http://localhost:8001\n"
