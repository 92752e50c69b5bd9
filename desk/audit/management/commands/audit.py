"""`manage.py audit verify`: check every hash chain of the audit trail."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from desk.audit.models import AuditEntry
from desk.audit.services import verify


class Command(BaseCommand):
    """Exit status 1 when an entry was changed, removed or inserted."""

    help = "Check the audit trail."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["verify"])
        parser.add_argument("--json", action="store_true")

    def handle(self, *_: Any, **options: Any) -> None:
        breaks = list(verify())
        entries = AuditEntry.objects.count()
        for found in breaks:
            self.stderr.write(f"{found.chain} #{found.sequence}: {found.sentence}")
        if options["json"]:
            self.stdout.write(json.dumps({"entries": entries, "breaks": len(breaks)}))
        if breaks:
            raise CommandError(f"The audit trail is broken in {len(breaks)} places.")
        if not options["json"]:
            self.stdout.write(f"The audit trail is whole: {entries} entries.")
