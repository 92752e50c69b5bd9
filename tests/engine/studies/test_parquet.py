"""Parquet files: what a reader finds is what was written, types included."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from engine.studies.tca.parquet import write_parquet

COLUMNS: dict[str, Any] = {
    "number": np.array([1, -2, 1 << 62, 0, 5]),
    "fraction": np.array([1.5, math.nan, -0.0, 3.25, 1e300]),
    "text": np.array(["x", "Überschuß", "", "BUY", 'a,"b']),
    "listed": ["a", "b", "c", "d", "e"],
}


def test_a_reader_finds_what_was_written(tmp_path: Path) -> None:
    write_parquet(tmp_path / "made.parquet", COLUMNS)
    read = parquet.read_table(tmp_path / "made.parquet")
    assert [str(kind) for kind in read.schema.types] == ["int64", "double", "string", "string"]
    found = read.to_pydict()
    assert math.isnan(found["fraction"].pop(1))
    assert found == {name: [v for v in np.asarray(values).tolist() if v == v] for name, values in COLUMNS.items()}


def test_a_table_without_rows_and_columns_of_unequal_length(tmp_path: Path) -> None:
    write_parquet(tmp_path / "empty.parquet", {"number": np.zeros(0, np.int64), "text": np.zeros(0, "U1")})
    assert parquet.read_table(tmp_path / "empty.parquet").num_rows == 0
    with pytest.raises(ValueError, match="length"):
        write_parquet(tmp_path / "uneven.parquet", {"one": np.zeros(1), "two": np.zeros(2)})
