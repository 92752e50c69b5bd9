"""Instruments from the engine's instruments file, and pairs from the study of the earlier session."""

import json
from pathlib import Path

from desk.markets.models import Instrument
from desk.markets.services import install_instruments, install_pairs, install_volumes
from engine.messages.instruments import read_instruments

PAIR_FIELDS = ("hedge_ratio", "centre", "spread_deviation", "half_life", "engle_granger_t")


def seed_instruments(path: Path) -> int:
    """Write every instrument of the file, changed ones too; return how many there are."""
    return install_instruments(read_instruments(path))


def seed_volumes(path: Path) -> int:
    """Write how many shares of each instrument were traded in an hour of the earlier session; return how many
    instruments that is. A session that was recorded without them has none."""
    if not path.exists():
        return 0
    session = json.loads(path.read_text())
    hours = session["seconds"] / 3_600
    return install_volumes({name: round(shares / hours) for name, shares in session["volumes"].items()})


def seed_pairs(path: Path, source: str) -> int:
    """Write the pairs of a study (`python -m engine study pairs --json`) under the name of its session."""
    ids = dict(Instrument.objects.values_list("name", "id"))
    return install_pairs(
        {"first": ids[row["first"]], "second": ids[row["second"]], "source": source}
        | {name: row[name] for name in PAIR_FIELDS}
        for row in json.loads(path.read_text())["pairs"]
    )
