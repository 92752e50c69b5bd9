import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from desk.live import frames
from desk.live.client import Client
from desk.live.hub import Hub
from desk.live.names import Names
from engine.messages.codes import OrderState
from engine.messages.follow import Batch, StateFrame
from tests.desk.journal_records import Journal
from tests.desk.live.fake_follow import state_of, strategy_state

NAMES = Names(instruments={1: "AAA"}, venues={1: "XSIM"}, strategies={7: "AAA / BBB"}, teams={7: 3})
ALICE, BOB = frozenset({3}), frozenset({4})


class Engine:
    """What the hub hears, put in by the test."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[StateFrame | Batch] = asyncio.Queue()

    async def source(self) -> AsyncIterator[StateFrame | Batch]:
        while True:
            yield await self.queue.get()

    def state(self, **changes: Any) -> None:
        self.queue.put_nowait(StateFrame(state_of(**changes)))

    def journal(self, journal: Journal) -> None:
        self.queue.put_nowait(Batch(1, len(journal.records), journal.data))


class Desk:
    """A hub with one engine; `allowed` is what the session check finds."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.allowed: dict[str, tuple[frozenset[int], bool]] = {}
        self.hub = Hub(self.engine.source, self.names, self.permissions)

    async def names(self) -> Names:
        return NAMES

    async def permissions(self, keys: set[str]) -> dict[str, tuple[frozenset[int], bool]]:
        return {key: value for key, value in self.allowed.items() if key in keys}

    def join(self, key: str = "alice", teams: frozenset[int] = ALICE, firm_wide: bool = False) -> Client:
        self.allowed[key] = (teams, firm_wide)
        client = Client(hash(key), key, teams, firm_wide)
        self.hub.join(client)
        return client


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    running = Desk()
    running.hub.start()
    await asyncio.sleep(0.05)
    yield running
    await running.hub.stop()


async def heard_until(client: Client, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """Frames until they are enough, heartbeats left out."""
    heard: list[dict[str, Any]] = []
    async with asyncio.timeout(5.0):
        while not enough(heard):
            taken = await client.next_frames()
            if not taken:
                break
            heard += [frame for frame in map(json.loads, taken) if frame["t"] != "hb"]
    return heard


def kinds(heard: list[dict[str, Any]]) -> list[str]:
    return [frame["t"] for frame in heard]


async def test_a_state_channel_starts_with_a_snapshot_and_goes_on_with_deltas(desk: Desk) -> None:
    client = desk.join()
    desk.hub.subscribe(client, "strategies.3", None)
    desk.engine.state(journal_sequence=5, strategies=[strategy_state(7, fills=1)])
    heard = await heard_until(client, lambda frames: len(frames) == 3)
    desk.engine.state(journal_sequence=6, strategies=[strategy_state(7, fills=2)])
    heard += await heard_until(client, lambda frames: len(frames) == 1)
    assert kinds(heard) == ["hello", "snap", "delta", "delta"]
    assert (heard[3]["prev"], heard[3]["jseq"], heard[3]["d"]) == (1, 6, {"u": [["7", {"fills": 2}]], "x": []})


async def test_events_reach_those_who_subscribed_and_nobody_else(desk: Desk) -> None:
    alice, bob = desk.join(), desk.join("bob", BOB)
    desk.hub.subscribe(alice, "fills.3", 0)
    desk.hub.subscribe(bob, "fills.4", 0)
    journal = Journal()
    journal.enter(11)
    journal.fill(11, OrderState.FILLED, 0, 100)
    desk.engine.state(journal_sequence=2)
    desk.engine.journal(journal)
    (event,) = (await heard_until(alice, lambda frames: "event" in kinds(frames)))[1:]
    assert (event["ch"], event["jseq"], event["prev_jseq"], event["d"]["order_id"]) == ("fills.3", 2, 0, "11")
    assert kinds(await heard_until(bob, lambda frames: len(frames) == 1)) == ["hello"]


async def test_a_late_subscriber_gets_what_came_after_the_sequence_it_names(desk: Desk) -> None:
    journal = Journal()
    for order_id in (11, 12, 13):
        journal.fill(order_id, OrderState.FILLED, 0, 100)
    desk.engine.state(journal_sequence=3)
    desk.engine.journal(journal)
    while desk.hub.journal_sequence < 3:  # noqa: ASYNC110  the hub announces nothing without a client
        await asyncio.sleep(0.01)
    client = desk.join()
    desk.hub.subscribe(client, "fills.3", 1)
    heard = await heard_until(client, lambda frames: len(frames) == 3)
    assert [(frame["jseq"], frame["prev_jseq"]) for frame in heard[1:]] == [(2, 1), (3, 2)]


async def test_a_new_epoch_of_the_engine_says_goodbye_to_everybody(desk: Desk) -> None:
    client = desk.join()
    desk.engine.state(epoch=1)
    desk.engine.state(epoch=2)
    heard = await heard_until(client, lambda frames: "bye" in kinds(frames))
    assert (heard[-1]["code"], client.close_code) == (frames.EPOCH_CHANGED, frames.EPOCH_CHANGED)


@pytest.mark.parametrize("change", [None, (BOB, False), (ALICE, True)])
async def test_a_session_that_ends_or_may_see_other_things_is_closed(
    desk: Desk, change: tuple[frozenset[int], bool] | None
) -> None:
    client = desk.join()
    if change is None:
        del desk.allowed["alice"]
    else:
        desk.allowed["alice"] = change
    heard = await heard_until(client, lambda frames: "bye" in kinds(frames))
    assert heard[-1]["code"] == frames.SESSION_REVOKED


async def test_who_comes_while_the_sessions_are_looked_at_stays(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.join()
    late: list[Client] = []
    looks = 0

    async def permissions(keys: set[str]) -> dict[str, tuple[frozenset[int], bool]]:
        nonlocal looks
        looks += 1
        if not late:
            late.append(desk.join("bob", BOB))
        return await desk.permissions(keys)

    monkeypatch.setattr(desk.hub, "_load_permissions", permissions)
    async with asyncio.timeout(5.0):
        while looks < 2:  # noqa: ASYNC110  a look is announced to nobody
            await asyncio.sleep(0.01)
    assert late[0].close_code is None


async def test_the_oldest_page_of_a_person_makes_room_for_the_newest(desk: Desk) -> None:
    pages = [desk.join() for _ in range(frames.MAX_SOCKETS_PER_USER + 1)]
    assert [page.close_code for page in pages] == [frames.SUPERSEDED] + [None] * frames.MAX_SOCKETS_PER_USER


async def test_an_exception_in_one_record_does_not_end_the_stream(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    client = desk.join()
    desk.hub.subscribe(client, "venues", None)
    desk.engine.queue.put_nowait(Batch(1, 1, b"nonsense"))
    desk.engine.state(venues=[{"venue": 1, "session": "UP"}])
    heard = await heard_until(client, lambda frames: "delta" in kinds(frames))
    assert heard[-1]["d"]["u"] == [["1", {"venue": 1, "session": "UP"}]]
    assert "starts again" in caplog.text


async def test_heartbeats_tell_the_age_of_the_engines_word(desk: Desk) -> None:
    client = desk.join()
    desk.engine.state(journal_sequence=9)
    beats: list[dict[str, Any]] = []
    async with asyncio.timeout(5.0):
        while not beats:
            beats = [frame for frame in map(json.loads, await client.next_frames()) if frame["t"] == "hb"]
    assert beats[0]["jseq"] == 9
    assert 0 <= beats[0]["stale"]["engine"] < 5000
