"""`manage.py project`: the projector process; with --rebuild from the beginning of the journal."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from desk.link.follow import FollowRefused
from desk.link.following import Following
from desk.link.projector import AnotherJournal, clear, digest
from engine.messages.endpoints import engine_endpoints


class Command(BaseCommand):
    help = "Project the engine's journal into the database, for ever."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="drop every projected row first")
        parser.add_argument("--until-head", action="store_true", help="end when the journal's head is projected")
        parser.add_argument("--digest", action="store_true", help="say how many rows there are, with their hashes")
        parser.add_argument("--json", action="store_true", help="with --digest: one JSON object")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["rebuild"]:
            clear()
        if not options["digest"] or options["rebuild"] or options["until_head"]:
            self._follow(options["until_head"] or options["digest"])
        if options["digest"]:
            found = digest()
            if options["json"]:
                self.stdout.write(json.dumps(found))
            else:
                for table, row in found.items():
                    self.stdout.write(f"{table:24} {row['rows']:>10}  {row['hash']}")

    def _follow(self, until_head: bool) -> None:
        following = Following(engine_endpoints(settings.STATE).follow)
        try:
            following.run(until_head)
        except (FollowRefused, AnotherJournal) as error:
            raise CommandError(
                f"{error}\nIf this is the right journal, `manage.py project --rebuild` projects it from its beginning."
            ) from error
        except KeyboardInterrupt:
            self.stderr.write("stopped")
