"""What the loop writes is what a reader reads, in the order in which it happened."""

import shutil
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.journal.copier import start_copier
from engine.journal.places import places_of
from engine.journal.reader import LogReader
from engine.journal.segments import DATA_OFFSET, Segment, prepare_segment
from engine.journal.verify import verify_logs
from engine.journal.writer import DAY_NS, Journal, open_journal
from engine.messages.codes import RecordKind
from engine.messages.endpoints import shared_memory_path
from engine.messages.journal import JOURNAL_HEADER, RECORD_SIZE, RECORDING_HEADER
from tests.engine.journal.rig import append_order, append_packet, copied_to_disk, events, open_small, sequences


def roll(journal: Journal) -> None:
    journal.journal.roll()
    journal.recording.roll()


def test_headers_have_the_sizes_that_files_have() -> None:
    assert (JOURNAL_HEADER.itemsize, RECORDING_HEADER.itemsize, RECORD_SIZE) == (32, 32, 128)


def test_both_logs_are_read_as_one_order_of_events(state: Path) -> None:
    journal = open_small(state)
    started = {"session": journal.session}
    assert journal.append_text(RecordKind.ENGINE_STARTED, 1, started) == 1
    assert append_packet(journal, b"first") == 1
    assert append_packet(journal, b"second") == 2
    assert append_order(journal, 10) == 2
    assert append_packet(journal, b"") == 3
    assert append_order(journal, 11) == 3
    assert append_order(journal, 12) == 4
    assert append_packet(journal, bytes(range(256)) * 4) == 4
    assert events(state) == [
        ("text", 1, started),
        ("packet", 1, b"first"),
        ("packet", 2, b"second"),
        ("order", 2, 10),
        ("packet", 3, b""),
        ("order", 3, 11),
        ("order", 4, 12),
        ("packet", 4, bytes(range(256)) * 4),
    ]
    journal.close()


def test_the_checksum_of_a_packet_is_right_whatever_its_length(state: Path) -> None:
    """The loop reckons it from the packet while it copies; readers, from the bytes of the record."""
    journal = open_small(state, DATA_OFFSET + (1 << 18))
    payloads = [bytes((n * 7 + at) & 0xFF for at in range(n)) for n in range(300)]
    assert [append_packet(journal, payload) for payload in payloads] == list(range(1, 301))
    assert events(state) == [("packet", n + 1, payload) for n, payload in enumerate(payloads)]
    journal.close()


def test_the_log_is_full_when_no_segment_is_prepared_and_nothing_is_overwritten(state: Path) -> None:
    journal = open_small(state, DATA_OFFSET + 3 * RECORD_SIZE)
    taken = [append_order(journal, order_id) for order_id in range(8)]
    assert taken == [1, 2, 3, 4, 5, 6, 0, 0]
    journal.keep()
    assert append_order(journal, 8) == 7
    assert sequences(journal.places.journal) == [1, 2, 3, 4, 5, 6, 7]
    journal.close()


def test_a_text_longer_than_a_segment_is_refused(state: Path) -> None:
    journal = open_small(state, DATA_OFFSET + 3 * RECORD_SIZE)
    assert journal.append_text(RecordKind.COMMAND, 1, {"text": "x" * 1000}) == 0
    assert sequences(journal.places.journal) == []
    journal.close()


def test_a_roll_begins_a_segment_and_continues_the_sequence(state: Path) -> None:
    journal = open_small(state)
    append_order(journal, 1)
    roll(journal)
    append_order(journal, 2)
    append_order(journal, 3)
    assert journal.places.journal.shared_numbers() == [1, 2]
    assert sequences(journal.places.journal) == [1, 2, 3]
    journal.close()


def test_a_roll_without_a_prepared_segment_goes_on_in_the_old_one(state: Path) -> None:
    journal = open_small(state)
    append_order(journal, 1)
    roll(journal)
    append_order(journal, 2)
    roll(journal)
    append_order(journal, 3)
    assert sequences(journal.places.journal) == [1, 2, 3]
    assert journal.places.journal.shared_numbers() == [1, 2]
    journal.close()


def test_both_logs_roll_at_midnight_utc(state: Path) -> None:
    journal = open_small(state)
    append_packet(journal, b"today")
    append_order(journal, 1)
    now_ns = time.time_ns()
    journal.roll_when_the_day_changes(now_ns)
    append_order(journal, 2)
    assert journal.journal.place.shared_numbers() == [1, 2]
    journal.roll_when_the_day_changes(now_ns + DAY_NS)
    append_packet(journal, b"tomorrow")
    append_order(journal, 3)
    journal.roll_when_the_day_changes(now_ns + DAY_NS)
    journal.keep()
    firsts = {place.word: Segment(place.shared_file(2), writable=False).first for place in journal.places.logs}
    assert firsts == {"journal": 3, "recording": 2}
    journal.close()


