"""`manage.py bench project`: what the desk's own parts can carry."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from desk.link.benchmark import measure


class Command(BaseCommand):
    help = "Measure a part of the desk."

    def add_arguments(self, parser: CommandParser) -> None:
        kinds = parser.add_subparsers(dest="benchmark", required=True)
        project = kinds.add_parser("project", help="journal records to PostgreSQL")
        project.add_argument("--orders", type=int, default=100_000, help="each is three records and four rows")
        project.add_argument("--json", action="store_true")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["orders"] < 1:
            raise CommandError("--orders must be at least 1.")
        found = measure(options["orders"])
        if options["json"]:
            self.stdout.write(json.dumps(found))
            return
        self.stdout.write(
            f"{found['records']:,} records became {found['rows']:,} rows in {found['seconds']:.2f} s: "
            f"{found['records_per_second']:,.0f} records/s, {found['rows_per_second']:,.0f} rows/s"
        )
