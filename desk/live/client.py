"""What the hub knows of one connection: what it may see, what it follows, and a bounded queue of frames to it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field

from desk.live import frames


@dataclass(eq=False)
class Client:
    """A slow client is told and closed, never waited for: `offer` never blocks."""

    user_id: int
    session_key: str
    teams: frozenset[int]
    firm_wide: bool
    channels: set[str] = field(default_factory=set)
    close_code: int | None = None
    joined: float = field(default_factory=time.monotonic)
    last_heard: float = field(default_factory=time.monotonic)
    _queue: deque[str] = field(default_factory=deque)
    _queued_characters: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)

    def offer(self, frame: str) -> None:
        """Queue one frame; a full queue is thrown away and closes the connection with SLOW_CONSUMER."""
        if self.close_code is not None:
            return
        if len(self._queue) >= frames.MAX_QUEUED_FRAMES or self._queued_characters > frames.MAX_QUEUED_CHARACTERS:
            self._queue.clear()
            self.close(frames.SLOW_CONSUMER, "this connection reads too slowly", {})
            return
        self._queue.append(frame)
        self._queued_characters += len(frame)
        self._wake.set()

    def close(self, code: int, reason: str, resume: dict[str, int]) -> None:
        """Say goodbye and let the writer close after it."""
        if self.close_code is None:
            self._queue.append(frames.bye(code, reason, resume))
            self.close_code = code
            self._wake.set()

    async def next_frames(self) -> list[str]:
        """Wait for frames and take all of them; an empty list when the connection is to be closed."""
        while not self._queue:
            if self.close_code is not None:
                return []
            self._wake.clear()
            await self._wake.wait()
        taken = list(self._queue)
        self._queue.clear()
        self._queued_characters = 0
        return taken