def test_a_clean_stop_leaves_nothing_in_shared_memory_and_the_next_start_goes_on_from_disk(state: Path) -> None:
    journal = open_small(state)
    copier = start_copier(state)
    append_packet(journal, b"before")
    append_order(journal, 1)
    assert copier.stop() == 0
    journal.close(on_disk=True)
    assert not shared_memory_path(state).exists()
    journal = open_small(state)
    append_order(journal, 2)
    assert events(state) == [("packet", 1, b"before"), ("order", 1, 1), ("order", 2, 2)]
    copied_to_disk(state)
    assert verify_logs(journal.places)["chain"] == {"sealed": 2, "intact": True, "fault": ""}
    journal.close()


def test_what_the_disk_lacks_stays_in_shared_memory(state: Path) -> None:
    journal = open_small(state)
    append_order(journal, 1)
    copied_to_disk(state)
    append_order(journal, 2)
    journal.close(on_disk=True)
    assert [place.shared_numbers() for place in journal.places.logs] == [[1], []]
    assert sequences(journal.places.journal) == [1, 2]


def test_a_second_engine_is_refused(state: Path) -> None:
    journal = open_small(state)
    with pytest.raises(BlockingIOError, match=r"another engine has .* open"):
        open_small(state)
    journal.close()


def test_sessions_count_the_starts(state: Path) -> None:
    seen = []
    for _ in range(3):
        journal = open_small(state)
        seen.append(journal.session)
        journal.close()
    assert seen == [1, 2, 3]


def test_no_room_for_a_segment_is_an_error_when_it_is_prepared_not_when_it_is_written(state: Path) -> None:
    place = places_of(state).journal
    with pytest.raises(OSError, match=r"No space left|File too large"):
        prepare_segment(place, 1, 1, 1 << 50)
    assert place.shared_numbers() == []
    assert list(place.shared.iterdir()) == []


def test_the_keeper_prepares_segments_ahead_of_the_loop(state: Path, eventually) -> None:
    journal = open_small(state, DATA_OFFSET + 2 * RECORD_SIZE)
    journal.start_keeper()
    for order_id in range(1, 40):
        eventually(lambda order_id=order_id: append_order(journal, order_id) != 0, "room for a record")
    assert sequences(journal.places.journal) == list(range(1, 40))
    journal.close()


OPERATIONS = st.one_of(
    st.tuples(st.just("order"), st.integers(0, 1 << 40)),
    st.tuples(st.just("packet"), st.binary(max_size=2000)),
    st.tuples(st.just("text"), st.text(max_size=300)),
    st.tuples(st.just("roll"), st.none()),
    st.tuples(st.just("reopen"), st.none()),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=st.lists(OPERATIONS, max_size=60))
def test_any_mix_of_records_rolls_and_restarts_is_read_back_whole(state: Path, operations: list) -> None:
    shutil.rmtree(state, ignore_errors=True)
    shutil.rmtree(shared_memory_path(state), ignore_errors=True)
    journal = open_small(state, 16 << 10)
    expected = []
    for name, value in operations:
        journal.keep()
        if name == "order":
            expected.append(("order", append_order(journal, value), value))
        elif name == "packet":
            expected.append(("packet", append_packet(journal, value), value))
        elif name == "text":
            expected.append(("text", journal.append_text(RecordKind.COMMAND, 1, {"text": value}), {"text": value}))
        elif name == "roll":
            roll(journal)
        else:
            journal.close()
            journal = open_small(state, 16 << 10)
    assert events(state) == expected
    journal.close()


@pytest.mark.parametrize("after", [0, 1, 16, 17, 99, 100])
def test_reading_begins_after_any_sequence(state: Path, after: int) -> None:
    journal = open_small(state, DATA_OFFSET + 16 * RECORD_SIZE)
    for order_id in range(1, 101):
        journal.keep()
        append_order(journal, order_id)
    assert sequences(journal.places.journal, after) == list(range(after + 1, 101))
    journal.close()


def test_a_reader_ahead_of_the_log_is_told(state: Path) -> None:
    journal = open_small(state)
    append_order(journal, 1)
    with pytest.raises(LookupError, match="the journal ends at 1, 3 was asked for"):
        LogReader(journal.places.journal, after=2).next_span()
    journal.close()


def test_a_reader_at_the_head_sees_what_comes_next(state: Path) -> None:
    journal = open_journal(state, journal_segment_bytes=DATA_OFFSET + 2 * RECORD_SIZE, recording_segment_bytes=8192)
    reader = LogReader(journal.places.journal)
    seen = []
    for order_id in range(1, 10):
        assert reader.next_span() is None
        journal.keep()
        append_order(journal, order_id)
        span = reader.next_span()
        assert span is not None
        seen.append((span.first, span.last))
    assert seen == [(n, n) for n in range(1, 10)]
    journal.close()
