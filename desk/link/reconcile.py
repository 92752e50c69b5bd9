"""What people agreed on, brought to an engine that does not have it: after a fresh start, or an outage of the link."""

from __future__ import annotations

from dataclasses import dataclass, field

from desk.link import client
from desk.markets.models import Venue
from desk.markets.services import send_venue
from desk.refusals import Refusal
from desk.risk.bounds import snapshot
from desk.risk.kills import confirm_kill
from desk.risk.models import KillState
from desk.risk.versions import push_limits
from desk.strategies.definitions import definition_of
from desk.strategies.models import Strategy
from engine.messages.codes import StrategyState
from engine.messages.control import StartStrategy, command
from engine.messages.risk import content_hash


@dataclass
class Outcome:
    """What was brought, and what the engine did not take."""

    limits_version: int = 0
    venues: list[str] = field(default_factory=list)
    kills: list[str] = field(default_factory=list)
    strategies: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)


def reconcile(actor: str, *, adopt: bool = False, start: bool = False) -> Outcome:
    """Kills first, then limits, venues, and with `start` the strategies that people want running.

    Raises EngineNotReached or OutcomeUnknown when the engine is not there; what it refuses is listed.
    """
    outcome = Outcome()
    announced = client.catalogue(fresh=True)
    for kill in KillState.objects.filter(active=True, confirmed=False):
        confirm_kill(kill, kill.killed_by.get_username() if kill.killed_by else actor)
        outcome.kills.append(str(kill))
    try:
        outcome.limits_version = push_limits(actor, adopt).number
    except Refusal as refusal:
        outcome.refusals.append(refusal.sentence)
    known = {int(row["venue"]) for row in announced.venues}
    for venue in Venue.objects.filter(enabled=True):
        if venue.number not in known or venue.answer in (Venue.Answer.UNSENT, Venue.Answer.UNKNOWN):
            sent = send_venue(venue, actor)
            if sent.answer == Venue.Answer.APPLIED:
                outcome.venues.append(venue.name)
            else:
                outcome.refusals.append(f"{venue.name}: {sent.engine_answer}")
    if start:
        _start_wanted(actor, outcome)
    return outcome


def limits_differ(engine_hash: str) -> bool:
    """Whether the engine runs other limits than people agreed on."""
    return engine_hash != content_hash(snapshot())


def work_is_left(engine_hash: str) -> bool:
    """Whether `reconcile` would have something to bring."""
    unsent = Venue.objects.filter(enabled=True, answer__in=[Venue.Answer.UNSENT, Venue.Answer.UNKNOWN])
    killed = KillState.objects.filter(active=True, confirmed=False)
    return limits_differ(engine_hash) or unsent.exists() or killed.exists()


def _start_wanted(actor: str, outcome: Outcome) -> None:
    wanted = Strategy.objects.filter(desired_state=StrategyState.RUNNING).exclude(reported_state=StrategyState.RUNNING)
    for strategy in wanted:
        status = client.send(command(StartStrategy(**definition_of(strategy)), actor))
        if status.applied:
            outcome.strategies.append(strategy.name)
        else:
            outcome.refusals.append(f"{strategy.name}: {status.reason}")
