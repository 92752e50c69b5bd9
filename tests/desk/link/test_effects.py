"""Commands in the journal reach the rows that people look at, once."""

import pytest

from desk.accounts.models import User
from desk.link.models import EngineEvent
from desk.link.projector import clear, project
from desk.risk.models import KillState
from desk.runs.models import Run
from desk.strategies.definitions import definition_of
from desk.strategies.models import Strategy
from desk.strategies.services import start_strategy
from engine.messages.codes import Scope, StrategyState
from engine.messages.control import DefineVenue, Kill, Rearm, StartStrategy, StopStrategy, command
from tests.desk.fake_engine import FakeEngine
from tests.desk.journal_records import Journal


@pytest.fixture
def journal() -> Journal:
    return Journal()


def test_a_start_and_a_stop_by_anybody_show_on_the_strategy(strategy: Strategy, alice: User, journal: Journal) -> None:
    journal.command(command(StartStrategy(**definition_of(strategy)), "alice"))
    project(journal.data)
    strategy.refresh_from_db()
    assert (strategy.running, strategy.reported_sequence) == (True, 1)
    journal.command(command(StopStrategy(strategy.pk), "alice"))
    project(journal.data)
    strategy.refresh_from_db()
    assert strategy.reported_state == StrategyState.STOPPED


def test_a_stop_in_the_journal_ends_the_run(
    engine: FakeEngine, strategy: Strategy, alice: User, journal: Journal
) -> None:
    engine.sequence = 0
    run = start_strategy(alice, strategy)
    journal.command(command(StartStrategy(**definition_of(strategy)), "alice"))
    journal.command(command(StopStrategy(strategy.pk), "charlie"))
    project(journal.data)
    run = Run.objects.get(pk=run.pk)
    assert (run.stopped_sequence, run.ending) == (2, "stopped")


@pytest.mark.django_db
def test_a_venues_password_does_not_reach_the_database(journal: Journal) -> None:
    settings = {"user": "desk", "password": "hush"}
    journal.command(command(DefineVenue(1, "XSIM", "ouch50", settings), "charlie"))
    project(journal.data)
    assert EngineEvent.objects.get().detail["body"]["settings"] == {"user": "desk", "password": "•••"}


def test_a_kill_from_the_engines_host_is_shown_and_replaying_it_changes_nothing(
    charlie: User, dora: User, journal: Journal
) -> None:
    journal.command(command(Kill(Scope.FIRM, 0, "sentinel file"), "root"))
    project(journal.data)
    state = KillState.objects.get()
    assert (state.active, state.confirmed, state.reason, state.killed_by) == (True, True, "sentinel file", None)
    journal.command(command(Rearm(Scope.FIRM, 0, "fixed", "dora"), "charlie"))
    project(journal.data)
    clear()
    project(journal.data)
    state = KillState.objects.get()
    assert (state.active, state.rearmed_by, state.sequence, state.rearmed_sequence) == (False, dora, 1, 2)
