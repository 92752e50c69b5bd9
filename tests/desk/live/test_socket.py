"""The stream over real sockets: uvicorn, the session cookie, the origin, and a fake engine behind the hub."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.test import Client
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from desk.accounts.models import User
from desk.live.frames import PROTOCOL
from tests.desk.journal_records import Journal
from tests.desk.live.fake_follow import FakeFollow, state_of, strategy_state

ORIGIN = "http://localhost:8000"
SECONDS = 8.0

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def follow(engine_state: Path) -> Iterator[FakeFollow]:
    running = FakeFollow(engine_state).start()
    yield running
    running.stop()


@pytest.fixture
def port(follow: FakeFollow, settings: Any) -> Iterator[int]:
    """A web server in a thread with a loop and therefore a hub of its own."""
    from desk.asgi import application

    settings.CSRF_TRUSTED_ORIGINS = [ORIGIN]
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(application, log_level="error", lifespan="off", ws_per_message_deflate=False)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join(SECONDS)
    listening.close()


@asynccontextmanager
async def page_of(port: int, cookie: str, origin: str | None = ORIGIN, protocol: str = PROTOCOL) -> Any:
    address = f"ws://127.0.0.1:{port}/ws/v1"
    headers = {"Cookie": f"session={cookie}"} if cookie else {}
    async with connect(address, additional_headers=headers, origin=origin, subprotocols=[protocol]) as page:  # type: ignore[arg-type,list-item]
        yield page


async def heard(page: ClientConnection, kind: str, channel: str | None = None) -> dict[str, Any]:
    """The next frame of a kind."""
    async with asyncio.timeout(SECONDS):
        while True:
            frame = json.loads(await page.recv())
            if frame["t"] == kind and channel in (None, frame.get("ch")):
                return frame


async def first_rows(page: ClientConnection, channel: str) -> dict[str, Any]:
    """The first frame of a STATE channel with rows: its snapshot, or a delta when the hub had not heard the engine."""
    async with asyncio.timeout(SECONDS):
        while True:
            frame = json.loads(await page.recv())
            if frame.get("ch") == channel and frame["d"] and frame["d"] != {"u": [], "x": []}:
                return frame  # type: ignore[no-any-return]


async def closed_with(page: ClientConnection) -> int | None:
    async with asyncio.timeout(SECONDS):
        try:
            while True:
                await page.recv()
        except ConnectionClosed as closing:
            return closing.rcvd.code if closing.rcvd else None


async def say(page: ClientConnection, **frame: Any) -> None:
    await page.send(json.dumps(frame))


def sign_in(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies["session"].value


def test_a_trader_gets_snapshot_deltas_and_events_of_the_own_team(
    follow: FakeFollow, port: int, alice: User, strategy: Any
) -> None:
    cookie, team = sign_in(alice), alice.team_id
    assert team is not None
    follow.state = state_of(strategies=[strategy_state(strategy.pk, fills=1)])

    async def watch() -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        async with page_of(port, cookie) as page:
            await heard(page, "hello")
            await say(page, op="sub", id=1, ch=[f"strategies.{team}", f"fills.{team}"], after=0)
            snapshot = await first_rows(page, f"strategies.{team}")
            follow.state = state_of(strategies=[strategy_state(strategy.pk, fills=2)])
            delta = await heard(page, "delta", f"strategies.{team}")
            journal = Journal(strategy.pk, team)
            journal.fill(11, 4, 0, 100)  # type: ignore[arg-type]
            follow.records = journal.records
            return snapshot, delta, await heard(page, "event")

    first, second, event = asyncio.run(watch())
    assert (second["prev"], second["d"]["u"]) == (first["seq"], [[str(strategy.pk), {"fills": 2}]])
    assert (event["ch"], event["jseq"], event["d"]["strategy_name"]) == (f"fills.{team}", 1, "AAA / BBB")


def test_another_teams_channel_and_the_firms_are_forbidden(
    port: int, alice: User, index_team: Any, frank: User
) -> None:
    trader, viewer = sign_in(alice), sign_in(frank)

    async def ask(cookie: str, channel: str) -> dict[str, Any]:
        async with page_of(port, cookie) as page:
            await say(page, op="sub", id=7, ch=channel)
            async with asyncio.timeout(SECONDS):
                while (frame := json.loads(await page.recv()))["t"] not in ("ack", "err"):
                    pass
            return frame  # type: ignore[no-any-return]

    answers = [asyncio.run(ask(trader, f"fills.{index_team.pk}")), asyncio.run(ask(trader, "pnl.0"))]
    assert [(answer["t"], answer["id"], answer["code"]) for answer in answers] == [("err", 7, 4003)] * 2
    assert asyncio.run(ask(viewer, "pnl.0")) == {"t": "ack", "id": 7}


def test_signing_out_closes_the_stream(port: int, alice: User) -> None:
    cookie = sign_in(alice)

    async def watch() -> int | None:
        async with page_of(port, cookie) as page:
            await heard(page, "hello")
            await asyncio.to_thread(sign_out, cookie)
            return await closed_with(page)

    assert asyncio.run(watch()) == 4004


def sign_out(cookie: str) -> None:
    from django.contrib.sessions.models import Session
    from django.db import connection

    Session.objects.filter(session_key=cookie).delete()
    connection.close()


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "http://evil.example",
        "http://localhost.evil.example:8000",
        "http://localhost:8001",
        "https://localhost:8000",
        "http://a.localhost:8000",
    ],
)
def test_pages_of_other_origins_get_no_stream(port: int, alice: User, origin: str | None) -> None:
    cookie = sign_in(alice)

    async def knock() -> int:
        try:
            async with page_of(port, cookie, origin):
                return 101
        except InvalidStatus as refused:
            return refused.response.status_code

    assert asyncio.run(knock()) == 403


def test_nobody_and_a_wrong_protocol_get_no_stream(port: int, alice: User) -> None:
    cookie = sign_in(alice)

    async def knock(cookie: str, protocol: str) -> int | None:
        try:
            async with page_of(port, cookie, protocol=protocol) as page:
                return await closed_with(page)
        except InvalidStatus as refused:
            return refused.response.status_code

    assert [asyncio.run(knock("", PROTOCOL)), asyncio.run(knock(cookie, "desk.v9"))] == [4001, 403]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (["nonsense"], 4000),
        (["[1]"], 4000),
        (["[" * 5000], 4000),
        (['{"op":"ping","pad":"' + "x" * 17_000 + '"}'], 4000),
        (['{"op":"ping"}'] * 60, 4029),
    ],
)
def test_who_talks_nonsense_or_too_fast_is_closed(port: int, alice: User, sent: list[str], code: int) -> None:
    cookie = sign_in(alice)

    async def talk() -> int | None:
        async with page_of(port, cookie) as page:
            for text in sent:
                await page.send(text)
            return await closed_with(page)

    assert asyncio.run(talk()) == code


def test_a_lost_delta_is_repaired_by_a_new_snapshot(follow: FakeFollow, port: int, alice: User) -> None:
    cookie = sign_in(alice)
    follow.state = state_of(venues=[{"venue": 1, "session": "UP"}])

    async def watch() -> list[dict[str, Any]]:
        async with page_of(port, cookie) as page:
            await say(page, op="sub", id=1, ch="venues")
            await first_rows(page, "venues")
            await say(page, op="resync", id=2, ch="venues")
            again = await heard(page, "snap", "venues")
            await say(page, op="resync", id=3, ch="feeds")
            return [again, await heard(page, "err")]

    again, refused = asyncio.run(watch())
    assert (again["d"], refused["id"]) == ([["1", {"venue": 1, "session": "UP"}]], 3)
