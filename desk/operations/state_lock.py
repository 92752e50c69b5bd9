"""One launcher a state directory."""

import fcntl
import os
from pathlib import Path
from typing import TextIO


class StateInUse(Exception):
    """Another launcher runs on the same state directory."""


def lock_state(state: Path, address: str) -> TextIO:
    """Take the state directory until the returned file is closed, or raise StateInUse naming who has it."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = (state / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise StateInUse(
            f"A desk already runs on {state} ({holder}). Stop it with Ctrl-C in its terminal, "
            f"or use another state directory and port: DESK_STATE=/path PORT=8001 make up"
        ) from None
    file.truncate(0)
    file.write(f"process {os.getpid()}, {address}\n")
    file.flush()
    return file
