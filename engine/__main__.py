"""`python -m engine COMMAND ...`: the doors of the engine. Each module is imported only when its command is asked
for.
"""

from __future__ import annotations

import sys
from importlib import import_module

# command: module and function that take the remaining arguments and return the exit status
COMMANDS = {
    "backtest": "engine.backtest:main",
    "bench": "engine.bench.command:main",
    "binance": "engine.venues.binance_process:main",
    "book": "engine.history.book_door:main",
    "broker": "engine.simulator.broker_door:main",
    "compile": "engine.compile_door:main",
    "decode": "engine.decode:main",
    "exchange": "engine.simulator.exchange:main",
    "fix": "engine.venues.fix44_process:main",
    "fuzz": "engine.fuzz:main",
    "journal": "engine.journal.door:main",
    "reconcile": "engine.control.drop_copy:main",
    "run": "engine.run:main",
    "study": "engine.studies.command:main",
}


def main(arguments: list[str]) -> int:
    """Run one command. Status 0 means done, 1 refused, 2 asked for wrongly."""
    known = ", ".join(sorted(COMMANDS))
    if not arguments or arguments[0] in ("-h", "--help"):
        print(f"usage: python -m engine COMMAND ...\ncommands: {known}")
        return 0 if arguments else 2
    command, *rest = arguments
    if command not in COMMANDS:
        print(f"engine: there is no command {command!r}; there are {known}", file=sys.stderr)
        return 2
    module, function = COMMANDS[command].split(":")
    return int(getattr(import_module(module), function)(rest) or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
