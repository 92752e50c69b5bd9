"""The audit trail shows when somebody tampered with it, and the database refuses to."""

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from desk.accounts.models import User
from desk.audit.models import AuditEntry
from desk.audit.services import record, verify


@pytest.fixture
def entries(charlie: User) -> list[AuditEntry]:
    with transaction.atomic():
        return [
            record(charlie, "limits.approved", "firm", before={"position": "1"}, after={"position": "2"}, reason="é"),
            record(None, "limits.applied", "version 2", after={"hash": "x"}),
            record(charlie, "strategy.defined", "strategy 7", chain="team:3"),
        ]


def tamper(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("set session_replication_role = replica")
        cursor.execute(statement)
        cursor.execute("set session_replication_role = origin")


def test_a_chain_continues_where_it_ended(entries: list[AuditEntry]) -> None:
    assert [(entry.chain, entry.sequence) for entry in entries] == [("firm", 1), ("firm", 2), ("team:3", 1)]
    assert (entries[0].previous_hash, entries[1].previous_hash) == ("0" * 64, entries[0].hash)
    assert list(verify()) == []


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_auditentry set reason = 'other'",
        "delete from audit_auditentry",
        "truncate audit_auditentry",
    ],
)
def test_the_database_refuses_changes(entries: list[AuditEntry], statement: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("set constraints all immediate")
        cursor.execute("alter table audit_auditentry enable trigger audit_no_truncate")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)
    assert AuditEntry.objects.count() == 3


def test_a_changed_entry_is_found(entries: list[AuditEntry]) -> None:
    tamper(f"update audit_auditentry set actor_name = 'alice' where id = {entries[0].pk}")
    assert [(row.chain, row.sequence, row.sentence) for row in verify()] == [("firm", 1, "its content was changed")]


def test_a_removed_entry_is_found(entries: list[AuditEntry]) -> None:
    tamper(f"delete from audit_auditentry where id = {entries[0].pk}")
    assert [(row.sequence, row.sentence) for row in verify()] == [(2, "entry 1 is missing")]


def test_the_command_says_what_is_wrong(entries: list[AuditEntry], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("audit", "verify")
    assert capsys.readouterr().out == "The audit trail is whole: 3 entries.\n"
    tamper("update audit_auditentry set after = '{}' where sequence = 2")
    with pytest.raises(CommandError, match="broken in 1 places"):
        call_command("audit", "verify")
    assert capsys.readouterr().err == "firm #2: its content was changed\n"
