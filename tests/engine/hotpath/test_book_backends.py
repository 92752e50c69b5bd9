"""The same source, compiled and interpreted."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.conftest import PROJECT_ROOT
from tests.engine.hotpath.book_scenario import scenario


def test_the_plain_backend_says_the_same_as_the_compiled_one() -> None:
    environment = os.environ | {"ENGINE_BACKEND": "plain"}
    command = [sys.executable, "-m", "tests.engine.hotpath.book_scenario"]
    plain = subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert plain.stderr == ""
    lines = scenario(7, 1500)
    assert plain.stdout.splitlines() == lines
    assert len(lines) == 1504
    assert int(lines[1499].split()[4]) > 3
