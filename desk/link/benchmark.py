"""How many journal records a second become rows: a synthetic session into tables of their own, dropped afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from django.db import connection

from desk.link.models import ProjectionOffset
from desk.link.projector import PROJECTIONS, project
from engine.messages.codes import Liquidity, OrderAction, OrderState, RecordKind, ReportKind, Side, TimeInForce
from engine.messages.journal import JOURNAL_HEADER, ORDER_REPORT, ORDER_REQUEST, RECORD_SIZE

SCHEMA = "projector_benchmark"
RECORDS_PER_ORDER = 3  # entered, accepted, executed
BLOCK_RECORDS = 16_384
INSTRUMENTS = 50


def synthetic_session(orders: int) -> bytes:
    """Orders that are entered, accepted and filled, record by record."""
    count = orders * RECORDS_PER_ORDER
    number = np.arange(orders, dtype="i8") + 1
    rows = np.zeros(
        count, np.dtype([("header", JOURNAL_HEADER), ("body", f"V{RECORD_SIZE - JOURNAL_HEADER.itemsize}")])
    )
    header = rows["header"]
    header["length"], header["version"] = RECORD_SIZE, 1
    header["sequence"] = np.arange(count) + 1
    header["time_ns"] = 1_700_000_000_000_000_000 + np.arange(count) * 10_000
    header["kind"][0::3] = RecordKind.ORDER_REQUEST
    header["kind"][1::3] = header["kind"][2::3] = RecordKind.ORDER_REPORT
    side = np.where(number % 2, int(Side.BUY), int(Side.SELL))
    common = {"order_id": number, "strategy": 1 + number % 20, "instrument": 1 + number % INSTRUMENTS, "venue": 1}
    common |= {"side": side, "price": 1_000_000 + number % 100 * 100, "quantity": 100}
    requests = _bodies(
        ORDER_REQUEST, orders, common | {"team": 1, "action": OrderAction.ENTER, "time_in_force": TimeInForce.DAY}
    )
    accepted = _bodies(
        ORDER_REPORT, orders, common | {"kind": ReportKind.ACCEPTED, "state": OrderState.ACCEPTED, "leaves": 100}
    )
    filled = {"kind": ReportKind.EXECUTED, "state": OrderState.FILLED, "liquidity": Liquidity.ADDED}
    executed = _bodies(ORDER_REPORT, orders, common | filled | {"fee": 3_000, "match_number": number})
    for place, bodies in enumerate((requests, accepted, executed)):
        rows["body"][place::3] = bodies.view(rows["body"].dtype)
    return rows.tobytes()


def _bodies(layout: np.dtype, orders: int, fields: dict[str, object]) -> np.ndarray:
    rows = np.zeros(orders, layout)
    for name, value in fields.items():
        rows[name] = value
    return rows


def measure(orders: int) -> dict[str, float]:
    """Project a synthetic session; rows counts every row written (orders, their events, fills, positions)."""
    data = synthetic_session(orders)
    block = BLOCK_RECORDS * RECORD_SIZE
    with own_tables():
        started = time.perf_counter()
        records = sum(project(data[at : at + block]) for at in range(0, len(data), block))
        seconds = time.perf_counter() - started
        rows = sum(model.objects.count() for model in PROJECTIONS)
    return {
        "records": records,
        "rows": rows,
        "seconds": seconds,
        "records_per_second": records / seconds,
        "rows_per_second": rows / seconds,
    }


@contextmanager
def own_tables() -> Iterator[None]:
    """Empty copies of the projected tables, found before the real ones on this connection; the real ones stay as is."""
    tables = [model._meta.db_table for model in (*PROJECTIONS, ProjectionOffset)]  # noqa: SLF001  Django's documented name
    with connection.cursor() as cursor:
        cursor.execute(f"drop schema if exists {SCHEMA} cascade")
        cursor.execute(f"create schema {SCHEMA}")
        for table in tables:
            cursor.execute(f"create table {SCHEMA}.{table} (like public.{table} including all)")
        cursor.execute(f"set search_path to {SCHEMA}, public")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("set search_path to default")
            cursor.execute(f"drop schema {SCHEMA} cascade")
