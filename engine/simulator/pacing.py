"""When the session's own time is due on the wall clock: as recorded, N times faster, or flat out."""

from __future__ import annotations

FAR_NS = (1 << 62) - 1


class Pace:
    """`speed` 0 is flat out. Until `start`, nothing is due."""

    def __init__(self, speed: float, session_start_ns: int) -> None:
        self._speed = speed
        self._session_start_ns = session_start_ns
        self._started_ns: int | None = None

    @property
    def started(self) -> bool:
        """Whether the session runs."""
        return self._started_ns is not None

    def start(self, now_ns: int) -> None:
        """The session's first instant is now (monotonic nanoseconds)."""
        if self._started_ns is None:
            self._started_ns = now_ns

    def session_time(self, now_ns: int) -> int:
        """The session's time at a monotonic instant."""
        if self._started_ns is None:
            return self._session_start_ns
        if not self._speed:
            return FAR_NS
        return self._session_start_ns + round((now_ns - self._started_ns) * self._speed)

    def due_in(self, session_time_ns: int, now_ns: int) -> int:
        """Nanoseconds until an instant of the session is due; 0 when it is."""
        if self._started_ns is None:
            return FAR_NS
        if not self._speed:
            return 0
        due_ns = self._started_ns + round((session_time_ns - self._session_start_ns) / self._speed)
        return max(0, due_ns - now_ns)
