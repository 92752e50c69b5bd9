"""Plugin of pytest: when everything is tested, a process of its own compiles the hot path meanwhile.

The first tests are of the desk and need none of it; one that comes too early waits for what is being compiled
(`engine.native_library`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT_ROOT = Path(__file__).resolve().parent.parent
compilers: list[subprocess.Popen[bytes]] = []


def pytest_configure(config: pytest.Config) -> None:
    if config.args == config.getini("testpaths") and "PYTEST_XDIST_WORKER" not in os.environ:
        command = [sys.executable, "-m", "engine", "compile"]
        quiet = subprocess.DEVNULL
        compilers.append(subprocess.Popen(command, cwd=PROJECT_ROOT, stdout=quiet, stderr=quiet))


def pytest_unconfigure() -> None:
    for compiler in compilers:
        compiler.terminate()
        compiler.wait()
    compilers.clear()
