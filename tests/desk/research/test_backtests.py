"""A worker runs a backtest in a process of its own, shows how far it is, and keeps what came out."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from desk.accounts.models import User
from desk.refusals import Conflict, Invalid, NotPermitted
from desk.research import tasks
from desk.research.models import Backtest
from desk.research.services import cancel_backtest, recordings, submit_backtest
from desk.research.tasks import ask_again, run_backtest
from desk.strategies.definitions import definition_of
from desk.strategies.models import Strategy
from engine.messages.backtest import read_backtest

State = Backtest.State
DONE = """
import json, sys
for step in (0.25, 0.5):
    print("progress", step, file=sys.stderr, flush=True)
out = sys.argv[sys.argv.index("--out") + 1]
json.dump({"orders": 3, "fills": 2}, open(out + "/result.json", "w"))
"""
FAILED = """
import sys
print("progress 0.5", file=sys.stderr)
print("the recording is cut", file=sys.stderr)
sys.exit(3)
"""
ENDLESS = """
import sys, time
print("progress 0.1", file=sys.stderr, flush=True)
time.sleep(60)
"""


@pytest.fixture
def monday(engine_state: Path) -> str:
    """A recorded session."""
    (engine_state / "recordings" / "monday").mkdir(parents=True)
    (engine_state / "recordings" / "monday" / "recording.json").write_text("{}")
    return "monday"


@pytest.fixture
def backtest(monday: str, strategy: Strategy, alice: User, monkeypatch: pytest.MonkeyPatch) -> Backtest:
    monkeypatch.setattr(run_backtest, "apply_async", lambda *_, **__: None)
    return submit_backtest(alice, strategy, monday)


@pytest.fixture
def engine_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Give the task another engine program."""

    def install(source: str) -> None:
        script = tmp_path / "engine.py"
        script.write_text(source)
        monkeypatch.setattr(tasks, "ENGINE", [sys.executable, str(script)])

    return install


def test_recorded_sessions_are_listed_by_name(monday: str) -> None:
    assert recordings() == ["monday"]


def test_a_backtest_keeps_the_strategy_as_it_was(backtest: Backtest, strategy: Strategy) -> None:
    assert (backtest.state, backtest.definition) == (State.QUEUED, definition_of(strategy))


def test_a_finished_one_has_totals_and_artefacts(
    backtest: Backtest, engine_does: Callable[[str], None], engine_state: Path
) -> None:
    engine_does(DONE)
    run_backtest(backtest.pk)
    backtest.refresh_from_db()
    assert (backtest.state, backtest.progress, backtest.totals) == (State.DONE, 1.0, {"orders": 3, "fills": 2})
    config = read_backtest(Path(backtest.artefacts) / "backtest.toml")
    assert config.recording == str(engine_state / "recordings" / "monday")
    assert [row.parameters for row in config.strategies] == [{"hedge_ratio": 1.5, "quantity": 100.0}]
    assert [(row.scope, row.order_quantity) for row in config.limits] == [(1, 1_000), (2, 1_000), (3, 1_000)]


def test_delivered_twice_it_runs_once(backtest: Backtest, engine_does: Callable[[str], None]) -> None:
    engine_does(DONE)
    run_backtest(backtest.pk)
    engine_does(FAILED)
    run_backtest(backtest.pk)
    backtest.refresh_from_db()
    assert backtest.state == State.DONE


@pytest.mark.django_db(transaction=True)
def test_while_another_worker_runs_it_nothing_happens(
    backtest: Backtest, engine_does: Callable[[str], None], eventually: Callable[..., None]
) -> None:
    engine_does(ENDLESS)

    def work() -> None:
        run_backtest(backtest.pk)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    eventually(lambda: Backtest.objects.get(pk=backtest.pk).progress == 0.1, "progress")
    engine_does(DONE)
    run_backtest(backtest.pk)
    assert Backtest.objects.get(pk=backtest.pk).state == State.RUNNING
    Backtest.objects.update(state=State.CANCELED)
    worker.join(10)
    assert not worker.is_alive()


def test_a_worker_that_starts_asks_again_for_what_has_not_ended(
    backtest: Backtest, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, ...]] = []
    monkeypatch.setattr(run_backtest, "apply_async", lambda arguments, *_, **__: asked.append(tuple(arguments)))
    ask_again()
    Backtest.objects.update(state=State.DONE)
    ask_again()
    assert asked == [(backtest.pk,)]


def test_a_failure_says_what_the_engine_said(backtest: Backtest, engine_does: Callable[[str], None]) -> None:
    engine_does(FAILED)
    run_backtest(backtest.pk)
    backtest.refresh_from_db()
    assert (backtest.state, backtest.progress, backtest.failure) == (State.FAILED, 0.5, "the recording is cut")


def test_a_canceled_one_before_its_start_never_runs(
    backtest: Backtest, alice: User, engine_does: Callable[[str], None]
) -> None:
    engine_does(DONE)
    cancel_backtest(alice, backtest)
    run_backtest(backtest.pk)
    backtest.refresh_from_db()
    assert (backtest.state, backtest.totals) == (State.CANCELED, {})
    with pytest.raises(Conflict):
        cancel_backtest(alice, backtest)


@pytest.mark.django_db(transaction=True)
def test_a_canceled_one_is_stopped_while_it_runs(
    backtest: Backtest, alice: User, engine_does: Callable[[str], None], eventually: Callable[..., None]
) -> None:
    engine_does(ENDLESS)

    def work() -> None:
        run_backtest(backtest.pk)
        connection.close()

    worker = threading.Thread(target=work)
    worker.start()
    eventually(lambda: Backtest.objects.get(pk=backtest.pk).progress == 0.1, "progress")
    cancel_backtest(alice, backtest)
    worker.join(10)
    assert not worker.is_alive()
    assert Backtest.objects.get(pk=backtest.pk).state == State.CANCELED


def test_fitted_costs_are_kept_with_the_results(
    monday: str, strategy: Strategy, alice: User, engine_state: Path, engine_does: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(run_backtest, "apply_async", lambda *_, **__: None)
    with pytest.raises(Invalid, match="No cost report"):
        submit_backtest(alice, strategy, monday, fitted_costs=True)
    (engine_state / "costs.json").write_text("the costs")
    backtest = submit_backtest(alice, strategy, monday, fitted_costs=True)
    engine_does(DONE)
    run_backtest(backtest.pk)
    directory = engine_state / "backtests" / str(backtest.pk)
    assert read_backtest(directory / "backtest.toml").costs == str(directory / "costs.json")
    assert (directory / "costs.json").read_text() == "the costs"


def test_who_may_submit(monday: str, strategy: Strategy, alice: User, bob: User, frank: User) -> None:
    for user in (bob, frank):
        with pytest.raises(NotPermitted):
            submit_backtest(user, strategy, monday)
    with pytest.raises(Invalid, match="no recorded session"):
        submit_backtest(alice, strategy, "../../etc")
