"""The copier: every byte to disk, finished segments into the chain, memory given back, failures final."""

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from engine.journal.chain import Link, append_link, read_chain
from engine.journal.copier import SyncPolicy, start_copier
from engine.journal.places import LogPlace, places_of
from engine.journal.reader import LogReader, all_records
from engine.journal.segments import DATA_OFFSET, Segment
from engine.journal.status import CopierState
from engine.journal.verify import verify_logs
from engine.messages.journal import RECORD_SIZE
from tests.engine.journal.rig import append_order, append_packet, copied_to_disk, open_small

FOUR_RECORDS = DATA_OFFSET + 4 * RECORD_SIZE


def test_the_copier_does_not_load_the_compiler() -> None:
    program = "import sys, engine.journal.copier; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("policy", list(SyncPolicy))
def test_disk_files_are_the_segments_byte_for_byte(state: Path, policy: SyncPolicy) -> None:
    journal = open_small(state)
    copier = start_copier(state, policy=policy)
    for order_id in range(100):
        append_packet(journal, bytes([order_id]) * order_id)
        append_order(journal, order_id)
    assert copier.stop() == 0
    for place in journal.places.logs:
        shared = place.shared_file(1).read_bytes()
        tail = int.from_bytes(shared[64:72], "little")
        assert place.disk_file(1).read_bytes() == shared[:64] + bytes(DATA_OFFSET - 64) + shared[DATA_OFFSET:tail]
    journal.close()


def test_finished_segments_are_sealed_in_a_chain_and_leave_shared_memory(state: Path, eventually) -> None:
    journal = open_small(state, FOUR_RECORDS)
    copier = start_copier(state)
    for order_id in range(1, 23):
        journal.keep()
        assert append_order(journal, order_id) == order_id
    place = journal.places.journal
    eventually(lambda: len(read_chain(place.chain_file)) == 5, "five sealed segments")
    eventually(lambda: place.shared_numbers()[0] == 5, "shared memory without the first four")
    assert [(link.segment, link.first, link.last) for link in read_chain(place.chain_file)] == [
        (1, 1, 4),
        (2, 5, 8),
        (3, 9, 12),
        (4, 13, 16),
        (5, 17, 20),
    ]
    assert copier.stop() == 0
    assert verify_logs(journal.places)["intact"]
    journal.close()


class ReaderBesideACopier(LogReader):
    """The following segment leaves shared memory between the reader's look at its name and the opening."""

    def _open_shared(self, number: int) -> Segment | None:
        if number == self._number + 1:
            self.place.shared_file(number).unlink(missing_ok=True)
        return super()._open_shared(number)


def test_a_segment_that_leaves_shared_memory_while_it_is_opened_is_read_from_disk(state: Path) -> None:
    journal = open_small(state, FOUR_RECORDS)
    for order_id in range(1, 23):
        journal.keep()
        append_order(journal, order_id)
    copied_to_disk(state)
    place = journal.places.journal
    place.shared_file(1).unlink(missing_ok=True)
    assert [record.sequence for record in all_records(ReaderBesideACopier(place))] == list(range(1, 23))
    journal.close()


class ReaderBesideAWriter(LogReader):
    """The writer goes on between the reader's look for the following segment and its look at all of them."""

    def __init__(self, place: LogPlace, meanwhile: Callable[[], None]) -> None:
        super().__init__(place)
        self._meanwhile = meanwhile

    def _refuse_a_hole(self, segment: Segment) -> None:
        self._meanwhile()
        super()._refuse_a_hole(segment)


def test_a_log_that_grows_while_its_end_is_read_has_no_hole(state: Path) -> None:
    journal = open_small(state, FOUR_RECORDS)
    for order_id in range(1, 4):
        append_order(journal, order_id)
    copied_to_disk(state)
    journal.close(on_disk=True)
    opened = []

    def write_three_segments() -> None:
        opened.append(open_small(state, FOUR_RECORDS))
        for order_id in range(4, 13):
            opened[-1].keep()
            append_order(opened[-1], order_id)

    place = journal.places.journal
    assert ReaderBesideAWriter(place, write_three_segments).last_sequence() == 3
    assert place.shared_numbers() == [2, 3, 4]
    assert LogReader(place).last_sequence() == 12
    opened[-1].close()


