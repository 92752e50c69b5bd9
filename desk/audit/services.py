"""Writing to the audit trail, in the transaction of the change it tells about, and checking its chains."""

import hashlib
import json
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from desk.accounts.models import User
from desk.audit.models import AuditEntry

FIRM_CHAIN = "firm"
FIRST_HASH = "0" * 64
SYSTEM = "system"
HASHED_FIELDS = ("chain", "sequence", "actor_name", "address", "action", "subject", "before", "after", "reason")

address: ContextVar[str] = ContextVar("address", default="")


@dataclass(frozen=True)
class Break:
    """A row that does not fit the one before it."""

    chain: str
    sequence: int
    sentence: str


def team_chain(team_id: int) -> str:
    """The chain of what concerns one team."""
    return f"team:{team_id}"


def record(
    actor: User | None,
    action: str,
    subject: str,
    *,
    before: Any = None,
    after: Any = None,
    reason: str = "",
    chain: str = FIRM_CHAIN,
) -> AuditEntry:
    """Append one entry. `actor` None is the system itself; `action` like "limits.approved"; `before`/`after` are JSON.

    Must run inside the transaction that makes the change: the chain is locked until it ends.
    """
    assert connection.in_atomic_block, "an audit entry belongs to the transaction of its change"
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"audit:{chain}"])
    last = AuditEntry.objects.filter(chain=chain).order_by("-sequence").first()
    entry = AuditEntry(
        chain=chain,
        sequence=last.sequence + 1 if last else 1,
        time=timezone.now(),
        actor=actor,
        actor_name=actor.get_username() if actor else SYSTEM,
        address=address.get(),
        action=action,
        subject=subject,
        before=_plain(before),
        after=_plain(after),
        reason=reason[:300],
        previous_hash=last.hash if last else FIRST_HASH,
    )
    entry.hash = hash_of(entry)
    entry.save(force_insert=True)
    return entry


def _plain(value: Any) -> Any:
    """As the database gives JSON back, so that the hash can be checked later."""
    return json.loads(json.dumps(value, default=str))


def hash_of(entry: AuditEntry) -> str:
    """SHA-256 over the previous hash and the canonical JSON of the entry."""
    fields = {name: getattr(entry, name) for name in HASHED_FIELDS}
    fields["time"] = entry.time.isoformat(timespec="microseconds")
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(entry.previous_hash.encode() + text.encode()).hexdigest()


def verify() -> Iterator[Break]:
    """Every break of every chain, in order; none when the trail is whole."""
    with transaction.atomic():
        previous: AuditEntry | None = None
        for entry in AuditEntry.objects.order_by("chain", "sequence").iterator():
            if previous is None or previous.chain != entry.chain:
                previous = None
            expected_sequence = previous.sequence + 1 if previous else 1
            expected_hash = previous.hash if previous else FIRST_HASH
            if entry.sequence != expected_sequence:
                yield Break(entry.chain, entry.sequence, f"entry {expected_sequence} is missing")
            elif entry.previous_hash != expected_hash:
                yield Break(entry.chain, entry.sequence, "it does not continue the entry before it")
            if entry.hash != hash_of(entry):
                yield Break(entry.chain, entry.sequence, "its content was changed")
            previous = entry
