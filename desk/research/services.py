"""What people do with backtests: choose a recorded session, submit, cancel."""

from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from desk.accounts import policy
from desk.accounts.models import User
from desk.audit.services import record, team_chain
from desk.refusals import Conflict, Invalid
from desk.research.models import Backtest
from desk.research.recordings import recording_directory, recordings
from desk.research.tasks import costs_file, run_backtest
from desk.strategies.definitions import definition_of
from desk.strategies.models import Strategy

__all__ = ["cancel_backtest", "recording_directory", "recordings", "submit_backtest"]


def submit_backtest(actor: User, strategy: Strategy, recording: str, fitted_costs: bool = False) -> Backtest:
    """Queue a backtest of the strategy with the parameters it has now. Raises NotPermitted, Invalid."""
    policy.require(policy.may_backtest(actor, strategy), "Your role may not backtest this strategy.")
    recording_directory(recording)
    if fitted_costs and not costs_file().exists():
        raise Invalid({"costs": "No cost report has fitted costs yet; make one on the TCA page."})
    with transaction.atomic():
        backtest = Backtest.objects.create(
            strategy=strategy,
            definition=definition_of(strategy),
            recording=recording,
            fitted_costs=fitted_costs,
            task=str(uuid4()),
            submitted_by=actor,
        )
        chain = team_chain(strategy.team_id)
        after = backtest.definition | {"recording": recording, "fitted_costs": fitted_costs}
        record(actor, "backtest.submitted", f"backtest {backtest.pk}", after=after, chain=chain)
        transaction.on_commit(lambda: _queue(backtest))
    return backtest


def cancel_backtest(actor: User, backtest: Backtest) -> Backtest:
    """End one that has not finished; a worker that runs it notices within a second."""
    policy.require(policy.may_backtest(actor, backtest.strategy), "Your role may not cancel this backtest.")
    with transaction.atomic():
        row = Backtest.objects.select_for_update().get(pk=backtest.pk)
        if row.finished:
            raise Conflict(f"This backtest is {row.get_state_display()}.", code="backtest_finished")
        row.state, row.finished_at = Backtest.State.CANCELED, timezone.now()
        row.save(update_fields=["state", "finished_at"])
        chain = team_chain(row.strategy.team_id)
        record(actor, "backtest.canceled", f"backtest {row.pk}", chain=chain)
    return row


def _queue(backtest: Backtest) -> None:
    run_backtest.apply_async(args=(backtest.pk,), task_id=backtest.task)
