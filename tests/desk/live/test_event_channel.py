import json

from desk.live.event_channel import EventChannel


def heard(frames: list[str]) -> list[tuple[int, ...]]:
    """Sequence and link of events; bounds of gaps."""
    parsed = [json.loads(frame) for frame in frames]
    return [(f["jseq"], f["prev_jseq"]) if f["t"] == "event" else (0, f["from"], f["to"]) for f in parsed]


def channel_of(*sequences: int, floor: int = 0, kept: int = 10) -> EventChannel:
    channel = EventChannel("fills.3", floor, kept)
    for sequence in sequences:
        channel.append(sequence, {"order_id": str(sequence)})
    return channel


def test_events_are_linked_to_the_one_before() -> None:
    assert heard(channel_of(5, 9, 12).after(0)) == [(5, 0), (9, 5), (12, 9)]


def test_resuming_gives_what_came_after() -> None:
    channel = channel_of(5, 9, 12)
    assert [heard(channel.after(sequence)) for sequence in (5, 8, 12, 99)] == [
        [(9, 5), (12, 9)],
        [(9, 5), (12, 9)],
        [],
        [],
    ]


def test_what_is_no_longer_kept_is_a_gap() -> None:
    assert heard(channel_of(5, 9, 12, kept=2).after(3)) == [(0, 4, 5), (9, 5), (12, 9)]


def test_what_was_before_this_process_is_a_gap() -> None:
    channel = channel_of(1005, floor=1000)
    assert (heard(channel.after(999)), heard(channel.after(1000))) == ([(0, 1000, 1000), (1005, 0)], [(1005, 0)])
