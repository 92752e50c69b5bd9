"""`python -m engine study fix-acceptance DIR`: the acceptance definitions of FIX 4.2 and 4.4 against our acceptor.

DIR holds `fix42` and `fix44`, folders of `.def` files.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.simulator.fix_echo import EchoAcceptor
from engine.studies.fix_definitions import NotAsDefined, Player

VERSIONS = {"fix42": ("4.2", "TW42"), "fix44": ("4.4", "TW44")}
NAME = "ISLD"
AT_ONCE = 6  # definitions of one version


@dataclass(frozen=True)
class Row:
    """What became of one definition; `reason` is empty when all was as it says."""

    version: str
    definition: str
    passed: bool
    reason: str = ""


def play_some(version: str, client: str, paths: list[Path]) -> list[Row]:
    """These definitions of one version, one after the other, against an acceptor on a real socket."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="fix-acceptance-") as directory:
        acceptor = EchoAcceptor(version, NAME, [client], Path(directory), resets=True)
        acceptor.start()
        try:
            for path in paths:
                try:
                    Player(acceptor.port).play(path)
                    rows.append(Row(version, path.stem, passed=True))
                except NotAsDefined as wrong:
                    rows.append(Row(version, path.stem, passed=False, reason=str(wrong)))
        finally:
            acceptor.stop()
    return rows


def play_all(directory: Path) -> list[Row]:
    """The definitions of every version in `directory`, in the order of versions and names. ValueError when there are
    none. Some are played at once, each against an acceptor of its own: most of their time is waiting for heartbeats."""
    parts = []
    for folder, (version, client) in VERSIONS.items():
        paths = sorted((directory / folder).glob("*.def"))
        parts += [(version, client, paths[at::AT_ONCE]) for at in range(min(AT_ONCE, len(paths)))]
    if not parts:
        raise ValueError(f"{directory} has no definitions: folders {' and '.join(VERSIONS)} of .def files are expected")
    with ThreadPoolExecutor(len(parts)) as pool:
        rows = [row for played in pool.map(lambda part: play_some(*part), parts) for row in played]
    return sorted(rows, key=lambda row: (row.version, f"{row.definition}.def"))


def main(arguments: list[str]) -> int:
    """The command. 1 when a definition is not passed or there is none."""
    parser = argparse.ArgumentParser(prog="python -m engine study fix-acceptance", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    options = parser.parse_args(arguments)
    try:
        rows = play_all(options.directory)
    except ValueError as wrong:
        print(f"engine study: {wrong}", file=sys.stderr)
        return 1
    failed = [row for row in rows if not row.passed]
    if options.json:
        print(json.dumps({"definitions": len(rows), "passed": len(rows) - len(failed), "failed": len(failed),
                          "rows": [asdict(row) for row in rows]}))  # fmt: skip
    else:
        for row in rows:
            print(f"FIX {row.version}  {row.definition:<48} {'passed' if row.passed else 'FAILED: ' + row.reason}")
        print(f"{len(rows) - len(failed)} of {len(rows)} definitions passed")
    return 1 if failed else 0
