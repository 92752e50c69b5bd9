"""What people do with strategies: define, change, start, stop."""

from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from desk.accounts import policy
from desk.accounts.models import Team, User
from desk.audit.services import record, team_chain
from desk.blotter.models import Order
from desk.link import client
from desk.refusals import Conflict, EngineNotReached, EngineRefused, Invalid, Refusal, check_all
from desk.risk.changes import inherit_limits
from desk.risk.versions import push_limits
from desk.runs.models import Run
from desk.runs.services import close_runs, open_run
from desk.strategies.definitions import (
    check_instruments,
    check_name,
    check_parameters,
    check_venue,
    definition_of,
    find_kind,
)
from desk.strategies.models import Strategy
from engine.messages.codes import OPEN_STATES, Mode, StrategyState
from engine.messages.control import StartStrategy, StopStrategy, command


def visible_strategies(user: User) -> QuerySet[Strategy]:
    """Strategies that the person may see, archived ones too."""
    return policy.visible(Strategy.objects.select_related("team", "owner", "venue"), user)


def listed_strategies(user: User) -> QuerySet[Strategy]:
    """Those of them that are not archived."""
    return visible_strategies(user).filter(archived_at=None)


def find_strategy(user: User, strategy_id: int) -> Strategy:
    """One that the person may see, or NotFound."""
    return policy.find_visible(Strategy.objects.select_related("team", "owner", "venue"), user, pk=strategy_id)


def create_strategy(
    actor: User,
    *,
    name: str,
    kind: str,
    venue: int,
    instruments: list[int],
    parameters: dict[str, Any],
    team: Team | None = None,
) -> Strategy:
    """Define a strategy for the actor's team, with its team's limits, stopped. Needs the engine's catalogue.

    Raises NotPermitted, Invalid (`errors` by field or parameter name), EngineNotReached.
    """
    team = team or actor.team
    policy.require(policy.may_define_strategy(actor, team), "Only a trader may define strategies of this team.")
    assert team is not None
    known = find_kind(client.catalogue(), kind)
    checked = check_all(
        lambda: check_name(name),
        lambda: check_venue(venue),
        lambda: check_instruments(known, instruments),
        lambda: check_parameters(known, parameters),
    )
    strategy = Strategy(team=team, owner=actor, kind=known.name, kind_hash=known.hash)
    strategy.name, strategy.venue, strategy.instruments, strategy.parameters = checked
    with transaction.atomic():
        _save(strategy)
        inherit_limits(actor, strategy)
        _record(actor, "strategy.defined", strategy, after=definition_of(strategy))
    try:
        push_limits(actor.get_username())
    except Refusal:
        # Starting the strategy pushes again and tells the person if that fails.
        return strategy
    return strategy


def change_strategy(
    actor: User,
    strategy: Strategy,
    *,
    version: int | None = None,
    name: str | None = None,
    venue: int | None = None,
    instruments: list[int] | None = None,
    parameters: dict[str, Any] | None = None,
) -> Strategy:
    """Change what is given of a stopped strategy. `version` is the one the person saw; Conflict when it moved."""
    policy.require(policy.may_define_strategy(actor, strategy.team), "Only a trader of its team may change a strategy.")
    known = find_kind(client.catalogue(), strategy.kind)
    with transaction.atomic():
        row = Strategy.objects.select_for_update().get(pk=strategy.pk)
        refuse_archived(row)
        if version is not None and version != row.version:
            raise Conflict("Somebody changed this strategy meanwhile; look at it again.", code="version_differs")
        if row.desired_state != StrategyState.STOPPED or row.running:
            raise Conflict("Stop the strategy before changing it.", code="strategy_running")
        before = definition_of(row)
        row.name = row.name if name is None else check_name(name)
        row.venue = row.venue if venue is None else check_venue(venue)
        row.instruments = row.instruments if instruments is None else check_instruments(known, instruments)
        row.parameters = check_parameters(known, row.parameters if parameters is None else parameters)
        row.kind_hash = known.hash
        if definition_of(row) == before:
            return row
        row.version += 1
        _save(row)
        _record(actor, "strategy.changed", row, before=before, after=definition_of(row))
    return row


