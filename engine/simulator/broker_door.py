"""`python -m engine broker CONFIG ...`: the person at the simulated broker's desk, of a running exchange."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from engine.simulator.config import ConfigError, read_config
from engine.simulator.floor_port import DONE, tell

READY_FILE = "exchange.json"


def main(arguments: list[str]) -> int:
    """Status 0 when it was done, 1 with a sentence when not."""
    parser = argparse.ArgumentParser(prog="python -m engine broker", description=__doc__.splitlines()[0])
    parser.add_argument("config", type=Path, help="the exchange's TOML file")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("orders", help="what the broker holds, a line each").add_argument(
        "--json", action="store_true", help="as one JSON array"
    )
    fill = commands.add_parser("fill", help="fill some of an order")
    refuse = commands.add_parser("refuse", help="do not go on with an order")
    for one in (fill, refuse):
        one.add_argument("venue")
        one.add_argument("user")
        one.add_argument("number", help="the order's number, as `orders` shows it")
    fill.add_argument("quantity")
    fill.add_argument("price")
    for name, help_text in (("automatic", "orders fill by themselves"), ("by-hand", "orders wait for a person")):
        commands.add_parser(name, help=help_text).add_argument("venue")
    options = parser.parse_args(arguments)
    try:
        ready = read_config(options.config).out / READY_FILE
        if not ready.exists():
            raise ConfigError(f"no exchange runs with this config: there is no {ready}")
        answer = tell(ready, _line(options))
    except (ConfigError, OSError) as error:
        print(f"broker: {error}", file=sys.stderr)
        return 1
    if options.command == "orders":
        _show(json.loads(answer), options.json)
        return 0
    print(answer, file=sys.stdout if answer == DONE else sys.stderr)
    return 0 if answer == DONE else 1


def _line(options: argparse.Namespace) -> str:
    if options.command == "orders":
        return "orders"
    words = [options.command]
    if options.command in ("fill", "refuse"):
        words += [options.user, options.number]
    if options.command == "fill":
        words += [options.quantity, options.price]
    return f"{options.venue}: {' '.join(words)}"


def _show(orders: list[dict[str, object]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(orders))
        return
    for row in orders:
        print("{venue} {user} {number} {side} {open} {instrument} at {price}, {executed} executed".format(**row))
    if not orders:
        print("nothing is held")
