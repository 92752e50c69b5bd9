"""Looking at real processes from tests."""

import os
import time
from pathlib import Path

GONE_SECONDS = 20.0


def processes_of(state: Path) -> dict[int, str]:
    """Return the running processes whose environment or command line names this state directory: id to command line."""
    found = {}
    needle = os.fsencode(state)
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes()
            if command and (needle in command or needle in (entry / "environ").read_bytes()):
                found[int(entry.name)] = command.replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


def wait_until_gone(state: Path) -> None:
    """Wait until no process names this state directory any more; those that still do are in the failure."""
    deadline = time.monotonic() + GONE_SECONDS
    while left := processes_of(state):
        assert time.monotonic() < deadline, f"still there after {GONE_SECONDS:.0f} s: {left}"
        time.sleep(0.05)
