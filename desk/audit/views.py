"""The audit trail on screen: what happened, who did it, and whether the chains are whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from desk.accounts import policy
from desk.accounts.person import person
from desk.audit.models import AuditEntry
from desk.audit.services import Break, verify

PAGE_SIZE = 100
VERIFIED_AT_ONCE = 5_000


@dataclass(frozen=True)
class EntryRow:
    """One entry with what changed, field by field."""

    entry: AuditEntry
    changes: list[tuple[str, str, str]]


@login_required
@require_GET
def entries(request: HttpRequest) -> HttpResponse:
    """The newest entries that match; a long trail is verified only when asked."""
    policy.require(policy.may_see_audit(person(request)), "Risk managers and administrators read the audit trail.")
    rows = AuditEntry.objects.all()
    words = request.GET.get("words", "").strip()
    if words:
        rows = rows.filter(
            Q(action__icontains=words)
            | Q(subject__icontains=words)
            | Q(actor_name__icontains=words)
            | Q(reason__icontains=words)
        )
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    found = list(rows[: PAGE_SIZE + 1])
    total = AuditEntry.objects.count()
    context: dict[str, Any] = {
        "rows": [EntryRow(entry, _changes(entry)) for entry in found[:PAGE_SIZE]],
        "next_before": found[PAGE_SIZE - 1].pk if len(found) > PAGE_SIZE else None,
        "words": words,
        "total": total,
    }
    if total <= VERIFIED_AT_ONCE or "verify" in request.GET:
        breaks: list[Break] = list(verify())
        context |= {"verified_at": timezone.now(), "breaks": breaks}
    return render(request, "audit/entries.html", context)


def _changes(entry: AuditEntry) -> list[tuple[str, str, str]]:
    before = entry.before if isinstance(entry.before, dict) else {}
    after = entry.after if isinstance(entry.after, dict) else {}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [(name.replace("_", " "), _text(before.get(name)), _text(after.get(name))) for name in names]


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
