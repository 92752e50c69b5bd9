"""`python -m engine bench NAME ...`: one module per benchmark, imported only when asked for. `all` prints a table."""

from __future__ import annotations

import sys
from importlib import import_module

# name: module whose main takes the remaining arguments and returns the exit status
BENCHES = {
    "all": "engine.bench.table",
    "backtest": "engine.bench.backtest",
    "book": "engine.bench.book",
    "fix": "engine.bench.fix",
    "journal": "engine.bench.journal",
    "pipeline": "engine.bench.pipeline",
    "ready": "engine.bench.ready",
    "tick-to-order": "engine.bench.tick_to_order",
}


def main(arguments: list[str]) -> int:
    """Run one benchmark, or all of them. Status 2 when it is asked for wrongly."""
    name, *rest = arguments or [""]
    if name not in BENCHES:
        print(f"usage: python -m engine bench NAME ...\nbenchmarks: {', '.join(BENCHES)}", file=sys.stderr)
        return 2
    return _run(name, rest)


def _run(name: str, arguments: list[str]) -> int:
    print(f"bench {name}", file=sys.stderr)
    return int(import_module(BENCHES[name]).main(arguments) or 0)
