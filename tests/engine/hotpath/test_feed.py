"""Lines A and B as one feed: the first copy wins, what is missing makes the book dirty, and it comes back."""

from __future__ import annotations

import pytest

from engine.hotpath import tables
from engine.hotpath.book_layout import MOST_BATCHED
from engine.hotpath.entries import watch_gap
from engine.journal.scratch import ScratchJournal
from engine.messages.codes import DenialReason, EngineState, FeedEventKind, RecordKind
from engine.protocols import moldudp64
from tests.engine.loop_builder import ALPHA, BUY, FEED_SESSION, OPEN_NS, SECOND_NS, SELL, VENUE, Loop, reason

A, B, RETRANSMISSION = 0, 1, 2
MS_NS = 1_000_000


@pytest.fixture
def loop() -> Loop:
    made = Loop()
    made.wide_limits()
    return made


def packets(loop: Loop, count: int, each: int = 1) -> list[bytes]:
    """Packets of `each` adds, bids that rise by a tick a message."""
    made = []
    for at in range(count):
        messages = [loop.add(ALPHA, BUY, 900_000 + 100 * (at * each + n)) for n in range(each)]
        made.append(moldudp64.encode(FEED_SESSION, 1 + at * each, messages))
    return made


def statistics(loop: Loop, line: int, venue: int = VENUE) -> dict[str, int]:
    row = loop.memory.lines[venue * tables.LINES + line]
    return {name: int(row[name]) for name in ("packets", "messages", "duplicates", "gaps", "lost", "malformed")}


def counted(packets: int, messages: int, **others: int) -> dict[str, int]:
    """All of a line's statistics; those not named are 0."""
    none = dict.fromkeys(("duplicates", "gaps", "lost", "malformed"), 0)
    return {"packets": packets, "messages": messages} | none | others


def expected(loop: Loop) -> int:
    return int(loop.memory.venues[VENUE]["expected"])


def dirty(loop: Loop) -> bool:
    return bool(loop.memory.venues[VENUE]["dirty"])


def pass_patience(loop: Loop, duration_ns: int = MS_NS) -> None:
    loop.pass_time(duration_ns)
    watch_gap(loop.address, VENUE)


def bid(loop: Loop) -> int:
    return int(loop.memory.book.tops[loop.memory.listing(VENUE, ALPHA)]["bid"])


def test_the_first_copy_wins_on_whichever_line(loop: Loop) -> None:
    one, two, three = packets(loop, 3, each=2)
    for payload, line in ((one, A), (one, B), (two, B), (two, A), (three, A), (three, B)):
        loop.datagram(payload, line=line)
    assert expected(loop) == 7
    assert statistics(loop, A) == counted(3, 6, duplicates=1)
    assert statistics(loop, B) == counted(3, 6, duplicates=2)
    assert int(loop.memory.book.book[0]["live_orders"]) == 6
    assert int(loop.core["position"]) == 3


def test_a_packet_longer_than_a_batch_is_applied_whole(loop: Loop) -> None:
    many = 2 * MOST_BATCHED + 5
    loop.datagram(*packets(loop, 1, each=many))
    assert statistics(loop, A) == counted(1, many)
    assert (expected(loop), int(loop.memory.book.book[0]["live_orders"])) == (many + 1, many)
    assert (bid(loop), int(loop.core["feed_sequence"])) == (900_000 + 100 * (many - 1), many)


def test_of_a_long_packet_that_overlaps_only_the_new_messages_are_applied(loop: Loop) -> None:
    many, known = 2 * MOST_BATCHED + 5, MOST_BATCHED + 3
    adds = [loop.add(ALPHA, BUY, 900_000 + 100 * n) for n in range(many)]
    loop.datagram(moldudp64.encode(FEED_SESSION, 1, adds[:known]))
    loop.datagram(moldudp64.encode(FEED_SESSION, 1, adds), line=B)
    assert loop.memory.book.counts_by_type() == {"A": {"applied": many}}
    assert (expected(loop), bid(loop)) == (many + 1, 900_000 + 100 * (many - 1))


def test_a_packet_that_overlaps_gives_only_its_new_messages(loop: Loop) -> None:
    adds = [loop.add(ALPHA, BUY, 900_000 + 100 * n) for n in range(4)]
    loop.datagram(moldudp64.encode(FEED_SESSION, 1, adds[:2]))
    loop.datagram(moldudp64.encode(FEED_SESSION, 2, adds[1:]))
    assert (expected(loop), bid(loop)) == (5, 900_300)
    assert int(loop.memory.book.book[0]["live_orders"]) == 4


