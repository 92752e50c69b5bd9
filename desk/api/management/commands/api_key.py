"""`manage.py api_key USERNAME --scope read --scope trade`: a new key, printed once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from desk.accounts.models import User
from desk.api.keys import LONGEST_DAYS, create_key
from desk.api.models import ApiScope
from desk.refusals import Refusal


class Command(BaseCommand):
    help = "Make an API key for a person; the secret is printed once and kept nowhere."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--scope", action="append", choices=ApiScope.values, required=True, dest="scopes")
        parser.add_argument("--name", default="command line")
        parser.add_argument("--days", type=int, default=LONGEST_DAYS)

    def handle(self, *_: Any, **options: Any) -> None:
        owner = User.objects.filter(username=options["username"], is_active=True).first()
        if owner is None:
            raise CommandError(f"There is no active user {options['username']!r}.")
        try:
            made = create_key(owner, options["name"], options["scopes"], options["days"])
        except Refusal as refusal:
            raise CommandError(refusal.sentence) from refusal
        self.stdout.write(made.token)
