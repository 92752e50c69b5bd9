"""The latency log: rows are found again by sequence, across days and restarts; damage costs what is damaged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.control.latency_log import DAY_NS, LatencyLog
from engine.messages.latency import LATENCY_ROW

MIDNIGHT_NS = 20_000 * DAY_NS  # 2024-10-04


def rows(first: int, count: int, received_ns: int = MIDNIGHT_NS, step_ns: int = 1_000) -> np.ndarray:
    made = np.zeros(count, LATENCY_ROW)
    made["sequence"] = np.arange(first, first + 3 * count, 3)  # other records lie between
    made["order_id"] = made["sequence"] + 7
    made["received_ns"] = received_ns + np.arange(count) * step_ns
    made["sent_ns"] = 400
    return made


def files(log: LatencyLog) -> list[str]:
    return sorted(path.name for path in log.directory.iterdir())


def test_rows_come_back_after_a_sequence_at_most_as_many_as_asked(tmp_path: Path) -> None:
    log = LatencyLog(tmp_path, 0)
    written = rows(1, 10)
    log.append(written[:4])
    log.append(written[4:])
    assert log.sequence == 28
    assert (log.after(0, 100) == written).all()
    assert (log.after(4, 3) == written[2:5]).all()
    assert (log.after(5, 1) == written[2:3]).all()
    assert len(log.after(28, 100)) == 0


def test_each_day_has_its_file_and_reading_goes_across(tmp_path: Path) -> None:
    log = LatencyLog(tmp_path, 0)
    written = rows(1, 6, MIDNIGHT_NS - 3_000)
    log.append(written)
    assert files(log) == ["2024-10-03.latency", "2024-10-04.latency"]
    assert (log.after(0, 100) == written).all()
    assert (log.after(7, 2) == written[3:5]).all()
    assert (log.day(MIDNIGHT_NS + 5) == written[3:]).all()
    assert len(log.day(MIDNIGHT_NS + DAY_NS)) == 0


def test_a_torn_row_and_rows_that_the_journal_has_lost_are_dropped_at_the_start(tmp_path: Path) -> None:
    log = LatencyLog(tmp_path, 0)
    written = rows(1, 6, MIDNIGHT_NS - 3_000)
    log.append(written)
    with (log.directory / "2024-10-04.latency").open("ab") as file:
        file.write(b"torn")
    again = LatencyLog(tmp_path, 13)
    assert again.sequence == 13
    assert (again.after(0, 100) == written[:5]).all()
    earlier = LatencyLog(tmp_path, 4)
    assert earlier.sequence == 4
    assert (earlier.after(0, 100) == written[:2]).all()
    earlier.append(rows(5, 1))
    assert earlier.after(0, 100)["sequence"].tolist() == [1, 4, 5]


def test_a_day_that_was_removed_leaves_the_others(tmp_path: Path) -> None:
    log = LatencyLog(tmp_path, 0)
    log.append(rows(1, 6, MIDNIGHT_NS - 3_000))
    (log.directory / "2024-10-03.latency").unlink()
    assert log.after(0, 100)["sequence"].tolist() == [10, 13, 16]


def test_nothing_appended_is_nothing_written(tmp_path: Path) -> None:
    log = LatencyLog(tmp_path, 0)
    log.append(rows(1, 0))
    assert files(log) == []
    assert log.sequence == 0


def test_a_disk_that_refuses_is_an_error_of_the_call(tmp_path: Path) -> None:
    log = LatencyLog(tmp_path, 0)
    log.directory.rmdir()
    with pytest.raises(OSError, match="No such file"):
        log.append(rows(1, 1))
