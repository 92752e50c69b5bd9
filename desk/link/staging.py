"""Record arrays into temporary tables by binary COPY: laid out as the wire wants them, without a loop over rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from django.db import connection

from engine.messages.codes import RecordKind
from engine.messages.journal import BODIES

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = (-1).to_bytes(2, "big", signed=True)
TABLES = {
    RecordKind.ORDER_REQUEST: "staged_request",
    RecordKind.DENIAL: "staged_denial",
    RecordKind.ORDER_REPORT: "staged_report",
    RecordKind.PARENT: "staged_parent",
    RecordKind.ROUTE: "staged_route",
}


def columns(kind: RecordKind) -> list[str]:
    """The staged columns of a record: its number and time, then every field of its body that is not reserved."""
    names = [name for name in BODIES[kind].names or () if not name.startswith(("reserved", "unused"))]
    return ["sequence", "time_ns", *names]


def create_tables() -> None:
    """The temporary tables of this connection; they empty themselves at the end of each transaction."""
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass('pg_temp.staged_report')")
        if cursor.fetchone() != (None,):
            return
        for kind, table in TABLES.items():
            body = BODIES[kind]
            typed = [f"{name} {_type(body, name)} not null" for name in columns(kind)]
            cursor.execute(f"create temporary table if not exists {table} ({', '.join(typed)}) on commit delete rows")


def empty_tables() -> None:
    """Between two groups of one transaction."""
    with connection.cursor() as cursor:
        for table in TABLES.values():
            cursor.execute(f"delete from {table}")


def stage(kind: RecordKind, headers: np.ndarray[Any, Any], bodies: np.ndarray[Any, Any]) -> None:
    """Copy the records of one kind into their temporary table."""
    if not len(headers):
        return
    names = columns(kind)
    layout: list[tuple[str, str]] = [("count", ">i2")]
    for name in names:
        layout += [(f"length_{name}", ">i4"), (name, ">f8" if _is_float(BODIES[kind], name) else ">i8")]
    rows = np.empty(len(headers), np.dtype(layout))
    rows["count"] = len(names)
    for name in names:
        rows[f"length_{name}"] = 8
        source = headers if name in ("sequence", "time_ns") else bodies
        rows[name] = source[name].astype("f8" if _is_float(BODIES[kind], name) else "i8")
    statement = f"copy {TABLES[kind]} ({', '.join(names)}) from stdin (format binary)"
    with connection.connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(SIGNATURE + rows.tobytes() + TRAILER)


def _is_float(body: np.dtype[Any], name: str) -> bool:
    return name in (body.names or ()) and body[name].kind == "f"


def _type(body: np.dtype[Any], name: str) -> str:
    return "double precision" if _is_float(body, name) else "bigint"
