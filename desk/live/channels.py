"""Names of the stream's channels: `positions.3` is a team's, `venues` is everybody's. Team 0 stands for the whole firm.

STATE channels carry the latest value per key; EVENT channels carry every record once, by journal sequence.
"""

from __future__ import annotations

from typing import NamedTuple

FIRM = 0

SHARED_STATE = frozenset({"engine", "venues", "feeds", "latency", "alarms", "tops"})
TEAM_STATE = frozenset({"strategies", "parents", "positions", "pnl"})
SHARED_EVENTS = frozenset({"engine_events"})
TEAM_EVENTS = frozenset({"orders", "fills", "denials"})


class Channel(NamedTuple):
    """A parsed channel name; `team` is None for a channel that everybody may read."""

    topic: str
    team: int | None

    @property
    def carries_events(self) -> bool:
        """Whether records are delivered one by one and resumed by sequence."""
        return self.topic in SHARED_EVENTS or self.topic in TEAM_EVENTS


def parse_channel(name: object) -> Channel:
    """ValueError with a sentence for a name that is no channel."""
    if not isinstance(name, str) or len(name) > 40:
        raise ValueError("a channel is a short text")
    topic, dot, team = name.partition(".")
    if topic in SHARED_STATE | SHARED_EVENTS and not dot:
        return Channel(topic, None)
    if topic in TEAM_STATE | TEAM_EVENTS and team.isascii() and team.isdigit():
        return Channel(topic, int(team))
    raise ValueError(f"there is no channel {name!r}")


def may_read(channel: Channel, teams: frozenset[int], firm_wide: bool) -> bool:
    """Whether somebody who sees `teams` may read the channel; the firm's own rows need `firm_wide`."""
    if channel.team is None:
        return True
    return firm_wide if channel.team == FIRM else channel.team in teams
