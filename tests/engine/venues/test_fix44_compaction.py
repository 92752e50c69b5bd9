"""Old records of a FIX session go; what a restart needs stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.messages.codes import OrderAction, RecordKind, ReportKind
from engine.messages.journal import ORDER_REPORT, ORDER_REQUEST
from engine.venues import fix44_compaction
from engine.venues.fix44_compaction import compact
from engine.venues.fix44_records import RecordFile, digest_of, open_records


def request(order_id: int, action: OrderAction = OrderAction.ENTER, target: int = 0) -> bytes:
    made = np.zeros((), ORDER_REQUEST)
    made["order_id"], made["action"], made["target_order_id"], made["quantity"] = order_id, action, target, 10
    return made.tobytes()


def report(order_id: int, kind: ReportKind) -> bytes:
    made = np.zeros((), ORDER_REPORT)
    made["order_id"], made["kind"] = order_id, kind
    return made.tobytes()


def about(records: RecordFile) -> list[tuple[str, int, int]]:
    made = []
    for record in records:
        layout = ORDER_REPORT if record.kind == RecordKind.ORDER_REPORT else ORDER_REQUEST
        name = "report" if layout is ORDER_REPORT else "request"
        made.append((name, record.number, int(np.frombuffer(record.body, layout)[0]["order_id"])))
    return made


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecordFile:
    monkeypatch.setattr(fix44_compaction, "COMPACT_ABOVE", 8)
    monkeypatch.setattr(fix44_compaction, "KEPT_ANYWAY", 2)
    made = open_records(tmp_path)
    for order_id in (1, 2, 3, 4):
        made.append_request(request(order_id), 7, order_id)
        kind = ReportKind.ACCEPTED if order_id == 2 else ReportKind.CANCELED
        made.append_report(order_id, report(order_id, kind), digest_of(f"E{order_id}"))
    made.append_request(request(2, OrderAction.CANCEL, 2))
    made.append_request(request(5))
    made.append_report(5, report(5, ReportKind.REJECTED))
    return made


def test_open_orders_the_newest_and_what_the_engine_has_not_taken_stay(records: RecordFile) -> None:
    assert compact(records, after=3)
    records.reopen()
    assert about(records) == [
        ("request", 2, 2),
        ("report", 2, 2),
        ("report", 4, 4),
        ("request", 0, 2),
        ("request", 0, 5),
        ("report", 5, 5),
    ]
    assert (records.last_number, records.find_report(digest_of("E1"))) == (5, None)
    assert records.find_report(digest_of("E4")) is not None
    records.append_report(6, report(2, ReportKind.CANCELED))
    records.close()


def test_a_short_file_is_left_alone(tmp_path: Path) -> None:
    made = open_records(tmp_path)
    made.append_request(request(1))
    assert not compact(made, after=0)
    made.close()
