"""`python -m engine compile`: the hot path into the cache, ahead of whoever needs it."""

from __future__ import annotations

import argparse
import json
import sys
import time

from engine.build import cache_directory, compiled_hash, require_unchanged
from engine.control.warm_up import warm_up
from engine.quick_compile import quick_compile


def main(arguments: list[str]) -> int:
    """The command. 1 when a source was changed meanwhile."""
    parser = argparse.ArgumentParser(prog="python -m engine compile", description=__doc__)
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args(arguments)
    print("compiling the hot path (half a minute the first time)", file=sys.stderr, flush=True)
    started = time.monotonic()
    with quick_compile():
        warm_up()
    try:
        require_unchanged()
    except RuntimeError as changed:
        print(f"engine compile: {changed}", file=sys.stderr)
        return 1
    seconds = round(time.monotonic() - started, 1)
    if options.json:
        print(json.dumps({"seconds": seconds, "hash": compiled_hash(), "cache": str(cache_directory())}))
    else:
        print(f"the hot path {compiled_hash()} is compiled and cached ({seconds} s)")
    return 0