def test_what_one_line_lost_the_other_brings_and_nobody_is_troubled(loop: Loop) -> None:
    one, two, three = packets(loop, 3)
    loop.taken()
    loop.datagram(one, line=A)
    loop.datagram(three, line=A)
    assert expected(loop) == 2
    pass_patience(loop, MS_NS - 1)
    loop.datagram(two, line=B)
    assert (expected(loop), dirty(loop), bid(loop)) == (4, False, 900_200)
    assert int(loop.memory.venues[VENUE]["gap_since_ns"]) == 0
    assert statistics(loop, A) == counted(2, 2, gaps=1, lost=1)
    assert loop.taken() == []


def test_packets_in_the_wrong_order_are_put_right(loop: Loop) -> None:
    made = packets(loop, 6)
    for at in (3, 5, 1, 4, 2, 0):
        loop.datagram(made[at])
    assert (expected(loop), bid(loop), dirty(loop)) == (7, 900_500, False)
    assert int(loop.memory.venues[VENUE]["pending_count"]) == 0


def test_what_is_missing_after_patience_makes_the_book_dirty_and_recovery_makes_it_clean(loop: Loop) -> None:
    loop.quote(ALPHA, 999_900, 1_000_100)
    loop.taken()
    lost = moldudp64.encode(FEED_SESSION, 3, [loop.add(ALPHA, BUY, 950_000)])
    loop.datagram(moldudp64.encode(FEED_SESSION, 4, [loop.add(ALPHA, SELL, 1_050_000)]))
    assert reason(loop.enter()) == DenialReason.NONE
    pass_patience(loop)
    assert reason(loop.enter()) == DenialReason.BOOK_DIRTY
    loop.datagram(lost, line=RETRANSMISSION)
    assert reason(loop.enter()) == DenialReason.NONE
    events = [r.body for r in loop.taken() if r.kind == RecordKind.FEED_EVENT]
    found = [tuple(int(e[name]) for name in ("venue", "line", "kind", "expected", "received")) for e in events]
    assert found == [(VENUE, 2, FeedEventKind.GAP, 3, 4), (VENUE, 2, FeedEventKind.RECOVERED, 5, 5)]


def test_a_heartbeat_tells_of_messages_that_never_came(loop: Loop) -> None:
    (one,) = packets(loop, 1)
    loop.datagram(one)
    loop.datagram(moldudp64.encode(FEED_SESSION, 3, []))
    pass_patience(loop)
    assert (expected(loop), dirty(loop)) == (2, True)
    loop.datagram(moldudp64.encode(FEED_SESSION, 2, [loop.add(ALPHA, BUY, 950_000)]), line=RETRANSMISSION)
    assert (expected(loop), dirty(loop)) == (3, False)
    assert statistics(loop, A) == counted(2, 1, gaps=1, lost=1)


def test_a_heartbeat_of_what_is_expected_is_no_gap(loop: Loop) -> None:
    (one,) = packets(loop, 1)
    loop.datagram(one)
    loop.datagram(moldudp64.encode(FEED_SESSION, 2, []))
    pass_patience(loop)
    assert not dirty(loop)
    assert int(loop.memory.lines[VENUE * tables.LINES]["heartbeats"]) == 1


def test_joining_late_misses_everything_from_the_first_message_on(loop: Loop) -> None:
    made = packets(loop, 50)
    loop.datagram(made[40])
    pass_patience(loop)
    venue = loop.memory.venues[VENUE]
    assert (expected(loop), int(venue["pending_from"]), dirty(loop)) == (1, 41, True)
    for payload in made[:40]:
        loop.datagram(payload, line=RETRANSMISSION)
    assert (expected(loop), dirty(loop), bid(loop)) == (42, False, 904_000)


def test_more_packets_than_can_wait_are_missed_again_and_asked_for_again(loop: Loop) -> None:
    made = packets(loop, tables.PENDING_PACKETS + 50)
    for payload in made[1:]:
        loop.datagram(payload)
    pass_patience(loop)
    loop.datagram(made[0], line=RETRANSMISSION)
    assert expected(loop) == tables.PENDING_PACKETS + 2
    loop.datagram(made[-1])
    pass_patience(loop)
    assert dirty(loop)
    for payload in made[tables.PENDING_PACKETS + 1 :]:
        loop.datagram(payload, line=RETRANSMISSION)
    assert (expected(loop), dirty(loop)) == (len(made) + 1, False)


