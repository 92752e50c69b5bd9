"""The memory of a FIX session: what was appended is there again after any death, and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.messages.codes import RecordKind
from engine.venues.fix44_records import NO_DIGEST, RECORD, RECORD_SIZE, Record, digest_of, open_records

BODY = bytes(range(96))


def test_the_record_is_128_bytes() -> None:
    assert RECORD.itemsize == RECORD_SIZE == 128
    assert {name: RECORD.fields[name][1] for name in RECORD.names or ()} == {
        "checksum": 0, "kind": 4, "reserved": 6, "number": 8, "digest": 16, "body": 32,
    }  # fmt: skip


def test_everything_is_there_again_in_order(tmp_path: Path) -> None:
    records = open_records(tmp_path)
    records.append_request(BODY, ring_created_ns=7, ring_sequence=3)
    records.append_report(1, BODY[::-1], digest_of("E1"))
    records.append_report(5, BODY)
    whole = list(records)
    records.close()
    again = open_records(tmp_path)
    assert (
        list(again)
        == whole
        == [
            Record(RecordKind.ORDER_REQUEST, 3, (7).to_bytes(16, "little"), BODY),
            Record(RecordKind.ORDER_REPORT, 1, digest_of("E1"), BODY[::-1]),
            Record(RecordKind.ORDER_REPORT, 5, NO_DIGEST, BODY),
        ]
    )
    assert (again.last_number, again.find_report(digest_of("E1")), again.find_report(digest_of("E2"))) == (
        5, whole[1], None,
    )  # fmt: skip
    with pytest.raises(ValueError, match="report 5 after 5"):
        again.append_report(5, BODY)
    again.close()


@pytest.mark.parametrize("cut", [1, 64, 127])
def test_a_torn_tail_is_cut_and_writing_goes_on(tmp_path: Path, cut: int) -> None:
    records = open_records(tmp_path)
    for number in (1, 2, 3):
        records.append_report(number, BODY)
    records.close()
    path = tmp_path / "records"
    path.write_bytes(path.read_bytes()[:-cut])
    again = open_records(tmp_path)
    assert [record.number for record in again] == [1, 2]
    again.append_report(3, BODY[::-1])
    again.close()
    last = open_records(tmp_path)
    assert [(record.number, record.body) for record in last] == [(1, BODY), (2, BODY), (3, BODY[::-1])]
    last.close()


def test_a_damaged_last_record_is_cut_and_one_before_others_stops_everything(tmp_path: Path) -> None:
    records = open_records(tmp_path)
    for number in (1, 2, 3):
        records.append_report(number, BODY)
    records.close()
    path = tmp_path / "records"
    raw = bytearray(path.read_bytes())
    raw[2 * RECORD_SIZE + 50] ^= 1
    path.write_bytes(raw)
    again = open_records(tmp_path)
    assert [record.number for record in again] == [1, 2]
    again.append_report(3, BODY)
    again.close()
    raw = bytearray(path.read_bytes())
    raw[50] ^= 1
    path.write_bytes(raw)
    with pytest.raises(ValueError, match="record 0 is damaged and others follow it"):
        open_records(tmp_path)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from engine.venues.fix44_records import open_records;"
        "r = open_records(Path(sys.argv[1])); print('open', flush=True); sys.stdin.read()"
    )
    root = Path(__file__).parents[3]
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"open\n"
    with pytest.raises(TimeoutError, match="another process runs the session"):
        open_records(tmp_path, wait_s=0.05)
    holder.kill()
    holder.communicate()
    open_records(tmp_path, wait_s=5).close()
