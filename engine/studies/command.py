"""`python -m engine study NAME ...`: which studies there are."""

from __future__ import annotations

import sys
from importlib import import_module

STUDIES = {
    "fix-acceptance": "engine.studies.fix_acceptance",
    "pairs": "engine.studies.pairs",
    "router": "engine.studies.router",
    "tca": "engine.studies.tca.door",
}


def main(arguments: list[str]) -> int:
    """Run one study."""
    if not arguments or arguments[0] not in STUDIES:
        print(f"usage: python -m engine study NAME ...\nstudies: {', '.join(sorted(STUDIES))}", file=sys.stderr)
        return 2
    return int(import_module(STUDIES[arguments[0]]).main(arguments[1:]))
