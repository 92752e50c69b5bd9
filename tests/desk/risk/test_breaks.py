"""Breaks: raised in the journal, shown in the queue, settled by a named person with a sentence."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from desk.accounts.models import User
from desk.audit.models import AuditEntry
from desk.link.effects import note_command
from desk.link.projector import project
from desk.refusals import Invalid, NotPermitted
from desk.risk import breaks
from desk.risk.models import Break
from engine.messages import control
from tests.desk.fake_engine import FakeEngine
from tests.desk.journal_records import Journal

pytestmark = pytest.mark.django_db
AT = datetime(2026, 1, 2, 10, 20, 30, tzinfo=UTC)
NAME = "3-17-missing-here-0badcafe"


def note(command_kind: str, actor: str, sequence: int, **body: Any) -> None:
    note_command({"kind": command_kind, "actor": actor, "body": body}, sequence, AT)


def raise_one() -> None:
    sentence = "order 17: the drop copy has 60 at 100.0000, and no answer told us"
    note(
        control.RAISE_BREAK, "reconciliation", 5, name=NAME, kind="missing here", venue=3, instrument=1, order_id=17,
        sentence=sentence,
    )  # fmt: skip


def page(client: Client, user: User) -> str:
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return str(client.get("/risk/breaks/").content.decode())


def test_a_trader_sees_that_an_instrument_is_blocked_and_no_terms_of_another_teams_order(
    client: Client, alice: User, bob: User, frank: User, engine: FakeEngine
) -> None:
    journal = Journal(0, alice.team_id)
    journal.enter(17)
    project(journal.data)
    raise_one()
    shown = {user: page(client, user) for user in (alice, bob, frank)}
    assert ["no answer told us" in shown[user] for user in (alice, bob, frank)] == [True, False, True]
    assert ["/blotter/orders/17/" in shown[user] for user in (alice, bob, frank)] == [True, False, True]
    assert ("an order of another team" in shown[bob], "Missing here" in shown[bob]) == (True, True)


def test_the_journal_fills_the_queue_and_empties_it_however_often_it_is_projected(
    client: Client, alice: User, charlie: User
) -> None:
    assert "Nothing differs" in page(client, alice)
    for _ in range(2):
        raise_one()
    assert [row.name for row in breaks.open_breaks()] == [NAME]
    assert "no answer told us" in page(client, charlie)
    assert ("Resolve</button>" in page(client, alice), "Resolve</button>" in page(client, charlie)) == (False, True)
    for _ in range(2):
        note(control.RESOLVE_BREAK, "charlie", 9, name=NAME, sentence="the venue sent it again")
    raise_one()
    row = Break.objects.get()
    assert (row.resolved_by, row.resolution, row.resolved_sequence) == ("charlie", "the venue sent it again", 9)
    assert breaks.open_breaks() == []
    assert "the venue sent it again" in page(client, charlie)


@pytest.mark.django_db(transaction=True)
def test_a_person_settles_it_with_a_sentence_and_it_is_audited(engine: FakeEngine, charlie: User, alice: User) -> None:
    with pytest.raises(NotPermitted):
        breaks.resolve_break(alice, NAME, "settled")
    with pytest.raises(Invalid, match="Say why"):
        breaks.resolve_break(charlie, NAME, " ")
    assert engine.kinds() == []
    breaks.resolve_break(charlie, NAME, "the venue sent it again")
    assert engine.last(control.RESOLVE_BREAK) == {"name": NAME, "sentence": "the venue sent it again"}
    entry = AuditEntry.objects.get(action="break.resolved")
    assert (entry.actor, entry.reason) == (charlie, "the venue sent it again")
