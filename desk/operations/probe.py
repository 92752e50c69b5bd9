"""`python -m desk.operations.probe exchange|engine|web`, `... process WORDS`: the health checks of the containers."""

import os
import sys
import urllib.request
from pathlib import Path

from desk.environment import read_environment
from desk.operations.demo import Market
from desk.operations.readiness import HELLO_WAIT_MS, ask_hello, is_accepting
from engine.messages.endpoints import engine_endpoints


def probe(name: str, words: str = "") -> bool:
    """Say whether the part can do its work. OSError when it cannot even be asked."""
    environment = read_environment()
    if name == "exchange":
        return is_accepting("127.0.0.1", Market(environment.state).order_port)
    if name == "engine":
        return ask_hello(engine_endpoints(environment.state).control, HELLO_WAIT_MS) is not None
    if name == "web":
        with urllib.request.urlopen(f"http://127.0.0.1:{environment.port}/readyz", timeout=2.0) as answer:
            return bool(answer.status == 200)
    if name == "process":
        return any(words in command for command in _command_lines())
    raise SystemExit(f"There is no part {name!r}; there are exchange, engine, web and process.")


def _command_lines() -> list[str]:
    lines = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                lines.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
            except OSError:
                continue
    return lines


def main(arguments: list[str]) -> int:
    try:
        return 0 if probe(*arguments) else 1
    except OSError as problem:
        print(f"{arguments[0]} cannot be asked: {problem}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
