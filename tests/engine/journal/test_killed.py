"""kill -9 at a random instant loses nothing that was committed, and the next start goes on from there."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from engine.journal.places import places_of
from engine.journal.reader import LogReader, merged
from engine.journal.status import CopierStatus
from engine.journal.verify import verify_logs
from engine.messages.codes import RecordKind
from engine.messages.journal import ORDER_REQUEST
from engine.messages.records import BodyRecord, bodies, runs
from tests.engine.journal.rig import append_order, copied_to_disk, open_small

KILLS = 8
ROOT = Path(__file__).resolve().parents[3]


def write_and_kill(state: Path, progress: Path, seconds: float) -> int:
    """Start the writer, kill it `seconds` after its first record of this life. The last sequence it had committed."""
    before = int(np.fromfile(progress, np.int64)[0])
    command = [sys.executable, "-m", "tests.engine.journal.killed", str(state), str(progress)]
    process = subprocess.Popen(command, cwd=ROOT)
    deadline = time.monotonic() + 60
    while int(np.fromfile(progress, np.int64)[0]) == before:
        assert process.poll() is None, "the writer ended by itself"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    return int(np.fromfile(progress, np.int64)[0])


@pytest.mark.timeout(120)
def test_kill_at_random_instants_loses_nothing_and_restarts_continue(state: Path, tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    np.zeros(1, np.int64).tofile(progress)
    instants = random.Random(4)
    places = places_of(state)
    for _ in range(KILLS):
        committed = write_and_kill(state, progress, instants.uniform(0.0, 0.15))
        reader = LogReader(places.journal)
        expected_next = 1
        while (span := reader.next_span()) is not None:
            for run in runs(span.data):
                assert isinstance(run, np.ndarray)
                headers, orders = bodies(run, RecordKind.ORDER_REQUEST)
                assert headers["sequence"].tolist() == list(range(expected_next, expected_next + len(run)))
                assert (orders["order_id"] == 3 * orders["position"]).all()
                assert (orders["price"] == 5 * orders["position"]).all()
                expected_next += len(run)
        assert committed <= reader.sequence <= committed + 1  # at most the one being answered when the kill came
        assert LogReader(places.recording).last_sequence() >= reader.sequence
    journal = open_small(state)
    assert append_order(journal, 1) == journal.journal.sequence
    copied_to_disk(state)
    journal.close()
    report = verify_logs(places)
    assert report["intact"], report
    assert report["torn_tail_bytes"] == 0


def test_an_orphaned_copier_brings_everything_to_disk_and_ends(state: Path, tmp_path: Path, eventually) -> None:
    progress = tmp_path / "progress"
    np.zeros(1, np.int64).tofile(progress)
    write_and_kill(state, progress, 0.02)
    places = places_of(state)
    pid = int(CopierStatus(places.copier_file).row["pid"][0])
    eventually(lambda: not Path(f"/proc/{pid}").exists(), "the copier's end")
    number = places.journal.disk_numbers()[-1]
    shared = places.journal.shared_file(number).read_bytes()
    on_disk = places.journal.disk_file(number).read_bytes()
    tail = int.from_bytes(shared[64:72], "little")
    assert on_disk[:64] == shared[:64]
    assert on_disk[4096:] == shared[4096:tail]


def test_a_journal_record_on_disk_never_cites_a_packet_that_is_not(state: Path, tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    np.zeros(1, np.int64).tofile(progress)
    write_and_kill(state, progress, 0.05)
    positions, recorded = [], 0
    for event in merged(places_of(state)):
        if isinstance(event, BodyRecord):
            positions.append(event.position)
            assert event.position <= recorded
        else:
            recorded = event.position
    assert positions == list(range(1, len(positions) + 1))
    assert np.dtype(ORDER_REQUEST).itemsize == 96
