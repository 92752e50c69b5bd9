"""What the study assumes of venues and no file says: fees in 1/10,000 of the currency per share (negative: paid to us)
and the way of an order in milliseconds.

Fees are rounded from the kind of price list that US exchanges had in 2013 (maker-taker, and the inverted ones); ways
are of a desk in New Jersey. Both are assumptions, the same for every router; a file may replace them.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class VenueTerms:
    """Of one venue."""

    maker_fee: int
    taker_fee: int
    latency_ms: int


TERMS = {
    "A": VenueTerms(-16, 30, 2),  # NYSE MKT
    "B": VenueTerms(18, -10, 1),  # Nasdaq BX, inverted
    "C": VenueTerms(-20, 30, 2),  # NSX
    "J": VenueTerms(5, -2, 2),  # EDGA, inverted
    "K": VenueTerms(-20, 30, 2),  # EDGX
    "M": VenueTerms(-20, 30, 10),  # Chicago
    "N": VenueTerms(-15, 25, 2),  # NYSE
    "P": VenueTerms(-21, 30, 2),  # NYSE Arca
    "Q": VenueTerms(-20, 30, 1),  # Nasdaq
    "W": VenueTerms(18, -15, 10),  # CBSX, inverted
    "X": VenueTerms(-20, 30, 1),  # Nasdaq PSX
    "Y": VenueTerms(3, -5, 2),  # BYX, inverted
    "Z": VenueTerms(-20, 29, 2),  # BZX
}
OTHERWISE = VenueTerms(-20, 30, 2)
NAMES = ("maker_fee", "taker_fee", "latency_ms")


def read_terms(path: Path | None) -> dict[str, VenueTerms]:
    """The assumptions, with those of a TOML file (a table for each letter: maker_fee, taker_fee, latency_ms) instead
    of ours. ValueError when the file says something else."""
    terms = dict(TERMS)
    if path is None:
        return terms
    for letter, row in tomllib.loads(path.read_text()).items():
        if not isinstance(row, dict) or set(row) != set(NAMES) or not all(isinstance(row[name], int) for name in NAMES):
            raise ValueError(f"venue {letter!r} in {path.name} needs whole numbers {', '.join(NAMES)} and nothing else")
        if row["latency_ms"] < 0:
            raise ValueError(f"venue {letter!r} in {path.name} has a negative latency_ms")
        terms[letter] = VenueTerms(**row)
    return terms
