"""The benchmark measures what it says, at a size that a test can afford."""

import json

import pytest

from engine.__main__ import main


def test_bench_journal_reports_cost_and_sync_times_of_every_policy(
    capsys: pytest.CaptureFixture[str], tmp_path
) -> None:
    arguments = ["bench", "journal", "--rate", "20000", "--seconds", "0.1", "--disk", str(tmp_path), "--json"]
    assert main(arguments) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert report["policy"] == "interval"
    assert report["records_per_second"] > 0
    assert report["ns_per_record"] > 0
    assert report["sync_p99_ns"] > 0
    assert [row["policy"] for row in report["policies"]] == ["no copier", "none", "interval", "each"]
    assert [row["n"] for row in report["policies"]] == [2000] * 4
    assert list(tmp_path.iterdir()) == []
