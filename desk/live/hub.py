"""One hub per web process: follows the engine, makes every frame once, hands it to the connections that may see it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from django.conf import settings

from desk.live import frames
from desk.live.channels import parse_channel
from desk.live.client import Client
from desk.live.event_bodies import EventMaker
from desk.live.event_channel import EventChannel
from desk.live.feed import LONGEST_BACK_FILL, follow_engine
from desk.live.lookup import load_names, load_permissions
from desk.live.names import Names
from desk.live.state_channel import StateChannel
from desk.live.state_rows import channel_rows
from engine.messages.endpoints import engine_endpoints
from engine.messages.follow import Batch, StateFrame

logger = logging.getLogger(__name__)

NAMES_SECONDS = 2.0
PERMISSIONS_SECONDS = 1.0

Source = Callable[[], AsyncIterator[StateFrame | Batch]]


class Hub:
    """State of the stream in this process. Runs in one event loop; nothing here waits for a client."""

    def __init__(self, source: Source, names: Callable[[], Awaitable[Names]], permissions: Any) -> None:
        self.clients: set[Client] = set()
        self.epoch = 0
        self.journal_sequence = 0
        self._source = source
        self._load_names = names
        self._load_permissions = permissions
        self._maker = EventMaker()
        self._states: dict[str, StateChannel] = {}
        self._events: dict[str, EventChannel] = {}
        self._events_floor = 0
        self._events_started = False
        self._heard_at: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Start the hub's tasks in the running loop."""
        for work in (self._follow, self._beat, self._refresh_names, self._check_permissions):
            task = asyncio.get_running_loop().create_task(self._forever(work))
            self._tasks.add(task)

    async def stop(self) -> None:
        """Close every connection and end the tasks."""
        for client in list(self.clients):
            client.close(1012, "the web server is stopping", {})
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def join(self, client: Client) -> None:
        """Take a connection in; its user's oldest one goes when there are too many."""
        mine = [other for other in self.clients if other.user_id == client.user_id and other.close_code is None]
        if len(mine) >= frames.MAX_SOCKETS_PER_USER:
            oldest = min(mine, key=lambda other: other.joined)
            oldest.close(frames.SUPERSEDED, "a newer page of yours took this connection's place", {})
        self.clients.add(client)
        client.offer(frames.hello(self.epoch))

    def leave(self, client: Client) -> None:
        """Forget a connection."""
        self.clients.discard(client)

    def subscribe(self, client: Client, name: str, after: int | None) -> None:
        """Start a channel for a client: a snapshot, or the records after `after` (None: from now on)."""
        client.channels.add(name)
        if not parse_channel(name).carries_events:
            client.offer(self._state_channel(name).snapshot(self.journal_sequence))
            return
        channel = self._event_channel(name)
        if after is not None:
            for frame in channel.after(after):
                client.offer(frame)

    def resynchronise(self, client: Client, name: str) -> None:
        """Send a STATE channel's snapshot again."""
        client.offer(self._state_channel(name).snapshot(self.journal_sequence))

    def engine_age_ms(self) -> int | None:
        """Milliseconds since the engine was heard, None while it never was."""
        return None if self._heard_at is None else int((time.monotonic() - self._heard_at) * 1000)

    async def _forever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except asyncio.CancelledError:
                raise
            except Exception:
                # One bad record or a database restart must not end the stream of all users.
                logger.exception("the hub's %s failed; it starts again", work.__name__)
            await asyncio.sleep(1.0)

    async def _follow(self) -> None:
        self._maker.names = await self._load_names()  # whose a record is; without them it would go to nobody's channel
        async for heard in self._source():
            if isinstance(heard, StateFrame):
                self._take_state(heard.state)
            elif heard.count:
                self._take_records(heard)

    def _take_state(self, state: dict[str, Any]) -> None:
        self._heard_at = time.monotonic()
        if state["epoch"] != self.epoch:
            self._new_epoch(state)
        self.journal_sequence = max(self.journal_sequence, int(state["journal_sequence"]))
        rows = channel_rows(state, self._maker.names)
        for name in rows.keys() | self._states.keys():
            channel = self._state_channel(name)
            frame = channel.update(rows.get(name, {}), self.journal_sequence)
            if frame is not None:
                self._broadcast(name, frame)

    def _new_epoch(self, state: dict[str, Any]) -> None:
        if self.epoch:
            for client in self.clients:
                client.close(frames.EPOCH_CHANGED, "the engine was started again", {})
        if not self._events_started or int(state["journal_sequence"]) < self.journal_sequence:
            self.journal_sequence = 0
            self._events.clear()
            self._events_floor = max(0, int(state["journal_sequence"]) - LONGEST_BACK_FILL)
            self._events_started = True
        self.epoch = state["epoch"]

    def _take_records(self, heard: Batch) -> None:
        for sequence, name, body in self._maker.events(heard.data):
            channel = self._event_channel(name)
            if sequence > channel.last:
                self._broadcast(name, channel.append(sequence, body))
        self.journal_sequence = max(self.journal_sequence, heard.last)

    def _broadcast(self, name: str, frame: str) -> None:
        for client in self.clients:
            if name in client.channels:
                client.offer(frame)

    def _state_channel(self, name: str) -> StateChannel:
        if name not in self._states:
            self._states[name] = StateChannel(name, len(self._states) + 1)
        return self._states[name]

    def _event_channel(self, name: str) -> EventChannel:
        if name not in self._events:
            self._events[name] = EventChannel(name, self._events_floor)
        return self._events[name]

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(frames.HEARTBEAT_MS / 1000)
            frame = frames.heartbeat(self.journal_sequence, self.engine_age_ms())
            now = time.monotonic()
            for client in list(self.clients):
                if now - client.last_heard > frames.CLIENT_SILENCE_SECONDS:
                    client.close(frames.SLOW_CONSUMER, "this connection went silent", {})
                client.offer(frame)

    async def _refresh_names(self) -> None:
        while True:
            self._maker.names = await self._load_names()
            await asyncio.sleep(NAMES_SECONDS)

    async def _check_permissions(self) -> None:
        while True:
            await asyncio.sleep(PERMISSIONS_SECONDS)
            # Who comes while the tables are read was let in by them, and is not in the answer.
            present = list(self.clients)
            if present:
                allowed = await self._load_permissions({client.session_key for client in present})
                for client in present:
                    _apply_permissions(client, allowed)


def _apply_permissions(client: Client, allowed: dict[str, tuple[frozenset[int], bool]]) -> None:
    if client.session_key not in allowed:
        client.close(frames.SESSION_REVOKED, "you are signed out", {})
    elif allowed[client.session_key] != (client.teams, client.firm_wide):
        client.close(frames.SESSION_REVOKED, "your permissions changed", {})


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def current_hub() -> Hub:
    """The hub of the running event loop, started on first use."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        endpoint = engine_endpoints(settings.STATE).follow
        hub = Hub(
            lambda: follow_engine(endpoint),
            sync_to_async(load_names),
            sync_to_async(load_permissions),
        )
        hub.start()
        _hubs[loop] = hub
    return _hubs[loop]
