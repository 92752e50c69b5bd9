"""Looking at real processes from tests."""

import os
from pathlib import Path


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
