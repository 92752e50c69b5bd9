"""`manage.py open_demo`: brings the demo's limits, venues and strategies to the running engine; starts them once."""

import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from desk.link import client
from desk.link.reconcile import reconcile
from desk.operations.demo import Market
from desk.operations.seeding.strategies import KIND, define_demo_strategies, define_demo_venues, start_all
from desk.refusals import EngineNotReached, OutcomeUnknown, Refusal

ACTOR = "launcher"
PATIENCE_SECONDS = 60.0


class Command(BaseCommand):
    help = "Bring the demo's limits, venues and strategies to the running engine; the first time, start the strategies."

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        market = Market(settings.STATE)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                sentences = open_market(market)
                break
            except (EngineNotReached, OutcomeUnknown) as refusal:
                # Every step looks first whether it was done, so that all of them may be done again.
                if time.monotonic() > deadline:
                    raise CommandError(refusal.sentence) from refusal
            except Refusal as refusal:
                raise CommandError(refusal.sentence) from refusal
        self.stderr.write("\n".join(sentences))


def open_market(market: Market) -> list[str]:
    """Bring everything to the engine and return what there is to say."""
    if not market.opened.exists():  # from then on they are people's
        define_demo_venues(market)
    outcome = reconcile(ACTOR, start=True)
    if market.opened.exists():
        return [*outcome.refusals, f"The engine runs limits version {outcome.limits_version}."]
    kind = next((kind for kind in client.catalogue(fresh=True).strategy_kinds if kind.name == KIND), None)
    if kind is None:
        raise CommandError(f"The running engine knows no strategy kind {KIND!r}.")
    strategies = define_demo_strategies(kind, market, market.earlier_session.name)
    start_all(strategies)
    market.opened.touch()
    return [*outcome.refusals, f"{len(strategies)} strategies were defined and started."]
