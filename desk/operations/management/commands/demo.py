"""`manage.py demo`: makes the files of the demo market once: configurations, an earlier session and its pairs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from desk.environment import PROJECT_ROOT
from desk.operations.configurations import (
    write_dialect,
    write_earlier_config,
    write_engine_config,
    write_exchange_config,
)
from desk.operations.demo import Market, claim_ports
from desk.operations.ports import PortTaken
from desk.operations.processes import die_with_parent

FEWEST_PAIRS = 20
SIGNIFICANCE = 0.05
EARLIER_SECONDS = 5400
ROW_SECONDS = 10


class Command(BaseCommand):
    help = "Make the demo market in the state directory: configurations, an earlier session, its cointegrated pairs."
    requires_system_checks: list[str] = []

    def handle(self, *_arguments: Any, **_options: Any) -> None:
        market = Market(settings.STATE)
        try:
            claim_ports(market)
        except PortTaken as problem:
            raise CommandError(str(problem)) from problem
        write_exchange_config(market)
        write_dialect(market)
        write_earlier_config(market)
        write_engine_config(market)
        if market.pairs.exists():
            return
        engine("exchange", market.earlier_config, "--record", market.earlier_session, "--seconds", str(EARLIER_SECONDS))
        draft = market.pairs.with_suffix(".draft")
        prices = market.earlier_session / "prices.csv"
        engine(
            "study", "pairs", prices, "--format", "prices", "--every", str(ROW_SECONDS), "--lags", "1", "--out", draft
        )
        pairs = strongest_pairs(draft)
        if len(pairs) < FEWEST_PAIRS:
            raise CommandError(f"The earlier session has only {len(pairs)} cointegrated pairs; see {draft}.")
        draft.write_text(json.dumps({"pairs": pairs}))
        draft.rename(market.pairs)
        self.stdout.write(f"{len(pairs)} cointegrated pairs in {market.pairs}")


def engine(*arguments: str | Path) -> None:
    """Run one command of the engine to its end; its output goes where ours goes."""
    done = subprocess.run(
        [sys.executable, "-m", "engine", *map(str, arguments)],
        cwd=PROJECT_ROOT,
        check=False,
        preexec_fn=die_with_parent(15),
    )
    if done.returncode:
        raise CommandError(f"engine {arguments[0]} ended with status {done.returncode}.")


def strongest_pairs(study: Path) -> list[dict[str, Any]]:
    """Return the pairs that stay cointegrated when so many are tried at once (Bonferroni); half-lives in seconds."""
    pairs = json.loads(study.read_text())["pairs"]
    return [
        pair | {"half_life": pair["half_life_seconds"]}
        for pair in pairs
        if pair["engle_granger_p"] < SIGNIFICANCE / len(pairs) and pair["hedge_ratio"] > 0 and pair["half_life_seconds"]
    ]
