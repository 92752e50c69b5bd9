"""A Parquet file of one table, for people who go on with it in other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def write_parquet(path: Path, columns: dict[str, Any]) -> None:
    """`columns`: name -> whole numbers, fractions (NaN: not known) or texts; ValueError unless all are equally many."""
    import pyarrow
    from pyarrow import parquet

    made = {}
    for name, values in columns.items():
        texts = getattr(values, "dtype", None) is not None and values.dtype.kind == "U"
        made[name] = pyarrow.array(values.astype(object), pyarrow.string()) if texts else pyarrow.array(values)
    parquet.write_table(pyarrow.table(made), path, compression="zstd")
