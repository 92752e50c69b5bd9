"""`bench backtest`: events per second of the standard backtest.

A session of the generated market is recorded (40 instruments, 20 pairs of neighbours trade), then run through the
engine's backtest several times. An event is an ITCH message that the exchange of
the backtest publishes: it matches every order, ours among them, order by order. The clock starts behind the compiler:
the first run is thrown away.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from engine.backtest import Backtest
from engine.bench.decision_path import open_limits
from engine.messages.backtest import BacktestConfig
from engine.messages.control import DefineVenue, StartStrategy
from engine.messages.instruments import Instrument, read_instruments
from engine.messages.risk import LimitsRow
from engine.simulator.config import ExchangeConfig, VenueConfig
from engine.simulator.generator import Market
from engine.simulator.recording import record
from engine.strategies import compiled_kind

VENUE = 1
PAIRS = 20
SETTINGS = {
    "order_address": "127.0.0.1:1",
    "user": "desk",
    "password": "desk",
    "feed_line_a": "127.0.0.1:1",
    "maker_fee": "-20",
    "taker_fee": "30",
}
PARAMETERS = {
    "hedge_ratio": 1.0,
    "centre": 0.0,
    "deviation": 0.02,
    "entry": 1.0,
    "exit": 0.0,
    "quantity": 100,
    "patience": 2.0,
    "memory": 20.0,
    "routing": 0.0,
}


def standard_pairs(instruments: list[Instrument]) -> list[StartStrategy]:
    """Neighbours, which the generated market moves together; the centre is that of the opening prices."""
    kind = compiled_kind("pairs")
    made = []
    for number in range(PAIRS):
        first, second = instruments[2 * number], instruments[2 * number + 1]
        ratio = first.open_price / second.open_price
        made.append(
            StartStrategy(
                number + 1, f"P{number + 1}", 1, "pairs", kind.hash, VENUE, [first.id, second.id],
                PARAMETERS | {"hedge_ratio": ratio},
            )
        )  # fmt: skip
    return made


def run_once(recording: Path, out: Path) -> dict[str, Any]:
    """One backtest. Its totals."""
    pairs = standard_pairs(read_instruments(recording / "instruments.json"))
    limits = [LimitsRow(**row) for row in open_limits(pairs).rows]
    venue = DefineVenue(VENUE, "BENCH", "ouch50", SETTINGS)
    backtest = Backtest(BacktestConfig(str(recording), [venue], pairs, limits), out)
    with (out / "journal.bin").open("wb") as journal_file:
        return backtest.run(journal_file)


def measure(seconds: float, rate: float, rounds: int) -> dict[str, Any]:
    """Medians of `rounds` backtests over one recorded session."""
    with tempfile.TemporaryDirectory(prefix="bench-backtest-") as directory:
        recording, out = Path(directory) / "recording", Path(directory) / "out"
        out.mkdir()
        config = ExchangeConfig(out=out, venues=(VenueConfig("BENCH", VENUE),), market=Market(rate=rate))
        record(config, recording, seconds, as_json=False)
        totals = [run_once(recording, out) for _ in range(rounds + 1)][1:]
    hashes = {each["journal_sha256"] for each in totals}
    if len(hashes) != 1:
        raise AssertionError("the same backtest journalled different bytes")
    found = {name: totals[0][name] for name in ("events", "orders", "denials", "fills", "journal_sha256")}
    found["seconds"] = round(statistics.median(each["seconds"] for each in totals), 3)
    found["events_per_second"] = round(statistics.median(each["events_per_second"] for each in totals))
    return found | {"pairs": PAIRS, "rounds": rounds}


def main(arguments: list[str]) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m engine bench backtest", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the session, in its own time")
    parser.add_argument("--rate", type=float, default=2000.0, help="events of the market a second")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args(arguments)
    if options.seconds <= 0 or options.rate <= 0 or options.rounds < 1:
        parser.error("seconds and rate are above 0, rounds at least 1")
    found = measure(options.seconds, options.rate, options.rounds)
    print(f"backtest: {found['events_per_second']:,} events/s, {found['events']} events, {found['orders']} orders")
    if options.json:
        print(json.dumps(found))
    return 0