def start_strategy(actor: User, strategy: Strategy) -> Run:
    """Start it in the engine and open a run; one that runs already, as it is defined now, goes on in its run.

    Raises NotPermitted, EngineRefused (with the engine's sentence), EngineNotReached, OutcomeUnknown (the strategy is
    then wanted running; starting it again asks for the answer that was lost, stopping it ends the matter).
    """
    policy.require(policy.may_start_strategy(actor, strategy), "Only a trader of its team may start a strategy.")
    refuse_archived(strategy)
    announced = client.catalogue(fresh=True)
    push_limits(actor.get_username())
    _desire(actor, strategy, StrategyState.RUNNING, "strategy.start_asked")
    definition = definition_of(strategy)
    identity = strategy.start_command or uuid4().hex
    _keep_start(strategy, identity)
    try:
        status = client.apply(command(StartStrategy(**definition), actor.get_username(), identity))
    except EngineRefused as refusal:
        _keep_start(strategy, "")
        _desire(actor, strategy, StrategyState.STOPPED, "strategy.start_refused", refusal.sentence)
        raise
    except EngineNotReached:
        _keep_start(strategy, "")
        raise
    _keep_start(strategy, "")
    open_already = Run.objects.filter(strategy=strategy, stopped_at=None).first()
    if status.body.get("was_running") and open_already is not None:
        return open_already
    with transaction.atomic():
        _record(actor, "strategy.started", strategy, after=definition | {"journal": status.journal_sequence})
        return open_run(
            actor,
            strategy,
            mode=Mode[announced.mode.upper()],
            epoch=announced.epoch,
            definition=definition,
            sequence=status.journal_sequence,
        )


def stop_strategy(actor: User, strategy: Strategy, reason: str = "") -> None:
    """Stop it and cancel its working orders; its positions stay. Raises as `start_strategy` does."""
    policy.require(policy.may_stop_strategy(actor, strategy), "Your role may not stop this strategy.")
    _desire(actor, strategy, StrategyState.STOPPED, "strategy.stop_asked", reason)
    _keep_start(strategy, "")
    status = client.apply(command(StopStrategy(strategy.pk), actor.get_username()))
    with transaction.atomic():
        close_runs(strategy.pk, actor=actor, sequence=status.journal_sequence, ending=reason or "stopped")
        _record(actor, "strategy.stopped", strategy, after={"journal": status.journal_sequence}, reason=reason)


def archive_strategy(actor: User, strategy: Strategy, reason: str = "") -> Strategy:
    """Take a stopped strategy off the lists; its orders, fills, runs and positions are kept and shown as before.

    Raises NotPermitted, and Conflict while it runs, is wanted running, or has working orders.
    """
    policy.require(policy.may_archive_strategy(actor, strategy), "Your role may not archive this strategy.")
    with transaction.atomic():
        row = Strategy.objects.select_for_update().get(pk=strategy.pk)
        if row.archived_at is not None:
            return row
        if row.desired_state != StrategyState.STOPPED or row.reported_state != StrategyState.STOPPED:
            raise Conflict("Stop the strategy before archiving it.", code="strategy_running")
        if Order.objects.filter(strategy=row, state__in=[state.value for state in OPEN_STATES]).exists():
            raise Conflict("It still has working orders; wait until they are canceled.", code="strategy_running")
        row.archived_at = timezone.now()
        row.save(update_fields=["archived_at", "changed_at"])
        _record(actor, "strategy.archived", row, reason=reason)
    return row


def restore_strategy(actor: User, strategy: Strategy) -> Strategy:
    """Bring an archived strategy back to the lists, stopped."""
    policy.require(policy.may_archive_strategy(actor, strategy), "Your role may not restore this strategy.")
    with transaction.atomic():
        row = Strategy.objects.select_for_update().get(pk=strategy.pk)
        if row.archived_at is None:
            return row
        row.archived_at = None
        row.save(update_fields=["archived_at", "changed_at"])
        _record(actor, "strategy.restored", row)
    return row


def refuse_archived(strategy: Strategy) -> None:
    """Conflict when it is archived."""
    if strategy.archived_at is not None:
        raise Conflict(f"{strategy.name} is archived; restore it first.", code="strategy_archived")


def _desire(actor: User, strategy: Strategy, state: StrategyState, action: str, reason: str = "") -> None:
    with transaction.atomic():
        Strategy.objects.filter(pk=strategy.pk).update(desired_state=state.value)
        _record(actor, action, strategy, reason=reason)
    strategy.desired_state = state.value


def _keep_start(strategy: Strategy, identity: str) -> None:
    Strategy.objects.filter(pk=strategy.pk).update(start_command=identity)
    strategy.start_command = identity


def _save(strategy: Strategy) -> None:
    try:
        with transaction.atomic():
            strategy.save()
    except IntegrityError:
        other = Strategy.objects.filter(name__iexact=strategy.name).exclude(pk=strategy.pk).first()
        name = other.name if other else strategy.name
        archived = ", which is archived" if other and other.archived_at else ""
        raise Invalid({"name": f"There is a strategy named {name!r} already{archived}."}, code="name_taken") from None


def _record(actor: User, action: str, strategy: Strategy, **details: Any) -> None:
    record(actor, action, f"strategy {strategy.pk} {strategy.name}", chain=team_chain(strategy.team_id), **details)
