"""`manage.py reconcile`: bring the approved limits, venues and kills to the running engine."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from desk.link.reconcile import reconcile
from desk.refusals import Refusal


class Command(BaseCommand):
    help = "Bring what people agreed on to the running engine."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--adopt", action="store_true", help="replace limits that this desk never sent")
        parser.add_argument("--start", action="store_true", help="start the strategies that should be running")

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            outcome = reconcile("reconcile", adopt=options["adopt"], start=options["start"])
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write(f"The engine runs limits version {outcome.limits_version}.")
        for words, names in (("venues", outcome.venues), ("kills", outcome.kills), ("started", outcome.strategies)):
            if names:
                self.stdout.write(f"{words}: {', '.join(names)}")
        if outcome.refusals:
            raise CommandError("\n".join(outcome.refusals))
