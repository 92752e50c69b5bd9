"""Archiving: off the lists, never out of the history."""

import pytest
from django.test import Client

from desk.accounts.models import User
from desk.audit.models import AuditEntry
from desk.link.projector import project
from desk.refusals import Conflict, Invalid, NotPermitted
from desk.strategies.models import Strategy
from desk.strategies.services import (
    archive_strategy,
    change_strategy,
    create_strategy,
    listed_strategies,
    restore_strategy,
    start_strategy,
    stop_strategy,
    visible_strategies,
)
from engine.messages.codes import OrderState, ReportKind
from tests.desk.fake_engine import FakeEngine
from tests.desk.journal_records import Journal


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


def audited(strategy: Strategy) -> list[tuple[str, str]]:
    entries = AuditEntry.objects.filter(subject=f"strategy {strategy.pk} {strategy.name}").order_by("sequence")
    return [(entry.action, entry.reason) for entry in entries if entry.action != "strategy.defined"]


def test_an_archived_strategy_leaves_the_lists_and_keeps_its_page(strategy: Strategy, alice: User) -> None:
    archive_strategy(alice, strategy, "the pair broke")
    assert (list(listed_strategies(alice)), list(visible_strategies(alice))) == ([], [strategy])
    assert audited(strategy) == [("strategy.archived", "the pair broke")]
    client = signed_in(alice)
    shown = {
        address: strategy.name in client.get(address).content.decode()
        for address in ("/", "/strategies/", "/risk/limits/", "/risk/kill/", "/research/backtests/new/")
    }
    assert shown == dict.fromkeys(shown, False)
    kept = ("/strategies/archived/", f"/strategies/{strategy.pk}/", "/blotter/orders/")
    assert [strategy.name in client.get(address).content.decode() for address in kept] == [True, True, True]


def test_it_comes_back_stopped(strategy: Strategy, alice: User) -> None:
    archive_strategy(alice, strategy)
    restored = restore_strategy(alice, strategy)
    assert (list(listed_strategies(alice)), restored.running) == ([strategy], False)
    assert [action for action, _ in audited(strategy)] == ["strategy.archived", "strategy.restored"]


def test_what_is_done_already_is_not_done_again(strategy: Strategy, alice: User) -> None:
    restore_strategy(alice, strategy)
    archive_strategy(alice, strategy)
    archive_strategy(alice, strategy)
    assert [action for action, _ in audited(strategy)] == ["strategy.archived"]


def test_an_archived_strategy_neither_starts_nor_changes(engine: FakeEngine, strategy: Strategy, alice: User) -> None:
    archived = archive_strategy(alice, strategy)
    engine.received.clear()
    for step in (lambda: start_strategy(alice, archived), lambda: change_strategy(alice, archived, name="Other")):
        with pytest.raises(Conflict, match="is archived; restore it first"):
            step()
    assert engine.kinds() == []


def test_a_strategy_that_runs_is_not_archived(strategy: Strategy, alice: User) -> None:
    start_strategy(alice, strategy)
    with pytest.raises(Conflict, match="Stop the strategy"):
        archive_strategy(alice, strategy)
    stop_strategy(alice, strategy)
    assert archive_strategy(alice, strategy).archived_at is not None


def test_a_strategy_with_working_orders_is_not_archived(strategy: Strategy, alice: User) -> None:
    journal = Journal(strategy.pk, strategy.team_id)
    journal.enter(1)
    journal.report(1, ReportKind.ACCEPTED, OrderState.ACCEPTED, 100)
    project(journal.data)
    answer = signed_in(alice).post(f"/strategies/{strategy.pk}/archive/", follow=True)
    assert "It still has working orders" in answer.content.decode()
    assert list(listed_strategies(alice)) == [strategy]


def test_who_may_stop_it_may_archive_it(
    strategy: Strategy, alice: User, bob: User, charlie: User, erin: User, frank: User
) -> None:
    answers = {}
    for user in (bob, frank, alice, charlie, erin):
        answers[user.username] = signed_in(user).post(f"/strategies/{strategy.pk}/archive/").status_code
        strategy.refresh_from_db()
        answers[user.username] = (answers[user.username], strategy.archived_at is not None)
        Strategy.objects.update(archived_at=None)
    assert answers == {
        "bob": (404, False),
        "frank": (403, False),
        "alice": (302, True),
        "charlie": (302, True),
        "erin": (302, True),
    }
    with pytest.raises(NotPermitted):
        restore_strategy(frank, strategy)


def test_the_name_of_an_archived_strategy_stays_taken(strategy: Strategy, alice: User) -> None:
    archive_strategy(alice, strategy)
    with pytest.raises(Invalid, match="'AAA / BBB' already, which is archived"):
        create_strategy(
            alice,
            name="aaa / bbb",
            kind="pairs",
            venue=1,
            instruments=[1, 3],
            parameters={"hedge_ratio": 1, "quantity": 100},
        )
