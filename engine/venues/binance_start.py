"""The engine's end of a Binance session: its rings, and the process on the other side of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from secrets import token_hex

from engine.messages.endpoints import shared_memory_directory
from engine.transport.ring_file import open_ring
from engine.venues.binance import read_settings
from engine.venues.fix44_outbox import forget_session, last_taken
from engine.venues.fix44_start import Fix44Process
from engine.venues.secret_files import SecretFiles, secret_files

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class BinanceConfig:
    """What the engine tells the process at its start, in one private JSON file, never on its command line."""

    state: str
    venue: int
    name: str
    settings: dict[str, str]
    instruments: str
    after: int
    parent: int
    secrets: str


def session_directory(state: Path, venue: int) -> Path:
    """Where the session keeps its records and its tag."""
    return state.resolve() / "engine" / "binance" / str(venue)


def ring_paths(state: Path, venue: int) -> tuple[Path, Path]:
    """Files of the request ring (engine to venue) and of the report ring (venue to engine)."""
    directory = shared_memory_directory(state)
    return directory / f"binance-{venue}-requests.ring", directory / f"binance-{venue}-reports.ring"


def tag_of(directory: Path) -> str:
    """What our client order ids begin with: chosen once for a state directory, because order ids begin again in
    another."""
    path = directory / "tag"
    if not path.exists():
        draft = directory / "tag.new"
        draft.write_text(token_hex(4))
        draft.replace(path)
    tag = path.read_text().strip()
    if not (len(tag) == 8 and tag.isalnum()):
        raise ValueError(f"{path} does not hold a tag of eight characters")
    return tag


def write_config(config: BinanceConfig) -> Path:
    """Write it where only this user reads it (it holds the secret), whole or not at all."""
    directory = session_directory(Path(config.state), config.venue)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, draft = directory / "config.json", directory / "config.json.new"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(config), file, indent=1)
    draft.replace(path)
    return path


def read_config(path: Path) -> BinanceConfig:
    """ValueError with a sentence when the file is not one that `write_config` wrote."""
    try:
        return BinanceConfig(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"{path} does not configure a Binance session: {error}") from None


def start_binance(
    state: Path,
    venue: int,
    name: str,
    settings: Mapping[str, str],
    instruments: Path,
    after: int,
    secrets: SecretFiles | None = None,
) -> Fix44Process:
    """Start (or start again) the process of one venue, as `fix44_start.start_fix44` does for FIX."""
    read_settings(settings)
    request_path, report_path = ring_paths(state, venue)
    reports = open_ring(report_path)
    if after < last_taken(reports):
        # The engine has lost a journal that it once had: everything after `after` has to come again, in order.
        report_path.unlink()
        reports = open_ring(report_path)
    forget_session(reports)
    folder = str((secrets or secret_files(state)).folder.absolute())
    config = BinanceConfig(
        str(state.resolve()), venue, name, dict(settings), str(instruments.resolve()), after, os.getpid(), folder
    )
    command = [sys.executable, "-m", "engine.venues.binance_process", str(write_config(config))]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)
    return Fix44Process(process, open_ring(request_path), reports)
