"""What a session said while the loop did not have it: logons, resends, questions. Kept in memory, for people.

Orders and their answers are in the journal; the heartbeats of the loop are nowhere.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

MOST_FRAMES = 200


@dataclass
class SessionLog:
    """The newest frames as (time in ns, "out" or "in", bytes). Helper threads write, the control thread reads."""

    frames: deque[tuple[int, str, bytes]] = field(default_factory=lambda: deque(maxlen=MOST_FRAMES))

    def sent(self, frame: bytes) -> None:
        """One message of ours."""
        self.frames.append((time.time_ns(), "out", frame))

    def received(self, frame: bytes) -> None:
        """One message of the venue's."""
        self.frames.append((time.time_ns(), "in", frame))
