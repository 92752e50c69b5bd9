import asyncio
import json

from desk.live import frames
from desk.live.client import Client


def client() -> Client:
    return Client(1, "key", frozenset(), False)


async def test_frames_come_out_in_order() -> None:
    alice = client()
    alice.offer("a")
    alice.offer("b")
    assert await alice.next_frames() == ["a", "b"]


async def test_waiting_ends_with_the_next_frame() -> None:
    alice = client()
    waiting = asyncio.ensure_future(alice.next_frames())
    await asyncio.sleep(0)
    alice.offer("a")
    assert await waiting == ["a"]


async def test_a_slow_client_is_told_and_closed_and_holds_nothing_more() -> None:
    slow = client()
    for number in range(frames.MAX_QUEUED_FRAMES + 5):
        slow.offer(str(number))
    told = [json.loads(frame) for frame in await slow.next_frames()]
    assert (slow.close_code, told[0]["t"], told[0]["code"], len(told)) == (4008, "bye", 4008, 1)
    assert await slow.next_frames() == []


async def test_large_frames_count_by_their_size() -> None:
    slow = client()
    for _ in range(12):
        slow.offer("x" * 1024 * 1024)
    assert slow.close_code == 4008
