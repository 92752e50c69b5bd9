"""What the engine tells a FIX session process at its start: one private JSON file, never its command line."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.messages.endpoints import shared_memory_directory


@dataclass(frozen=True)
class Fix44Config:
    """One session. `settings` are the venue's, as `fix44.read_settings` takes them; `after` is the number of the last
    report that the engine has journalled (its `venue_sequence`), 0 for none; `parent` is the engine's process id;
    `secrets` the folder of the files that passwords name."""

    state: str
    venue: int
    name: str
    settings: dict[str, str]
    instruments: str
    after: int
    parent: int
    secrets: str


def session_directory(state: Path, venue: int) -> Path:
    """Where the session keeps its records, its sequence numbers (`store`) and its messages (`log`)."""
    return state.resolve() / "engine" / "fix" / str(venue)


def ring_paths(state: Path, venue: int) -> tuple[Path, Path]:
    """Files of the request ring (engine to venue) and of the report ring (venue to engine)."""
    directory = shared_memory_directory(state)
    return directory / f"fix-{venue}-requests.ring", directory / f"fix-{venue}-reports.ring"


def write_config(config: Fix44Config) -> Path:
    """Write it where only this user reads it (it holds the password), whole or not at all."""
    directory = session_directory(Path(config.state), config.venue)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, draft = directory / "config.json", directory / "config.json.new"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(config), file, indent=1)
    draft.replace(path)
    return path


def read_config(path: Path) -> Fix44Config:
    """ValueError with a sentence when the file is not one that `write_config` wrote."""
    try:
        return Fix44Config(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise ValueError(f"{path} does not configure a FIX session: {error}") from None


# FIX 5.0 SP2 is spoken over FIXT.1.1, whose Logon(A) says so.
APPLICATION_VERSION = {"5.0SP2": "DefaultApplVerID=FIX.5.0SP2\n"}

# UseDataDictionary=N and CheckLatency=N: a message that they refuse counts as received and is gone, and it may be a
# fill. What a venue says is checked field by field in `fix44_reports`, and what cannot be read starts a
# reconciliation.
QUICKFIX_SETTINGS = """\
[DEFAULT]
ConnectionType=initiator
ReconnectInterval=1
LogonTimeout=5
LogoutTimeout=2
SocketNodelay=Y
StartTime=00:00:00
EndTime=00:00:00
UseDataDictionary=N
CheckLatency=N
PersistMessages=Y
FileStorePath={directory}/store
FileLogPath={directory}/log
TimestampPrecision={precision}
{application_version}[SESSION]
BeginString={begin_string}
SenderCompID={sender}
TargetCompID={target}
SocketConnectHost={host}
SocketConnectPort={port}
HeartBtInt={heartbeat_seconds}
"""
