"""`python -m engine study router --data FILE...`: our router against three simple ones on recorded quotes of several
venues, fitted on the morning, reported on the afternoon. docs/routing.md has the model and its assumptions."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

from engine.history.lean import MalformedQuote
from engine.history.lean_day import read_day
from engine.studies.contesting_routers import BestPriceOnly, OurRouter, PrimaryOnly, Proportional, Router
from engine.studies.parent_orders import REST_MS, Desk, Outcome, make_parents
from engine.studies.recorded_venues import CLOSE_MS, NOON_MS, OPEN_MS, RecordedVenues
from engine.studies.router_fitting import fit
from engine.studies.venue_assumptions import OTHERWISE, VenueTerms, read_terms

OURS = "router"
SIMPLE = ("best_price", "primary", "proportional")
LAST_MS = CLOSE_MS - 60_000
AUCTION_MS = 300_000  # what trades in the first minutes is mostly the opening auction
Outcomes = dict[str, list[Outcome]]  # by router, the same parents in the same order


def study(market: RecordedVenues, terms: dict[str, VenueTerms], orders: int, seed: int, primary: str = "") -> Outcomes:
    """Fit on the morning of one instrument and work the same parents of the afternoon with each router."""
    own_terms = [terms.get(letter, OTHERWISE) for letter in market.letters]
    volumes = morning_volumes(market)
    ours = OurRouter(market, own_terms)
    fit(ours, own_terms, OPEN_MS + AUCTION_MS, NOON_MS, f"{seed} fit {market.instrument}")
    at = market.letters.index(primary) if primary in market.letters else volumes.index(max(volumes))
    routers: dict[str, Router] = {
        OURS: ours,
        "best_price": BestPriceOnly(market),
        "primary": PrimaryOnly(at),
        "proportional": Proportional(market, volumes),
    }
    desk = Desk(market, own_terms)
    found: Outcomes = {name: [] for name in routers}
    for parent in make_parents(market, orders, NOON_MS, LAST_MS - REST_MS, f"{seed} {market.instrument}"):
        outcomes = {name: desk.work(parent, router) for name, router in routers.items()}
        for name, outcome in outcomes.items():
            if outcome is not None:
                found[name].append(outcome)
    return found


def morning_volumes(market: RecordedVenues) -> list[int]:
    """Shares that each venue traded in the morning; the venue with most is taken for the primary one."""
    return [int(prints.quantity[prints.time_ms < NOON_MS].sum()) for prints in market.prints]


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """Mean and its standard error (0 with fewer than two values)."""
    count = len(values)
    if count == 0:
        return 0.0, 0.0
    mean = math.fsum(values) / count
    if count == 1:
        return mean, 0.0
    return mean, math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (count - 1) / count)


def summary(found: Outcomes) -> dict[str, Any]:
    """Figures of each router, and ours less each other one parent by parent."""
    routers, differences = {}, {}
    for name, outcomes in found.items():
        shortfall, error = mean_and_error([outcome.shortfall_bps for outcome in outcomes])
        asked = sum(outcome.asked for outcome in outcomes)
        routers[name] = {
            "shortfall_bps": round(shortfall, 4),
            "stderr_bps": round(error, 4),
            "fill_rate": round(sum(outcome.filled for outcome in outcomes) / asked, 4) if asked else 0.0,
            "orders": len(outcomes),
        }
    for name in SIMPLE:
        paired = zip(found[OURS], found[name], strict=True)
        mean, error = mean_and_error([ours.shortfall_bps - other.shortfall_bps for ours, other in paired])
        differences[name] = {"shortfall_bps": round(mean, 4), "stderr_bps": round(error, 4)}
    return {"routers": routers, "differences": differences}


def main(arguments: list[str]) -> int:
    """Run the command; 1 with a sentence when a file is not what it should be."""
    parser = argparse.ArgumentParser(prog="python -m engine study router", description=__doc__)
    parser.add_argument("--data", nargs="+", type=Path, required=True, metavar="FILE", help="LEAN quote files")
    parser.add_argument("--orders", type=int, default=1200, help="parent orders of each instrument")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--primary", default="", metavar="VENUE", help="primary venue; else the one that trades most")
    parser.add_argument("--venues", type=Path, metavar="TOML", help="fees and latencies instead of the assumed ones")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    if asked.orders < 1:
        parser.error("--orders is at least 1")
    try:
        terms = read_terms(asked.venues)
        together: Outcomes = {name: [] for name in (OURS, *SIMPLE)}
        instruments: dict[str, Any] = {}
        for file in (file for file in asked.data if "trade" not in file.name):
            market = RecordedVenues(read_day(file))
            print(f"{market.instrument}: {', '.join(market.letters)}", file=sys.stderr)
            found = study(market, terms, asked.orders, asked.seed, asked.primary)
            name = market.instrument if market.instrument not in instruments else f"{market.instrument} {file.stem}"
            instruments[name] = summary(found)
            for name, outcomes in found.items():
                together[name] += outcomes
    except OSError as problem:
        print(f"study router: cannot read {problem.filename}: {problem.strerror}", file=sys.stderr)
        return 1
    except (MalformedQuote, ValueError) as problem:
        print(f"study router: {problem}", file=sys.stderr)
        return 1
    answer = summary(together) | {"instruments": instruments}
    print(json.dumps(answer) if asked.json else as_text(answer))
    return 0


def as_text(answer: dict[str, Any]) -> str:
    """The table for people: each instrument, then all together."""
    head = f"{'instrument':<12}{'router':<14}{'shortfall bps':>14}{'stderr':>9}{'fill rate':>11}{'orders':>8}"
    lines = [head + f"{'ours less':>12}{'stderr':>9}"]
    for name, part in [*answer["instruments"].items(), ("all", answer)]:
        for router, row in part["routers"].items():
            line = f"{name:<12}{router:<14}{row['shortfall_bps']:>14.3f}{row['stderr_bps']:>9.3f}"
            line += f"{row['fill_rate']:>11.4f}{row['orders']:>8}"
            if router in part["differences"]:
                difference = part["differences"][router]
                line += f"{difference['shortfall_bps']:>12.3f}{difference['stderr_bps']:>9.3f}"
            lines.append(line)
    return "\n".join(lines)