def test_the_end_of_the_session_is_journalled_once(loop: Loop) -> None:
    (one,) = packets(loop, 1)
    loop.datagram(one)
    loop.taken()
    for line in (A, B, A, B):
        loop.datagram(moldudp64.encode_end_of_session(FEED_SESSION, 2), line=line)
    (event,) = loop.bodies(RecordKind.FEED_EVENT)
    assert (event["kind"], event["expected"], event["received"]) == (FeedEventKind.END_OF_SESSION, 2, 2)
    assert int(loop.memory.venues[VENUE]["ended"]) == 1


def test_an_end_beyond_what_came_is_a_gap_first(loop: Loop) -> None:
    loop.datagram(moldudp64.encode_end_of_session(FEED_SESSION, 2))
    pass_patience(loop)
    assert dirty(loop)
    assert int(loop.memory.venues[VENUE]["ended"]) == 0


def test_another_sessions_name_is_believed_only_after_silence(loop: Loop) -> None:
    loop.quote(ALPHA, 999_900, 1_000_100)
    loop.taken()
    other = moldudp64.encode("TEST000002", 1, [loop.add(ALPHA, BUY, 700_000, time_ns=OPEN_NS - SECOND_NS)])
    loop.pass_time(3 * SECOND_NS - 1)
    loop.datagram(other)
    assert statistics(loop, A) == counted(2, 2, malformed=1)
    assert (expected(loop), bid(loop)) == (3, 999_900)
    loop.pass_time(1)
    loop.datagram(other)
    (event,) = loop.bodies(RecordKind.FEED_EVENT)
    assert event["kind"] == FeedEventKind.NEW_SESSION
    top = loop.memory.book.tops[loop.memory.listing(VENUE, ALPHA)]
    assert top.tolist() == (700_000, 500, 0, 0)
    assert (expected(loop), int(loop.core["market_time_ns"])) == (2, OPEN_NS - SECOND_NS)


def test_a_new_session_forgets_what_was_missing_in_the_last_one(loop: Loop) -> None:
    loop.datagram(packets(loop, 9)[8])
    pass_patience(loop)
    assert dirty(loop)
    loop.pass_time(4 * SECOND_NS)
    loop.datagram(moldudp64.encode("TEST000002", 1, [loop.add(ALPHA, BUY, 700_000)]))
    assert (expected(loop), dirty(loop), bid(loop)) == (2, False, 700_000)
    assert statistics(loop, A)["lost"] == 0


def test_venues_have_feeds_of_their_own(loop: Loop) -> None:
    (one,) = packets(loop, 1)
    loop.datagram(one, venue=1)
    loop.datagram(one, venue=2)
    assert loop.memory.venues["expected"][1:3].tolist() == [2, 2]
    assert statistics(loop, A, venue=2) == counted(1, 1)


def test_a_full_recording_halts_the_engine(loop: Loop) -> None:
    loop.quote(ALPHA, 999_900, 1_000_100)
    small = ScratchJournal(1 << 13)
    loop.core["recording"] = small.writer
    for payload in (moldudp64.encode(FEED_SESSION, n, [loop.add(ALPHA, BUY, 900_000)]) for n in range(3, 200)):
        loop.datagram(payload)
    assert loop.core["state"] == EngineState.HALTED
    assert int(loop.core["attention"]) == tables.LOG_FULL
    assert expected(loop) < 200
    assert reason(loop.enter()) == DenialReason.ENGINE_NOT_ACTIVE


def test_how_far_a_line_is_behind_the_other(loop: Loop) -> None:
    made = packets(loop, 4)
    for payload, later_ns in zip(made[:3], (5_000, 1_000, 0), strict=True):
        loop.datagram(payload, line=A)
        loop.pass_time(later_ns)
        loop.datagram(payload, line=B)
        loop.datagram(payload, line=B)
    loop.datagram(made[3], line=B)
    loop.datagram(made[3], line=RETRANSMISSION)
    names = ("behind", "behind_ns", "behind_most_ns")
    found = [tuple(int(loop.memory.lines[VENUE * tables.LINES + line][name]) for name in names) for line in range(3)]
    assert found == [(0, 0, 0), (6, 12_000, 5_000), (0, 0, 0)]


def test_a_leg_sees_nothing_of_the_last_session_any_more(loop: Loop) -> None:
    loop.quote(ALPHA, 999_900, 1_000_100)
    assert loop.start_pairs().applied
    loop.pass_time(4 * SECOND_NS)
    loop.datagram(moldudp64.encode("TEST000002", 1, [loop.add(ALPHA, BUY, 700_000)]))
    assert [int(loop.leg()[name]) for name in ("bid", "ask", "ask_quantity")] == [700_000, 0, 0]
