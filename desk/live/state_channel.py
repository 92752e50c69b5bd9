"""One STATE channel: the latest value per key, and the differences since the flush before."""

from __future__ import annotations

from typing import Any

from desk.live import frames

Rows = dict[str, dict[str, Any]]


class StateChannel:
    """Keeps the rows that the clients hold. Conflation happens before numbering, so a skipped value costs no `seq`."""

    def __init__(self, name: str, sid: int) -> None:
        self.name = name
        self.sid = sid
        self.seq = 0
        self.rows: Rows = {}

    def update(self, rows: Rows, journal_sequence: int) -> str | None:
        """Take the new rows; the delta frame for the clients, or None when nothing changed."""
        changed: Rows = {}
        for key, row in rows.items():
            before = self.rows.get(key)
            if before is None:
                changed[key] = row
            elif before != row:
                changed[key] = {column: value for column, value in row.items() if before.get(column) != value}
        gone = [key for key in self.rows if key not in rows]
        self.rows = rows
        if not changed and not gone:
            return None
        self.seq += 1
        return frames.delta(self.name, self.sid, self.seq, journal_sequence, changed, gone)

    def snapshot(self, journal_sequence: int) -> str:
        """The frame that starts or repairs a client's copy."""
        return frames.snapshot(self.name, self.sid, self.seq, journal_sequence, self.rows)
