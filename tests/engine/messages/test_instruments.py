"""Reference data: what is read, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.messages.instruments import Instrument, read_instruments, write_instruments


def test_fractions_have_their_decimals_and_shares_none(tmp_path: Path) -> None:
    path = tmp_path / "instruments.json"
    rows = [Instrument(1, "BTCUSDT", quantity_decimals=5), Instrument(2, "ETHUSDT", quantity_decimals=5)]
    write_instruments(path, rows)
    assert read_instruments(path) == rows
    write_instruments(path, [Instrument(3, "ABC")])
    assert read_instruments(path)[0].quantity_decimals == 0


@pytest.mark.parametrize(
    ("decimals", "reason"),
    [((5, 4), "the same quantity_decimals"), ((9, 9), "has 9 quantity decimals"), ((-1, -1), "has -1 quantity")],
)
def test_units_that_make_no_sense_are_refused(tmp_path: Path, decimals: tuple[int, int], reason: str) -> None:
    path = tmp_path / "instruments.json"
    write_instruments(path, [Instrument(n + 1, f"A{n}", quantity_decimals=d) for n, d in enumerate(decimals)])
    with pytest.raises(ValueError, match=reason):
        read_instruments(path)
