"""`manage.py seed`: demo users, instruments, pairs and limits; prints each new password once and keeps it nowhere."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from desk.operations.demo import Market
from desk.operations.seeding.limits import seed_limits
from desk.operations.seeding.markets import seed_instruments, seed_pairs, seed_volumes
from desk.operations.seeding.people import DemoUser, seed_team, seed_users


class Command(BaseCommand):
    help = "Make the demo users (one for each role) and load the demo market's instruments, pairs and limits."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--new-passwords", action="store_true", help="give every demo user a new password")

    def handle(self, *_arguments: Any, **options: Any) -> None:
        market = Market(settings.STATE)
        if not market.pairs.exists():
            raise CommandError(f"There is no demo market in {market.directory}; make one with `manage.py demo`.")
        team = seed_team()
        users = seed_users(team, new_passwords=options["new_passwords"])
        instruments = seed_instruments(market.instruments)
        seed_volumes(market.volumes)
        pairs = seed_pairs(market.pairs, market.earlier_session.name)
        seed_limits(team)
        self.stderr.write(f"{instruments} instruments and {pairs} pairs are loaded.")
        self.stdout.write(sign_in_table(users))


def sign_in_table(users: list[DemoUser]) -> str:
    """Return what a person needs to sign in."""
    if not any(user.password for user in users):
        names = ", ".join(user.username for user in users)
        return f"Sign in as {names}. Their passwords were shown once; `manage.py seed --new-passwords` makes new ones."
    rows = [f"    {user.username:<10} {user.password or '(as shown before)'}" for user in users]
    return "\n".join(["Sign in as one of these; the passwords are shown only now:", *rows])
