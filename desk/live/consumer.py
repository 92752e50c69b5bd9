"""The WebSocket of a page: speaks desk.v1 (`docs/protocols/desk_v1.md`) between one client and the hub."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from desk.live import frames
from desk.live.channels import may_read, parse_channel
from desk.live.client import Client
from desk.live.hub import Hub, current_hub
from desk.live.lookup import permissions_of

WRITE_SECONDS = 2.0


class DeskConsumer(AsyncWebsocketConsumer):
    """One connection. Frames reach it directly from the hub, so it needs no channel layer."""

    channel_layer_alias = None  # Channels then makes no Redis subscription for us
    client: Client | None = None
    hub: Hub
    writer: asyncio.Task[None]

    async def connect(self) -> None:
        """Accept signed-in people; others are told the reason by a close code that the browser shows to the page."""
        if frames.PROTOCOL not in self.scope.get("subprotocols", []):
            await self.close(frames.BAD_FRAME)
            return
        await self.accept(frames.PROTOCOL)
        user, session = self.scope.get("user"), self.scope.get("session")
        if user is None or not user.is_authenticated or session is None or not session.session_key:
            await self.close(frames.NOT_SIGNED_IN)
            return
        teams, firm_wide = await sync_to_async(permissions_of)(user)
        self.client = Client(user.pk, session.session_key, teams, firm_wide)
        self.arrivals: deque[float] = deque(maxlen=frames.MAX_FRAMES_PER_SECOND + 1)
        self.hub = current_hub()
        self.hub.join(self.client)
        self.writer = asyncio.get_running_loop().create_task(self._write(self.client))

    async def disconnect(self, code: int) -> None:
        """Leave the hub."""
        if self.client is not None:
            self.hub.leave(self.client)
            self.writer.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Do one operation, or close with the reason."""
        client = self.client
        if client is None or client.close_code is not None:
            return
        client.last_heard = time.monotonic()
        self.arrivals.append(client.last_heard)
        if len(self.arrivals) > frames.MAX_FRAMES_PER_SECOND and client.last_heard - self.arrivals[0] < 1.0:
            client.close(frames.TOO_FAST, "too many frames in a second", {})
            return
        if text_data is None or len(text_data) > frames.MAX_FRAME_BYTES:
            client.close(frames.BAD_FRAME, "a frame is JSON text of at most 16 KiB", {})
            return
        try:
            frame = json.loads(text_data)
            if not isinstance(frame, dict):
                raise ValueError("a frame is a JSON object")
            self._operate(client, frame)
        except (ValueError, RecursionError) as problem:
            client.close(frames.BAD_FRAME, str(problem)[:100], {})

    def _operate(self, client: Client, frame: dict[str, Any]) -> None:
        operation, request = frame.get("op"), frame.get("id")
        if operation in {"sub", "unsub", "resync"}:
            names = frame.get("ch")
            for name in names if isinstance(names, list) else [names]:
                refusal = self._channel_operation(client, operation, name, frame.get("after"))
                if refusal is not None:
                    client.offer(frames.error(request, *refusal))
                    return
        elif operation != "ping":
            client.offer(frames.error(request, frames.BAD_FRAME, f"there is no operation {operation!r}"))
            return
        client.offer(frames.acknowledgement(request))

    def _channel_operation(self, client: Client, operation: str, name: object, after: object) -> tuple[int, str] | None:
        try:
            channel = parse_channel(name)
        except ValueError as problem:
            return frames.BAD_FRAME, str(problem)
        assert isinstance(name, str)
        if not may_read(channel, client.teams, client.firm_wide):
            return frames.FORBIDDEN, f"you may not read {name}"
        if after is not None and (not isinstance(after, int) or isinstance(after, bool) or after < 0):
            return frames.BAD_FRAME, "after is a journal sequence"
        if operation == "unsub":
            client.channels.discard(name)
        elif operation == "resync":
            if name not in client.channels or channel.carries_events:
                return frames.BAD_FRAME, f"{name} is not a subscribed STATE channel"
            self.hub.resynchronise(client, name)
        elif len(client.channels) >= frames.MAX_CHANNELS and name not in client.channels:
            return frames.TOO_FAST, "too many channels on one connection"
        else:
            self.hub.subscribe(client, name, after)
        return None

    async def _write(self, client: Client) -> None:
        try:
            while taken := await client.next_frames():
                for frame in taken:
                    await asyncio.wait_for(self.send(text_data=frame), WRITE_SECONDS)
            await self.close(client.close_code)
        except TimeoutError:
            client.close_code = frames.SLOW_CONSUMER
            with suppress(OSError, RuntimeError):
                await self.close(frames.SLOW_CONSUMER)
        except (OSError, RuntimeError):
            client.close_code = frames.SLOW_CONSUMER  # the other end is gone: there is nobody to tell
