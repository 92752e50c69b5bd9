import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from desk.live import feed
from desk.live.feed import LONGEST_BACK_FILL, follow_engine
from engine.messages.endpoints import engine_endpoints
from engine.messages.follow import Batch, StateFrame
from tests.desk.journal_records import Journal
from tests.desk.live.fake_follow import FakeFollow

SECONDS = 5.0


@pytest.fixture
def follow(tmp_path: Path) -> Iterator[FakeFollow]:
    running = FakeFollow(tmp_path).start()
    yield running
    running.stop()


async def batches(tmp_path: Path, records: int) -> list[Batch]:
    """Batches until that many records were heard."""
    heard: list[Batch] = []
    async with asyncio.timeout(SECONDS):
        async for answer in follow_engine(engine_endpoints(tmp_path).follow):
            if isinstance(answer, Batch) and answer.count:
                heard.append(answer)
            if sum(batch.count for batch in heard) >= records:
                return heard
    return heard


async def test_the_state_comes_first_and_then_the_journal(follow: FakeFollow, tmp_path: Path) -> None:
    journal = Journal()
    journal.enter(11)
    follow.records = journal.records
    async with asyncio.timeout(SECONDS):
        first = await anext(follow_engine(engine_endpoints(tmp_path).follow))
    assert isinstance(first, StateFrame)
    assert first.state["journal_sequence"] == 1
    (batch,) = await batches(tmp_path, 1)
    assert (batch.first, batch.data) == (1, journal.data)


async def test_a_long_journal_is_followed_from_shortly_before_its_head(follow: FakeFollow, tmp_path: Path) -> None:
    journal = Journal()
    journal.enter(1)
    follow.records = journal.records * (LONGEST_BACK_FILL + 100)
    (batch, *_) = await batches(tmp_path, 1)
    assert batch.first == 101


async def test_after_a_silence_it_goes_on_after_the_last_record(
    follow: FakeFollow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "SILENCE_SECONDS", 0.2)
    journal = Journal()
    journal.enter(1)
    follow.records = journal.records
    sequences = []
    async with asyncio.timeout(SECONDS):
        async for heard in follow_engine(engine_endpoints(tmp_path).follow):
            if not isinstance(heard, Batch) or not heard.count:
                continue
            sequences.append(heard.last)
            if len(sequences) == 2:
                break
            follow.silent = True
            await wait_for_requests(follow, 1)
            follow.forget()
            journal.enter(2)
            follow.silent = False
    assert (sequences, [request.after for request in follow.follow_requests]) == ([1, 2], [0, 1])


async def wait_for_requests(follow: FakeFollow, count: int) -> None:
    async with asyncio.timeout(SECONDS):
        while len(follow.follow_requests) < count:  # noqa: ASYNC110  the fake engine is a thread
            await asyncio.sleep(0.01)