def test_a_changed_sealed_segment_breaks_the_chain(state: Path) -> None:
    journal = open_small(state, FOUR_RECORDS)
    for order_id in range(1, 10):
        journal.keep()
        append_order(journal, order_id)
    copied_to_disk(state)
    file = journal.places.journal.disk_file(1)
    other = journal.places.journal.disk_file(2).read_bytes()
    file.write_bytes(other)
    assert verify_logs(journal.places)["chain"]["fault"] == f"{file} is not what the chain says"
    journal.close()


def test_a_changed_line_of_the_chain_is_found(tmp_path: Path) -> None:
    path = tmp_path / "chain.jsonl"
    for segment in range(1, 4):
        append_link(path, segment, segment * 10, segment * 10 + 9, "ab" * 32)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1].replace('"last": 29', '"last": 28'), lines[2]]) + "\n")
    with pytest.raises(ValueError, match="line 3 does not cite the line before it"):
        read_chain(path)


def test_a_torn_last_line_of_the_chain_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "chain.jsonl"
    first = append_link(path, 1, 1, 4, "ab" * 32)
    path.write_bytes(path.read_bytes() + b'{"segment": 2, "fi')
    assert read_chain(path) == [first]
    second = append_link(path, 2, 5, 8, "cd" * 32)
    assert read_chain(path) == [first, second]
    assert second == Link(2, 5, 8, "cd" * 32, second.previous)
    assert json.loads(path.read_text().splitlines()[1])["previous"] == second.previous


def test_a_copier_that_was_killed_is_continued_by_the_next(state: Path, eventually) -> None:
    journal = open_small(state)
    copier = start_copier(state)
    for order_id in range(1, 51):
        append_order(journal, order_id)
    file = journal.places.journal.disk_file(1)
    eventually(lambda: file.stat().st_size == DATA_OFFSET + 50 * RECORD_SIZE, "fifty records on disk")
    os.kill(copier.process.pid, signal.SIGKILL)
    copier.process.wait()
    with file.open("r+b") as torn:
        torn.truncate(DATA_OFFSET + 33 * RECORD_SIZE + 5)
    append_order(journal, 51)
    copied_to_disk(state)
    assert file.stat().st_size == DATA_OFFSET + 51 * RECORD_SIZE
    assert verify_logs(journal.places)["intact"]
    journal.close()


def test_a_killed_copier_is_seen_within_a_second(state: Path, eventually) -> None:
    journal = open_small(state)
    copier = start_copier(state)
    assert copier.alive()
    os.kill(copier.process.pid, signal.SIGKILL)
    copier.process.wait()
    eventually(lambda: not copier.alive(), "the copier to be missed")
    assert copier.status.silence_ns > 1_000_000_000
    journal.close()


def test_a_write_that_fails_ends_the_copier_with_its_reason(state: Path, eventually) -> None:
    journal = open_small(state, 1 << 20)
    copier = start_copier(state)
    resource.prlimit(copier.process.pid, resource.RLIMIT_FSIZE, (16384, 16384))
    for order_id in range(500):
        append_order(journal, order_id)
    eventually(lambda: copier.status.state == CopierState.FAILED, "the failure")
    assert copier.process.wait(10) == 1
    assert copier.status.failure == "the journal cannot be made durable: [Errno 27] File too large"
    assert not copier.alive()
    journal.close()


def test_what_is_durable_is_said(state: Path, eventually) -> None:
    journal = open_small(state)
    copier = start_copier(state)
    for order_id in range(10):
        append_order(journal, order_id)
    expected = (1, DATA_OFFSET + 10 * RECORD_SIZE)
    eventually(lambda: copier.status.durable("journal") == expected, "ten durable records")
    assert copier.status.disk_free_bytes > 0
    assert (copier.status.sync_ns() > 0).all()
    assert copier.stop() == 0
    assert copier.status.state == CopierState.FINISHED
    journal.close()


def test_only_one_copier_writes(state: Path) -> None:
    journal = open_small(state)
    copier = start_copier(state)
    with pytest.raises(RuntimeError, match="no sign of life"):
        start_copier(state, wait_s=0.7)
    assert copier.stop() == 0
    assert np.array_equal(places_of(state).journal.shared_numbers(), [1, 2])
    journal.close()
