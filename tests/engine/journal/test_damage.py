"""Only a torn tail is cut; anything else that is wrong stops the engine."""

import os
import shutil
from pathlib import Path

import pytest

from engine.journal.places import LogPlace, existing_places, places_of
from engine.journal.reader import LogReader
from engine.journal.segments import DATA_OFFSET
from engine.journal.tails import JournalCorrupt, cut_torn_tail
from engine.journal.verify import verify_log, verify_logs
from engine.messages.codes import RecordKind
from engine.messages.endpoints import shared_memory_path
from engine.messages.journal import RECORD_SIZE
from tests.engine.journal.rig import append_order, append_packet, copied_to_disk, events, open_small, sequences


@pytest.fixture
def on_disk(state: Path) -> Path:
    """Three packets, a text of two records' length and three orders, on disk only, as after a reboot."""
    journal = open_small(state)
    append_packet(journal, b"one")
    append_order(journal, 1)
    journal.append_text(RecordKind.COMMAND, 2, {"text": "x" * 100})
    append_packet(journal, b"second packet, longer than the others")
    append_order(journal, 2)
    append_packet(journal, b"3")
    append_order(journal, 3)
    copied_to_disk(state)
    journal.close()
    shutil.rmtree(shared_memory_path(state))
    return state


def log_of(state: Path, word: str) -> LogPlace:
    places = existing_places(state)
    return {place.word: place for place in places.logs}[word]


@pytest.mark.parametrize("word", ["journal", "recording"])
def test_a_flip_of_any_byte_is_detected(on_disk: Path, word: str) -> None:
    place = log_of(on_disk, word)
    whole = place.disk_file(1).read_bytes()
    undetected = []
    with place.disk_file(1).open("r+b", buffering=0) as file:
        for offset, byte in enumerate(whole):
            os.pwrite(file.fileno(), bytes([byte ^ 0x10]), offset)
            reader = LogReader(place)
            try:
                reader.last_sequence()
                if reader.torn_tail_bytes == 0:
                    undetected.append(offset)
            except JournalCorrupt:
                pass
            os.pwrite(file.fileno(), bytes([byte]), offset)
    assert undetected == []
    assert verify_log(place).intact


@pytest.mark.parametrize("word", ["journal", "recording"])
def test_a_bad_record_before_an_intact_one_halts_and_nothing_is_cut(on_disk: Path, word: str) -> None:
    place = log_of(on_disk, word)
    file = place.disk_file(1)
    damaged = bytearray(file.read_bytes())
    damaged[DATA_OFFSET + 40] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(JournalCorrupt, match=r"the record after 0, at offset 4096, has a bad checksum and an intact"):
        open_small(on_disk)
    assert file.read_bytes() == bytes(damaged)


def test_cut_anywhere_a_log_keeps_its_whole_records_and_loses_only_the_torn_one(on_disk: Path) -> None:
    place = log_of(on_disk, "journal")
    file = place.disk_file(1)
    whole = file.read_bytes()
    ends = {DATA_OFFSET + RECORD_SIZE * slots: records for slots, records in ((1, 1), (3, 2), (4, 3), (5, 4))}
    for length in range(len(whole) + 1):
        file.write_bytes(whole[:length])
        kept_end = max((end for end in ends if end <= length), default=0)
        expected = (1, ends[kept_end]) if kept_end else (0, 0)
        assert cut_torn_tail(place) == expected, length
        assert (file.read_bytes() if file.exists() else b"") == whole[:kept_end], length


@pytest.mark.parametrize("lost", [1, 100, 128, 129, 400])
def test_after_a_power_cut_the_next_start_goes_on_behind_the_last_whole_record(on_disk: Path, lost: int) -> None:
    file = log_of(on_disk, "journal").disk_file(1)
    file.write_bytes(file.read_bytes()[:-lost])
    kept = sequences(log_of(on_disk, "journal"))
    journal = open_small(on_disk)
    assert journal.journal.sequence == len(kept)
    assert append_order(journal, 99) == len(kept) + 1
    assert events(on_disk)[-1] == ("order", len(kept) + 1, 99)
    copied_to_disk(on_disk)
    assert verify_logs(journal.places)["intact"]
    assert verify_logs(journal.places)["chain"] == {"sealed": 2, "intact": True, "fault": ""}
    journal.close()


def test_a_bad_record_in_memory_is_never_a_torn_tail(state: Path) -> None:
    journal = open_small(state)
    append_order(journal, 1)
    append_order(journal, 2)
    journal.close()
    file = places_of(state).journal.shared_file(1)
    damaged = bytearray(file.read_bytes())
    damaged[DATA_OFFSET + RECORD_SIZE + 60] ^= 1
    file.write_bytes(damaged)
    with pytest.raises(JournalCorrupt, match=r"the record after 1, at offset 4224, has a bad checksum"):
        open_small(state)


def test_a_missing_segment_halts(state: Path) -> None:
    journal = open_small(state, DATA_OFFSET + 2 * RECORD_SIZE)
    for order_id in range(1, 8):
        append_order(journal, order_id)
        journal.keep()
    copied_to_disk(state)
    journal.close()
    shutil.rmtree(shared_memory_path(state))
    place = log_of(state, "journal")
    place.disk_file(2).rename(place.disk_file(2).with_suffix(".gone"))
    report = verify_log(place)
    assert report.first_bad is not None
    assert report.first_bad["reason"] == "segment 2 is missing, 4 is there"
    assert report.chain_fault == f"{place.disk_file(2)} is in the chain and not on disk"


def test_half_written_bytes_behind_the_tail_are_forgotten_by_the_next_start(state: Path) -> None:
    journal = open_small(state)
    append_order(journal, 1)
    journal.close()
    file = places_of(state).journal.shared_file(1)
    content = bytearray(file.read_bytes())
    content[DATA_OFFSET + RECORD_SIZE :] = b"\xff" * (len(content) - DATA_OFFSET - RECORD_SIZE)
    file.write_bytes(content)
    journal = open_small(state)
    assert append_order(journal, 2) == 2
    assert events(state) == [("order", 1, 1), ("order", 2, 2)]
    journal.close()
