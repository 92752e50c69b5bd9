"""`bench ready`: from the start of a process until everything hot can run, with an empty cache and with a full one.

Each time is the wall clock of `python -m engine compile` as a process of its own: interpreter, imports, and compiling
or reading from the cache. The cache is a fresh directory, filled by the first of them.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def ready(cache: Path) -> float:
    """Seconds of one start. RuntimeError when it failed."""
    started = time.monotonic()
    command = [sys.executable, "-m", "engine", "compile"]
    ran = subprocess.run(command, env=os.environ | {"ENGINE_CACHE_DIR": str(cache)}, stdout=subprocess.DEVNULL)
    if ran.returncode:
        raise RuntimeError(f"engine compile ended with status {ran.returncode}")
    return round(time.monotonic() - started, 2)


def measure(rounds: int) -> dict[str, Any]:
    """One cold start, then warm ones."""
    with tempfile.TemporaryDirectory(prefix="bench-ready-") as directory:
        cache = Path(directory)
        cold = ready(cache)
        functions = sum(1 for _ in cache.rglob("*.nbi"))
        warm = [ready(cache) for _ in range(rounds)]
        again = sum(1 for _ in cache.rglob("*.nbi"))
    found = {"cold_seconds": cold, "warm_seconds": statistics.median(warm), "warm_rounds": warm}
    return found | {"functions": functions, "compiled_again": again - functions}


def main(arguments: list[str]) -> int:
    """The command. 1 when a start failed, or a warm one compiled something."""
    parser = argparse.ArgumentParser(
        prog="python -m engine bench ready", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, help="starts from the full cache")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("rounds is above 0")
    try:
        found = measure(options.rounds)
    except RuntimeError as wrong:
        print(f"engine bench ready: {wrong}", file=sys.stderr)
        return 1
    print(f"cold {found['cold_seconds']} s, {found['functions']} functions; warm {found['warm_seconds']} s")
    if options.json:
        print(json.dumps(found))
    return 1 if found["compiled_again"] else 0
