"""Parquet files: bytes that PyArrow 26.0.1 was seen to read as what was written, and PyArrow itself where it is."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.studies.tca.parquet import write_parquet

COLUMNS: dict[str, Any] = {
    "number": np.array([1, -2, 1 << 62, 0, 5]),
    "fraction": np.array([1.5, math.nan, -0.0, 3.25, 1e300]),
    "text": np.array(["x", "Überschuß", "", "BUY", 'a,"b']),
} | {f"column_{at}": np.arange(5) * at for at in range(20)}
READ_BY_PYARROW = "e621ae8136fe5bf2566f6e0d5ac3e1a2966173972b6d60a5bb409f72ab4c2a5d"


def test_the_bytes_are_those_that_another_reader_has_read(tmp_path: Path) -> None:
    write_parquet(tmp_path / "made.parquet", COLUMNS)
    assert hashlib.sha256((tmp_path / "made.parquet").read_bytes()).hexdigest() == READ_BY_PYARROW


def test_pyarrow_reads_what_was_written(tmp_path: Path) -> None:
    reader = pytest.importorskip("pyarrow.parquet", reason="PyArrow is not installed")
    write_parquet(tmp_path / "made.parquet", COLUMNS)
    read = reader.read_table(tmp_path / "made.parquet").to_pydict()
    assert math.isnan(read["fraction"].pop(1))
    assert read == {name: [v for v in np.asarray(values).tolist() if v == v] for name, values in COLUMNS.items()}


def test_a_table_without_rows_and_columns_of_unequal_length(tmp_path: Path) -> None:
    write_parquet(tmp_path / "empty.parquet", {"number": np.zeros(0, np.int64), "text": np.zeros(0, "U1")})
    assert (tmp_path / "empty.parquet").read_bytes()[:4] == b"PAR1"
    with pytest.raises(ValueError, match="the columns have"):
        write_parquet(tmp_path / "uneven.parquet", {"one": np.zeros(1), "two": np.zeros(2)})
