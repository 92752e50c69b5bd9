"""Reference data: what can be traded. One JSON file, read by the exchange, the engine and the seed of the desk."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Instrument:
    """`id` is also the ITCH stock locate; prices in 1/10,000 of `currency`. Quantities are integers in units of
    10^-`quantity_decimals` of the instrument: whole shares, or fractions where those are traded."""

    id: int
    name: str
    tick_size: int = 100
    lot_size: int = 1
    multiplier: int = 1
    currency: str = "USD"
    open_price: int = 0
    quantity_decimals: int = 0


def read_instruments(path: Path) -> list[Instrument]:
    """Instruments by rising id. ValueError names what is wrong with the file."""
    try:
        rows = [Instrument(**row) for row in json.loads(path.read_text())]
    except (json.JSONDecodeError, TypeError) as error:
        raise ValueError(f"{path} is not an instruments file: {error}") from None
    for row in rows:
        if not (1 <= row.id < 65536 and 1 <= len(row.name) <= 8 and row.tick_size > 0 and row.lot_size > 0):
            raise ValueError(f"{path}: instrument {row.name!r} (id {row.id}) is out of bounds")
        if not 0 <= row.quantity_decimals <= 8:
            raise ValueError(
                f"{path}: instrument {row.name!r} has {row.quantity_decimals} quantity decimals, not 0 to 8"
            )
    if len({row.quantity_decimals for row in rows}) > 1:
        raise ValueError(
            f"{path}: instruments of one engine have the same quantity_decimals, or their money does not add up"
        )
    if len({row.id for row in rows}) != len(rows) or len({row.name for row in rows}) != len(rows):
        raise ValueError(f"{path}: an id or a name appears twice")
    return sorted(rows, key=lambda row: row.id)


def write_instruments(path: Path, instruments: list[Instrument]) -> None:
    """Write them as `read_instruments` reads them."""
    path.write_text(json.dumps([asdict(row) for row in instruments], indent=1) + "\n")
