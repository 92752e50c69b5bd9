"""`python -m engine journal` as people and scripts use it."""

import json
import shutil
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.messages.codes import RecordKind
from engine.messages.endpoints import shared_memory_path
from tests.engine.journal.rig import append_order, append_packet, copied_to_disk, open_small


@pytest.fixture
def written(state: Path) -> Path:
    journal = open_small(state)
    append_packet(journal, b"\x01\x02", time_ns=5)
    append_order(journal, 1, time_ns=6)
    journal.append_text(RecordKind.COMMAND, 7, {"kind": "kill"})
    copied_to_disk(state)
    journal.close()
    return state


def last_line(capsys: pytest.CaptureFixture[str]) -> dict:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


WHOLE = {
    "records": 2,
    "packets": 1,
    "intact": True,
    "torn_tail_bytes": 0,
    "first_bad": None,
    "chain": {"sealed": 0, "intact": True, "fault": ""},
    "last_sequence": 2,
    "last_position": 1,
}


def test_a_dump_tells_no_password(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = open_small(state)
    settings = {"user": "DESK", "password": "hunter2", "client_secret": "hunter3", "firm": ""}
    journal.append_text(RecordKind.COMMAND, 7, {"kind": "define_venue", "body": {"settings": settings, "steps": [1]}})
    copied_to_disk(state)
    journal.close()
    assert main(["journal", "dump", str(state)]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    hidden = settings | {"password": "•••", "client_secret": "•••"}
    assert said["document"] == {"kind": "define_venue", "body": {"settings": hidden, "steps": [1]}}


def test_verify_says_that_a_journal_is_whole(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "verify", str(written), "--json"]) == 0
    assert last_line(capsys) == WHOLE


def test_verify_reads_a_copy_of_the_files(written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(written / "engine", tmp_path / "copy")
    assert main(["journal", "verify", str(tmp_path / "copy"), "--json"]) == 0
    assert last_line(capsys) == WHOLE


def test_verify_says_what_is_wrong_and_where(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(shared_memory_path(written))
    file = written / "engine" / "journal" / "000001.journal"
    damaged = bytearray(file.read_bytes())
    damaged[4096 + 50] ^= 1
    file.write_bytes(damaged)
    assert main(["journal", "verify", str(written), "--json"]) == 1
    reason = "the record after 0, at offset 4096, has a bad checksum and an intact record follows it"
    bad = {"file": "000001.journal", "offset": 4096, "after": 0, "reason": reason}
    assert last_line(capsys) == {**WHOLE, "records": 0, "intact": False, "first_bad": bad, "last_sequence": 0}


def test_verify_counts_a_torn_tail(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(shared_memory_path(written))
    file = written / "engine" / "journal" / "000001.journal"
    file.write_bytes(file.read_bytes()[:-28])
    assert main(["journal", "verify", str(written), "--json"]) == 0
    assert last_line(capsys) == {**WHOLE, "records": 1, "torn_tail_bytes": 100, "last_sequence": 1}


def test_dump_prints_both_logs_in_order_with_names(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "dump", str(written), "--log", "both", "--json"]) == 0
    packet, order, command, summary = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert packet == {"log": "recording", "position": 1, "time_ns": 5, "venue": 1, "line": 0, "payload": "0102"}
    assert {name: order[name] for name in ("log", "sequence", "time_ns", "record", "position", "order_id", "side")} == {
        "log": "journal",
        "sequence": 1,
        "time_ns": 6,
        "record": "ORDER_REQUEST",
        "position": 1,
        "order_id": 1,
        "side": "BUY",
    }
    assert command == {
        "log": "journal",
        "sequence": 2,
        "time_ns": 7,
        "record": "COMMAND",
        "position": 1,
        "document": {"kind": "kill"},
    }
    assert summary == {"records": 3}


def test_dump_begins_and_ends_where_it_is_told(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "dump", str(written), "--after", "1", "--count", "1"]) == 0
    assert [json.loads(line)["sequence"] for line in capsys.readouterr().out.splitlines()] == [2]


def test_a_path_without_a_journal_is_a_clear_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["journal", "verify", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"journal: {tmp_path} has no engine/journal and no journal directory\n"
    assert not shared_memory_path(tmp_path).exists()
